# SPDX-License-Identifier: Apache-2.0
"""Commit logs of two nodes, compared byte for byte."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))

# pylint: disable=wrong-import-position
from harness.process import Failure, Patience  # noqa: E402


def log_of(store, since=0):
    """(offset of the first byte, all bytes up to the last one that is not zero); since: only files
    that do not end before that offset."""
    files = sorted((Path(store) / "commitlog").glob("[0-9]" * 20))
    files = [path for path in files if int(path.name) + path.stat().st_size > since]
    if not files:
        return 0, b""
    data = b"".join(path.read_bytes() for path in files)
    return int(files[0].name), data.rstrip(b"\0")


def difference(master, slave):
    """What is wrong with the slave's log, None if it is the master's from its first byte on."""
    (first, ours), (begin, theirs) = log_of(master), log_of(slave)
    if begin < first:
        return f"the slave begins at {begin}, the master at {first}"
    ours = ours[begin - first:]
    if ours == theirs:
        return None
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b),
              min(len(ours), len(theirs)))
    return (f"the logs differ at {begin + at}: the master's ends at {begin + len(ours)}, the "
            f"slave's at {begin + len(theirs)}")


def wait_until_same(master, slave, seconds=60):
    """Waits until the slave has the master's log."""
    patience = Patience(seconds)
    while True:
        what = difference(master, slave)
        if what is None:
            return
        if patience.is_over():
            raise Failure(what)
        time.sleep(0.05)
