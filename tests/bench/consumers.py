#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What waiting consumers cost, and how fast they are woken; beside Java and the null server.

    consumers.py --build build/release [--quick] [--only floor,gantry,java] [--write] [--check]

The server runs on the first core; the consumers, all in this process, on the second.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import crowd
import load
import page
from contenders import Failure, Gantry, Java, NullServer, peers
from table import number

BEGIN, END = "<!-- consumers table: begin -->\n", "<!-- consumers table: end -->\n"
FULL = {"idle": 10_000, "waiters": 1_000, "rounds": 40, "members": 200}
QUICK = {"idle": 1_000, "waiters": 1000, "rounds": 20, "members": 50}
SPARE_FILES = 500
NAMES = ("floor", "java", "gantry")
IDLE, FAN, GROUP = "idle", "fan-out", "group"


class FanServer(NullServer):
    """The floor, which gives every message to all that wait."""

    def command(self):
        return [*super().command(), "fan"]


def memory_mib(pid):
    """(private memory of a process, slab of the kernel)."""
    status = Path(f"/proc/{pid}/status").read_text()
    meminfo = Path("/proc/meminfo").read_text()
    anon = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    slab = next(line for line in meminfo.splitlines() if line.startswith("Slab"))
    return int(anon.split()[1]) / 1024, int(slab.split()[1]) / 1024


class Rows:
    """Measures one contender; values by (row, what)."""

    def __init__(self, contender, size):
        self.contender = contender
        self.size = size
        self.values = {}

    def all(self):
        """Everything."""
        self._with_crowd(self._idle)
        self._with_crowd(self._fan_out)
        if self.contender.name != "floor":
            self._with_crowd(self._group)
        return self.values

    def _with_crowd(self, row):
        page.say(f"{self.contender.name}: {row.__name__.strip('_')}")
        self.contender.start()
        people = crowd.Crowd(self.contender.port)
        try:
            people.connect(1)
            self._make_topic(people)
            row(people)
            self.contender.process.must_run()
        finally:
            people.close()
            self.contender.stop()

    def _make_topic(self, people):
        """The first message; a cold JVM may refuse a few."""
        deadline = time.monotonic() + 60
        ok = []
        while not ok:
            people.all[0].sendall(crowd.send_frame(1))
            people.wait_for(1, 30, lambda data: ok.append(1) or True
                            if b'"code":0' in data else True)
            if time.monotonic() > deadline:
                raise Failure(f"{self.contender.name}: takes no message")
        self.offset = 1

    def _idle(self, people):
        pid = self.contender.process.child.pid
        load.settle(pid)
        anon, slab = memory_mib(pid)
        people.connect(self.size["idle"])
        for index, one in enumerate(people.all[1:]):
            one.sendall(crowd.pull_frame(index, self.offset))
        load.settle(pid)
        more_anon, more_slab = memory_mib(pid)
        row = f"{self.size['idle']:,} waiting consumers"
        self.values[row, "private memory and half of the kernel's, MiB"] = \
            more_anon + max(0, more_slab - slab) / 2
        self.values[row, "private memory that they added, MiB"] = more_anon - anon

    def _fan_out(self, people):
        people.connect(self.size["waiters"])
        waiters, seconds, spent = people.all[1:], 0, 0
        pid = self.contender.process.child.pid
        for _ in range(self.size["rounds"]):
            for index, one in enumerate(waiters):
                one.sendall(crowd.pull_frame(index, self.offset))
            load.settle(pid)
            before = sum(load.cpu(pid))
            people.all[0].sendall(crowd.send_frame(2))
            seconds += people.wait_for(len(waiters) + 1, 60)
            spent += sum(load.cpu(pid)) - before
            self.offset += 1
        row = f"one message to {self.size['waiters']:,} waiting consumers"
        count = len(waiters) * self.size["rounds"]
        self.values[row, "wake-ups a second"] = count / seconds
        self.values[row, "CPU a wake-up, us"] = spent * 1e6 / count

    def _group(self, people):
        members = self.size["members"]
        people.connect(members)
        for index, one in enumerate(people.all[1:]):
            one.sendall(crowd.heartbeat_frame(index, f"member-{index}@bench"))
        load.settle(self.contender.process.child.pid)
        people.connect(1)
        # what the earlier members' coming told is read first
        self._drain(people)
        people.all[-1].sendall(crowd.heartbeat_frame(0, "newcomer@bench"))
        seconds = people.wait_for(members, 60, crowd.is_members_changed)
        row = f"a consumer joins a group of {members:,}"
        self.values[row, "until all have been told, ms"] = seconds * 1000

    @staticmethod
    def _drain(people):
        try:
            people.wait_for(1 << 30, 2)
        except Failure:
            pass


def goals(results):
    """(row, what, goal text, kept) of what Gantry has to reach."""
    for row, what in results.get("gantry", {}):
        value = results["gantry"][row, what]
        if what.startswith("private memory and"):
            yield row, what, "at most 150", value <= 150
        elif what == "wake-ups a second" and "floor" in results:
            least = 0.8 * results["floor"][row, what]
            yield row, what, f"at least {number(least)}", value >= least
        elif what.startswith("until all"):
            yield row, what, "at most 1,000", value <= 1000


def markdown(results):
    """The table."""
    names = [name for name in NAMES if name in results]
    wanted = {(row, what): text for row, what, text, _ in goals(results)}
    lines = ["| | | " + " | ".join(name.capitalize() for name in names) + " | goal |",
             "| --- | --- |" + " ---: |" * (len(names) + 1)]
    for key in dict.fromkeys(key for name in names for key in results[name]):
        cells = [*key, *(number(results[name].get(key)) for name in names), wanted.get(key, "")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=page.CHECKOUT / "build" / "release")
    parser.add_argument("--quick", action="store_true", help="fewer consumers")
    parser.add_argument("--only", default="floor,gantry,java")
    parser.add_argument("--check", action="store_true", help="fail when a goal is missed")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    args = parser.parse_args()
    size = QUICK if args.quick else FULL
    wanted = size["idle"] + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    cores = sorted(os.sched_getaffinity(0))
    build = args.build.resolve()
    version = load.Generator(build, cores[-1]).version()
    os.sched_setaffinity(0, {cores[-1]})
    results, versions = {}, {}
    with tempfile.TemporaryDirectory(prefix="consumers-", dir=build) as folder:
        known = {"floor": FanServer(Path(folder), cores[0], build),
                 "java": Java(Path(folder), cores[0]),
                 "gantry": Gantry(Path(folder), cores[0], build, version)}
        for name in args.only.split(","):
            try:
                results[name] = Rows(known[name], size).all()
                versions[name] = known[name].version()
            except (Failure, peers.Unavailable, OSError) as failure:
                page.say(f"{name}: {failure}")
                if name != "java":
                    return 1
    text = markdown(results)
    text += f"\n\n- made by `./dev bench consumers{' --quick' if args.quick else ''}` on "
    text += f"{time.strftime('%Y-%m-%d')}\n- machine: {page.machine()}\n"
    text += "\n".join(f"- {name}: {version}" for name, version in versions.items())
    print(text)
    missed = [f"{row}: {what}: {goal}" for row, what, goal, kept in goals(results) if not kept]
    for line in missed:
        page.say(f"missed: {line}")
    if args.write:
        page.write_page("\n" + text + "\n", BEGIN, END)
    return 1 if missed and args.check else 0


if __name__ == "__main__":
    sys.exit(main())
