#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A send takes no memory from the heap per message.

    malloc_test.py BUILD
"""

import os
import sys
import tempfile
import unittest
from pathlib import Path

from contenders import Gantry
from load import SEND_128, Generator

BUILD = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
MESSAGES = 50_000


class CountedGantry(Gantry):
    """gantryd with a malloc that counts."""

    def environment(self):
        self.counter = self.folder / "mallocs"
        self.counter.write_bytes(bytes(8))
        return dict(os.environ, LD_PRELOAD=str(BUILD / "tests" / "count_malloc.so"),
                    COUNT_MALLOC_FILE=str(self.counter))

    def mallocs(self):
        """How many there were so far."""
        return int.from_bytes(self.counter.read_bytes(), sys.byteorder)


class NoHeapPerMessage(unittest.TestCase):
    """Counts of the second of two equal runs: the first one fills caches and grows buffers."""

    def setUp(self):
        cores = sorted(os.sched_getaffinity(0))
        folder = tempfile.TemporaryDirectory(prefix="gantry-malloc-")
        self.addCleanup(folder.cleanup)
        self.generator = Generator(BUILD, cores[-1])
        self.gantry = CountedGantry(Path(folder.name), cores[0], BUILD, "")
        self.addCleanup(self.gantry.stop)
        self.gantry.start()

    def mallocs_of(self, load, count):
        """(messages, mallocs) of the second run."""
        self.generator.run(self.gantry, load, "malloc", 60, count=count)
        before = self.gantry.mallocs()
        self.assertGreater(before, 0, "the preloaded malloc counts nothing")
        result = self.generator.run(self.gantry, load, "malloc", 60, count=count)
        return result["messages"], self.gantry.mallocs() - before

    def test_sending(self):
        messages, mallocs = self.mallocs_of(SEND_128, MESSAGES)
        self.assertEqual(messages, MESSAGES)
        # The dispatcher takes memory for runs of consume queue entries, about 45 in one.
        self.assertLess(mallocs, messages / 20, "allocations grow with the messages sent")


if __name__ == "__main__":
    unittest.main()
