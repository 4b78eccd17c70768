# SPDX-License-Identifier: Apache-2.0
"""The rows of the store's table: how each is measured, and what Gantry has to reach."""

import os
import re
import threading
import time
from dataclasses import dataclass, field
from operator import truediv
from statistics import median

import fio
import load
from contenders import Failure
from page import say
from table import number

# how the titles of each row's lines begin
TITLES = {"sync": ("synchronous flush",), "queues": ("send 128 bytes over",),
          "restart": ("restart after", "cold catch-up", "sends, ")}
ROWS = tuple(TITLES)
IN_FLIGHT = 256
GROUP = 128          # messages in a group commit at 256 in flight
QUEUES_A_TOPIC = 10
DENSE_BYTES = 128
QUEUES_IDLE = 3        # s; a broker that writes behind makes the files of queues when it is idle
LONG_BYTES = 4096
PULLED = 32          # messages a pull
RECORD_BYTES = 213   # of a record without its body, as `gantry bench` makes them

SEND = ["--mode", "send", "--connections", "8", "--in-flight", "64"]
SYNC = ["--mode", "send", "--connections", "4", "--in-flight", str(IN_FLIGHT // 4)]


@dataclass
class Line:
    """One line of the table. goal: (at least or at most, value) for Gantry."""

    row: str
    what: str
    goal: tuple = None
    values: dict = field(default_factory=dict)

    def goal_text(self):
        """As the table shows it."""
        return f"{self.goal[0]} {number(self.goal[1])}" if self.goal else ""

    def is_missed(self):
        """Whether Gantry does not keep it."""
        value = self.values.get("gantry")
        if not self.goal or value is None:
            return False
        return value < self.goal[1] if self.goal[0] == "at least" else value > self.goal[1]

    def as_json(self):
        """For a program."""
        return {"row": self.row, "what": self.what, "goal": self.goal_text(), **self.values}


class Lines:
    """All lines, in the order in which they were first told."""

    def __init__(self):
        self._lines = {}
        self.notes = []

    def tell(self, contender, row, what, value, goal=None):
        """One value."""
        line = self._lines.setdefault((row, what), Line(row, what, goal))
        line.values[contender.name] = value

    def note(self, text):
        """Once."""
        if text not in self.notes:
            self.notes.append(text)
            say(text)

    def all(self):
        """In order, rows together."""
        order = list(dict.fromkeys(row for row, _ in self._lines))
        return sorted(self._lines.values(), key=lambda line: order.index(line.row))


def shape(queues):
    """(topics, queues of each) for so many queues."""
    return (1, 1) if queues == 1 else (queues // QUEUES_A_TOPIC, QUEUES_A_TOPIC)


class Rows:
    """Measures one contender."""

    def __init__(self, contender, generator, disk, cache, lines, size):
        self.contender = contender
        self.generator = generator
        self.disk = disk
        self.cache = cache
        self.lines = lines
        self.size = size
        contender.extra = {"defaultTopicQueueNums": QUEUES_A_TOPIC}
        self.long = 0  # long messages in the store

    def tell(self, *line):
        """Into the table."""
        self.lines.tell(self.contender, *line)

    def send(self, options, topic, queues=(1, 4), **limits):
        """A load of sends that must be answered."""
        options = [*options, "--topics", str(queues[0]), "--queues", str(queues[1])]
        result = self.generator.run(self.contender, options, topic, **limits)
        if (result["refused"] or result["unanswered"]) and self.contender.name != "java":
            raise Failure(f"{self.contender.name}: {result['refused']} refused, "
                          f"{result['unanswered']} unanswered")
        return result

    # ---- synchronous flush

    def sync(self):
        """256 in flight, beside fio's rate of writes that each hold 128 of the records. Disks of
        virtual machines change from second to second: they take turns."""
        self.contender.extra["flushDiskType"] = "SYNC_FLUSH"
        one_core, row = self.contender.cores, f"synchronous flush, {IN_FLIGHT} in flight, 1 KiB"
        self._sync(row)
        self.contender.stop()
        self.contender.cores = os.sched_getaffinity(0)
        self._sync(row + ", on any core")
        self.contender.cores = one_core

    def _sync(self, row):
        options = [*SYNC, "--size", "1024"]
        self.contender.start()
        self.send(options, "flush", seconds=self.size["seconds"] / 2)
        fio_rates, results = [self._fio_rates()], []
        for _ in range(self.size["turns"]):
            self.cache.fill()
            results.append(self.send(options, "flush", seconds=self.size["seconds"] / 2))
            fio_rates.append(self._fio_rates())
        rates = [result["messagesPerSecond"] for result in results]
        self.tell(row, "messages a second", median(rates))
        self.tell(row, "p99, us", median(result["latencyMicros"]["p99"] for result in results))
        if None in fio_rates[0]:
            self.lines.note("no fio here: flushes and cold reads stand without it "
                            "(`./dev deps bench` installs it)")
            return
        self._beside(row, "over old blocks", rates, [old for old, _ in fio_rates])
        self._beside(row, "into a new file", rates, [new for _, new in fio_rates],
                     ("at least", 0.9))

    def _fio_rates(self):
        """Over blocks that were written before, and into a new file; a second."""
        size, seconds = GROUP * (1024 + RECORD_BYTES), self.size["flushes"]
        return (self.disk.flushes_per_second(size, seconds),
                self.disk.new_flushes_per_second(size, seconds))

    def _beside(self, row, where, rates, fio_rates, goal=None):
        """Rates of the broker beside those of fio just before and just after each."""
        near = [(before + after) / 2 * GROUP for before, after in zip(fio_rates, fio_rates[1:])]
        self.tell(row, f"fio's fdatasync rate x {GROUP}, {where}", median(near))
        self.tell(row, f"ratio to fio's, {where}", median(map(truediv, rates, near)), goal)

    # ---- many queues

    def queues(self):
        """The same load over more and more queues."""
        rates = {}
        for queues in self.size["queues"]:
            row = f"send 128 bytes over {queues:,} queue{'s'[:queues - 1]}"
            self.cache.fill()
            self.contender.start()
            options = [*SEND, "--size", str(DENSE_BYTES)]
            begin = time.monotonic()
            self.send(options, "queues", shape(queues), seconds=120, count=max(queues, 1000))
            load.settle(self.contender.process.child.pid, QUEUES_IDLE)  # their files are made
            if queues > 1:
                self.tell(row, "creating topics and queues, s", time.monotonic() - begin)
            self.send(options, "queues", shape(queues), seconds=self.size["seconds"])
            result = self.send(options, "queues", shape(queues), seconds=60,
                               count=self.size["count"])
            rates[queues] = result["messagesPerSecond"]
            self.tell(row, "messages a second", rates[queues])
            self.tell(row, "p99, us", result["latencyMicros"]["p99"])
            self.tell(row, "private memory, MiB", result["process"]["rssAnonKiB"] / 1024)
            if queues > 1:
                self.tell(row, "ratio to 1 queue's rate", rates[queues] / rates[1],
                          ("at least", 0.9))
            self.contender.stop()

    # ---- restarts and cold reads

    def restart(self):
        """A large store: killed under load, started, read from the disk."""
        self.contender.start()
        self._fill()
        self._kill_under_load()
        row = f"restart after kill -9, {self.size['gib']:.1f} GiB"
        self.contender.resume()
        self.tell(row, "to the first accepted connection, ms", self.contender.start_ms,
                  ("at most", 1000))
        found = re.findall(r"; (\d+) messages from", self.contender.process.log.read_text())
        if found:
            self.tell(row, "messages read again", int(found[-1]))
        self._cold()

    def _fill(self):
        gib = 1 << 30
        self.long = int((self.size["gib"] - self.size["dense_gib"]) * gib / (LONG_BYTES + RECORD_BYTES))
        dense = int(self.size["dense_gib"] * gib / (DENSE_BYTES + RECORD_BYTES))
        self.send([*SEND, "--size", str(LONG_BYTES)], "long", seconds=1800, count=self.long)
        self.send([*SEND, "--size", str(DENSE_BYTES)], "dense", shape(1000), seconds=1800,
                  count=dense)

    def _kill_under_load(self):
        def send():
            try:
                self.send([*SEND, "--size", str(DENSE_BYTES)], "dense", shape(1000), seconds=30)
            except Failure:
                pass  # the broker goes away under it

        thread = threading.Thread(target=send)
        thread.start()
        time.sleep(self.size["seconds"])
        self.contender.kill()
        thread.join()

    def _pull(self, seconds, may_spin=True):
        """Four consumers, each through a queue of its own, from the beginning to the end at most:
        what is read a second time is in memory."""
        return self.generator.run(self.contender, ["--mode", "pull", "--connections", "4",
                                                   "--in-flight", "1", "--batch", str(PULLED)],
                                  "long", seconds=seconds, count=self.long // PULLED,
                                  may_spin=may_spin)

    def _cold(self):
        row = "cold catch-up, 4 KiB messages"
        logs = sorted((self.contender.folder / "store" / "commitlog").iterdir())
        half = logs[:max(1, int(len(logs) * 0.5))]
        before = self.disk.read_bytes_per_second(half)
        if before is None or not fio.drop_caches():
            self.lines.note("cold reads need fio, and root to empty the page cache: left out")
            return
        result = self._pull(self.size["seconds"])
        disk = (before + self.disk.read_bytes_per_second(half)) / 2
        self.tell(row, "MB a second", result["bytesPerSecond"] / 1e6)
        self.tell(row, "fio's sequential read, before and after, MB a second", disk / 1e6)
        self.tell(row, "ratio to fio's", result["bytesPerSecond"] / disk, ("at least", 0.7))
        self._backlog()

    def _backlog(self):
        """Sends at a fixed rate, alone and while a backlog is read from the disk. The two generators
        share a core."""
        row = f"sends, {self.size['backlog_rate']:,} a second of 1 KiB, while a backlog is read"
        options = [*SEND, "--size", "1024", "--rate", str(self.size["backlog_rate"])]
        alone = self.send(options, "beside", seconds=self.size["seconds"], may_spin=False)
        fio.drop_caches()
        pulled = {}
        thread = threading.Thread(
            target=lambda: pulled.update(self._pull(self.size["seconds"] + 1, may_spin=False)))
        thread.start()
        beside = self.send(options, "beside", seconds=self.size["seconds"], may_spin=False)
        thread.join()
        self.tell(row, "p99 alone, us", alone["latencyMicros"]["p99"])
        self.tell(row, "p99 then, us", beside["latencyMicros"]["p99"])
        self.tell(row, "ratio of the rates",
                  beside["messagesPerSecond"] / alone["messagesPerSecond"], ("at least", 0.8))
        self.tell(row, "read meanwhile, MB a second", pulled["bytesPerSecond"] / 1e6)
