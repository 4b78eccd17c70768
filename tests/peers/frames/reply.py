# SPDX-License-Identifier: Apache-2.0
"""Replies: a message that goes through the broker to the client that asked."""

REPLY, REPLY_V2, PUSH_REPLY = 324, 325, 326
MAX_OFFSET = 30
CLUSTER = "PeerCluster"
TOPIC = f"{CLUSTER}_REPLY_TOPIC"
LETTERS = {"a": "producerGroup", "b": "topic", "c": "defaultTopic", "d": "defaultTopicQueueNums",
           "e": "queueId", "f": "sysFlag", "g": "bornTimestamp", "h": "flag", "i": "properties",
           "j": "reconsumeTimes", "k": "unitMode", "l": "maxReconsumeTimes", "m": "batch"}
SENT = ("msgId", "queueId", "queueOffset", "transactionId", "MSG_REGION", "TRACE_ON")


def _properties(**pairs):
    return "".join(f"{key}\1{value}\2" for key, value in pairs.items())


def _asker(broker, answer=(0, None, b"")):
    peer = broker.peer()
    assert peer.join("asker-1", producer=broker.name("askers"))["code"] == 0
    peer.handlers[PUSH_REPLY] = lambda header, body: answer
    return peer


def _reply(broker, peer, code=REPLY, body=b"reply", topic=TOPIC, queue=0, **pairs):
    fields = broker.send_fields(topic, queue, _properties(**pairs), producerGroup="repliers")
    if code == REPLY_V2:
        fields = {letter: fields[name] for letter, name in LETTERS.items() if name in fields}
    return peer.ask(code, fields, body)


def _plain(broker, answer, has_id=True):
    facts = broker.plain(answer, *SENT, body=True)
    facts["msgId"] = facts["msgId"] and len(facts["msgId"])
    if facts["queueOffset"] is not None:
        facts["queueOffset"] = int(facts["queueOffset"]) >= 0
    return facts


def _heard(peer):
    push = peer.next_push(PUSH_REPLY)
    ext = dict(push["extFields"])
    ext["storeTimestamp"] = int(ext["storeTimestamp"]) > 1_600_000_000_000
    pairs = [pair.split("\1") for pair in ext.pop("properties", "").split("\2") if pair]
    properties = dict(pairs)
    if "PUSH_REPLY_TIME" in properties:
        properties["PUSH_REPLY_TIME"] = int(properties["PUSH_REPLY_TIME"]) > 1_600_000_000_000
    return {"fields": ext, "properties": properties, "body": push["body"].decode()}


def _end(broker, peer):
    return int(peer.ask(MAX_OFFSET, {"topic": TOPIC, "queueId": 0})["extFields"]["offset"])


def reply(broker):
    """It is pushed to the asker and stored."""
    asker, replier = _asker(broker), broker.peer()
    before = _end(broker, replier)
    facts = {}
    for code in (REPLY, REPLY_V2):
        answer = _reply(broker, replier, code, CORRELATION_ID="c-1", REPLY_TO_CLIENT="asker-1",
                        MSG_TYPE="reply", TTL="3000", KEYS="k")
        facts[f"{code}_answer"] = _plain(broker, answer)
        facts[f"{code}_heard"] = _heard(asker)
    broker.readable(replier, TOPIC, 0, before + 2)
    stored = replier.ask(11, {
        "consumerGroup": "readers", "topic": TOPIC, "queueId": 0, "queueOffset": before,
        "maxMsgNums": 1, "sysFlag": 4, "commitOffset": 0, "suspendTimeoutMillis": 0,
        "subscription": "*", "subVersion": 0, "expressionType": "TAG"})
    record = stored["body"]
    tail = record[record.index(TOPIC.encode()) + len(TOPIC):]
    facts["stored_properties"] = sorted(
        pair for pair in tail[2:].decode().split("\2")
        if pair and not pair.startswith("UNIQ_KEY"))
    facts["stored_has_key"] = b"UNIQ_KEY" in tail
    facts["stored_sys_flag"] = int.from_bytes(record[36:40], "big")
    return facts


def reply_refused_by_client(broker):
    """The asker answers with an error: the replier is told, and it is stored all the same."""
    asker, replier = _asker(broker, (1, "no", b"")), broker.peer()
    before = _end(broker, replier)
    answer = _reply(broker, replier, CORRELATION_ID="c", REPLY_TO_CLIENT="asker-1")
    asker.next_push(PUSH_REPLY)
    broker.readable(replier, TOPIC, 0, before + 1)
    return {"answer": _plain(broker, answer)}


def reply_to_nobody(broker):
    """The asker is not there, or not named: an error, and stored all the same."""
    replier = broker.peer()
    before = _end(broker, replier)
    facts = {"unknown": _plain(broker, _reply(broker, replier, CORRELATION_ID="c",
                                              REPLY_TO_CLIENT="never-there")),
             "not_named": _plain(broker, _reply(broker, replier, CORRELATION_ID="c")),
             "no_properties": _plain(broker, replier.ask(
                 REPLY, broker.send_fields(TOPIC, 0, None), b"x"))}
    asker = _asker(broker)
    asker.ask(35, {"clientID": "asker-1", "producerGroup": broker.name("askers")})
    facts["left"] = _plain(broker, _reply(broker, replier, CORRELATION_ID="c",
                                          REPLY_TO_CLIENT="asker-1"))
    broker.readable(replier, TOPIC, 0, before + 4)
    return facts


def reply_refused(broker):
    """What a send would be refused for is refused, and nobody is asked."""
    _, replier = _asker(broker), broker.peer()

    def ask(**changed):
        fields = broker.send_fields(changed.pop("topic", TOPIC), changed.pop("queueId", 0),
                                    _properties(REPLY_TO_CLIENT="asker-1"))
        fields.update(changed)
        return _plain(broker, replier.ask(
            REPLY, {key: value for key, value in fields.items() if value is not None}, b"x"))

    return {"forbidden_topic": ask(topic="SCHEDULE_TOPIC_XXXX"),
            "odd_topic": ask(topic="a b"), "unknown_queue": ask(queueId=99),
            "no_template": ask(topic=broker.name("new"), defaultTopic="no-such-template"),
            "no_flag": ask(flag=None), "odd_queue": ask(queueId="x"), "no_topic": ask(topic=None),
            "any_queue": ask(queueId=-1)["code"]}


def reply_empty(broker):
    """Without a body, or with one that is too long for the store: pushed, not stored."""
    asker, replier = _asker(broker), broker.peer()
    empty = _reply(broker, replier, body=b"", REPLY_TO_CLIENT="asker-1")
    huge = _reply(broker, replier, body=b"x" * (5 << 20), REPLY_TO_CLIENT="asker-1")
    return {"empty": _plain(broker, empty), "huge": _plain(broker, huge),
            "heard": asker.pushed.qsize()}


def reply_from_two_groups(broker):
    """A client that is a producer of two groups; it goes on being found when it leaves one."""
    asker, replier = _asker(broker), broker.peer()
    asker.join("asker-1", producer=broker.name("more"))
    first = _reply(broker, replier, REPLY_TO_CLIENT="asker-1")["code"]
    other = broker.peer()
    other.join("asker-1", producer=broker.name("askers"))
    other.handlers[PUSH_REPLY] = lambda header, body: (0, None, b"")
    second = _reply(broker, replier, REPLY_TO_CLIENT="asker-1")["code"]
    which = [peer.pushed.qsize() for peer in (asker, other)]
    return {"codes": [first, second], "who": which}
