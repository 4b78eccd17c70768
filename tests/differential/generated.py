# SPDX-License-Identifier: Apache-2.0
"""Random sequences of valid requests, from a seed: topics and groups come, change and go while
messages are sent, read, sent back and found again, by one client of several groups."""

import json
import random
import struct

from codes import BROKER, NAMESRV, Code
from records import java_hash
from sequence import CLIENT, CLUSTER, PRODUCER, Request, tables

TOPICS = ["Gen1", "Gen2", "Gen3", "Gen4"]
FIXED = "GenFixed"  # brokers look up routes only now and then
GROUPS = ["GenGroup1", "GenGroup2", "GenGroup3"]
TAGS = ["TagA", "TagB", "TagC"]
LEVEL_LATE = "18"  # two hours: it does not come back while the test runs
TABLES_EVERY = 40
FOREVER = "4102444800000"
SUBSCRIPTIONS = ["*", "TagA", "TagA || TagB", "TagD"]
BODY_CODES = {18: "UPDATE_AND_CREATE_TOPIC_LIST", 34: "HEART_BEAT", 41: "LOCK_BATCH_MQ",
              42: "UNLOCK_BATCH_MQ", 46: "CHECK_CLIENT_CONFIG", 400: "QUERY_ASSIGNMENT",
              200: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP"}
_CODES = {code.code: code for code in BROKER + NAMESRV}
_CODES.update({number: Code(number, name, ()) for number, name in BODY_CODES.items()})


def batch(messages):
    """The body of a batch of (body, properties)."""
    result = b""
    for body, properties in messages:
        size = 22 + len(body) + len(properties)
        result += struct.pack(">iiiii", size, 0, 0, 0, len(body)) + body
        result += struct.pack(">h", len(properties)) + properties
    return result


class Generator:
    """Makes the requests. What it remembers is how many messages there are, no more: a request
    about what was deleted is as good as any."""

    def __init__(self, seed):
        self._rng = random.Random(f"generated {seed}")
        self._seed = seed
        self._keys = self._places = 0

    def requests(self, count):
        """That many, and tables in between."""
        for topic in [*TOPICS[:2], FIXED]:
            yield self._topic(topic, 4, 6)
        for number in range(count):
            name = self._rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            yield getattr(self, f"_make_{name}")()
            if number % TABLES_EVERY == TABLES_EVERY - 1:
                yield from tables()
        yield from tables()

    # ---- values

    def _pick(self, those):
        return self._rng.choice(those)

    def _queue(self):
        return str(self._pick([0, 0, 1, 2, 3, 5]))

    def _offset(self):
        return str(self._rng.randrange(8))

    def _ask(self, code, fields=None, body=b"", places=None):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return Request("broker" if _CODES[code] in BROKER or code in BODY_CODES else "namesrv",
                       _CODES[code], fields or {}, body, places=places or {})

    def _properties(self):
        self._keys += 1
        return (f"KEYS\x01key{self._keys % 16}\x02TAGS\x01{self._pick(TAGS)}\x02"
                f"UNIQ_KEY\x01{self._seed:016X}{self._keys:016X}\x02")

    def _topic(self, name, queues, perm):
        return self._ask(17, {
            "topic": name, "defaultTopic": "TBW102", "readQueueNums": str(queues),
            "writeQueueNums": str(queues), "perm": str(perm), "topicFilterType": "SINGLE_TAG",
            "topicSysFlag": "0", "order": self._pick(["true", "false"])})

    def _send(self, code, properties, body):
        return self._ask(code, {
            "a": PRODUCER, "b": self._pick(TOPICS), "c": "TBW102", "d": "4", "e": self._queue(),
            "f": "0", "g": "1600000000000", "h": "0", "i": properties, "j": "0", "k": "false",
            "m": "true" if code == 320 else "false", "n": "broker-a"}, body)

    # ---- requests; _make_NAME for each NAME of WEIGHTS

    def _make_topic(self):
        return self._topic(self._pick(TOPICS), self._pick([1, 2, 4, 6]), self._pick([6, 6, 6, 4, 2]))

    def _make_topics(self):
        # one alone: Java leaves a whole list as it is if one of it is
        self._keys += 1
        return self._ask(18, body={"topicConfigList": [
            {"topicName": name, "readQueueNums": 4, "writeQueueNums": 4, "perm": 6}
            for name in [self._pick(TOPICS), f"GenOnce{self._keys}"][self._keys % 2:][:1]]})

    def _make_delete_topic(self):
        return self._ask(215, {"topic": self._pick(TOPICS)})

    def _make_group(self):
        if self._rng.random() < 0.5:  # the rest as in a new one
            return self._ask(200, body={"groupName": self._pick(GROUPS)})
        return self._ask(200, body={
            "groupName": self._pick(GROUPS), "consumeEnable": self._rng.random() < 0.8,
            "consumeBroadcastEnable": self._rng.random() < 0.5,
            "retryQueueNums": self._pick([1, 1, 2]), "retryMaxTimes": self._pick([1, 16])})

    def _make_delete_group(self):
        return self._ask(207, {"groupName": self._pick(GROUPS), "cleanOffset": "true"})

    def _make_send(self):
        self._places += 1
        request = self._send(310, self._properties(), f"body {self._keys}".encode())
        request.noted = True
        return request

    def _make_batch(self):
        messages = [(b"part %d" % part, self._properties().encode())
                    for part in range(self._rng.randrange(1, 6))]
        return self._send(320, "", batch(messages))

    def _make_pull(self):
        return self._ask(11, {
            "consumerGroup": self._pick(GROUPS), "topic": self._pick(TOPICS),
            "queueId": self._queue(), "queueOffset": self._offset(),
            "maxMsgNums": self._pick(["1", "3", "32"]), "sysFlag": "4", "commitOffset": "0",
            "suspendTimeoutMillis": "0", "subscription": self._pick(SUBSCRIPTIONS),
            "subVersion": "0", "expressionType": "TAG"})

    def _make_pull_of_member(self):
        request = self._make_pull()
        request.fields["sysFlag"] = "0"
        del request.fields["subscription"]
        return request

    def _make_commit(self):
        return self._ask(15, {"consumerGroup": self._pick(GROUPS), "topic": self._pick(TOPICS),
                              "queueId": self._queue(), "commitOffset": self._offset()})

    def _make_committed(self):
        return self._ask(14, {"consumerGroup": self._pick(GROUPS), "topic": self._pick(TOPICS),
                              "queueId": self._queue(),
                              "setZeroIfNotFound": self._pick(["true", "false"])})

    def _make_heartbeat(self):
        topics = self._rng.sample(TOPICS, self._rng.randrange(1, 3))
        return self._ask(34, body={
            "clientID": CLIENT, "producerDataSet": [{"groupName": PRODUCER}],
            "consumerDataSet": [{
                "groupName": self._pick(GROUPS), "consumeType": "CONSUME_PASSIVELY",
                "messageModel": self._pick(["CLUSTERING", "CLUSTERING", "BROADCASTING"]),
                "unitMode": False, "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET",
                "subscriptionDataSet": [
                    self._subscription(topic) for topic in topics]}]})

    def _subscription(self, topic):
        """As a client makes it."""
        expression = self._pick(SUBSCRIPTIONS)
        tags = [] if expression == "*" else expression.split(" || ")
        return {"topic": topic, "subString": expression, "tagsSet": tags,
                "codeSet": [java_hash(tag) for tag in tags],
                "subVersion": self._rng.randrange(1, 9), "expressionType": "TAG"}

    def _make_leave(self):
        return self._ask(35, {"clientID": CLIENT, "consumerGroup": self._pick(GROUPS)})

    def _queues(self):
        return {"consumerGroup": self._pick(GROUPS), "clientId": self._pick([CLIENT, "other"]),
                "mqSet": [{"topic": self._pick(TOPICS), "brokerName": "broker-a",
                           "queueId": int(self._queue())}
                          for _ in range(self._rng.randrange(1, 3))]}

    def _make_lock(self):
        return self._ask(41, body=self._queues())

    def _make_unlock(self):
        return self._ask(42, body=self._queues())

    def _make_assignment(self):
        return self._ask(400, body={
            "topic": FIXED, "consumerGroup": self._pick(GROUPS), "clientId": CLIENT,
            "strategyName": "AVG", "messageModel": self._pick(["CLUSTERING", "BROADCASTING"])})

    def _make_query(self):
        return self._ask(12, {"topic": self._pick(TOPICS), "key": f"key{self._rng.randrange(16)}",
                              "maxNum": self._pick(["1", "32"]), "beginTimestamp": "0",
                              "endTimestamp": FOREVER})

    def _make_view(self):
        return self._placed(33, {"topic": self._pick(TOPICS)})

    def _placed(self, code, fields):
        """With the place of a message that was sent, which each side has put elsewhere."""
        if not self._places:
            return self._make_send()
        return self._ask(code, fields, places={"offset": self._rng.randrange(self._places)})

    def _make_send_back(self):
        return self._placed(36, {"group": self._pick(GROUPS), "originTopic": self._pick(TOPICS),
                                 "delayLevel": self._pick([LEVEL_LATE, LEVEL_LATE, "-1"]),
                                 "maxReconsumeTimes": "3", "unitMode": "false"})

    def _make_dead(self):
        return self._ask(202, {"topic": f"%DLQ%{self._pick(GROUPS)}"})

    def _make_reset(self):
        fields = {"group": self._pick(GROUPS), "topic": self._pick(TOPICS),
                  "timestamp": self._pick(["0", "-1", FOREVER]), "isForce": "true"}
        if self._rng.random() < 0.5:
            fields.update(queueId=self._queue(), offset=self._offset())
        return self._ask(222, fields)

    def _make_clone(self):
        source, target = self._rng.sample(GROUPS, 2)
        return self._ask(314, {"srcGroup": source, "destGroup": target,
                               "topic": self._pick(TOPICS),
                               "offline": self._pick(["true", "false"])})

    def _make_forbid(self):
        return self._ask(353, {"group": self._pick(GROUPS), "topic": self._pick(TOPICS)})

    def _make_search(self):
        return self._ask(29, {"topic": self._pick(TOPICS), "queueId": self._queue(),
                              "timestamp": self._pick(["0", "1600000000000", FOREVER])})

    def _make_bounds(self):
        fields = {"topic": self._pick(TOPICS), "queueId": self._queue()}
        return self._ask(self._pick([30, 31]), fields)

    def _make_progress(self):
        return self._ask(208, {"consumerGroup": self._pick(GROUPS)})

    def _make_who(self):
        code = self._pick([300, 202, 351, 343, 352, 203, 38, 345, 308])
        topic, group = self._pick(TOPICS), self._pick(GROUPS)
        fields = {300: {"topic": topic}, 202: {"topic": topic}, 351: {"topic": topic},
                  343: {"group": group}, 352: {"group": group},
                  203: {"consumerGroup": group}, 38: {"consumerGroup": group},
                  345: {"group": group, "topic": topic},
                  308: {"compareGroup": group, "topic": topic}}
        return self._ask(code, fields[code])

    def _make_all_progress(self):
        return self._ask(317, {"isOrder": self._pick(["true", "false"])})

    def _make_route(self):
        code = self._pick([105, 206, 224])
        fields = {105: {"topic": self._pick(TOPICS)}, 206: {}, 224: {"cluster": CLUSTER}}
        return self._ask(code, fields[code])


WEIGHTS = {
    "topic": 3, "topics": 1, "delete_topic": 1, "group": 2,
    "delete_group": 1, "send": 30, "batch": 8, "pull": 20,
    "pull_of_member": 6, "commit": 8, "committed": 5, "heartbeat": 6,
    "leave": 2, "lock": 4, "unlock": 3, "assignment": 2, "query": 5,
    "view": 3, "send_back": 5, "dead": 1, "reset": 3, "clone": 2,
    "forbid": 1, "search": 3, "bounds": 4, "progress": 4, "who": 8,
    "all_progress": 2, "route": 3,
}
