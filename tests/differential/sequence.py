# SPDX-License-Identifier: Apache-2.0
"""Makes requests: valid ones, and every way of spoiling a field or a body. The same seed makes the
same sequence."""

import json
import random
from dataclasses import dataclass, field

import codes

TOPICS = ["DiffA", "DiffB", "DiffOrder"]
GROUPS = ["DiffGroup", "DiffOther"]
PRODUCER = "DiffProducer"
CLIENT = "10.9.8.7@diff"
CLUSTER = "PeerCluster"
QUEUES = 4

# For requests that may change something on one side alone. What names begin so, no state that is
# compared shows.
SPOILT_TOPIC, SPOILT_GROUP = "DiffSpoilt", "DiffSpoiltGroup"
PULLED_TOPIC = "DiffSpoiltPulled"  # has messages that nobody changes
PULLS = {11, 361}
# After these the Java broker fails other requests, too, or all that a connection sends.
POISON = {(314, "destGroup", "empty"), (34, "clientID", "missing")}
UNKNOWN = {"topic": "DiffUnknown", "group": "DiffUnknownGroup"}
HUGE = "9223372036854775808"  # one more than a Java long takes
_BY_CODE = {code.code: code for code in codes.BROKER + codes.NAMESRV}
_GET_GROUP = _BY_CODE[352]
_ALL_GROUPS = codes.Code(201, "GET_ALL_SUBSCRIPTIONGROUP_CONFIG", ())
SPOILT = {
    "missing": None, "empty": "", "space": " ", "word": "x7", "negative": "-1",
    "large": "2147483648", "huge": HUGE, "long": "L" * 300, "control": "a\x01b", "fraction": "1.5",
}


@dataclass
class Request:
    """One request: to which server ("broker", "namesrv"), and what it is about."""

    server: str
    code: codes.Code
    fields: dict
    body: bytes = b""
    spoilt: str = ""
    places: dict = field(default_factory=dict)  # field: the place of the n-th noted message
    noted: bool = False  # each side notes where in its log the message stands

    def __str__(self):
        shown = json.dumps({**self.fields, **self.places}, sort_keys=True)
        if len(shown) > 400:
            shown = shown[:400] + "..."
        return f"{self.code.code} {self.code.name} {self.spoilt} {shown} body {self.body[:60]!r}"


@dataclass
class Maker:
    """Makes requests from a seed."""

    seed: int
    rng: random.Random = field(init=False)
    sent: int = 0

    def __post_init__(self):
        self.rng = random.Random(self.seed)

    # ---- values

    def value(self, kind):
        """A good value of that kind."""
        pick = self.rng.choice
        fixed = {"producer": PRODUCER, "template": "TBW102", "client": CLIENT, "broker": "broker-a",
                 "queues": str(QUEUES), "zero": "0", "false": "false", "language": "TAG",
                 "subscribed": "4", "later": "4102444800000", "cluster": CLUSTER, "int": "3",
                 "filter": "SINGLE_TAG", "perm": "6", "attributes": "", "text": "some",
                 "address": "127.0.0.9:10911", "other": "broker-nobody", "space": "DIFF",
                 "time": "1600000000000", "doomed": "DiffDoomed", "bytes": "100000",
                 "nobody": "DiffNobody"}
        if kind in fixed:
            return fixed[kind]
        return {"topic": lambda: pick(TOPICS), "group": lambda: pick(GROUPS),
                "queue": lambda: str(self.rng.randrange(QUEUES)),
                "offset": lambda: str(self.rng.randrange(6)),
                "log": lambda: "0", "level": lambda: str(self.rng.randrange(3)),
                "count": lambda: pick(["1", "8", "32"]), "bool": lambda: pick(["true", "false"]),
                "tags": lambda: pick(["*", "TagA", "TagA || TagB"]),
                "key": lambda: f"key{self.rng.randrange(8)}",
                "boundary": lambda: pick(["LOWER", "UPPER"]),
                "decision": lambda: pick(["8", "12"]),
                "none": lambda: None,
                "properties": self._properties}[kind]()

    def _properties(self):
        self.sent += 1
        return (f"KEYS\x01key{self.sent % 8}\x02UNIQ_KEY\x01{self.seed:016X}{self.sent:016X}\x02"
                f"TAGS\x01Tag{'AB'[self.sent % 2]}\x02")

    def valid(self, code, server="broker"):
        """A request with good values; fields that are not needed are there half of the time."""
        fields = {}
        for one in code.fields:
            keep = one.needed or one.kind == "properties" or self.rng.random() < 0.5
            value = self.value(one.kind) if keep else None
            if value is not None:
                fields[one.name] = value
        body = f"body {self.sent}".encode() if code.code in codes.SENDS | {324, 325} else b""
        return Request(server, code, fields, body)

    # ---- sequences

    def spoilt(self, code, server="broker"):
        """The request with one field spoilt, in each way."""
        for one in code.fields:
            for name, value in SPOILT.items():
                if (code.code, one.name, name) in POISON:
                    continue
                request = self._aside(code, server)
                request.spoilt = f"[{one.name} {name}]"
                if value is None:
                    request.fields.pop(one.name, None)
                else:
                    request.fields[one.name] = value
                yield request
            if one.kind in UNKNOWN:
                request = self._aside(code, server)
                request.fields[one.name] = UNKNOWN[one.kind]
                request.spoilt = f"[{one.name} unknown]"
                yield request
        request = self.valid(code, server)
        request.fields, request.spoilt = {}, "[no fields]"
        yield request

    def _aside(self, code, server):
        """A good request; if it changes something, of a topic and a group of its own."""
        request = self.valid(code, server)
        if code.reads and code.code not in PULLS:
            return request
        topic = PULLED_TOPIC if code.code in PULLS else SPOILT_TOPIC
        for one in code.fields:
            if one.kind in UNKNOWN and one.name in request.fields:
                request.fields[one.name] = topic if one.kind == "topic" else SPOILT_GROUP
        return request

    def shuffled(self, table, count, server="broker"):
        """Good requests in any order."""
        for _ in range(count):
            yield self.valid(self.rng.choice(table), server)


def healing(request):
    """Requests that bring both sides to the same state again, after one of them could not keep
    something, or made something that was not asked for."""
    number = request.code.code
    if number == 207:
        # Java makes a group anew when it deletes it without its offsets
        yield Request("broker", _GET_GROUP, {"group": request.fields.get("groupName", "")},
                      spoilt=request.spoilt)
    if number == 353 and request.fields.get("readable") == "true":
        # Java allows the group everything when it allows it one topic
        for topic in TOPICS:
            yield Request("broker", request.code, {**request.fields, "topic": topic})
    if number == 34 and request.spoilt:
        yield next(bodies(34))


def bodies(only=None, server="broker"):
    """Requests whose body is JSON: good ones, and spoilt."""
    queue = {"topic": TOPICS[0], "brokerName": "broker-a", "queueId": 0}
    subscription = {"topic": TOPICS[0], "subString": "*", "subVersion": 1, "expressionType": "TAG"}
    good = {
        (46, "CHECK_CLIENT_CONFIG"): {"clientId": CLIENT, "group": GROUPS[0],
                                      "subscriptionData": subscription},
        (41, "LOCK_BATCH_MQ"): {"consumerGroup": GROUPS[0], "clientId": CLIENT, "mqSet": [queue]},
        (42, "UNLOCK_BATCH_MQ"): {"consumerGroup": GROUPS[0], "clientId": CLIENT, "mqSet": [queue]},
        (400, "QUERY_ASSIGNMENT"): {"topic": TOPICS[0], "consumerGroup": GROUPS[0],
                                    "clientId": CLIENT, "strategyName": "AVG",
                                    "messageModel": "CLUSTERING"},
        (401, "SET_MESSAGE_REQUEST_MODE"): {"topic": TOPICS[0], "consumerGroup": GROUPS[0],
                                            "mode": "PULL", "popShareQueueNum": 0},
        (200, "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP"): {"groupName": GROUPS[1],
                                                       "consumeEnable": True, "retryQueueNums": 1,
                                                       "retryMaxTimes": 16},
        (225, "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST"): {"groupConfigList": [
            {"groupName": GROUPS[1], "retryMaxTimes": 5}]},
        (18, "UPDATE_AND_CREATE_TOPIC_LIST"): {"topicConfigList": [
            {"topicName": TOPICS[1], "readQueueNums": 4, "writeQueueNums": 4, "perm": 6}]},
        (34, "HEART_BEAT"): {"clientID": CLIENT, "producerDataSet": [{"groupName": PRODUCER}],
                             "consumerDataSet": [{
                                 "groupName": GROUPS[0], "consumeType": "CONSUME_PASSIVELY",
                                 "messageModel": "CLUSTERING", "unitMode": False,
                                 "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET",
                                 "subscriptionDataSet": [subscription]}]},
    }
    for (code, name), document in good.items():
        if only and code != only:
            continue
        whole = codes.Code(code, name, ())
        text = json.dumps(document).encode()
        yield Request(server, whole, {}, text)
        for spoilt, body in {"no body": b"", "garbage": b"\x00\xffgarbage", "cut": text[:-5],
                             "empty object": b"{}", "list": b"[]", "null": b"null",
                             "bare keys": text.replace(b'"topic"', b"topic")}.items():
            yield Request(server, whole, {}, body, f"[{spoilt}]")
        for key in document:
            if (code, key, "missing") in POISON:
                continue
            less = {other: value for other, value in document.items() if other != key}
            yield Request(server, whole, {}, json.dumps(less).encode(), f"[without {key}]")
            for wrong in (None, "", -1, [], {}, "x" * 300):
                yield Request(server, whole, {}, json.dumps({**document, key: wrong}).encode(),
                              f"[{key}={str(wrong)[:10]!r}]")
        yield Request(server, whole, {}, text)
        if not only:
            yield from tables()


def prelude(maker):
    """The topics, groups and messages that the rest is about."""
    by_code = _BY_CODE
    for topic in [*TOPICS, SPOILT_TOPIC, PULLED_TOPIC]:
        yield Request("broker", by_code[17], {
            "topic": topic, "defaultTopic": "TBW102", "readQueueNums": str(QUEUES),
            "writeQueueNums": str(QUEUES), "perm": "6", "topicFilterType": "SINGLE_TAG",
            "order": "true" if "Order" in topic else "false"})
    for group in [*GROUPS, SPOILT_GROUP]:
        yield Request("broker", codes.Code(200, "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP", ()), {},
                      json.dumps({"groupName": group}).encode())
    for topic in [*TOPICS, PULLED_TOPIC]:
        for number in range(3 * QUEUES):
            request = maker.valid(by_code[310])
            request.fields.update(b=topic, e=str(number % QUEUES))
            yield request
    for group in [*GROUPS, SPOILT_GROUP]:  # makes their retry topics
        yield Request("broker", by_code[36], {"group": group, "offset": "0", "delayLevel": "18",
                                              "originTopic": TOPICS[0], "unitMode": "false"})


def tables():
    """What topics, groups, offsets and clients there are."""
    for code in (21, 43, 402):
        yield Request("broker", _BY_CODE[code], {})
    yield Request("broker", _ALL_GROUPS, {})
    for group in GROUPS:
        yield Request("broker", _BY_CODE[203], {"consumerGroup": group})
    yield Request("namesrv", _BY_CODE[206], {})
    yield Request("namesrv", _BY_CODE[219], {"namespace": "DIFF"})


def whole_state():
    """What is compared at the end: everything that requests may have changed."""
    by_code = _BY_CODE
    yield from tables()
    for topic in TOPICS:
        yield Request("broker", by_code[202], {"topic": topic})
        for queue in range(QUEUES):
            yield Request("broker", by_code[11], {
                "consumerGroup": GROUPS[0], "topic": topic, "queueId": str(queue),
                "queueOffset": "0", "maxMsgNums": "32", "sysFlag": "4", "commitOffset": "0",
                "suspendTimeoutMillis": "0", "subscription": "*", "subVersion": "0",
                "expressionType": "TAG"})
