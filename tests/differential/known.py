# SPDX-License-Identifier: Apache-2.0
"""Differences from the Java nodes that are meant to be; docs/compatibility.md tells users of them."""

import re

from sequence import PULLS, SPOILT_TOPIC

LONG = re.compile("L+")
LOCKS = {41, 42}
SUMS = {"totalDiff": 0, "totalInflightDiff": 0}
UNREADABLE = re.compile(r"the custom field <\w+> (is null|type)|For input string|is not a ")


def _differ(java, gantry):
    """The parts, and the names of fields, that differ."""
    parts = {part for part in ("code", "remark", "body") if java[part] != gantry[part]}
    names = java["fields"].keys() | gantry["fields"].keys()
    return parts | {name for name in names if java["fields"].get(name) != gantry["fields"].get(name)}


def _unreadable_field(request, java, gantry):
    """Java takes such a field for null, and goes on with it or fails somewhere behind."""
    if request.spoilt and gantry["code"] == 1 and UNREADABLE.search(gantry["remark"]):
        return "a field that is missing or cannot be read is named, not taken for null"
    return ""


def _null_pointer(_request, java, gantry):
    if java["code"] == gantry["code"] and java["remark"].startswith("Cannot invoke"):
        return "the remark of a NullPointerException"
    return ""


def _remark_of_success(_request, java, gantry):
    if java["code"] == 0 and _differ(java, gantry) == {"remark"}:
        return "the remark of a success"
    return ""


def _null_in_remark(request, java, gantry):
    if request.spoilt and _differ(java, gantry) == {"remark"} and "null" in java["remark"]:
        return "a missing name is an empty one in a remark, not the word null"
    return ""


def _any_queue(request, java, gantry):
    if "negative" in request.spoilt and _differ(java, gantry) <= {"queueId", "queueOffset"}:
        return "a queue that the broker chooses"
    return ""


def _diverged(request, java, gantry):
    """One side stored what the other refused."""
    if SPOILT_TOPIC in request.fields.values() and _differ(java, gantry) == {"queueOffset"}:
        return "offsets of the topic that spoilt requests went to"
    return ""


def _spoilt_body(request, java, gantry):
    """fastjson makes strings of numbers and lists, or throws; what exactly, no client relies on."""
    if request.code.fields or not request.body or not request.spoilt:
        return ""
    if "without" in request.spoilt:
        if "is null" in gantry["remark"] or "no clientID" in gantry["remark"] or \
                java["remark"].startswith("Cannot invoke"):
            return "a name that a JSON body lacks is named, not taken for null"
        return ""
    if gantry["code"] or java["code"] == 0 and request.code.code in LOCKS:
        return "a JSON body that is none, or of the wrong types"
    return "names without quotes are taken" if "bare keys" in request.spoilt else ""


def _no_type(request, java, gantry):
    """Java then looks for the codes of tags that it has not made."""
    if "[expressionType empty]" in request.spoilt and java["code"] == 20 and gantry["code"] == 0:
        return "an empty type of expression is as good as none"
    return ""


def _message_id(request, java, gantry):
    if request.code.code == 309 and java["code"] == gantry["code"] == 1 and \
            gantry["remark"].endswith("is no message id"):
        return "the remark of what is no message id"
    return ""


def _queue_made(request, java, gantry):
    if request.code.code == 321 and java["code"] == 0 and gantry["code"] == 1 and \
            java["remark"].startswith("Index ") and gantry["remark"].endswith("is not exist!"):
        return "asking for a queue does not make it"
    return ""


def _long_group(request, java, gantry):
    if "roup long" in request.spoilt and java["code"] == 0 and gantry["code"] == 1:
        return "a group whose name is too long has no offsets"
    return ""


def _nothing_to_clone(request, java, gantry):
    if request.code.code == 314 and not request.fields.get("srcGroup") and gantry["code"] == 0 and \
            java["remark"].startswith("Cannot invoke"):
        return "a group without a name has no offsets to clone"
    return ""


def _sums(request, java, gantry):
    if request.code.code == 317 and _differ(java, gantry) == {"body"}:
        bodies = [{**one["body"], **SUMS} for one in (java, gantry)]
        for body in bodies:
            body["consumeStatsList"] = [group for group in body["consumeStatsList"]
                                        if any(group.values())]
        if bodies[0] == bodies[1]:
            return "sums over what spoilt requests left"
    return ""


def _below_zero(request, java, gantry):
    if "negative" in request.spoilt and gantry["code"] in (1, 29) and java["code"] == 0:
        return "a number below zero that the Java node keeps or counts with"
    return ""


def _long_name(request, java, gantry):
    short = [LONG.sub("L", one["remark"]) for one in (java, gantry)]
    if "long" in request.spoilt and _differ(java, gantry) == {"remark"} and short[0] == short[1]:
        return "a very long name is cut in a remark"
    return ""


def _expression_type(request, java, gantry):
    """Java delivers every message, since an assert is off."""
    if request.code.code in PULLS and "[expressionType" in request.spoilt and \
            java["code"] in (0, 19, 20, 21) and \
            gantry["remark"].startswith("The broker does not support consumer to filter"):
        return "a type of expression that does not exist is refused"
    return ""


RULES = [_spoilt_body, _below_zero,
         _unreadable_field, _null_pointer, _remark_of_success, _null_in_remark, _any_queue,
         _diverged, _long_name, _expression_type, _no_type, _message_id, _queue_made,
         _long_group, _nothing_to_clone, _sums]


def reason(request, java, gantry):
    """Why these answers may differ; "" if they may not."""
    for judge in RULES:
        why = judge(request, java, gantry)
        if why:
            return why
    return ""
