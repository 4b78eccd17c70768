# SPDX-License-Identifier: Apache-2.0
"""Puts the machine's memory into the state of one that has been up for a while: full of page cache.

A virtual machine gets a page of memory from its host when it first touches it, and may have to give
it back when nobody uses it. Where that was measured it cost 13 us for each 4 KiB page, charged to
whoever touches it: more than 1 us for each 128-byte message that is stored. Memory that holds cached
files stays with the machine, and the kernel hands it out again for a small part of that.
"""

import time

LEAVE = 2 << 30  # bytes of free memory that stay alone
STEP = 8 << 20


class FullCache:
    """A file without blocks, read so often as the cache shall be full of it."""

    def __init__(self, folder):
        self.path = folder / "filler"
        self.bytes = max(available_bytes() - LEAVE, 0)
        with open(self.path, "wb") as file:
            file.truncate(self.bytes)

    def fill(self):
        """Returns the seconds that it took."""
        begin = time.monotonic()
        buffer = bytearray(STEP)
        with open(self.path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
        return time.monotonic() - begin


def available_bytes():
    """What is free or could be freed."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0
