# SPDX-License-Identifier: Apache-2.0
"""What the broker relays to a consumer: its running state, one message to consume, its progress."""

RUNNING_INFO, CONSUME_DIRECTLY, CONSUMER_STATUS = 307, 309, 223
STATUS_FROM_CLIENT = 221
NOTIFY_IDS_CHANGED = 40
OLD_VERSION = 60  # before V3_1_8_SNAPSHOT
OLDEST_VERSION = 20  # before V3_0_7_SNAPSHOT


def _consumer(broker, role="group", **options):
    """An online consumer; returns its connection, group and topic."""
    topic, group = broker.topic(), broker.group(role)
    peer = broker.peer(**options)
    assert peer.join("client-1", group, [topic])["code"] == 0
    return peer, group, topic


def _heard(peer, code, *left_out):
    push = peer.next_push(code)
    ext = {key: value for key, value in (push.get("extFields") or {}).items() if key not in left_out}
    return {"fields": ext, "one_way": bool(push["flag"] & 2)}


def running_info(broker):
    """The client's answer comes back as it is."""
    consumer, group, _ = _consumer(broker)
    consumer.handlers[RUNNING_INFO] = lambda header, body: (0, None, b'{"jstack":"..."}')
    asker = broker.peer()
    answer = asker.ask(RUNNING_INFO, {"consumerGroup": group, "clientId": "client-1",
                                      "jstackEnable": "true", "more": "x"})
    plain = asker.ask(RUNNING_INFO, {"consumerGroup": group, "clientId": "client-1"})
    return {"answer": broker.plain(answer, body=True), "heard": _heard(consumer, RUNNING_INFO),
            "without_jstack": broker.plain(plain, body=True),
            "heard_without": _heard(consumer, RUNNING_INFO)}


def running_info_refused(broker):
    """The client says that it has no such group; or has no handler."""
    consumer, group, _ = _consumer(broker)
    text = f"The Consumer Group <{group}> not exist in this consumer"
    consumer.handlers[RUNNING_INFO] = lambda header, body: (1, text, b"")
    asker = broker.peer()
    fields = {"consumerGroup": group, "clientId": "client-1", "jstackEnable": "false"}
    refused = asker.ask(RUNNING_INFO, fields)
    consumer.handlers[RUNNING_INFO] = lambda header, body: (3, " request type 307 not supported", b"")
    return {"refused": broker.plain(refused, body=True),
            "no_handler": broker.plain(asker.ask(RUNNING_INFO, fields), body=True)}


def running_info_offline(broker):
    """Nobody is there, or not that client, or it is too old."""
    _, group, _ = _consumer(broker, version=OLD_VERSION)
    asker = broker.peer()

    def ask(**fields):
        return broker.plain(asker.ask(RUNNING_INFO, fields), body=True)

    return {"too_old": ask(consumerGroup=group, clientId="client-1"),
            "other_client": ask(consumerGroup=group, clientId="client-2"),
            "unknown_group": ask(consumerGroup="nobody-knows", clientId="client-1"),
            "no_client": ask(consumerGroup=group),
            "no_group": ask(clientId="client-1"),
            "nothing": ask(),
            "odd_jstack": ask(consumerGroup=group, clientId="client-2", jstackEnable="7")}


def running_info_gone(broker):
    """The client goes while it is asked."""
    consumer, group, _ = _consumer(broker)

    def leave(_header, _body):
        raise ConnectionError("the client ends here")

    consumer.handlers[RUNNING_INFO] = leave
    asker = broker.peer()
    opaque = asker.send(RUNNING_INFO, {"consumerGroup": group, "clientId": "client-1",
                                       "jstackEnable": "false"})
    consumer.next_push(RUNNING_INFO)
    consumer.close()
    answer = broker.plain(asker.answer(opaque), body=True)
    return {"code": answer["code"], "has_remark": bool(answer["remark"])}


def running_info_timeout(broker):
    """The client does not answer: ten seconds."""
    consumer, group, _ = _consumer(broker)
    asker = broker.peer()
    answer = asker.ask(RUNNING_INFO, {"consumerGroup": group, "clientId": "client-1"})
    consumer.next_push(RUNNING_INFO)
    return {"code": answer["code"], "begins": (answer.get("remark") or "")[:len("consumer <")]}


def consume_directly(broker):
    """The stored message goes to the client, and its verdict comes back."""
    consumer, group, topic = _consumer(broker)
    asker = broker.peer()
    sent = broker.fill(asker, topic, 1, 3)
    verdict = b'{"autoCommit":true,"consumeResult":"CR_SUCCESS","order":false,"spentTimeMills":1}'
    got = []

    def consume(_header, body):
        got.append(body)
        return 0, None, verdict

    consumer.handlers[CONSUME_DIRECTLY] = consume
    fields = {"consumerGroup": group, "clientId": "client-1", "topic": topic,
              "msgId": sent["extFields"]["msgId"], "brokerName": "another"}
    answer = asker.ask(CONSUME_DIRECTLY, fields)
    heard = _heard(consumer, CONSUME_DIRECTLY, "msgId")
    del fields["topic"]
    again = asker.ask(CONSUME_DIRECTLY, fields)
    return {"answer": broker.plain(answer, body=True), "heard": heard,
            "without_topic": broker.plain(again, body=True),
            "heard_without": _heard(consumer, CONSUME_DIRECTLY, "msgId"),
            "queue_of_message": int.from_bytes(got[0][12:16], "big"),
            "message_again": got[0] == got[1]}


def consume_directly_refused(broker):
    """No such message, no such client."""
    consumer, group, topic = _consumer(broker)
    asker = broker.peer()
    sent = broker.fill(asker, topic, 0, 1)
    consumer.handlers[CONSUME_DIRECTLY] = lambda header, body: (0, None, b"{}")
    good = sent["extFields"]["msgId"]

    def ask(**fields):
        return broker.plain(asker.ask(CONSUME_DIRECTLY, fields), body=True)

    return {"unknown_offset": ask(consumerGroup=group, clientId="client-1", topic=topic,
                                  msgId=good[:16] + "00000FFFFFFFFFFF"),
            "no_id": ask(consumerGroup=group, clientId="client-1", topic=topic),
            "odd_id": ask(consumerGroup=group, clientId="client-1", topic=topic, msgId="xyz"),
            "short_id": ask(consumerGroup=group, clientId="client-1", topic=topic, msgId=good[:8]),
            "other_client": ask(consumerGroup=group, clientId="client-2", topic=topic, msgId=good),
            "no_client": ask(consumerGroup=group, topic=topic, msgId=good),
            "no_group": ask(clientId="client-1", topic=topic, msgId=good)}


def consumer_status(broker):
    """Each client of the group is asked how far it is."""
    consumer, group, topic = _consumer(broker)
    other = broker.peer()
    other.join("client-2", group, [topic])

    def status(offset):
        table = '{"messageQueueTable":{{"brokerName":"b","queueId":0,"topic":"%s"}:%d}}'
        return lambda header, body: (0, None, (table % (topic, offset)).encode())

    consumer.handlers[STATUS_FROM_CLIENT] = status(7)
    other.handlers[STATUS_FROM_CLIENT] = status(8)
    asker = broker.peer()
    fields = {"topic": topic, "group": group}
    both = asker.ask(CONSUMER_STATUS, fields)
    heard = _heard(consumer, STATUS_FROM_CLIENT)
    one = asker.ask(CONSUMER_STATUS, {**fields, "clientAddr": "client-2"})
    nobody = asker.ask(CONSUMER_STATUS, {**fields, "clientAddr": "client-3"})
    consumer.handlers[STATUS_FROM_CLIENT] = lambda header, body: (1, "no", b"")
    other.handlers[STATUS_FROM_CLIENT] = lambda header, body: (0, None, b"")
    empty = asker.ask(CONSUMER_STATUS, fields)
    text = both["body"].decode()
    return {"code": both["code"], "has_both": ['"client-1":{{' in text, '"client-2":{{' in text],
            "size": len(text), "heard": heard, "one": broker.plain(one, body=True),
            "nobody": broker.plain(nobody, body=True), "empty": broker.plain(empty, body=True)}


def consumer_status_refused(broker):
    """Nobody online, an old client, missing fields."""
    _, group, topic = _consumer(broker, version=OLDEST_VERSION)
    asker = broker.peer()

    def ask(**fields):
        return broker.plain(asker.ask(CONSUMER_STATUS, fields), body=True)

    return {"too_old": ask(topic=topic, group=group),
            "offline": ask(topic=topic, group="nobody-knows"),
            "unknown_topic": ask(topic="no-such-topic", group="nobody-knows"),
            "no_group": ask(topic=topic), "no_topic": ask(group=group)}


def ids_changed(broker):
    """Members of a group are told at once when one comes, goes, or dies."""
    first, group, topic = _consumer(broker)
    notices = [_heard(first, NOTIFY_IDS_CHANGED)]
    second = broker.peer()
    second.join("client-2", group, [topic])
    notices.append(_heard(first, NOTIFY_IDS_CHANGED))
    second.close()
    notices.append(_heard(first, NOTIFY_IDS_CHANGED))
    third = broker.peer()
    third.join("client-3", group, [topic])
    notices.append(_heard(first, NOTIFY_IDS_CHANGED))
    third.ask(35, {"clientID": "client-3", "consumerGroup": group})
    notices.append(_heard(first, NOTIFY_IDS_CHANGED))
    return {"notices": notices}
