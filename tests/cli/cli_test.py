#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `gantry` sends, `gantry` reads back, through a gantryd that this test starts.

    cli_test.py FOLDER-OF-PROGRAMS
"""

import base64
import json
import subprocess
import sys
import tempfile
import time
import unittest
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from harness.cache import Cache  # noqa: E402
from harness.process import wait_until  # noqa: E402
from harness.servers import Site, start_gantry_all  # noqa: E402

BINARIES = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
DONE, USAGE, UNREACHABLE, REFUSED, TIMEOUT = 0, 2, 3, 4, 5


class Cli(unittest.TestCase):
    """One gantryd for all tests; each has topics of its own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="gantry-cli-")
        cls.site = Site(Path(cls.folder.name), Cache(), BINARIES)
        cls.addClassCleanup(cls.folder.cleanup)
        cls.addClassCleanup(cls.site.stop)
        cls.namesrv = start_gantry_all(cls.site).address

    def tearDown(self):
        self.site.must_run()

    def gantry(self, *words, expect=DONE, stdin=None):
        """Runs to the end; returns what it printed, after checking the exit code."""
        done = subprocess.run([BINARIES / "gantry", *map(str, words)], capture_output=True,
                              input=stdin, timeout=120, check=False)
        self.assertEqual(done.returncode, expect, done.stderr.decode())
        return done.stdout if expect == DONE else done.stderr.decode()

    def send(self, topic, *words, stdin=None):
        """The JSON lines of a send."""
        return lines(self.gantry("send", "-n", self.namesrv, "-t", topic, "--output", "json",
                                 *words, stdin=stdin))

    def consume(self, topic, group, *words, **options):
        """The JSON lines of a consume from the first message on."""
        out = self.gantry("consume", "-n", self.namesrv, "-t", topic, "-g", group,
                          "--from", "first", "--output", "json", *words, **options)
        return lines(out) if options.get("expect", DONE) == DONE else out

    def test_what_is_sent_is_read_once_and_in_order(self):
        sent = self.send("Whole", "--count", "50", "--tag", "TagA", "--key", "k1 k2",
                         "-p", "colour=green", "Hello Gantry")
        self.assertEqual(len({line["msgId"] for line in sent}), 50)
        self.assertEqual({line["status"] for line in sent}, {"SEND_OK"})
        for offsets in by_queue(sent).values():
            self.assertEqual(offsets, list(range(len(offsets))))
        read = self.consume("Whole", "whole", "--max", "50", "--timeout", "60")
        self.assertEqual({line["msgId"] for line in read}, {line["msgId"] for line in sent})
        self.assertEqual({line["offsetMsgId"] for line in read},
                         {line["offsetMsgId"] for line in sent})
        for offsets in by_queue(read).values():
            self.assertEqual(offsets, sorted(offsets))
        first = read[0]
        self.assertEqual(first["body"], "Hello Gantry")
        self.assertEqual(first["topic"], "Whole")
        self.assertEqual(first["properties"]["TAGS"], "TagA")
        self.assertEqual(first["properties"]["KEYS"], "k1 k2")
        self.assertEqual(first["properties"]["colour"], "green")

    def test_a_group_goes_on_where_it_stopped(self):
        sent = self.send("GoOn", "--queue", "1", "--count", "10", "x")
        first = self.consume("GoOn", "goOn", "--max", "4", "--timeout", "60")
        rest = self.consume("GoOn", "goOn", "--max", "6", "--timeout", "60")
        self.assertEqual([line["msgId"] for line in first + rest],
                         [line["msgId"] for line in sent])
        self.consume("GoOn", "goOn", "--max", "1", "--timeout", "1", expect=TIMEOUT)

    def test_bodies_are_bytes(self):
        body = bytes(range(256)) * 20
        self.send("Bytes", stdin=body)
        line, = self.consume("Bytes", "bytes", "--max", "1", "--timeout", "60")
        self.assertEqual(base64.b64decode(line["bodyBase64"]), body)

    def test_tags_choose(self):
        self.send("Tags", "--tag", "TagA", "--count", "4", "a")
        self.send("Tags", "--tag", "TagB", "--count", "4", "b")
        self.send("Tags", "--tag", "TagC", "--count", "4", "c")
        read = self.consume("Tags", "tags", "--tag", "TagA || TagC", "--max", "8",
                            "--timeout", "60")
        self.assertEqual(sorted(line["body"] for line in read), list("aaaacccc"))

    def test_a_waiting_consumer_gets_what_comes(self):
        self.send("Waiting", "first")
        reader = self.start_consumer("Waiting", "waiting")
        wait_until(lambda: reader.seen(), "the first message")
        sent = self.send("Waiting", "--count", "8", "more")
        wait_until(lambda: len(reader.seen()) == 9, "the other eight")
        self.assertLess({line["msgId"] for line in sent}, set(reader.seen()))
        self.assertEqual(reader.stop(), DONE)

    def test_members_share_the_queues(self):
        sent = {line["msgId"] for line in self.send("Share", "--count", "4", "start")}
        one = self.start_consumer("Share", "share")
        wait_until(lambda: len(one.seen()) == 4, "the only member to read every queue")
        two = self.start_consumer("Share", "share")

        def both_read():
            sent.update(line["msgId"] for line in self.send("Share", "--count", "4", "x"))
            return two.seen()

        wait_until(both_read, "the second member to read something")
        wait_until(lambda: set(one.seen()) | set(two.seen()) == sent, "every message")
        self.assertEqual(two.stop(), DONE)
        more = {line["msgId"] for line in self.send("Share", "--count", "4", "x")}
        wait_until(lambda: more <= set(one.seen()), "the first member to take over")
        self.assertEqual(one.stop(), DONE)

    def test_errors_say_who_was_asked(self):
        said = self.gantry("consume", "-n", self.namesrv, "-t", "Nowhere", expect=REFUSED)
        self.assertIn(self.namesrv, said)
        self.assertIn("knows no topic Nowhere", said)
        self.assertIn("broker-a", said)
        said = self.gantry("send", "-n", self.namesrv, "-t", "Bad Topic!", "x", expect=REFUSED)
        self.assertIn("illegal", said)

    def test_bench_measures(self):
        histogram = Path(self.folder.name) / "latency.hgrm"
        common = ("bench", "-n", self.namesrv, "-t", "Bench", "--output", "json")
        send = json.loads(self.gantry(*common, "--mode", "send", "--count", "5000",
                                      "--histogram", histogram))
        self.assertEqual((send["messages"], send["refused"], send["unanswered"]), (5000, 0, 0))
        self.assertGreater(send["latencyMicros"]["p50"], 0)
        self.assertLessEqual(send["latencyMicros"]["p50"], send["latencyMicros"]["max"])
        self.assertIn("Total count = 5000", histogram.read_text())
        pull = json.loads(self.gantry(*common, "--mode", "pull", "--count", "200"))
        self.assertEqual(pull["refused"], 0)
        self.assertGreaterEqual(pull["messages"], 200)
        late = json.loads(self.gantry(*common, "--mode", "latency", "--rate", "500",
                                      "--count", "200"))
        self.assertEqual((late["refused"], late["unanswered"]), (0, 0))
        self.assertGreaterEqual(late["messages"], 200)

    def test_plugins_are_listed_with_their_fragments(self):
        plugins = {p["name"]: p for p in json.loads(self.gantry("plugin", "list", "--output",
                                                                "json"))}
        for name in ("storage-mmap", "replication-async", "role-broker", "role-namesrv",
                     "frontend-remoting", "allocation-average", "filter-tag"):
            self.assertIn("plugin", plugins[name], name)
            self.assertTrue(any(f["enabled"] for f in plugins[name]["fragments"]), name)
        broker = json.loads(self.gantry("plugin", "inspect", "role-broker", "--output", "json"))
        self.assertIn("brokerName", [key["key"] for key in broker["keys"]])

    def start_consumer(self, topic, group):
        """A consumer that reads until it is stopped."""
        path = Path(self.folder.name) / f"{topic}-{time.monotonic_ns()}"
        consumer = Consumer(path, [BINARIES / "gantry", "consume", "-n", self.namesrv,
                                   "-t", topic, "-g", group, "--from", "first",
                                   "--output", "json"])
        self.addCleanup(consumer.stop)
        return consumer


class Consumer:
    """A `gantry consume` in the background."""

    def __init__(self, path, command):
        self._path = path
        with path.open("wb") as out:
            self._child = subprocess.Popen(command, stdout=out)

    def seen(self):
        """The ids of the messages that it printed so far."""
        whole = self._path.read_bytes().rpartition(b"\n")[0]
        return [line["msgId"] for line in lines(whole)]

    def stop(self):
        """Ends it as Ctrl-C does; its exit code."""
        if self._child.poll() is None:
            self._child.terminate()
        return self._child.wait(60)


def lines(text):
    """JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def by_queue(messages):
    """The offsets of each queue, in the order of the lines."""
    queues = defaultdict(list)
    for message in messages:
        queues[message["broker"], message["queue"]].append(message["offset"])
    return queues


if __name__ == "__main__":
    unittest.main()
