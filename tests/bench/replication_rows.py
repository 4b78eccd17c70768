# SPDX-License-Identifier: Apache-2.0
"""A master and its slave, and what is measured of them: the rows of the table of replication."""

import json
import statistics
import time

import load
from contenders import Failure, Gantry, Java
from harness import remoting
from harness.process import HOST, wait_until
from store_rows import RECORD_BYTES

RUNTIME_INFO = 28
IN_STEP_SECONDS = 60
CATCH_UP_SECONDS = 120
FILL_BYTES = 1024
CATCH_UP_GOAL = 300  # MB a second, where the disk can

SEND = ["--mode", "send", "--connections", "8", "--in-flight", "64", "--size", "128"]
BOUNDED = ["--mode", "send", "--connections", "4", "--in-flight", "64", "--size", "128"]
FILL = ["--mode", "send", "--connections", "8", "--in-flight", "64", "--size", str(FILL_BYTES)]

ASYNC = "asynchronous, 128 bytes, 8 x 64 in flight"
SYNC = "synchronous double write, 128 bytes, 256 in flight"
FLUSH = "the same, and both flush synchronously"
CATCH_UP = "a slave catches up"
ROWS = {"alone": ASYNC, "sync": SYNC, "flush": FLUSH, "catch_up": CATCH_UP}
CATCH_UP_RATE = "MB a second"
CPU_ALONE = "the master's CPU a message without a slave, us"
CPU_MASTER = "the master's CPU a message with one, us"
CPU_SLAVE = "the slave's, us"
CPU_RATIO = "the master's, with to without"
RATE = "messages a second"
RATE_ASYNC = "... with the same slave, asynchronously"
RATE_RATIO = "... ratio"
PAIR = "CPU of both a message, us"
P99 = "p99, us"


class JavaNode(Java):
    """A Java broker with a folder of its own in a pair."""

    def __init__(self, folder, core, part):
        super().__init__(folder, core)
        self.folder = folder / part


class GantryNode(Gantry):
    """gantryd the same."""

    def __init__(self, folder, core, part, build, version):
        super().__init__(folder, core, build, version)
        self.folder = folder / part


def end_of_log(node):
    """Where a broker's log ends."""
    header, body = remoting.request(node.address, RUNTIME_INFO, {})
    if header["code"]:
        return 0  # Java's before it has a first file
    return int(json.loads(body)["table"]["commitLogMaxOffset"])


class Pair:
    """A master on the first core and a slave on the second, beside the load."""

    def __init__(self, master, slave, namesrv):
        self.master, self.slave = master, slave
        self.name = master.name
        for node in (master, slave):
            node.extra = {"namesrvAddr": namesrv.address, "brokerIP2": HOST}
        slave.extra.update(brokerRole="SLAVE", brokerId=1)

    def start_master(self, **more):
        """On an empty folder; more: its properties."""
        self.master.extra.update(more)
        self.master.start()

    def start_slave(self, **more):
        """On an empty folder."""
        self.slave.extra.update(more)
        self.slave.start()

    def wait_in_step(self):
        """Until the slave has all of the master's log."""
        wait_until(lambda: end_of_log(self.slave) == end_of_log(self.master),
                   f"{self.name}: the slave", IN_STEP_SECONDS)

    def detach(self):
        """The slave goes; its files stay."""
        self.slave.kill()
        self.slave.process = None

    def settle(self, nodes):
        """Until none of them has anything left to do."""
        for node in nodes:
            load.settle(node.process.child.pid)

    def stop(self):
        """Both, and their files."""
        for node in (self.slave, self.master):
            node.stop()
            node.process = None


class Rows:
    """Measures one pair."""

    def __init__(self, pair, generator, disk, lines, size):
        self.pair, self.generator, self.disk = pair, generator, disk
        self.lines = lines
        self.size = dict(size, **size[pair.name])

    def tell(self, *line):
        """Into the table."""
        self.lines.tell(self.pair.master, *line)

    def send(self, options, **limits):
        """A load that must be answered."""
        result = self.generator.run(self.pair.master, options, "replicated", **limits)
        if (result["refused"] or result["unanswered"]) and self.pair.name == "gantry":
            raise Failure(f"{result['refused']} refused, {result['unanswered']} unanswered")
        return result

    def warm(self, options=None):
        """A JVM compiles what it does often."""
        if self.size["warm"]:
            self.send(options or SEND, seconds=self.size["warm_seconds"],
                      count=self.size["warm"])

    def run(self, options, slave=True):
        """One run: (its result, CPU a message of each node in us), everything included that it
        left to be done."""
        nodes = [self.pair.master] + ([self.pair.slave] if slave else [])
        self.pair.settle(nodes)
        before = [load.cpu_seconds(node.process.child.pid) for node in nodes]
        result = self.send(options, seconds=self.size["seconds"], count=self.size["count"])
        if slave:
            self.pair.wait_in_step()
        self.pair.settle(nodes)
        after = [load.cpu_seconds(node.process.child.pid) for node in nodes]
        return result, [(end - begin) * 1e6 / result["messages"]
                        for begin, end in zip(before, after)]

    # ---- asynchronous, and without a slave

    def alone(self):
        """With a slave and without one, in turns."""
        pair, alone, beside, slaves, rates = self.pair, [], [], [], []
        pair.start_master(brokerRole="ASYNC_MASTER", flushDiskType="ASYNC_FLUSH")
        self.warm()
        for turn in range(self.size["turns"]):
            for _ in range(self.size["runs"]):
                alone.append(self.run(SEND, slave=False)[1][0])
            if turn == 0:
                pair.start_slave(flushDiskType="ASYNC_FLUSH")
            else:
                pair.slave.resume()
            pair.wait_in_step()
            self.warm()
            for _ in range(self.size["runs"]):
                result, (master, slave) = self.run(SEND)
                beside.append(master)
                slaves.append(slave)
                rates.append(result["messagesPerSecond"])
            pair.detach()
        without, with_one = statistics.median(alone), statistics.median(beside)
        self.tell(ASYNC, CPU_ALONE, without)
        self.tell(ASYNC, CPU_MASTER, with_one)
        self.tell(ASYNC, CPU_RATIO, with_one / without, ("at most", 1.15))
        self.tell(ASYNC, CPU_SLAVE, statistics.median(slaves))
        self.tell(ASYNC, RATE, statistics.median(rates))

    # ---- synchronous double write

    def _rate_async(self, flush):
        """What the same pair does when the master does not wait."""
        self.pair.start_master(brokerRole="ASYNC_MASTER", flushDiskType=flush)
        self.pair.start_slave(flushDiskType=flush)
        self.pair.wait_in_step()
        self.warm(BOUNDED)
        found = [self.run(BOUNDED)[0]["messagesPerSecond"] for _ in range(self.size["repeat"])]
        self.pair.stop()
        return statistics.median(found)

    def _double_write(self, row, flush, goal):
        rate_async = self._rate_async(flush)
        self.pair.start_master(brokerRole="SYNC_MASTER", inSyncReplicas=2, flushDiskType=flush)
        self.pair.start_slave(flushDiskType=flush)
        self.pair.wait_in_step()
        self.warm(BOUNDED)
        found = [self.run(BOUNDED) for _ in range(self.size["repeat"])]
        rate = statistics.median(result["messagesPerSecond"] for result, _ in found)
        self.tell(row, RATE, rate)
        self.tell(row, RATE_ASYNC, rate_async)
        self.tell(row, RATE_RATIO, rate / rate_async, goal)
        self.tell(row, P99, statistics.median(result["latencyMicros"]["p99"]
                                              for result, _ in found))
        self.tell(row, PAIR, statistics.median(sum(cpu) for _, cpu in found))

    def sync(self):
        """inSyncReplicas=2, ASYNC_FLUSH."""
        self._double_write(SYNC, "ASYNC_FLUSH", ("at least", 0.6))

    def flush(self):
        """The same with SYNC_FLUSH."""
        self._double_write(FLUSH, "SYNC_FLUSH", None)

    # ---- catching up

    def catch_up(self):
        """A slave begins with nothing, or, as Java's then gets no more than the last file, with
        one message."""
        pair = self.pair
        bytes_ = int(self.size["gib"] * (1 << 30))
        pair.start_master(brokerRole="ASYNC_MASTER", flushDiskType="ASYNC_FLUSH",
                          haSendFromFirstFile="true")
        if pair.name == "java":
            pair.start_slave(flushDiskType="ASYNC_FLUSH")
            self.send(FILL, seconds=10, count=1)
            pair.wait_in_step()
            pair.detach()
        self.send(FILL, seconds=300, count=bytes_ // (FILL_BYTES + RECORD_BYTES))
        load.settle(pair.master.process.child.pid)
        if pair.name == "java":
            pair.slave.resume()
        else:
            pair.start_slave(flushDiskType="ASYNC_FLUSH")
        rate = self._follow(end_of_log(pair.master))
        pair.stop()
        disk = self.disk.write_bytes_per_second(bytes_) or float("inf")
        self.tell(CATCH_UP, CATCH_UP_RATE, rate / 1e6,
                  ("at least", min(CATCH_UP_GOAL, disk / 1e6)))
        if disk < float("inf"):
            self.tell(CATCH_UP, "fio's sequential write of as much, MB a second", disk / 1e6)

    def _follow(self, end):
        """Bytes a second, from the first look that found something new to the end."""
        start, deadline = None, time.monotonic() + CATCH_UP_SECONDS
        first = end_of_log(self.pair.slave)
        while time.monotonic() < deadline:
            at, now = end_of_log(self.pair.slave), time.monotonic()
            if start is None and at > first:
                start, first = now, at
            if at >= end:
                if start is None or now == start:
                    raise Failure(f"{self.pair.name}: too little to catch up with")
                return (at - first) / (now - start)
            time.sleep(0.02)
        raise Failure(f"{self.pair.name}: the slave has {at} of {end} after {CATCH_UP_SECONDS} s")
