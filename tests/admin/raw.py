# SPDX-License-Identifier: Apache-2.0
"""Requests as raw frames, of which each answer is compared: what tools ask, and what none would."""

import json
import time
from dataclasses import dataclass, field

import peers  # noqa: F401  (it finds tests/peers/harness)
from harness.process import wait_until
from harness.remoting import Connection
from normal import body_of, settled_text, verdict

SEND, HEART_BEAT, UPDATE_OFFSET, MAX_OFFSET = 310, 34, 15, 30
HUGE = "9" * 30
LONG_NAME = "n" * 4000


@dataclass
class Step:
    """One request; only: what of its answer is compared."""

    name: str
    code: int
    fields: dict = field(default_factory=dict)
    body: object = None
    only: str = "all"  # all, code, keys (names of a body's table and of the fields)

    def data(self):
        """The body's bytes."""
        if self.body is None:
            return b""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


def topic(name, **change):
    """The fields of UPDATE_AND_CREATE_TOPIC."""
    fields = {"topic": name, "defaultTopic": "TBW102", "readQueueNums": "2", "writeQueueNums": "2",
              "perm": "6", "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false"}
    fields.update(change)
    return fields


def topic_config(name, **change):
    """A TopicConfig."""
    config = {"topicName": name, "readQueueNums": 2, "writeQueueNums": 2, "perm": 6,
              "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": False, "attributes": {}}
    config.update(change)
    return config


def group_config(name, **change):
    """A SubscriptionGroupConfig."""
    config = {"groupName": name, "consumeEnable": True, "consumeFromMinEnable": True,
              "consumeBroadcastEnable": True, "retryQueueNums": 1, "retryMaxTimes": 16,
              "brokerId": 0, "whichBrokerWhenConsumeSlowly": 1}
    config.update(change)
    return config


CHANGES = [
    Step("create topic", 17, topic("Orders")),
    Step("create topic again", 17, topic("Orders")),
    Step("create ordered topic", 17, topic("Ordered", order="true")),
    Step("create empty topic", 17, topic("Plain", writeQueueNums="3")),
    Step("create topic to delete", 17, topic("Doomed")),
    Step("create topics", 18, body={"topicConfigList": [topic_config("ListA"),
                                                         topic_config("ListB", perm=4)]}),
    Step("create group", 200, body=group_config("readers")),
    Step("create ordered group", 200, body=group_config("orderly", consumeMessageOrderly=True)),
    Step("create group to delete", 200, body=group_config("doomed")),
    Step("create groups", 225, body={"groupConfigList": [group_config("listA"),
                                                          group_config("listB")]}),
    Step("delete topic", 215, {"topic": "Doomed"}),
    Step("delete topic again", 215, {"topic": "Doomed"}),
    Step("delete group", 207, {"groupName": "doomed", "cleanOffset": "true"}),
    Step("delete group again", 207, {"groupName": "doomed"}),
    Step("forbid reading", 353, {"group": "readers", "topic": "Plain", "readable": "false"}),
    Step("ask whether reading is forbidden", 353, {"group": "readers", "topic": "Plain"}),
    Step("allow reading", 353, {"group": "readers", "topic": "Plain", "readable": "true"}),
]

QUESTIONS = [
    Step("topic", 351, {"topic": "Orders"}),
    Step("deleted topic", 351, {"topic": "Doomed"}),
    Step("topic of a list", 351, {"topic": "ListB"}),
    Step("group", 352, {"group": "readers"}),
    Step("group of a list", 352, {"group": "listB"}),
    Step("topic stats", 202, {"topic": "Orders"}),
    Step("stats of a topic without messages", 202, {"topic": "Plain"}),
    Step("stats of a system topic", 202, {"topic": "TBW102"}),
    Step("consumer connections", 203, {"consumerGroup": "readers"}),
    Step("producer connections", 204, {"producerGroup": "writers"}),
    Step("all producers", 328),
    Step("consume stats", 208, {"consumerGroup": "readers"}),
    Step("consume stats of a topic", 208, {"consumerGroup": "readers", "topic": "Orders"}),
    Step("consume stats of another topic", 208, {"consumerGroup": "readers", "topic": "Ordered"}),
    Step("consume stats of topics", 208,
         {"consumerGroup": "readers", "topic": "Plain", "topicList": "Orders;Plain"}),
    Step("consume stats of an absent group", 208, {"consumerGroup": "nobody"}),
    Step("who consumes", 300, {"topic": "Orders"}),
    Step("who consumes a topic of nobody", 300, {"topic": "Plain"}),
    Step("topics of a consumer", 343, {"group": "readers"}),
    Step("topics of an offline consumer", 343, {"group": "orderly"}),
    Step("topics of an absent consumer", 343, {"group": "nobody"}),
    Step("subscription", 345, {"group": "readers", "topic": "Orders"}),
    Step("subscription of another topic", 345, {"group": "readers", "topic": "Ordered"}),
    Step("subscription of an absent group", 345, {"group": "nobody", "topic": "Orders"}),
    Step("subscription without topic", 345, {"group": "readers"}),
    Step("time span", 303, {"topic": "Orders", "group": "readers"}),
    Step("time span of a group that never consumed", 303, {"topic": "Orders", "group": "nobody"}),
    Step("system topics", 305),
    Step("broker consume stats", 317, {"isOrder": "false"}),
    Step("broker consume stats of ordered topics", 317, {"isOrder": "true"}),
    Step("runtime information", 28, only="keys"),
    Step("configuration", 26, only="code"),
    Step("statistics of a topic", 315, {"statsName": "TOPIC_PUT_NUMS", "statsKey": "Orders"}),
    Step("statistics of no topic", 315, {"statsName": "TOPIC_PUT_NUMS", "statsKey": "Nowhere"}),
    Step("no statistics", 315, {"statsName": "NONE", "statsKey": "Orders"}),
    Step("queue", 321, {"topic": "Orders", "queueId": "0", "index": "1", "count": "2",
                        "consumerGroup": "readers"}),
    Step("queue without group", 321, {"topic": "Orders", "queueId": "0", "index": "0",
                                      "count": "10"}),
    Step("queue beyond its end", 321, {"topic": "Orders", "queueId": "0", "index": "99",
                                       "count": "2"}),
    Step("queue that is not there", 321, {"topic": "Orders", "queueId": "77", "index": "0",
                                          "count": "2"}),
    Step("clean expired queues", 306),
    Step("clean unused topics", 316),
    Step("clean expired log", 329),
    Step("timer check point", 60, only="code"),
    Step("timer metrics", 61, only="code"),
    Step("replication state", 907),
    Step("epochs", 1007),
    Step("request modes", 402),
]

SETTINGS = [
    Step("no configuration", 25),
    Step("change the configuration", 25, body="fileReservedTime=48\n"),
    Step("refused key", 25, body="rocketmqHome=/elsewhere\n"),
    Step("another refused key", 25, body="brokerConfigPath=/elsewhere\n"),
    Step("wrong value", 25, body="fileReservedTime=soon\n"),
    Step("unknown key", 25, body="noSuchKey=1\n"),
    Step("no lines", 25, body="   "),
]

# The fields of each request, and which of them are numbers.
SHAPES = {
    17: ("UPDATE_AND_CREATE_TOPIC", topic("Bad"),
         ("readQueueNums", "writeQueueNums", "perm", "topicSysFlag")),
    29: ("SEARCH_OFFSET_BY_TIMESTAMP", {"topic": "Orders", "queueId": "0", "timestamp": "0"},
         ("queueId", "timestamp")),
    30: ("GET_MAX_OFFSET", {"topic": "Orders", "queueId": "0"}, ("queueId",)),
    31: ("GET_MIN_OFFSET", {"topic": "Orders", "queueId": "0"}, ("queueId",)),
    32: ("GET_EARLIEST_MSG_STORETIME", {"topic": "Orders", "queueId": "0"}, ("queueId",)),
    202: ("GET_TOPIC_STATS_INFO", {"topic": "Orders"}, ()),
    203: ("GET_CONSUMER_CONNECTION_LIST", {"consumerGroup": "readers"}, ()),
    204: ("GET_PRODUCER_CONNECTION_LIST", {"producerGroup": "writers"}, ()),
    207: ("DELETE_SUBSCRIPTIONGROUP", {"groupName": "absent", "cleanOffset": "true"}, ()),
    208: ("GET_CONSUME_STATS", {"consumerGroup": "readers", "topic": "Orders"}, ()),
    215: ("DELETE_TOPIC_IN_BROKER", {"topic": "Absent"}, ()),
    300: ("QUERY_TOPIC_CONSUME_BY_WHO", {"topic": "Orders"}, ()),
    303: ("QUERY_CONSUME_TIME_SPAN", {"topic": "Orders", "group": "readers"}, ()),
    315: ("VIEW_BROKER_STATS_DATA", {"statsName": "TOPIC_PUT_NUMS", "statsKey": "Absent"}, ()),
    317: ("GET_BROKER_CONSUME_STATS", {"isOrder": "false"}, ()),
    321: ("QUERY_CONSUME_QUEUE", {"topic": "Orders", "queueId": "0", "index": "0", "count": "1"},
          ("queueId", "index", "count")),
    343: ("QUERY_TOPICS_BY_CONSUMER", {"group": "readers"}, ()),
    345: ("QUERY_SUBSCRIPTION_BY_CONSUMER", {"group": "readers", "topic": "Orders"}, ()),
    351: ("GET_TOPIC_CONFIG", {"topic": "Orders"}, ()),
    352: ("GET_SUBSCRIPTIONGROUP_CONFIG", {"group": "readers"}, ()),
    353: ("UPDATE_AND_GET_GROUP_FORBIDDEN", {"group": "readers", "topic": "Orders"}, ()),
}

BODIES = {18: "UPDATE_AND_CREATE_TOPIC_LIST", 200: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP",
          225: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST"}


def bad_steps():
    """Each request with each of its fields missing, empty, too long, negative, and no number."""
    for code, (name, good, numbers) in SHAPES.items():
        for key in good:
            values = {"": "empty", LONG_NAME: "too long"}
            if key in numbers:
                values = {"": "empty", "-1": "negative", HUGE: "huge", "x": "no number"}
            without = {other: value for other, value in good.items() if other != key}
            yield Step(f"{name}: {key} missing", code, without, only="verdict")
            for value, why in values.items():
                yield Step(f"{name}: {key} {why}", code, dict(good, **{key: value}),
                           only="verdict")
    for code, name in BODIES.items():
        for why, body in {"absent": None, "empty object": "{}", "no object": "[1]", "cut": '{"a',
                          "of wrong types": '{"groupName":{},"topicConfigList":7,'
                                            '"groupConfigList":7}',
                          "a list of nothing": '{"topicConfigList":[],"groupConfigList":[]}',
                          "a list of null": '{"topicConfigList":[null],"groupConfigList":[null]}',
                          }.items():
            yield Step(f"{name}: body {why}", code, body=body, only="code")


class World:
    """Some messages, a producer and a consumer, on one connection."""

    def __init__(self, address):
        self._connection = Connection(address)
        self.first_id = ""  # of the first message in Orders

    def close(self):
        """The clients go."""
        self._connection.__exit__()

    def seen(self, step):
        """What of the answer is compared."""
        answer, body = self._connection.ask(step.code, step.fields, step.data())
        if step.only == "code":
            return {"code": answer["code"]}
        seen = {"code": answer["code"],
                "remark": verdict(answer["code"], answer.get("remark") or "")}
        if step.only == "verdict":
            return seen
        seen["fields"] = {key: settled_text(str(value))
                          for key, value in (answer.get("extFields") or {}).items()}
        seen["body"] = body_of(body)
        if step.only == "keys":
            seen["body"] = sorted(settled_text(key) for key in json.loads(body)["table"])
        return seen

    def change(self):
        """Makes the topics and groups; the answers by the requests' names."""
        return {step.name: self.seen(step) for step in CHANGES}

    def fill(self):
        """Six messages in Orders, an ordered one; the group has consumed two."""
        for i in range(6):
            self._send("Orders", i % 2, f"KEYS\1k{i}\2TAGS\1TagA\2", f"message {i}")
        self._send("Ordered", 0, "", "first")
        self._joined({"clientID": "client-1", "producerDataSet": [{"groupName": "writers"}],
                      "consumerDataSet": [self._consumer()]})
        self._ok(UPDATE_OFFSET, {"consumerGroup": "readers", "topic": "Orders", "queueId": "0",
                                 "commitOffset": "2"})
        self._ok(UPDATE_OFFSET, {"consumerGroup": "orderly", "topic": "Ordered", "queueId": "0",
                                 "commitOffset": "0"})
        for name, queue, end in (("Orders", 0, 3), ("Orders", 1, 3), ("Ordered", 0, 1)):
            wait_until(lambda n=name, q=queue, e=end: self._end(n, q) == e, "the queues")

    @staticmethod
    def _consumer():
        subscription = {"topic": "Orders", "subString": "TagA", "tagsSet": ["TagA"],
                        "codeSet": [2598919], "subVersion": 1700000000000,
                        "expressionType": "TAG", "classFilterMode": False}
        return {"groupName": "readers", "consumeType": "CONSUME_PASSIVELY",
                "messageModel": "CLUSTERING", "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET",
                "subscriptionDataSet": [subscription], "unitMode": False}

    def _send(self, name, queue, properties, text):
        fields = {"a": "writers", "b": name, "c": "TBW102", "d": "4", "e": str(queue), "f": "0",
                  "g": str(int(time.time() * 1000)), "h": "0", "i": properties, "j": "0",
                  "k": "false", "m": "false"}
        answer = wait_until(lambda: self._stored(fields, text.encode()), f"a send to {name}")
        self.first_id = self.first_id or answer["extFields"]["msgId"]

    def _stored(self, fields, body):
        answer, _ = self._connection.ask(SEND, fields, body)
        return answer if answer["code"] == 0 else None

    def _joined(self, heartbeat):
        self._ok(HEART_BEAT, {}, json.dumps(heartbeat).encode())

    def _ok(self, code, fields, body=b""):
        answer, _ = self._connection.ask(code, fields, body)
        if answer["code"] != 0:
            raise RuntimeError(f"{code} was answered {answer}")

    def _end(self, name, queue):
        answer, _ = self._connection.ask(MAX_OFFSET, {"topic": name, "queueId": str(queue)})
        return int(answer["extFields"]["offset"])


def run_all(_site, _namesrv, broker):
    """All of it; the answers by the requests' names."""
    world = World(broker)
    try:
        facts = world.change()
        world.fill()
        for step in [*QUESTIONS, *SETTINGS, *bad_steps()]:
            facts[step.name] = world.seen(step)
    finally:
        world.close()
    return facts
