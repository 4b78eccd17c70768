# SPDX-License-Identifier: Apache-2.0
"""Differences from the Java nodes that are meant to be; docs/compatibility.md tells users of them."""

import re

from sequence import SPOILT_TOPIC

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
    if request.body and request.spoilt and "without" not in request.spoilt and \
            {java["code"], gantry["code"]} != {0}:
        return "a JSON body that is none, or of the wrong types"
    return ""


def _below_zero(request, java, gantry):
    if "negative" in request.spoilt and gantry["code"] in (1, 29) and java["code"] == 0:
        return "a number below zero that the Java node keeps or counts with"
    return ""


RULES = [_spoilt_body, _below_zero,
         _unreadable_field, _null_pointer, _remark_of_success, _null_in_remark, _any_queue,
         _diverged]


def reason(request, java, gantry):
    """Why these answers may differ; "" if they may not."""
    for judge in RULES:
        why = judge(request, java, gantry)
        if why:
            return why
    return ""
