# SPDX-License-Identifier: Apache-2.0
"""When the machine itself stood still: its processor was somebody else's, or its disk took long."""

import os
import threading
import time

LOOK_SECONDS = 0.05
STILL_MS = 200  # shorter is the noise of a machine at work


class Machine(threading.Thread):
    """Looks all the time how long a short sleep and a small synchronous write take."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self._path = folder / "machine"
        self._ended = threading.Event()
        self._still = []  # (begin, end) in ms
        self.start()

    def run(self):
        with open(self._path, "wb", buffering=0) as file:
            while not self._ended.is_set():
                begin = time.monotonic()
                time.sleep(LOOK_SECONDS)
                file.write(b"x")
                os.fdatasync(file.fileno())
                lost = (time.monotonic() - begin - LOOK_SECONDS) * 1000
                if lost > STILL_MS:
                    now = time.time() * 1000
                    self._still.append((now - lost, now))

    def stop(self):
        """Ends it."""
        self._ended.set()
        self.join()

    def still_ms(self, begin, end):
        """How long it stood still between these times, in ms."""
        return sum(max(min(end, last) - max(begin, first), 0) for first, last in list(self._still))
