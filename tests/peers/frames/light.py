# SPDX-License-Identifier: Apache-2.0
"""Light queues (enableLmq): topics and groups named %LMQ%... that have no configuration."""

import json
import struct

from harness.broker import GET_ALL_OFFSETS, MAX_OFFSET, PULL_SUBSCRIPTION, PULL_SUSPEND
from harness.process import wait_until

PROPERTIES = {"enableLmq": "true", "enableMultiDispatch": "true"}
END_TRANSACTION, MIN_OFFSET, EARLIEST, SEARCH = 37, 31, 32, 29
MEMBERS, GET_TOPIC, GET_GROUP, CREATE_TOPIC, CREATE_GROUP = 38, 351, 352, 17, 200
QUERY, ASSIGNMENT = 14, 400
PREPARED, COMMIT, ROLLBACK = 4, 8, 12
PULL_HEADER = ("nextBeginOffset", "minOffset", "maxOffset")


def _max(peer, topic):
    return int(peer.ask(MAX_OFFSET, {"topic": topic, "queueId": 0})["extFields"]["offset"])


def _bodies(body):
    """The bodies of the messages of a pull's answer."""
    found, at = [], 0
    while at < len(body):
        size = struct.unpack_from(">i", body, at)[0]
        length = struct.unpack_from(">i", body, at + 84)[0]  # behind two IPv4 hosts
        found.append(body[at + 88:at + 88 + length].decode())
        at += size
    return found


def _pull(broker, peer, group, topic, offset, queue=0, flags=PULL_SUBSCRIPTION):
    answer = broker.pull(peer, group, topic, queue, offset, flags)
    return dict(broker.plain(answer, *PULL_HEADER), bodies=_bodies(answer["body"]))


def _fill(broker, peer, light, count, topic=None):
    """So many messages in a light queue."""
    topic = topic or broker.topic("real")
    for number in range(count):
        sent = broker.send(peer, topic, 0, b"%d" % number,
                           f"INNER_MULTI_DISPATCH\1{light}\2")
        assert sent["code"] == 0, sent
    wait_until(lambda: _max(peer, light) == count, f"{count} messages in {light}")
    return topic


def pulls(broker):
    """By groups of both kinds, at every place."""
    peer, group = broker.peer(), broker.group()
    light, own = f"%LMQ%{broker.name('q')}", f"%LMQ%{broker.name('g')}"
    _fill(broker, peer, light, 3)
    facts = {f"{name}_{offset}": _pull(broker, peer, who, light, offset)
             for name, who in (("group", group), ("light", own)) for offset in (0, 2, 3, 4, -1)}
    facts["queue_1"] = _pull(broker, peer, own, light, 0, 1)["code"]
    facts["unknown"] = _pull(broker, peer, own, f"%LMQ%{broker.name('unknown')}", 0)
    facts["unknown_7"] = _pull(broker, peer, own, f"%LMQ%{broker.name('unknown')}", 7)
    facts["unknown_group"] = _pull(broker, peer, broker.name("nobody"), light, 1)
    for name, code in (("max", MAX_OFFSET), ("min", MIN_OFFSET), ("earliest", EARLIEST)):
        answer = peer.ask(code, {"topic": light, "queueId": 0})
        facts[name] = broker.plain(answer, *(("offset",) if code != EARLIEST else ()))
        answer = peer.ask(code, {"topic": f"%LMQ%{broker.name('none')}", "queueId": 0})
        facts[f"{name}_unknown"] = broker.plain(answer, *(("offset",) if code != EARLIEST else ()))
    facts["search"] = broker.plain(peer.ask(SEARCH, {"topic": light, "queueId": 0,
                                                     "timestamp": 0}), "offset")
    return facts


def held(broker):
    """A pull that waits for the light queue's next message."""
    peer, sender = broker.peer(), broker.peer()
    light, own = f"%LMQ%{broker.name('q')}", f"%LMQ%{broker.name('g')}"
    topic = _fill(broker, sender, light, 1)
    opaque = broker.pull(peer, own, light, 0, 1, PULL_SUBSCRIPTION | PULL_SUSPEND)
    broker.send(sender, topic, 0, b"late", f"INNER_MULTI_DISPATCH\1{light}\2")
    answer = peer.answer(opaque)
    return dict(broker.plain(answer, *PULL_HEADER), bodies=_bodies(answer["body"]))


def offsets(broker):
    """Those of light groups stand in a table of their own, without queues."""
    peer, group, plain = broker.peer(), broker.group(), broker.topic("plain")
    light, own = f"%LMQ%{broker.name('q')}", f"%LMQ%{broker.name('g')}"
    _fill(broker, peer, light, 3)
    facts = {}
    for name, who, what in (("both", own, light), ("topic", group, light), ("group", own, plain)):
        facts[name] = [broker.offset(peer, who, what, 0),
                       broker.plain(broker.commit(peer, who, what, 0, 2)),
                       broker.offset(peer, who, what, 0), broker.offset(peer, who, what, 1),
                       broker.plain(broker.commit(peer, who, what, 1, 1)),
                       broker.offset(peer, who, what, 0), broker.offset(peer, who, what, 1)]
    unknown = f"%LMQ%{broker.name('unknown')}"
    facts["begin"] = [broker.plain(peer.ask(QUERY, {"consumerGroup": unknown, "topic": topic,
                                                    "queueId": 0}), "offset")
                      for topic in (light, unknown, plain)]
    facts["unknown_topic"] = broker.plain(broker.commit(peer, own, unknown, 0, 9))
    facts["kept_of_unknown"] = broker.offset(peer, own, unknown, 0)
    text = peer.ask(GET_ALL_OFFSETS)["body"].decode()
    facts["light"] = f'"{light}@{own}":1' in text
    facts["mixed"] = [f'"{light}@{group}":{{' in text, f'"{plain}@{own}":1' in text,
                      '"lmqOffsetTable":{' in text]
    return facts


def members(broker):
    """Light groups join as others do, and need no configuration."""
    peer = broker.peer()
    light, own = f"%LMQ%{broker.name('q')}", f"%LMQ%{broker.name('g')}"
    _fill(broker, peer, light, 2)
    facts = {"join": broker.plain(peer.join("one", own, [light])),
             "pull": _pull(broker, peer, own, light, 0, flags=0)}
    facts["members"] = json.loads(peer.ask(MEMBERS, {"consumerGroup": own})["body"])
    facts["retry"] = _pull(broker, peer, own, f"%RETRY%{own}", 0)["code"]
    return facts


def assignment(broker):
    """A light topic's one queue is shared by the group; it is in no route."""
    light, own = f"%LMQ%{broker.name('q')}", f"%LMQ%{broker.name('g')}"
    first, second = broker.peer(), broker.peer()
    for name, peer in (("one", first), ("two", second)):
        assert peer.join(name, own, [light])["code"] == 0

    def ask(client, model="CLUSTERING", strategy="AVG"):
        body = json.dumps({"topic": light, "consumerGroup": own, "clientId": client,
                           "messageModel": model, "strategyName": strategy}).encode()
        return broker.plain(first.ask(ASSIGNMENT, {}, body), body=True)

    return {"one": ask("one"), "two": ask("two"), "nobody": ask("three"),
            "broadcasting": ask("one", "BROADCASTING")}


def configuration(broker):
    """What is said of light topics and groups is taken and forgotten."""
    peer = broker.peer()
    light, own = f"%LMQ%{broker.name('q')}", f"%LMQ%{broker.name('g')}"
    facts = {"topic": broker.plain(peer.ask(GET_TOPIC, {"topic": light}), body=True),
             "create": broker.plain(peer.ask(CREATE_TOPIC, {
                 "topic": light, "defaultTopic": "TBW102", "readQueueNums": 8,
                 "writeQueueNums": 8, "perm": 6, "topicFilterType": "SINGLE_TAG",
                 "topicSysFlag": 0, "order": "false"})),
             "create_group": broker.plain(peer.ask(
                 CREATE_GROUP, {}, json.dumps({"groupName": own, "retryMaxTimes": 3}).encode())),
             "send": broker.plain(broker.send(peer, light, 0, b"direct"), "queueId",
                                  "queueOffset"),
             "send_queue_1": broker.plain(broker.send(peer, light, 1, b"direct"))}
    wait_until(lambda: _max(peer, light) == 1, "the message")
    facts["pull"] = _pull(broker, peer, own, light, 0)
    facts["group"] = broker.plain(peer.ask(GET_GROUP, {"group": own}))
    return facts


def _half(broker, peer, topic, light, body):
    answer = broker.send(peer, topic, 0, body, "TRAN_MSG\1true\2PGROUP\1producers\2"
                         f"UNIQ_KEY\1{body.decode()}\2INNER_MULTI_DISPATCH\1{light}\2",
                         sysFlag=PREPARED)
    assert answer["code"] == 0, answer
    return answer["extFields"]


def _end(peer, half, state):
    return peer.ask(END_TRANSACTION, {
        "producerGroup": "producers", "tranStateTableOffset": half["queueOffset"],
        "commitLogOffset": int(half["msgId"][-16:], 16), "commitOrRollback": state,
        "msgId": half["transactionId"], "transactionId": half["transactionId"],
        "fromTransactionCheck": "false"})["code"]


def transactions(broker):
    """A committed message stands in the light queues that it names."""
    peer, topic = broker.peer(), broker.topic("real", 1)
    light, own = f"%LMQ%{broker.name('q')}", f"%LMQ%{broker.name('g')}"
    first = _half(broker, peer, topic, light, b"first")
    second = _half(broker, peer, topic, light, b"second")
    facts = {"commit": _end(peer, first, COMMIT), "rollback": _end(peer, second, ROLLBACK)}
    wait_until(lambda: _max(peer, topic) == 1, "the committed message")
    facts["real"] = _pull(broker, peer, own, topic, 0)
    broker.readable(peer, topic, 0, 1)
    # Java's light queues have half messages, too, also those that are rolled back
    facts["light"] = _pull(broker, peer, own, light, 0)["bodies"][-1:]
    return facts
