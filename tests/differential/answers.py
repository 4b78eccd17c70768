# SPDX-License-Identifier: Apache-2.0
"""What of an answer is compared: everything but times, addresses, identities and places in the log."""

import json
import re

from records import read_record

TIME = 1_400_000_000_000  # a number above it is a time in milliseconds
ID = re.compile(r"\b[0-9A-F]{32}(?:[0-9A-F]{8,24})?\b")
PORTS = re.compile(r"\b(127\.0\.0\.1|0\.0\.0\.0):\d+\b")
LOCAL = re.compile(r"/?127\.0\.0\.1:\d+")
TIMES = re.compile(r"\b1[4-9]\d{11}\b")
DATE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.:]?\d*")
VOLATILE = {"dataVersion", "mappingDataVersion", "lastUpdateTimestamp", "indexLastUpdateTimestamp",
            "indexLastUpdatePhyoffset", "consumeTps", "version", "language"}
EXCEPTION = re.compile(r"^(?:[a-z]\w*\.)*\w+(?:Exception|Error)(?:: |(?=, )|$)")
THROWN_AT = re.compile(r",? ?(?:[\w.]+/)?(?:[a-z]\w*\.)+[\w.$<>]+\([\w.]*(?::\d+)?\).*$")
# fastjson makes keys from objects: {"topic":...}:value
OBJECT_KEY = re.compile(r"(\{[^{}]*\}):")
BARE_KEY = re.compile(r"([{,])\s*(-?\d+):")


def text(value):
    """A text without what is never the same twice."""
    value = DATE.sub("DATE", TIMES.sub("TIME", ID.sub("ID", value)))
    return PORTS.sub("ADDRESS", LOCAL.sub("ADDRESS", value))


def document(value):
    """A JSON document: members in order, lists of objects sorted, volatile members gone."""
    if isinstance(value, dict):
        return {text(key): document(member) for key, member in sorted(value.items())
                if key not in VOLATILE}
    if isinstance(value, list):
        members = [document(member) for member in value]
        return sorted(members, key=lambda member: json.dumps(member, sort_keys=True))
    if isinstance(value, str):
        return text(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > TIME:
        return "TIME"
    return value


def _messages(body):
    result, start = [], 0
    while start < len(body):
        record = read_record(body, start, 0)
        if not record:
            return None
        pairs = sorted(text(pair) for pair in record.properties.decode("utf-8", "replace").split("\x02"))
        result.append([record.topic, record.queue, record.queue_offset, record.sys_flag, pairs])
        start += record.size
    return result


def _body(body):
    if not body:
        return ""
    messages = _messages(body)
    if messages is not None:
        return messages
    try:
        plain = body.decode()
    except UnicodeDecodeError:
        return body.hex()
    quoted = OBJECT_KEY.sub(lambda found: json.dumps(found.group(1)) + ":", plain)
    quoted = BARE_KEY.sub(r'\1"\2":', quoted)
    try:
        return document(json.loads(quoted))
    except ValueError:
        return text(plain)


def _remark(remark):
    """The first line, without the class of a Java exception and the place where it was thrown."""
    first = (remark or "").split("\n")[0]
    return text(THROWN_AT.sub("", EXCEPTION.sub("", first)))


def comparable(answer):
    """(code, remark, fields, body) of an answer's header and body."""
    header, body = answer
    fields = {name: document(value) if not TIMES.fullmatch(str(value)) else "TIME"
              for name, value in (header.get("extFields") or {}).items() if name not in VOLATILE}
    return {"code": header["code"], "remark": _remark(header.get("remark")),
            "fields": fields, "body": _body(body)}


def differences(java, gantry):
    """Lines, one for each part that differs."""
    lines = []
    for part, value in java.items():
        other = gantry[part]
        if value == other:
            continue
        if part == "fields":
            for name in sorted(value.keys() | other.keys()):
                if value.get(name) != other.get(name):
                    lines.append(f"{name}: Java {value.get(name)!r}, Gantry {other.get(name)!r}")
        else:
            lines.append(f"{part}: Java {_short(value)}, Gantry {_short(other)}")
    return lines


def _short(value):
    shown = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return repr(shown if len(shown) < 700 else shown[:700] + "...")
