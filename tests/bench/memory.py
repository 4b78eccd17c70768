# SPDX-License-Identifier: Apache-2.0
"""Puts the machine's memory into the state of one that has been up for a while: full of page cache.

A virtual machine gets a page of memory from its host when it first touches it, and may have to give
it back when nobody uses it. Where that was measured it cost 13 us for each 4 KiB page, charged to
whoever touches it: more than 1 us for each 128-byte message that is stored. Memory that holds cached
files stays with the machine, and the kernel hands it out again for a small part of that.

What a deleted store had goes back to the host within seconds, so whoever measures again fills again.
"""

import os
import time

LEAVE = 512 << 20  # bytes of free memory that stay: the kernel wants some
STEP = 128 << 10   # readahead takes no more at once


class FullCache:
    """A file without blocks, cached as far as there is free memory. It is asked for as readahead:
    pages that somebody reads twice are kept longer than what a broker writes."""

    def __init__(self, folder):
        self.path = folder / "filler"
        self.bytes = 0
        self.path.touch()

    def fill(self):
        """Returns the seconds that it took."""
        begin = time.monotonic()
        with open(self.path, "rb+", buffering=0) as file:
            while (free := free_bytes() - LEAVE) > LEAVE // 4:
                os.ftruncate(file.fileno(), self.bytes + free)
                for at in range(self.bytes, self.bytes + free, STEP):
                    os.posix_fadvise(file.fileno(), at, STEP, os.POSIX_FADV_WILLNEED)
                self.bytes += free
        return time.monotonic() - begin


def free_bytes():
    """What nobody uses."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemFree:"):
                return int(line.split()[1]) * 1024
    return 0
