# SPDX-License-Identifier: Apache-2.0
"""What of an answer is compared: everything but times, addresses, identities and places in the log."""

import json
import re

from records import read_record

SPOILT = "DiffSpoilt"  # in every name that sequence.py keeps for spoilt requests
BROADCAST = "@broadcast"  # groups of offsets that are noted every five seconds
TIME = 1_400_000_000_000  # a number above it is a time in milliseconds
ID = re.compile(r"\b[0-9A-F]{32}(?:[0-9A-F]{8,24})?\b")
PORTS = re.compile(r"\b(127\.0\.0\.1|0\.0\.0\.0):\d+\b")
LOCAL = re.compile(r"/?127\.0\.0\.1:\d+")
TIMES = re.compile(r"\b1[4-9]\d{11}\b")
DATE = re.compile(r"\d{4}-\d\d-\d\d[ T#]\d\d:\d\d:\d\d[,.:]?\d*")
VOLATILE = {"dataVersion", "mappingDataVersion", "lastUpdateTimestamp", "indexLastUpdateTimestamp",
            "indexLastUpdatePhyoffset", "consumeTps", "topicPutTps", "groupTopicMap", "pullOffsetTable",
            "physicOffset", "delayTime", "version", "language"}
EXCEPTION = re.compile(r"^(?:[a-z]\w*\.)*\w+(?:Exception|Error)(?:: |(?=, )|$)")
THROWN_AT = re.compile(r",? ?(?:[\w.]+/)?(?:[a-z]\w*\.)+[\w.$<>]+\([\w.]*(?::\d+)?\).*$")
# fastjson makes keys from objects: {"topic":...}:value
OBJECT_KEY = re.compile(r"(\{[^{}]*\}):")
BARE_KEY = re.compile(r"([{,])\s*(-?\d+):")


def text(value):
    """A text without what is never the same twice."""
    value = DATE.sub("DATE", TIMES.sub("TIME", ID.sub("ID", value)))
    return PORTS.sub("ADDRESS", LOCAL.sub("ADDRESS", value))


def _spoilt(value):
    """Whether it is about what spoilt requests may have changed on one side alone, or comes and
    goes by itself."""
    return isinstance(value, str) and (SPOILT in value or value.endswith(BROADCAST))


def _members(pairs):
    """(key, document) of those that are compared; what has nothing else goes as a whole."""
    for key, member in pairs:
        if _spoilt(key) or _spoilt(member) or key in VOLATILE:
            continue
        kept = document(member)
        if kept or not isinstance(member, (dict, list)) or not member:
            yield key, kept


def document(value):
    """A JSON document: members in order, lists of objects sorted, volatile members gone."""
    if isinstance(value, dict):
        return {text(key): member for key, member in _members(sorted(value.items()))}
    if isinstance(value, list):
        members = [member for _, member in _members(enumerate(value))]
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
    """Lines, one for each part or member that differs."""
    lines = []
    _walk("", java, gantry, lines)
    return lines


def _walk(path, java, gantry, lines):
    if java == gantry:
        return
    if isinstance(java, dict) and isinstance(gantry, dict):
        for name in sorted(java.keys() | gantry.keys()):
            _walk(f"{path}.{name}" if path else name, java.get(name), gantry.get(name), lines)
    elif isinstance(java, list) and isinstance(gantry, list):
        only = [member for member in java if member not in gantry]
        other = [member for member in gantry if member not in java]
        if len(only) == len(other) == 1:
            _walk(f"{path}[]", only[0], other[0], lines)
        else:
            lines.append(f"{path}[]: Java alone has {_short(only)}, Gantry {_short(other)}")
    else:
        lines.append(f"{path}: Java {_short(java)}, Gantry {_short(gantry)}")


def _short(value):
    shown = json.dumps(value, sort_keys=True)
    return shown if len(shown) < 700 else shown[:350] + "..." + shown[-350:]
