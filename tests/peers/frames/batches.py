# SPDX-License-Identifier: Apache-2.0
"""Batches: what their answers say, which keys and unique keys they are found by."""

import struct

from harness.broker import MAX_OFFSET
from harness.process import wait_until

SEND_BATCH, QUERY_MESSAGE = 320, 12
# The names of version 2, in the order of send_fields().
SHORT = {"producerGroup": "a", "topic": "b", "defaultTopic": "c", "defaultTopicQueueNums": "d",
         "queueId": "e", "sysFlag": "f", "bornTimestamp": "g", "flag": "h", "properties": "i",
         "reconsumeTimes": "j", "unitMode": "k", "batch": "m"}


def _item(body, properties):
    """A message inside a batch."""
    text = properties.encode()
    size = 4 + 4 + 4 + 4 + 4 + len(body) + 2 + len(text)
    return (struct.pack(">iiiii", size, 0, 0, 0, len(body)) + body +
            struct.pack(">h", len(text)) + text)


def _batch(broker, peer, topic, properties, items):
    """Sends a batch; returns the answer's facts."""
    fields = broker.send_fields(topic, 0, properties, batch="true")
    fields = {SHORT[key]: value for key, value in fields.items()}
    body = b"".join(_item(b"body", text) for text in items)
    answer = peer.ask(SEND_BATCH, fields, body)
    facts = broker.plain(answer, "queueId", "queueOffset", "transactionId", "batchUniqId")
    facts["ids"] = len((answer.get("extFields") or {}).get("msgId", "").split(","))
    return facts


def _end(peer, topic):
    return int(peer.ask(MAX_OFFSET, {"topic": topic, "queueId": 0})["extFields"]["offset"])


def _found(peer, topic, key, unique):
    """How many records are found by the key."""
    fields = {"topic": topic, "key": key, "maxNum": 32, "beginTimestamp": 0,
              "endTimestamp": 1 << 62}
    if unique:
        fields["_UNIQUE_KEY_QUERY"] = "true"
    answer = peer.ask(QUERY_MESSAGE, fields)
    at, count = 0, 0
    while at < len(answer["body"]):
        at += struct.unpack_from(">i", answer["body"], at)[0]
        count += 1
    return count if answer["code"] == 0 else f"code {answer['code']}"


def split(broker):
    """A batch whose messages stand alone: each is found by its own keys, none by the batch's."""
    peer, topic = broker.peer(), broker.topic(queues=1)
    facts = {"answer": _batch(broker, peer, topic, "UNIQ_KEY\1WHOLE\2",
                              [f"UNIQ_KEY\1ITEM{i}\2KEYS\1k{i} all\2" for i in range(3)]),
             "without": _batch(broker, peer, topic, "", ["", ""])}
    wait_until(lambda: _found(peer, topic, "ITEM2", True) == 1, "the last message's key")
    facts["found"] = {f"{key} {unique}": _found(peer, topic, key, unique)
                      for key in ("WHOLE", "ITEM0", "ITEM2", "k1", "all")
                      for unique in (False, True)}
    facts["end"] = _end(peer, topic)
    return facts


def inner(broker):
    """A batch that is one record: it is found by its own keys, its messages by none of theirs."""
    peer = broker.peer()
    topic = broker.topic(queues=1, attributes="+queue.type=BatchCQ")
    items = [f"UNIQ_KEY\1IN{i}\2KEYS\1k{i}\2" for i in range(3)]
    facts = {"answer": _batch(broker, peer, topic, "UNIQ_KEY\1BATCH\2KEYS\1kb\2", items),
             "again": _batch(broker, peer, topic, "UNIQ_KEY\1SECOND\2", items),
             "split": _batch(broker, peer, topic, "", items)}
    # without queue offsets that start at -1 here and at 0 there: see compatibility.md
    first = int(facts["answer"].pop("queueOffset"))
    for name in ("again", "split"):
        facts[name]["queueOffset"] = int(facts[name]["queueOffset"]) - first
    wait_until(lambda: _found(peer, topic, "IN2", True) == 1, "the last message's key")
    facts["found"] = {f"{key} {unique}": _found(peer, topic, key, unique)
                      for key in ("BATCH", "SECOND", "kb", "IN0", "k1")
                      for unique in (False, True)}
    return facts
