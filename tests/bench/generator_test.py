#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The load generator against a server whose answers are known: the benchmark's own floor.

    generator_test.py BUILD
"""

import os
import signal
import sys
import tempfile
import unittest
from pathlib import Path

from contenders import Failure, NullServer
from load import LATENCY, ONE, PULL, SEND_128, Generator

BUILD = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
TRIES = 5  # a machine that is not ours alone may be late, but not always


class Load(unittest.TestCase):
    """One server for each test."""

    def setUp(self):
        cores = sorted(os.sched_getaffinity(0))
        folder = tempfile.TemporaryDirectory(prefix="gantry-generator-")
        self.addCleanup(folder.cleanup)
        self.server = NullServer(Path(folder.name), cores[0], BUILD)
        self.generator = Generator(BUILD, cores[-1])
        self.addCleanup(self.server.stop)
        self.server.start()

    def run_load(self, options, **limits):
        """A run that must leave nothing unanswered."""
        result = self.generator.run(self.server, options, "generator", **limits)
        self.assertEqual((result["refused"], result["unanswered"]), (0, 0))
        return result

    def test_a_count_is_exact(self):
        for options in (SEND_128, ONE):
            result = self.run_load(options, seconds=30, count=2000)
            self.assertEqual(result["messages"], 2000)

    def test_a_pull_brings_as_many_messages_as_it_asked_for(self):
        result = self.run_load(PULL, seconds=30, count=100)
        self.assertEqual(result["requests"], 100)
        self.assertEqual(result["messages"], 3200)

    def test_a_rate_is_kept(self):
        for _ in range(TRIES):
            result = self.run_load(SEND_128 + ["--rate", "5000"], seconds=1)
            self.assertLessEqual(result["messages"], 5250)
            if result["messages"] >= 4750:
                return
        self.fail(f"{result['messages']} messages in a second, and not 5000")

    def test_a_rate_begins_at_once(self):
        for _ in range(TRIES):
            result = self.run_load(ONE + ["--rate", "2000"], seconds=0.1)
            if result["latencyMicros"]["p50"] < 20_000:
                return
        self.fail(f"half of the requests were late by {result['latencyMicros']['p50']} us")

    def test_waiting_consumers_get_everything(self):
        for _ in range(TRIES):
            result = self.run_load(LATENCY, seconds=1, warmup=0.2)
            self.assertLessEqual(result["messages"], 2200)
            self.assertGreater(result["latencyMicros"]["min"], 0)
            if result["messages"] >= 1800:
                return
        self.fail(f"{result['messages']} messages in a second, and not 2000")

    def test_what_is_kept_waiting_is_not_left_out(self):
        """Ten times what one connection with one request in flight can do: most wait long."""
        for _ in range(TRIES):
            free = self.run_load(ONE, seconds=0.5)
            rate = str(int(free["messagesPerSecond"] * 10) + 1)
            late = self.run_load(ONE + ["--rate", rate], seconds=1, warmup=0.2)
            if late["latencyMicros"]["p50"] > 20 * free["latencyMicros"]["p50"] and \
                    late["latencyMicros"]["max"] > 400_000:
                return
        self.fail(f"{late['latencyMicros']} at {rate} a second, and {free['latencyMicros']}")

    def test_a_server_that_goes_away_is_an_error(self):
        self.server.process.child.send_signal(signal.SIGSTOP)
        try:
            with self.assertRaisesRegex(Failure, "no answer in time"):
                self.generator.run(self.server, SEND_128, "generator", 1)
        finally:
            self.server.process.child.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
