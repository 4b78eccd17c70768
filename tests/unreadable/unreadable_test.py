#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A broker whose CommitLog file becomes shorter while it serves: reading what is gone costs those
messages, not the process, and nobody gets zeros in their place.

    unreadable_test.py FOLDER-OF-PROGRAMS
"""

import os
import struct
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "peers"), str(TESTS / "control")]
from harness.cache import Cache  # noqa: E402
from harness.process import HOST, listens, wait_until  # noqa: E402
from harness.servers import Site  # noqa: E402
from wire import Wire  # noqa: E402

BINARIES = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
SEND, PULL, CREATE_TOPIC, MAX_OFFSET = 10, 11, 17, 30
SUCCESS, RETRY = 0, 20
SUBSCRIPTION = 4
SEGMENT, LEFT = 1 << 20, 8192
COUNT, BODY = 100, 30_000
MAGIC, MAGIC_AT, QUEUE_OFFSET_AT, PLACE_AT, BODY_SIZE_AT = -626843481, 4, 20, 28, 84


def body_of(number):
    """The body of the message with that queue offset."""
    return f"{number:08d}".encode() * (BODY // 8)


def records(data):
    """(queue offset, place in the log, body) of the stored messages in an answer."""
    at = 0
    while at < len(data):
        size, magic = struct.unpack_from(">ii", data, at)
        if magic != MAGIC or size <= 0:
            raise AssertionError(f"no message at byte {at} of an answer: {data[at:at + 16].hex()}")
        number, place = struct.unpack_from(">qq", data, at + QUEUE_OFFSET_AT)
        body_size, = struct.unpack_from(">i", data, at + BODY_SIZE_AT)
        body_at = at + BODY_SIZE_AT + 4
        yield number, place, size, data[body_at:body_at + body_size]
        at += size


class Unreadable(unittest.TestCase):
    """One broker with segments of 1 MiB, its files within reach."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gantry-unreadable-")
        self.addCleanup(folder.cleanup)
        self.site = Site(Path(folder.name), Cache(), BINARIES)
        self.addCleanup(self.site.stop)
        self.port = self.site.ports.broker()
        self.log = self.site.home("broker") / "store" / "commitlog"
        self.broker = self.start()

    def start(self):
        path = self.site.home("broker") / "broker.properties"
        keys = {"listenPort": self.port, "bindAddress": HOST, "brokerIP1": HOST,
                "brokerName": "broker", "storePathRootDir": self.log.parent,
                "mappedFileSizeCommitLog": SEGMENT, "diskMaxUsedSpaceRatio": 95}
        path.write_text("".join(f"{key}={value}\n" for key, value in keys.items()))
        process = self.site.start("broker", [BINARIES / "gantryd", "broker", "-c", path])
        process.wait_until(lambda: listens(self.port), "its port")
        return process

    def send(self, wire, number):
        answer = wire.call(SEND, body_of(number), producerGroup="p", topic="T",
                           defaultTopic="TBW102", defaultTopicQueueNums=1, queueId=0, sysFlag=0,
                           bornTimestamp=1, flag=0, properties="", reconsumeTimes=0,
                           unitMode="false", batch="false", maxReconsumeTimes=0)
        self.assertEqual(answer.code, SUCCESS, answer.remark)
        self.assertEqual(int(answer.fields["queueOffset"]), number)

    def pull(self, wire, offset):
        return wire.call(PULL, consumerGroup="g", topic="T", queueId=0, queueOffset=offset,
                         maxMsgNums=32, sysFlag=SUBSCRIPTION, commitOffset=0,
                         suspendTimeoutMillis=0, subscription="*", subVersion=0,
                         expressionType="TAG")

    def consume(self, end):
        """(messages by queue offset, broken connections) of a client that goes on as it is told."""
        got, broken, offset = {}, 0, 0
        wire = Wire(self.port)
        while offset < end:
            self.broker.must_run()
            try:
                answer = self.pull(wire, offset)
            except ConnectionError:
                broken += 1
                wire.close()
                self.broker.must_run()
                self.assertLess(broken, 3, f"no way past {offset}")
                wire = Wire(self.port)
                continue
            self.assertIn(answer.code, (SUCCESS, RETRY), answer.remark)
            for number, place, size, body in records(answer.body):
                self.assertEqual(body, body_of(number), f"message {number}")
                got[number] = (place, size)
            self.assertGreater(int(answer.fields["nextBeginOffset"]), offset)
            offset = int(answer.fields["nextBeginOffset"])
        wire.close()
        return got, broken

    def test_what_is_gone_is_left_out_and_the_rest_is_served(self):
        with Wire(self.port) as wire:
            self.assertEqual(wire.call(CREATE_TOPIC, topic="T", readQueueNums=1, writeQueueNums=1,
                                       perm=6, topicFilterType="SINGLE_TAG", order="false",
                                       defaultTopic="TBW102").code, SUCCESS)
            for number in range(COUNT):
                self.send(wire, number)
            wait_until(lambda: wire.call(MAX_OFFSET, topic="T", queueId=0).fields["offset"] ==
                       str(COUNT), "all messages in their queue")
        whole, broken = self.consume(COUNT)
        self.assertEqual((len(whole), broken), (COUNT, 0))

        os.truncate(self.log / f"{SEGMENT:020d}", LEFT)
        gone = {number for number, (place, size) in whole.items()
                if place + size > SEGMENT + LEFT and place < 2 * SEGMENT}
        self.assertGreater(len(gone), 20)
        rest, _ = self.consume(COUNT)
        self.assertEqual(set(rest), set(whole) - gone)
        again, broken = self.consume(COUNT)
        self.assertEqual((set(again), broken), (set(rest), 0), "it is known now")

        said = self.broker.log.read_text().count("cannot be read from byte")
        self.assertEqual(said, 1, "the log says so once")
        with Wire(self.port) as wire:
            self.send(wire, COUNT)
            found = wait_until(lambda: list(records(self.pull(wire, COUNT).body)), "the next message")
            self.assertEqual(len(found), 1)


if __name__ == "__main__":
    unittest.main()
