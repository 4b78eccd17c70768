# SPDX-License-Identifier: Apache-2.0
"""Offsets that are set from outside: reset by time or number, cloned, corrected; and searched."""

import re
import time

from harness.broker import PULL_COMMIT, PULL_SUBSCRIPTION, PULL_SUSPEND

RESET, CLONE, CORRECTION = 222, 314, 308
SEARCH, MIN_OFFSET, EARLIEST, VIEW = 29, 31, 32, 33
MAX_OFFSET = 30
QUEUE = re.compile(r'\{"brokerName":"([^"]*)","queueId":(\d+),"topic":"([^"]*)"\}:(-?\d+)')
PULL_HEADER = ("nextBeginOffset", "minOffset", "maxOffset", "suggestWhichBrokerId")


def _filled(broker, queues=2, count=10):
    """A group that read half of every queue of a topic."""
    topic, group = broker.topic(queues=queues), broker.group()
    peer = broker.peer()
    for queue in range(queues):
        broker.fill(peer, topic, queue, count)
        broker.commit(peer, group, topic, queue, count // 2)
    return peer, topic, group


def _reset(broker, peer, topic, group, **fields):
    fields = {"topic": topic, "group": group, "isForce": "true", **fields}
    answer = peer.ask(RESET, {key: value for key, value in fields.items() if value is not None})
    facts = broker.plain(answer)
    table = answer["body"].decode()
    facts["shape"] = table.startswith('{"offsetTable":{{') and table.endswith("}}")
    facts["offsets"] = sorted(QUEUE.findall(table))
    return facts


def reset_all(broker):
    """To the beginning: what the broker keeps, what pulls are answered, when commits count again."""
    peer, topic, group = _filled(broker)
    facts = {"answer": _reset(broker, peer, topic, group, timestamp=0),
             "offset": broker.offset(peer, group, topic, 0),
             "commit": broker.plain(broker.commit(peer, group, topic, 0, 9)),
             "offset_after_commit": broker.offset(peer, group, topic, 0)}
    pull = broker.pull(peer, group, topic, 0, 9)
    facts["pull"] = broker.plain(pull, *PULL_HEADER, body=True)
    facts["pull_again"] = broker.pull(peer, group, topic, 0, 0)["code"]
    broker.commit(peer, group, topic, 0, 9)
    facts["offset_in_the_end"] = broker.offset(peer, group, topic, 0)
    facts["other_queue"] = broker.offset(peer, group, topic, 1)
    return facts


def reset_to_end(broker):
    """A negative time is the end."""
    peer, topic, group = _filled(broker)
    return {"answer": _reset(broker, peer, topic, group, timestamp=-1),
            "offset": broker.offset(peer, group, topic, 1),
            "far_future": _reset(broker, peer, topic, group, timestamp=32503680000000)}


def reset_one_queue(broker):
    """A queue of its own, to a number or by time."""
    peer, topic, group = _filled(broker)

    def one(**fields):
        return _reset(broker, peer, topic, group, **fields)

    return {"to_3": one(queueId=1, offset=3, timestamp=0),
            "kept": [broker.offset(peer, group, topic, queue) for queue in (0, 1)],
            "to_end": one(queueId=1, offset=10, timestamp=0),
            "behind_end": one(queueId=1, offset=11, timestamp=0),
            "too_far": one(queueId=1, offset=12, timestamp=0),
            "minus_one_is_time": one(queueId=1, offset=-1, timestamp=0),
            "negative": one(queueId=1, offset=-2, timestamp=0),
            "unknown_queue": one(queueId=77, offset=0, timestamp=0),
            "unknown_queue_by_time": one(queueId=77, timestamp=0),
            "all_with_offset": one(queueId=-1, offset=4, timestamp=0)}


def reset_refused(broker):
    """Fields that are missing or wrong."""
    peer, topic, group = _filled(broker)
    return {"unknown_topic": _reset(broker, peer, "no-such-topic", group, timestamp=0),
            "unknown_group": _reset(broker, peer, topic, "no-such-group", timestamp=0),
            "no_time": _reset(broker, peer, topic, group),
            "odd_time": _reset(broker, peer, topic, group, timestamp="soon"),
            "no_force": _reset(broker, peer, topic, group, timestamp=0, isForce=None),
            "no_topic": _reset(broker, peer, None, group, timestamp=0),
            "no_group": _reset(broker, peer, topic, None, timestamp=0),
            "odd_queue": _reset(broker, peer, topic, group, timestamp=0, queueId="x")}


def reset_while_held(broker):
    """A pull that waits for messages learns of it no later than when its time is up."""
    peer, topic, group = _filled(broker, queues=1)
    opaque = broker.pull(peer, group, topic, 0, 10, PULL_SUBSCRIPTION | PULL_SUSPEND,
                         suspendTimeoutMillis=3000)
    time.sleep(0.2)  # so that it is held; being early would only make the test weaker
    other = broker.peer()
    _reset(broker, other, topic, group, timestamp=0)
    return {"pull": broker.plain(peer.answer(opaque), *PULL_HEADER, body=True)}


def reset_and_commit_in_pull(broker):
    """What a pull commits along with asking."""
    peer, topic, group = _filled(broker, queues=1)
    _reset(broker, peer, topic, group, timestamp=0)
    pull = broker.pull(peer, group, topic, 0, 8, PULL_SUBSCRIPTION | PULL_COMMIT, commitOffset=8)
    return {"pull": broker.plain(pull, *PULL_HEADER)}


def commits(broker):
    """UPDATE_CONSUMER_OFFSET: odd fields, and smaller offsets."""
    peer, topic, group = _filled(broker)

    def commit(**changed):
        fields = {"consumerGroup": group, "topic": topic, "queueId": 0, "commitOffset": 5}
        fields.update(changed)
        return broker.plain(peer.ask(15, {key: value for key, value in fields.items()
                                          if value is not None}))

    facts = {"smaller": [commit(commitOffset=2), broker.offset(peer, group, topic, 0)],
             "beyond_end": [commit(commitOffset=99), broker.offset(peer, group, topic, 0)],
             "no_queue": commit(queueId=None), "no_offset": commit(commitOffset=None),
             "no_topic": commit(topic=None), "no_group": commit(consumerGroup=None),
             "unknown_topic": commit(topic="no-such-topic"),
             "unknown_group": commit(consumerGroup="no-such-group"),
             "odd_queue": commit(queueId="x"), "odd_offset": commit(commitOffset="x")}
    commit(commitOffset=5)
    facts["in_the_end"] = broker.offset(peer, group, topic, 0)
    return facts


def queries(broker):
    """QUERY_CONSUMER_OFFSET of what is not there."""
    peer, topic, group = _filled(broker)

    def query(**changed):
        fields = {"consumerGroup": group, "topic": topic, "queueId": 0}
        fields.update(changed)
        return broker.plain(peer.ask(14, {key: value for key, value in fields.items()
                                          if value is not None}), "offset")

    return {"known": query(), "new_group_young_topic": query(consumerGroup="never-seen"),
            "not_zero": query(consumerGroup="never-seen", setZeroIfNotFound="false"),
            "unknown_queue": query(queueId=50), "unknown_topic": query(topic="no-such-topic"),
            "no_queue": query(queueId=None), "no_group": query(consumerGroup=None),
            "negative_queue": query(queueId=-1), "odd_queue": query(queueId="1.5")}


def clone(broker):
    """One group's offsets for another."""
    peer, topic, group = _filled(broker)

    def clone_to(target, **fields):
        fields = {"srcGroup": group, "destGroup": target, "topic": topic, "offline": "true",
                  **fields}
        answer = peer.ask(CLONE, {key: value for key, value in fields.items() if value is not None})
        return [broker.plain(answer),
                [broker.offset(peer, target, topic, queue) for queue in (0, 1)]]

    return {"cloned": clone_to("clone-a"), "unknown_topic": clone_to("clone-b", topic="no-such-topic"),
            "unknown_group": clone_to("clone-c", srcGroup="no-such-group"),
            "no_offline": clone_to("clone-e", offline=None),
            "no_source": clone_to("clone-f", srcGroup=None),
            "no_target": broker.plain(peer.ask(CLONE, {"srcGroup": group, "topic": topic})),
            "odd_offline": clone_to("clone-g", offline="maybe")}


def clone_of_online_group(broker):
    """A topic that the online group does not subscribe is left out, unless offline says so."""
    peer, topic, group = _filled(broker)
    other = broker.topic("other")
    peer.join("client-1", group, [other])
    fields = {"srcGroup": group, "topic": topic}
    peer.ask(CLONE, {**fields, "destGroup": "clone-x", "offline": "false"})
    peer.ask(CLONE, {**fields, "destGroup": "clone-y", "offline": "true"})
    return {"online": broker.offset(peer, "clone-x", topic, 0),
            "offline": broker.offset(peer, "clone-y", topic, 0)}


def correction(broker):
    """QUERY_CORRECTION_OFFSET: the least offset of all groups, and where another is behind it."""
    peer, topic, group = _filled(broker)
    for name, offset in (("faster", 8), ("slower", 2)):
        broker.group(name)
        for queue in (0, 1):
            broker.commit(peer, broker.name(name), topic, queue, offset)

    def ask(**fields):
        return broker.plain(peer.ask(CORRECTION, {"topic": topic, **fields}), body=True)

    return {"compare_half": ask(compareGroup=group), "compare_slower": ask(compareGroup=broker.name("slower")),
            "compare_unknown": ask(compareGroup="no-such-group"),
            "no_compare": ask(), "no_topic": broker.plain(peer.ask(CORRECTION, {"compareGroup": group})),
            "unknown_topic": broker.plain(peer.ask(CORRECTION, {"compareGroup": group, "topic": "no-such-topic"}), body=True)}


def search(broker):
    """SEARCH_OFFSET_BY_TIMESTAMP to the millisecond, with both boundaries."""
    topic = broker.topic(queues=1)
    peer = broker.peer()
    stored = []
    for number in range(6):
        sent = broker.send(peer, topic, 0, b"%d" % number)
        broker.readable(peer, topic, 0, number + 1)
        view = peer.ask(VIEW, {"offset": int(sent["extFields"]["msgId"][16:], 16)})
        stored.append(int.from_bytes(view["body"][56:64], "big"))
        time.sleep(0.004)

    def at(stamp, **more):
        answer = peer.ask(SEARCH, {"topic": topic, "queueId": 0, "timestamp": stamp, **more})
        return answer["extFields"].get("offset") if answer["code"] == 0 else answer["code"]

    facts = {"distinct_times": len(set(stored)) == 6}
    for kind in (None, "lower", "upper", "LOWER", "Upper", "other"):
        more = {"boundaryType": kind} if kind else {}
        facts[f"exact_{kind}"] = [at(stamp, **more) for stamp in stored]
        facts[f"after_{kind}"] = [at(stamp + 1, **more) for stamp in stored]
        facts[f"before_{kind}"] = [at(stamp - 1, **more) for stamp in stored]
        facts[f"ends_{kind}"] = [at(0, **more), at(-1, **more), at(32503680000000, **more),
                                 at(9223372036854775807, **more)]
    earliest = peer.ask(EARLIEST, {"topic": topic, "queueId": 0})
    facts["earliest"] = int(earliest["extFields"]["timestamp"]) == stored[0]
    return facts


def bounds_refused(broker):
    """Offsets, times and messages that are not there; fields that are missing or wrong."""
    topic = broker.topic(queues=1)
    peer = broker.peer()
    facts = {}
    for code in (SEARCH, MAX_OFFSET, MIN_OFFSET, EARLIEST):
        for name, fields in (("empty", {"topic": topic, "queueId": 0, "timestamp": 5}),
                             ("unknown_queue", {"topic": topic, "queueId": 9, "timestamp": 5}),
                             ("negative_queue", {"topic": topic, "queueId": -1, "timestamp": 5}),
                             ("unknown_topic", {"topic": "no-such-topic", "queueId": 0, "timestamp": 5}),
                             ("no_queue", {"topic": topic, "timestamp": 5}),
                             ("odd_queue", {"topic": topic, "queueId": "x", "timestamp": 5}),
                             ("no_topic", {"queueId": 0, "timestamp": 5}),
                             ("no_time", {"topic": topic, "queueId": 0}),
                             ("odd_time", {"topic": topic, "queueId": 0, "timestamp": "x"}),
                             ("nothing", {})):
            facts[f"{code}_{name}"] = broker.plain(peer.ask(code, fields), "offset", "timestamp")
    for name, fields in (("negative", {"offset": -1}), ("middle", {"offset": 1}),
                         ("beyond", {"offset": 1 << 50}), ("nothing", {}), ("odd", {"offset": "x"}),
                         ("topic_only", {"topic": topic})):
        answer = broker.plain(peer.ask(VIEW, fields))
        facts[f"view_{name}"] = answer
    return facts


def out_of_range(broker):
    """Pulls outside of the queue are told where to go on; no event message is written."""
    peer, topic, group = _filled(broker, queues=1)
    facts = {}
    for offset in (-5, -1, 0, 10, 11, 1 << 40):
        pull = broker.pull(peer, group, topic, 0, offset)
        facts[str(offset)] = broker.plain(pull, *PULL_HEADER)
    empty = broker.topic("empty", queues=1)
    for offset in (-1, 0, 3):
        pull = broker.pull(peer, group, empty, 0, offset)
        facts[f"empty_{offset}"] = broker.plain(pull, *PULL_HEADER)
    events = peer.ask(MAX_OFFSET, {"topic": "OFFSET_MOVED_EVENT", "queueId": 0})
    facts["events"] = broker.plain(events, "offset")
    return facts
