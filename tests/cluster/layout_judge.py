# SPDX-License-Identifier: Apache-2.0
"""What clients saw of each event, and whether an all-Java cluster shows as much."""

import json
from collections import Counter
from dataclasses import dataclass

from layout_nodes import REGISTER_MS
from nodes import HERE

KEPT_MS = 8000  # a killed broker has forgotten the offsets of its last 5 s; a client tells them each second
SLACK_MS = 5000  # a client may wait 3 s for the answer of a broker that is gone
AT_ONCE_MS = 1000
EXPECTED = HERE / "expect" / "layouts"
LIKE = {"3m-6s": "2m-2s-async"}  # the same roles in the same modes
ONE_MASTER = "1m"  # has what is missing elsewhere: a name server away looks the same everywhere
# Outcomes that only Gantry's answers have, and why: docs/compatibility.md
DIFFERENT = {"SLAVE_NOT_AVAILABLE"}  # said at once, where 5.5.0 waits for slaveTimeout
# What a send that a kill hits on its way may end in, with a time-out of 3 s on both sides; a
# recording need not have hit one.
ON_ITS_WAY = {"RemotingTooMuchRequestException", "FLUSH_SLAVE_TIMEOUT"}


@dataclass(frozen=True)
class Event:
    """A node was away. Times in ms: killed, serving again, everything taken."""

    node: str
    role: str
    kind: str
    begin: int
    back: int
    done: int


def _outcomes(event, stream):
    return Counter(sent.outcome for sent in stream.sent()
                   if event.begin <= sent.end <= event.done)  # later ends are of the next kill


def _silence(event, stream, machine):
    """The longest time without an acknowledgement, while the machine went."""
    ends = sorted(sent.end for sent in stream.sent() if sent.is_acknowledged()
                  and event.begin <= sent.end <= event.done)
    times = [event.begin, *ends, event.done]
    return max(after - before - round(machine.still_ms(before, after))
               for before, after in zip(times, times[1:]))


def _first_taken(stream):
    first = {}
    for name, when in stream.taken():
        first.setdefault(name, when)
    return first


def _lateness(event, streams, stream, machine):
    """The longest time from an acknowledgement until the message was taken, without what comes from
    how slowly this client notices. A Java broker registers at its start only where its connection to
    a name server was quicker than the rest of the start (getAvailableNameSrvList of 5.5.0), else a
    period later, while clients that know its address send."""
    first = _first_taken(stream)
    worst = max((first[sent.name] - sent.end - round(machine.still_ms(sent.end, first[sent.name]))
                 for one in streams.all for sent in one.sent()
                 if sent.is_acknowledged() and event.begin <= sent.end <= event.back), default=0)
    return max(worst - stream.notices_ms - (REGISTER_MS if event.kind == "java" else 0), 0)


def facts(events, streams, machine):
    """By role of the killed node: outcomes by language, and the worst times of any client."""
    all_of = {}
    for event in events:
        of = all_of.setdefault(event.role, {"outcomes": {}, "silent_ms": 0, "late_ms": 0})
        for stream in streams.all:
            outcomes = _outcomes(event, stream)
            silent = _silence(event, stream, machine)
            late = _lateness(event, streams, stream, machine)
            known = of["outcomes"].get(stream.language, [])
            of["outcomes"][stream.language] = sorted({*known, *outcomes})
            of["silent_ms"], of["late_ms"] = max(of["silent_ms"], silent), max(of["late_ms"], late)
            print(f"{event.node} away, {stream.name}: {dict(outcomes)}, {silent} ms without an "
                  f"acknowledgement, taken after {late} ms at most", flush=True)
    return all_of


def unexplained(events, streams):
    """Messages that came again though no broker was away. Who sent a message again is told by the
    stores; a consumer takes each copy."""
    wrong = []
    sent_again = {sent.name for stream in streams.all for sent in stream.sent()
                  if any(event.begin <= sent.end and sent.begin <= event.done for event in events)}
    for stream in streams.all:
        first, again, odd = {}, 0, []
        for name, when in stream.taken():
            if name not in first:
                first[name] = when
                continue
            again += 1
            explained = any(event.begin - KEPT_MS <= first[name] and event.begin <= when
                            for event in events if event.role != "namesrv")
            if not explained and name not in sent_again:
                odd.append(name)
        print(f"{stream.name}: took {len(first)} messages, {again} more than once", flush=True)
        if odd:
            wrong.append(f"{stream.name} took {len(odd)} messages again for no reason: {odd[:5]}")
    return wrong


def _known(layout):
    """What is recorded of a layout, by role."""
    path = EXPECTED / f"{LIKE.get(layout, layout)}.json"
    return json.loads(path.read_text())["facts"] if path.exists() else {}


def _outcomes_known(known, role, language):
    """How sends of such a client may end."""
    of_one_master = _known(ONE_MASTER).get(role, {"outcomes": {}})
    recorded = known["outcomes"].get(language) or of_one_master["outcomes"].get(language) or ["SEND_OK"]
    return {*recorded, *DIFFERENT, *(() if role == "namesrv" else ON_ITS_WAY)}


def _both(one, other):
    """What either shows of a role: one kill does not show everything."""
    outcomes = {language: sorted({*one["outcomes"].get(language, []),
                                  *other["outcomes"].get(language, [])})
                for language in {**one["outcomes"], **other["outcomes"]}}
    return {"outcomes": outcomes, **{key: max(one[key], other[key])
                                     for key in ("silent_ms", "late_ms")}}


def record(layout, seen):
    """Keeps what clients see of Java's nodes, with what is kept already."""
    kept = _known(layout)
    for role, of in seen.items():
        kept[role] = _both(of, kept.get(role, of))
    EXPECTED.mkdir(parents=True, exist_ok=True)
    (EXPECTED / f"{layout}.json").write_text(json.dumps(
        {"servers": "Java 5.5.0", "facts": kept}, indent=1, sort_keys=True) + "\n")


def compare(layout, seen):
    """What clients saw that they do not see of Java's nodes."""
    wrong, expected = [], {**_known(ONE_MASTER), **_known(layout)}
    for role, of in seen.items():
        known = expected.get(role)
        if not known:
            wrong.append(f"nothing is recorded of {layout} without a {role}")
            continue
        for language, outcomes in of["outcomes"].items():
            new = set(outcomes) - _outcomes_known(known, role, language)
            if new:
                wrong.append(f"a {role} away: {language} sends end with {sorted(new)}, which they "
                             f"never do with Java's")
        for key in ("silent_ms", "late_ms"):
            limit = max(known[key], AT_ONCE_MS) + SLACK_MS
            if of[key] > limit:
                wrong.append(f"a {role} away: {key} {of[key]}, with Java's {known[key]}")
    return wrong
