#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A broker on a bad disk, or without memory: the nth call of a kind fails, for n = 1 and so on until
none does. The process never dies; what was acknowledged stays, and is read while the disk is bad;
after a failed sync nothing more is acknowledged and the log says why; otherwise sending goes on.

    faults.py FOLDER-OF-PROGRAMS [--most N] [--only WORD]
"""

import argparse
import errno
import itertools
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from broker import (SEND, SUCCESS, Broker, Failure, Patience, Pipe, body_of, name_of, read_from,
                    send_fields)

LARGEST = 120000  # bytes of a body: enough to run out of room that was prepared
PLACES = [(f"Fault{topic}", queue) for topic in range(2) for queue in range(2)]
LATE = ("Fault2", 0)  # made when the disk is bad already: its topic's file has to be written
FENCED = "nothing is written to this log any more"


@dataclass
class Fault:
    """What fails, and what must come of it."""

    function: str
    path: str
    error: int  # 0: half is done
    count: int = 1
    starting: bool = False  # calls count from the start on, not from when the broker serves
    fences: bool = False  # nothing may be acknowledged after it, and the log says so
    heals: bool = False  # when it has passed, all sends succeed again

    def name(self):
        error = errno.errorcode.get(self.error, "half")
        return f"{self.function} {self.path} {error}{' from the start' if self.starting else ''}"


FAULTS = [
    Fault("fdatasync", "/commitlog/", errno.EIO, fences=True),
    Fault("fsync", "/commitlog", errno.EIO),
    Fault("pwrite", "/commitlog/", errno.EIO),
    Fault("pwrite", "/commitlog/", errno.ENOSPC, 3, heals=True),
    Fault("pwrite", "/commitlog/", 0, 3, heals=True),
    Fault("ftruncate", "/commitlog/", errno.ENOSPC, 2, heals=True),
    Fault("ftruncate", "/commitlog/", errno.EIO),
    Fault("open", "/commitlog", errno.EMFILE, 2, heals=True),
    Fault("mmap", "/commitlog/", errno.ENOMEM, 2, heals=True),
    Fault("pwrite", "/consumequeue/", errno.EIO),
    Fault("pwrite", "/consumequeue/", errno.ENOSPC, 3, heals=True),
    Fault("pwrite", "/consumequeue/", 0, 3, heals=True),
    Fault("ftruncate", "/consumequeue/", errno.ENOSPC, 2, heals=True),
    Fault("open", "/consumequeue/", errno.EMFILE, 2),
    Fault("open", "/consumequeue/", errno.EIO),
    Fault("fdatasync", "/consumequeue/", errno.EIO),
    Fault("fsync", "/consumequeue/", errno.EIO),
    Fault("pread", "/consumequeue/", errno.EIO, starting=True),
    Fault("pwrite", "/checkpoint", errno.EIO, heals=True),
    Fault("pwrite", "/checkpoint", errno.ENOSPC, heals=True),
    Fault("fdatasync", "/checkpoint", errno.EIO, heals=True),
    Fault("write", "/config/", errno.ENOSPC, 3, heals=True),
    Fault("write", "/config/", 0, 3, heals=True),
    Fault("fsync", "/config/", errno.EIO, heals=True),
    Fault("rename", "/config/", errno.EIO, heals=True),
    Fault("malloc", "role-broker", errno.ENOMEM, 2),
    Fault("malloc", "storage-mmap", errno.ENOMEM, 2),
    Fault("malloc", "frontend-remoting", errno.ENOMEM, 2),
    Fault("fdatasync", "/commitlog/", errno.EIO, starting=True),
    Fault("pwrite", "/commitlog/", errno.ENOSPC, 3, starting=True),
    Fault("open", "store", errno.EMFILE, starting=True),
    Fault("open", "store", errno.EIO, starting=True),
    Fault("ftruncate", "store", errno.ENOSPC, starting=True),
    Fault("mmap", "store", errno.ENOMEM, starting=True),
    Fault("pread", "store", errno.EIO, starting=True),
    Fault("pread", "store", 0, starting=True),
    Fault("fsync", "store", errno.EIO, starting=True),
    Fault("malloc", "role-broker", errno.ENOMEM, starting=True),
    Fault("malloc", "storage-mmap", errno.ENOMEM, starting=True),
    Fault("malloc", "replication-async", errno.ENOMEM, starting=True),
]


class Trial:
    """One broker, one fault."""

    def __init__(self, binaries, home, fault, nth):
        self.fault, self.nth = fault, nth
        self.home = Path(home)
        self.arm, self.said = self.home / "arm", self.home / "said"
        # large messages and small files: a few sends meet every kind of call
        self.broker = Broker(binaries, home, flushDiskType="SYNC_FLUSH",
                             mappedFileSizeCommitLog=1 << 18, mappedFileSizeConsumeQueue=20 * 4)
        self.shim = {
            "LD_PRELOAD": str(Path(binaries).resolve().parent / "tests" / "crash-shim.so"),
            "CRASH_FAULT": f"{fault.function}:{nth}:{fault.count}:{fault.error}:{fault.path}",
            "CRASH_SAID": str(self.said)}
        if not fault.starting:
            self.shim["CRASH_ARM"] = str(self.arm)
        self.acked, self.sent, self.number = {}, set(), 0

    def hit(self):
        return self.said.exists()

    def send(self, pipe):
        """One message; its answer's code."""
        place = LATE if self.number == 9 else PLACES[self.number % len(PLACES)]
        name = f"{self.number}"
        self.number += 1
        self.sent.add(name)
        header, _ = pipe.call(SEND, body_of(name, LARGEST), **send_fields(*place))
        if header["code"] == SUCCESS:
            self.acked[name] = (*place, int(header["extFields"]["queueOffset"]))
        return header["code"]

    def send_many(self, pipe, count):
        """Sends; how many succeeded after the fault was met."""
        after = 0
        for _ in range(count):
            before = self.hit()
            try:
                code = self.send(pipe)
            except OSError:
                if "frontend" not in self.fault.path:
                    raise
                pipe.connect()  # no memory may cost a connection
                continue
            after += before and code == SUCCESS
        return after

    def check_messages(self, pipe, whole):
        """What can be read was sent; whole: everything that was acknowledged can be, once it has
        come to its queue."""
        patience = Patience(60)
        found = self.found_by(pipe)
        while whole and self.acked.keys() - found.keys() and not patience.is_over():
            time.sleep(0.02)
            found = self.found_by(pipe)
        for name, place in self.acked.items():
            if found.get(name, place if not whole else None) != place:
                raise Failure(f"{name} was acknowledged at {place}, and is {found.get(name)}")

    def found_by(self, pipe):
        """Where each name is by now."""
        found = {}
        for place in [*PLACES, LATE]:
            for at, (offset, _, body) in enumerate(read_from(pipe, *place, 0)):
                if offset != at:
                    raise Failure(f"{place}: offset {offset} stands at {at}")
                name = name_of(body, LARGEST)
                if name not in self.sent or name in found:
                    raise Failure(f"{place} {offset}: {name} was not sent, or is there twice")
                found[name] = (*place, offset)
        return found

    def alive(self, what):
        code = self.broker.process.poll()
        if code is not None:
            raise Failure(f"the broker died ({code}) {what}")

    def start_badly(self):
        """A start that the fault may prevent, with a clear sentence; whether it serves."""
        try:
            self.broker.start(**self.shim)
            return True
        except Failure:
            code = self.broker.process.poll()
            if code is None or code < 0:
                raise
            if not self.hit() or " error " not in self.broker.said():
                raise
            return False

    def serve_badly(self):
        with Pipe(self.broker.port) as pipe:
            self.arm.touch()
            after = self.send_many(pipe, 24)
            self.alive("while it was sent to")
            if self.hit() and self.fault.fences:
                if after:
                    raise Failure(f"{after} messages were acknowledged after the failure")
                if FENCED not in self.broker.said():
                    raise Failure("the log does not say why")
            if self.fault.function == "malloc":
                self.arm.unlink()  # it could also be the pull that is refused
            # a queue may be out of use until the next start
            self.check_messages(pipe, self.fault.path.strip("/") in ("commitlog", "config"))
            self.alive("while it was read")
            if self.fault.heals:
                self.arm.unlink()
                code = [self.send(pipe) for _ in PLACES * 2][len(PLACES):]
                self.arm.touch()  # its stop is on a bad disk, too
                if set(code) != {SUCCESS}:
                    raise Failure(f"the disk is good again; sends are answered {code}")

    def run(self):
        """Whether the fault was met."""
        self.broker.start()
        with Pipe(self.broker.port) as pipe:
            for _ in range(8):
                if self.send(pipe) != SUCCESS:
                    raise Failure("a send failed on a good disk")
        if self.nth % 2 and "consumequeue" not in self.fault.path:
            self.broker.kill()  # there is something to recover
        else:
            self.broker.stop()
        if self.start_badly():
            self.serve_badly()
            code = self.broker.stop()
            if code < 0:
                raise Failure(f"it was killed by its own stop: {code}")
        self.broker.start()
        with Pipe(self.broker.port) as pipe:
            self.check_messages(pipe, True)
            if self.send_many(pipe, 8) != (8 if self.hit() else 0):
                raise Failure("sends fail after a good start")
            self.check_messages(pipe, True)
        if self.broker.stop() != 0:
            raise Failure("the last stop was not clean")
        return self.hit()


def run_fault(binaries, fault, most):
    """Every nth until the fault is not met; returns how many were."""
    step, nth = 1, 1
    for count in itertools.count():
        if count == most:
            return count
        with tempfile.TemporaryDirectory(prefix="gantry-faults-") as home:
            trial = Trial(binaries, home, fault, nth)
            try:
                if not trial.run():
                    return count
            except (Failure, OSError) as failure:
                raise Failure(f"{fault.name()}, call {nth}: {failure}\n"
                              f"{trial.broker.said()}") from failure
            finally:
                trial.broker.kill()
        nth += step
        if fault.function == "malloc":
            step += step // 2 + 1  # there are thousands


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("--most", type=int, default=1 << 30)
    parser.add_argument("--only", default="")
    parser.add_argument("--go-on", action="store_true", help="after a failure")
    arguments = parser.parse_args()
    failures = []
    for fault in FAULTS:
        if arguments.only not in fault.name():
            continue
        try:
            count = run_fault(arguments.binaries, fault, arguments.most)
        except Failure as failure:
            if not arguments.go_on:
                raise
            failures.append(str(failure))
            print(f"FAILED: {failure}", flush=True)
            continue
        print(f"{fault.name()}: {count} calls failed, one a run", flush=True)
        if not count:
            failures.append(f"{fault.name()} was never met")
    if failures:
        raise Failure(f"{len(failures)} of {len(FAULTS)}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"faults.py: {failure}")
