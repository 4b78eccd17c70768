# SPDX-License-Identifier: Apache-2.0
"""What of an answer must be the same on both brokers: everything but times, ports and order."""

import json
import re

TIME_LEAST = 10 ** 12  # milliseconds since the epoch, in 2001
LINE_MAX = 600
LIVE = {key: "LIVE" for key in ("delayTime", "tps", "avgpt", "sum", "consumeTps", "topicPutTps",
                                "masterCommitLogMaxOffset", "physicOffset", "physicSize")}


def parse(text):
    """JSON as fastjson writes it: keys may be bare numbers or whole objects, which become text."""
    value, at = _value(text, _skip(text, 0))
    if _skip(text, at) != len(text):
        raise ValueError(f"more text at {at}")
    return value


def _skip(text, at):
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _value(text, at):
    if text[at] == "{":
        return _object(text, at + 1)
    if text[at] == "[":
        return _array(text, at + 1)
    return json.JSONDecoder().raw_decode(text, at)


def _array(text, at):
    items = []
    at = _skip(text, at)
    while text[at] != "]":
        item, at = _value(text, at)
        items.append(item)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return items, at + 1


def _object(text, at):
    members = {}
    at = _skip(text, at)
    while text[at] != "}":
        key, at = _value(text, at)
        at = _skip(text, at)
        if text[at] != ":":
            raise ValueError(f"no colon at {at}")
        value, at = _value(text, _skip(text, at + 1))
        members[key if isinstance(key, str) else json.dumps(key, sort_keys=True)] = value
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return members, at + 1


def settled(value):
    """The value without what differs from run to run; lists are sets here."""
    if isinstance(value, dict):
        if set(value) == {"counter", "stateVersion", "timestamp"}:
            return "VERSION"
        return {settled_text(key): LIVE.get(key) or settled(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((settled(item) for item in value), key=lambda item: json.dumps(item))
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return "TIME" if value >= TIME_LEAST else value
    return settled_text(value)


def settled_text(text):
    """The same of a text."""
    text = re.sub(r"\b\d{4}-\d\d-\d\d[ #]\d\d:\d\d:\d\d([:,]\d+)?", "DATE", text)
    text = re.sub(r"\b127\.0\.0\.1(@\d+)?:\d+", "ADDRESS", text)
    text = re.sub(r"\b[0-9A-F]{32,}\b", "MESSAGE-ID", text)
    text = re.sub(r"/[^\s:]*gantry-admin-\w+/\w+/[a-z]+-", "HOME/", text)
    text = re.sub(r"(n)\1{60,}.*", "LONG", text)
    return re.sub(r"\b\d{13}\b", "TIME", text)


def verdict(code, remark):
    """A remark as it is compared. Java's "not set any response code" comes with successes that have
    none; an exception's sentence is about Java's code."""
    if code == 0 and remark == "not set any response code":
        return ""
    if code == 1 and re.search(r"Exception\b|^Cannot invoke", remark):
        return "EXCEPTION"
    return settled_text(remark)


def body_of(data):
    """A body as it is compared: JSON, lines, or its size."""
    if not data:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"{len(data)} bytes"
    if text[0] in "{[":
        try:
            return settled(parse(text))
        except (ValueError, IndexError):
            pass
    return settled_text(text[:LINE_MAX])
