# SPDX-License-Identifier: Apache-2.0
"""A running broker as the cases of frames.py see it: names of their own, and plain answers."""

import json
import re

from .peer import Peer
from .process import wait_until

SEND, PULL, QUERY_OFFSET, COMMIT = 10, 11, 14, 15
CREATE_TOPIC, MAX_OFFSET, CREATE_GROUP = 17, 30, 200
GET_ALL_OFFSETS = 43
PULL_COMMIT, PULL_SUSPEND, PULL_SUBSCRIPTION = 1, 2, 4
EXCEPTION = re.compile(r"(\w+\.)+\w*(Exception|Error)\b|\w+Exception\b|^Cannot invoke ")
# What RocketMQ leaves in an answer whose maker gave it no remark.
NO_REMARK = "not set any response code"


class Broker:
    """What cases ask a broker."""

    def __init__(self, address):
        self.address = address
        self._peers = []
        self._case = ""
        self._names = {}

    def begin(self, case):
        """A case begins: its names are its own."""
        self._case = case.replace("_", "-")
        self._names = {self.address: "<broker>"}

    def end(self):
        """Closes what the case connected."""
        for peer in self._peers:
            peer.close()
        self._peers = []

    def name(self, role):
        """A name that no other case has."""
        return f"{self._case}-{role}"

    def peer(self, **options):
        """A new connection; its address is normalized."""
        peer = Peer(self.address, **options)
        self._peers.append(peer)
        self._names[peer.address] = f"<peer {len(self._peers)}>"
        return peer

    def call_it(self, address, name):
        """Facts show that name for the address."""
        self._names[address] = name

    def topic(self, role="topic", queues=2, **more):
        """A topic that exists; returns its name."""
        name = self.name(role)
        with Peer(self.address) as peer:
            fields = {"topic": name, "defaultTopic": "TBW102", "readQueueNums": queues,
                      "writeQueueNums": queues, "perm": 6, "topicFilterType": "SINGLE_TAG",
                      "topicSysFlag": 0, "order": "false"}
            fields.update(more)
            assert peer.ask(CREATE_TOPIC, fields)["code"] == 0
        return name

    def group(self, role="group"):
        """A subscription group that exists; returns its name."""
        name = self.name(role)
        with Peer(self.address) as peer:
            body = json.dumps({"groupName": name}).encode()
            assert peer.ask(CREATE_GROUP, {}, body)["code"] == 0
        return name

    def send(self, peer, topic, queue=0, body=b"hello", properties="", **more):
        """Sends a message; returns the answer."""
        return peer.ask(SEND, self.send_fields(topic, queue, properties, **more), body)

    @staticmethod
    def send_fields(topic, queue=0, properties="", **more):
        """The header of a send, in the first version's names."""
        fields = {"producerGroup": "producers", "topic": topic, "defaultTopic": "TBW102",
                  "defaultTopicQueueNums": 4, "queueId": queue, "sysFlag": 0,
                  "bornTimestamp": 1700000000000, "flag": 0, "properties": properties,
                  "reconsumeTimes": 0, "unitMode": "false", "batch": "false"}
        fields.update(more)
        return {key: value for key, value in fields.items() if value is not None}

    def fill(self, peer, topic, queue, count):
        """Sends so many messages to a queue and waits until all can be read."""
        last = None
        for number in range(count):
            last = self.send(peer, topic, queue, b"%d" % number)
            assert last["code"] == 0, last
        self.readable(peer, topic, queue, int(last["extFields"]["queueOffset"]) + 1)
        return last

    @staticmethod
    def readable(peer, topic, queue, end):
        """Waits until the queue ends there."""
        wait_until(lambda: int(peer.ask(MAX_OFFSET, {"topic": topic, "queueId": queue})
                               ["extFields"]["offset"]) == end, f"{end} messages in {topic}")

    @staticmethod
    def pull(peer, group, topic, queue, offset, flags=PULL_SUBSCRIPTION, **more):
        """Pulls, without waiting for messages unless flags say so; returns the answer."""
        fields = {"consumerGroup": group, "topic": topic, "queueId": queue, "queueOffset": offset,
                  "maxMsgNums": 32, "sysFlag": flags, "commitOffset": 0,
                  "suspendTimeoutMillis": 15000, "subscription": "*", "subVersion": 0,
                  "expressionType": "TAG"}
        fields.update(more)
        return peer.send(PULL, fields) if flags & PULL_SUSPEND else peer.ask(PULL, fields)

    @staticmethod
    def commit(peer, group, topic, queue, offset):
        """Commits an offset; returns the answer."""
        return peer.ask(COMMIT, {"consumerGroup": group, "topic": topic, "queueId": queue,
                                 "commitOffset": offset})

    @staticmethod
    def offset(peer, group, topic, queue):
        """The group's offset as the broker keeps it; or the code of its refusal."""
        answer = peer.ask(QUERY_OFFSET, {"consumerGroup": group, "topic": topic,
                                         "queueId": queue, "setZeroIfNotFound": "false"})
        return int(answer["extFields"]["offset"]) if answer["code"] == 0 else f"code {answer['code']}"

    def plain(self, answer, *fields, body=False):
        """Code, remark and the named fields of an answer, and its body if that is asked for."""
        remark = answer.get("remark") or ""
        if answer["code"] == 0 and remark == NO_REMARK:
            remark = ""
        facts = {"code": answer["code"],
                 "remark": "<exception>" if EXCEPTION.search(remark) else remark}
        ext = answer.get("extFields") or {}
        facts.update({name: ext.get(name) for name in fields})
        if body:
            facts["body"] = answer["body"].decode("latin-1")
        return facts

    def normal(self, facts):
        """The facts with addresses replaced by what they are."""
        text = json.dumps(facts)
        for name in sorted(self._names, key=len, reverse=True):
            text = text.replace(name, self._names[name])
        return json.loads(text)
