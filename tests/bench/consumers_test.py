#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The bench of waiting consumers measures what it says: its servers make consumers wait, and
delayed messages are delayed. No speed is asked for.

    consumers_test.py BUILD
"""

import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import crowd
import waiting
from consumers import FanServer
from contenders import Failure, Gantry

BUILD = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
SIZE = {"idle": 20, "waiters": 20, "rounds": 3, "delayed": 300}


class Rows(unittest.TestCase):
    """A few consumers, a few messages."""

    def setUp(self):
        self.core = sorted(os.sched_getaffinity(0))[0]
        folder = tempfile.TemporaryDirectory(prefix="gantry-consumers-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def gantry(self):
        """A broker."""
        return Gantry(self.folder, self.core, BUILD, "")

    def test_all_that_wait_get_the_message(self):
        servers = [FanServer(self.folder, self.core, BUILD), self.gantry()]
        found = waiting.fan_out(servers, SIZE)
        self.assertEqual(sorted(found), ["floor", "gantry"])
        for values in found.values():
            self.assertTrue(all(value > 0 for value in values.values()), values)

    def test_who_is_answered_at_once_is_noticed(self):
        with mock.patch.object(crowd, "SUSPEND_WITH_SUBSCRIPTION", 4), \
                self.assertRaisesRegex(Failure, "was to wait"):
            waiting.fan_out([self.gantry()], SIZE)

    def test_delayed_messages_are_delayed(self):
        found = waiting.delayed(self.gantry(), SIZE)["gantry"]
        self.assertEqual([row for row, _ in found], ["300 delayed messages wait"] * 2)


if __name__ == "__main__":
    unittest.main()
