# SPDX-License-Identifier: Apache-2.0
"""What a send is refused for: topics, types, queues, sizes, fields."""

from harness.broker import CREATE_TOPIC, SEND

PROPERTIES = {"traceTopicEnable": "true"}
SEND_V2, SEND_BATCH = 310, 320
CREATE_FIELDS = {"defaultTopic": "TBW102", "readQueueNums": 1, "writeQueueNums": 1, "perm": 6,
                 "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false"}
SYSTEM_TOPICS = ("SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC",
                 "TRANS_CHECK_MAX_TIME_TOPIC", "RMQ_SYS_TRACE_TOPIC", "SELF_TEST_TOPIC", "TBW102",
                 "BenchmarkTest", "OFFSET_MOVED_EVENT", "PeerCluster", "broker-a",
                 "rmq_sys_wheel_timer", "rmq_sys_REVIVE_LOG_PeerCluster", "RMQ_SYS_ROCKSDB_OFFSET",
                 "RMQ_SYS_NEW", "rmq_sys_new", "%SYS%x", "PeerCluster_REPLY_TOPIC",
                 "DefaultHeartBeatSyncerTopic", "rmq_sys_SYNC_BROKER_MEMBER_broker-a")
TOPIC_FORMS = ("", " ", "a b", "a/b", "a.b", "a@b", "INST_1%topic", "%RETRY%group-of-form",
               "%RETRY%INST_1%group", "%DLQ%group-of-form", "%LMQ%light", "topic|x", "x" * 127,
               "x" * 128, "x" * 255, "x" * 256, "\u4e2d\u6587", "a-b_c%d|e", "%", "%RETRY%", "%DLQ%")


def system_topics(broker):
    """Which built-in topics a client may write to."""
    peer = broker.peer()
    return {topic: broker.plain(broker.send(peer, topic)) for topic in SYSTEM_TOPICS}


def topic_forms(broker):
    """Names that are made by sending to them, or are not."""
    peer = broker.peer()
    return {topic: broker.plain(broker.send(peer, topic)) for topic in TOPIC_FORMS}


def message_types(broker):
    """The attribute message.type does not keep a remoting client from sending another type."""
    peer = broker.peer()
    facts = {}
    for kind in ("NORMAL", "FIFO", "UNSPECIFIED", "MIXED", "LITE", "NONSENSE"):
        name = broker.name(kind)
        made = peer.ask(CREATE_TOPIC, {**CREATE_FIELDS, "topic": name,
                                       "attributes": f"+message.type={kind}"})
        facts[kind] = broker.plain(made)
        if made["code"] == 0:
            facts[f"{kind}_plain"] = broker.send(peer, name)["code"]
            facts[f"{kind}_sharded"] = broker.send(peer, name,
                                                   properties="__SHARDINGKEY\1k\2")["code"]
    return facts


def fields(broker):
    """Fields that are missing or of the wrong type."""
    peer, topic = broker.peer(), broker.topic()
    facts = {}
    good = broker.send_fields(topic)
    for name in good:
        without = {key: value for key, value in good.items() if key != name}
        facts[f"without_{name}"] = broker.plain(peer.ask(SEND, without, b"x"))
    for name, value in (("queueId", "x"), ("queueId", "1.5"), ("queueId", "99999999999"),
                        ("sysFlag", ""), ("bornTimestamp", "now"), ("flag", "-1"),
                        ("reconsumeTimes", "x"), ("batch", "maybe"), ("unitMode", "7"),
                        ("defaultTopicQueueNums", "-3"), ("maxReconsumeTimes", "x")):
        answer = peer.ask(SEND, {**good, name: value}, b"x")
        facts[f"{name}={value}"] = broker.plain(answer)
    facts["nothing"] = broker.plain(peer.ask(SEND, {}, b"x"))
    facts["nothing_v2"] = broker.plain(peer.ask(SEND_V2, {}, b"x"))
    facts["nothing_batch"] = broker.plain(peer.ask(SEND_BATCH, {}, b"x"))
    return facts


def queues_and_bodies(broker):
    """Queues that are not there, bodies that are empty or too long."""
    peer, topic = broker.peer(), broker.topic()
    facts = {f"queue_{queue}": broker.plain(broker.send(peer, topic, queue))
             for queue in (1, 2, 99, -5, -2147483648, 2147483647)}
    facts["empty"] = broker.plain(broker.send(peer, topic, body=b""))
    facts["at_limit"] = broker.send(peer, topic, body=b"x" * (4 << 20))["code"]
    facts["over_limit"] = broker.plain(broker.send(peer, topic, body=b"x" * ((4 << 20) + 1)))
    facts["long_properties"] = broker.plain(
        broker.send(peer, topic, properties="k\1" + "v" * 33000 + "\2"))
    return facts


def one_way(broker):
    """Errors of one-way sends are answered nowhere, and cost nobody anything."""
    peer, topic = broker.peer(), broker.topic()
    for bad in ({"queueId": 99}, {"topic": "SCHEDULE_TOPIC_XXXX"}, {"queueId": "x"}):
        peer.send(SEND, {**broker.send_fields(topic), **bad}, b"x", one_way=True)
    peer.send(SEND, broker.send_fields(topic), b"good", one_way=True)
    broker.readable(peer, topic, 0, 1)
    return {"then": broker.plain(broker.send(peer, topic))}


def reconsume(broker):
    """Messages that a consumer sends to its retry topic: after its limit they go to the dead ones."""
    peer, group = broker.peer(), broker.group()
    retry, dead = f"%RETRY%{group}", f"%DLQ%{group}"

    def send(times, most=None):
        more = {"reconsumeTimes": times}
        if most is not None:
            more["maxReconsumeTimes"] = most
        return broker.plain(broker.send(peer, retry, **more), "queueId")

    facts = {"fresh": send(0)["code"], "at_limit": send(16, 16)["code"],
             "over_limit": send(17, 16)["code"], "of_group": send(17)["code"],
             "none_allowed": send(1, 0)["code"],
             "unknown_group": broker.plain(broker.send(peer, "%RETRY%never-heard-of"))["code"]}
    facts["dead"] = broker.plain(peer.ask(30, {"topic": dead, "queueId": 0}), "offset")
    return facts


def retry_queue(broker):
    """A queue that the retry topic does not have."""
    peer, group = broker.peer(), broker.group()
    return {str(queue): broker.plain(broker.send(peer, f"%RETRY%{group}", queue))
            for queue in (0, 1, 5)}
