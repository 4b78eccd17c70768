#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Delayed messages and messages that consumers send back, in raw requests: what a broker answers and
what then stands in its store.

    delay.py                          Gantry's facts against what was recorded
    delay.py --against java --record  starts the Java broker instead, and keeps its facts
    delay.py --bin DIR                with DIR/gantryd

Facts are codes, remarks, places, properties and intervals in steps of 100 ms, never times. Exit code:
0 the same, 1 not, 77 there is nothing to run with.
"""

import argparse
import json
import struct
import sys
import tempfile
import time
from pathlib import Path

from harness import servers
from harness.cache import Cache, Unavailable, required
from harness.expect import Expectations, differences
from harness.process import Failure, wait_until
from harness.remoting import Connection

SEND, PULL, SEND_BACK, DELAY_OFFSETS, RUNTIME = 10, 11, 36, 45, 28
PUT_GROUP, MAX_OFFSET, TOPICS = 200, 30, 21
LEVELS = "1s 2s 3s"
GROUP = "backs"
TOPIC = "Delays"
SCHEDULE = "SCHEDULE_TOPIC_XXXX"
VERSION = 513  # a client of today: an older one's maxReconsumeTimes is not looked at
OWN = {"UNIQ_KEY", "CLUSTER", "MSG_REGION", "TRACE_ON"}  # the same in every message
SCENARIO = "raw-delay"


def text(pairs):
    """Properties as they travel."""
    return "".join(f"{key}\x01{value}\x02" for key, value in pairs.items())


def records(body):
    """The messages of a pull's answer, as far as facts are made of them."""
    at = 0
    while at < len(body):
        size, _, _, queue, flag, queue_offset, physical, sys_flag, born, _, _, stored = \
            struct.unpack_from(">iiiiiqqiq4sIq", body, at)
        again, = struct.unpack_from(">i", body, at + 72)
        place = at + 84
        body_size, = struct.unpack_from(">i", body, place)
        text_of = body[place + 4:place + 4 + body_size].decode()
        place += 4 + body_size
        topic_size = body[place]
        topic = body[place + 1:place + 1 + topic_size].decode()
        place += 1 + topic_size
        properties = body[place + 2:at + size].decode()
        yield {"queue": queue, "flag": flag, "queue offset": queue_offset, "at": physical,
               "sys flag": sys_flag, "born": born, "stored": stored, "reconsumed": again,
               "body": text_of, "topic": topic, "properties": dict(
                   pair.split("\x01") for pair in properties.split("\x02") if pair)}
        at += size


class Probe:
    """One broker and what is asked of it."""

    def __init__(self, address):
        self._link = Connection(address)
        self.facts = {}
        self._ids = {}

    def ask(self, code, fields, body=b""):
        """A request's answer: header and body."""
        return self._link.ask(code, {key: str(value) for key, value in fields.items()}, body)

    def note(self, name, fact):
        """Keeps a fact."""
        self.facts[name] = fact

    def answer(self, name, header, *fields):
        """Keeps an answer's code, remark and these fields."""
        self.note(name, {"code": header["code"], "remark": header.get("remark"),
                         **{key: (header.get("extFields") or {}).get(key) for key in fields}})

    # ---- requests

    def send(self, body, properties, topic=TOPIC, **more):
        """Sends one message; returns the answer's header."""
        fields = {"producerGroup": "senders", "topic": topic, "defaultTopic": "TBW102",
                  "defaultTopicQueueNums": 4, "queueId": 1, "sysFlag": 0,
                  "bornTimestamp": 1700000000000, "flag": 5, "properties": text(properties),
                  "reconsumeTimes": 0, "unitMode": "false", "batch": "false"}
        fields.update(more)
        return self.ask(SEND, fields, body.encode())[0]

    def end_of(self, topic, queue):
        """How many messages the queue has had."""
        header, _ = self.ask(MAX_OFFSET, {"topic": topic, "queueId": queue})
        return int((header.get("extFields") or {}).get("offset", 0))

    def read(self, topic, queue, offset=0):
        """The messages of a queue from there on."""
        header, body = self.ask(PULL, {
            "consumerGroup": "readers", "topic": topic, "queueId": queue, "queueOffset": offset,
            "maxMsgNums": 32, "sysFlag": 4, "commitOffset": 0, "suspendTimeoutMillis": 0,
            "subscription": "*", "subVersion": 0, "expressionType": "TAG"})
        return list(records(body)) if header["code"] == 0 else []

    def wait_for(self, topic, queue, count):
        """The messages of the queue when there are so many."""
        wait_until(lambda: self.end_of(topic, queue) >= count, f"{count} messages in {topic}")
        return wait_until(lambda: self.read(topic, queue), f"messages of {topic}")

    def wait_dispatched(self):
        """Until all that was sent so far is in its queue."""
        def behind():
            _, body = self.ask(RUNTIME, {})
            return int(json.loads(body)["table"]["dispatchBehindBytes"])

        wait_until(lambda: behind() == 0, "queues to have what was sent")

    def back(self, at, level, **more):
        """Sends a message back."""
        fields = {"offset": at, "group": GROUP, "delayLevel": level, "originTopic": TOPIC,
                  "originMsgId": "x", "unitMode": "false"}
        fields.update(more)
        return self.ask(SEND_BACK, {k: v for k, v in fields.items() if v is not None})[0]

    # ---- facts

    def show(self, message):
        """A message without what differs from run to run."""
        shown = {key: message[key] for key in ("queue", "flag", "queue offset", "sys flag", "born",
                                               "reconsumed", "body", "topic")}
        shown["properties"] = {key: self._named(value)
                               for key, value in sorted(message["properties"].items())
                               if key not in OWN}
        shown["own properties"] = sorted(OWN & message["properties"].keys())
        return shown

    def _named(self, value):
        return self._ids.get(value, value)

    def name(self, value, name):
        """An id that facts tell by this name."""
        self._ids[value] = name


def offset_id(address, at):
    """The id of the message there."""
    host, port = address.rsplit(":", 1)
    return (bytes(map(int, host.split("."))) + struct.pack(">iq", int(port), at)).hex().upper()


def levels(probe):
    """Delayed messages: what is answered, what stands in the schedule topic, what comes out."""
    sent = {}
    properties = {
        "level 1": {"DELAY": "1", "TAGS": "a", "KEYS": "k"},
        "level 2": {"DELAY": "2"},
        "past the last": {"DELAY": "99", "REAL_TOPIC": "Elsewhere", "REAL_QID": "7"},
        "with a timer": {"DELAY": "1", "TIMER_DELAY_SEC": "5", "TIMER_DELIVER_MS": "1",
                         "TIMER_DELAY_MS": "7"},
        "not waited for": {"DELAY": "1", "WAIT": "false"},
        "level 0": {"DELAY": "0"},
        "negative": {"DELAY": "-4"},
    }
    for name, pairs in properties.items():
        header = probe.send(name, pairs)
        probe.answer(f"send {name}", header, "queueId", "queueOffset")
        sent[name] = header
    header = probe.send("half", {"DELAY": "1"}, sysFlag=8)
    probe.answer("send committed", header, "queueId", "queueOffset")
    header = probe.send("number", {"DELAY": "x"})
    probe.note("send no number", header["code"])
    probe.wait_dispatched()
    for level in range(3):
        probe.note(f"schedule {level + 1}", [
            probe.show(message) for message in probe.read(SCHEDULE, level)])
    arrived = probe.wait_for(TOPIC, 1, 2 + 6)
    probe.note("delivered", sorted((probe.show(message) for message in arrived),
                                   key=lambda shown: shown["body"]))


def due(probe):
    """What was due comes when it is."""
    begun = probe.end_of(TOPIC, 2)
    for level in (3, 1, 2, 1):
        probe.send(f"due {level}", {"DELAY": str(level)}, queueId=2)
    arrived = probe.wait_for(TOPIC, 2, begun + 4)[-4:]
    probe.note("in the order of", [message["body"] for message in arrived])


def backs(probe, address):
    """Messages that are sent back."""
    probe.ask(PUT_GROUP, {}, json.dumps({
        "groupName": GROUP, "consumeEnable": True, "retryQueueNums": 1, "retryMaxTimes": 2}).encode())
    probe.send("again", {"TAGS": "t", "KEYS": "k1 k2"}, topic="Backs", queueId=0)
    first = probe.wait_for("Backs", 0, 1)[0]
    probe.name(offset_id(address, first["at"]), "(id of the first)")
    retry, dead = f"%RETRY%{GROUP}", f"%DLQ%{GROUP}"
    probe.answer("back level 1", probe.back(first["at"], 1))
    one = probe.wait_for(retry, 0, 1)[0]
    probe.note("after level 1", probe.show(one))
    probe.answer("back again", probe.back(one["at"], 1))
    two = probe.wait_for(retry, 0, 2)[-1]
    probe.note("after twice", probe.show(two))
    probe.answer("back a third time", probe.back(two["at"], 0))
    probe.note("dead", probe.show(probe.wait_for(dead, 0, 1)[-1]))
    probe.answer("back negative", probe.back(first["at"], -1))
    probe.note("dead at once", probe.show(probe.wait_for(dead, 0, 2)[-1]))
    probe.answer("back with its own limit", probe.back(one["at"], 1, maxReconsumeTimes=1))
    probe.answer("back by level 0", probe.back(first["at"], 0))
    probe.wait_dispatched()
    probe.note("in level 3", probe.show(probe.read(SCHEDULE, 2)[-1]))
    probe.answer("unit", probe.back(first["at"], 1, unitMode="true", group="units"))
    for name, change in {
            "no offset": {"offset": None}, "no group": {"group": None},
            "no level": {"delayLevel": None}, "an offset of words": {"offset": "far"},
            "nothing there": {"offset": 1 << 40}, "negative offset": {"offset": -5},
            "inside a message": {"offset": first["at"] + 4},
            "a group with a bad name": {"group": "a b"}, "empty group": {"group": ""},
            "a limit of words": {"maxReconsumeTimes": "many"},
            "a level of words": {"delayLevel": "soon"}}.items():
        # most of the remarks are the texts of Java's exceptions
        probe.note(f"back, {name}", probe.back(first["at"], 1, **change)["code"])
    probe.ask(PUT_GROUP, {}, json.dumps({
        "groupName": "never", "consumeEnable": True, "retryQueueNums": 0}).encode())
    probe.answer("back without retry queues", probe.back(first["at"], 1, group="never"))
    _, body = probe.ask(TOPICS, {})
    table = json.loads(body)["topicConfigTable"]
    probe.note("topics", {name: {key: table[name].get(key) for key in
                                 ("readQueueNums", "writeQueueNums", "perm", "topicSysFlag", "order")}
                          for name in sorted(table) if name.startswith("%")})


def state(probe):
    """What is told of the levels."""
    def offsets():
        _, body = probe.ask(DELAY_OFFSETS, {})
        table = body.decode().partition('"offsetTable":{')[2].partition("}")[0]
        found = dict(pair.split(":") for pair in table.split(",") if pair)
        return {key.strip('" \n\t'): int(value) for key, value in found.items()}

    ends = {str(level + 1): probe.end_of(SCHEDULE, level) for level in range(3)}
    probe.note("offsets", wait_until(lambda: offsets() == ends and ends, "offsets to reach the ends"))
    _, body = probe.ask(RUNTIME, {})
    table = json.loads(body)["table"]
    probe.note("runtime", {key: value for key, value in sorted(table.items())
                           if key.startswith("scheduleMessageOffset")})


def run(site, against):
    """All facts of one broker."""
    start_namesrv = servers.start_java_namesrv if against == "java" else servers.start_gantry_namesrv
    start_broker = servers.start_java_broker if against == "java" else servers.start_gantry_broker
    namesrv = start_namesrv(site)
    properties = servers.broker_properties(site.home("broker"), site.ports.broker(), namesrv.address)
    properties["messageDelayLevel"] = LEVELS
    start_broker(site, namesrv, "broker", properties)
    address = f"127.0.0.1:{properties['listenPort']}"
    probe = Probe(address)
    levels(probe)
    due(probe)
    backs(probe, address)
    state(probe)
    return probe.facts


def main():
    """Runs what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", choices=("gantry", "java"), default="gantry")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--bin", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gantry-delay-") as folder:
        site = servers.Site(Path(folder), Cache(), options.bin and options.bin.resolve())
        try:
            facts = run(site, options.against)
        except Unavailable as error:
            print(f"skipped: {error}")
            return 1 if required() else 77
        except (Failure, OSError) as error:
            print(f"failed: {error}")
            return 1
        finally:
            site.stop()
    expectations = Expectations()
    if options.record:
        expectations.record(SCENARIO, "raw", facts, "python3 tests/peers/delay.py --against java --record")
        return 0
    found = differences(expectations.facts(SCENARIO, "raw"), facts)
    print("\n".join(found) or "as recorded")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
