#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What waiting consumers cost, and how fast they are woken; beside Java and the null server.

    consumers.py --build build/release [--quick] [--only floor,gantry,java]
                 [--rows idle,fan-out,group,latency,delayed] [--write] [--check]

The server runs on the first core; the consumers, all in this process, on the second. The null
server and Gantry take turns where speed is measured.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import load
import page
import waiting
from contenders import Failure, Gantry, Java, NullServer, peers
from table import number

BEGIN, END = "<!-- consumers table: begin -->\n", "<!-- consumers table: end -->\n"
FULL = {"idle": 10_000, "waiters": 1_000, "rounds": 60, "members": 200, "runs": 5, "seconds": 5,
        "delayed": 1_000_000}
QUICK = {"idle": 1_000, "waiters": 1_000, "rounds": 20, "members": 50, "runs": 3, "seconds": 2,
         "delayed": 100_000}
SPARE_FILES = 1500
NAMES = ("floor", "java", "gantry")
ROWS = ("idle", "fan-out", "group", "latency", "delayed")


class FanServer(NullServer):
    """The floor, which gives every message to all that wait."""

    def command(self):
        return [*super().command(), "fan"]


def goals(results):
    """(row, what, goal text, kept) of what Gantry has to reach."""
    for (row, what), value in results.get("gantry", {}).items():
        floor = results.get("floor", {}).get((row, what))
        if what == waiting.IDLE_MEMORY:
            yield row, what, "at most 150", value <= 150
        elif what == waiting.RATE and floor:
            yield row, what, f"at least {number(0.8 * floor)}", value >= 0.8 * floor
        elif what == waiting.P99 and floor:
            most = min(3 * floor, 1000) if floor < 300 else 3 * floor
            yield row, what, f"at most {number(most)}", value <= most
        elif what == waiting.TOLD:
            yield row, what, "at most 1,000", value <= 1000
        elif what == waiting.DELAYED_MEMORY:
            yield row, what, "at most 200", value <= 200


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


def measure_row(row, servers, fan_servers, generator, size):
    """Values of one row; those of the broker and the floor are taken by turns where that helps."""
    brokers = [server for server in servers if server.name != "floor"]
    if row == "fan-out":
        return waiting.fan_out(fan_servers, size)
    if row == "latency":
        return waiting.latency(servers, generator, size)
    found = {}
    for server in servers if row == "idle" else brokers:
        found |= getattr(waiting, row)(server, size)
    return found


class Table:
    """What was measured: results[server][row, what], and the servers' versions."""

    def __init__(self, args, folder, generator, cores):
        self.rows, self.only = args.rows.split(","), args.only.split(",")
        self.size = QUICK if args.quick else FULL
        self.generator = generator
        build = args.build.resolve()
        self.known = {"floor": NullServer(folder, cores[0], build),
                      "java": Java(folder, cores[0]),
                      "gantry": Gantry(folder, cores[0], build, generator.version())}
        self.fan = dict(self.known, floor=FanServer(folder, cores[0], build))
        self.results, self.versions = {}, {}

    def measure(self):
        """All of it. Java may be missing."""
        for names in (["java"], ["floor", "gantry"]):
            names = [name for name in names if name in self.only]
            for row in self.rows if names else ():
                page.say(f"{', '.join(names)}: {row}")
                try:
                    self._add(names, row)
                except (Failure, peers.Unavailable, OSError) as failure:
                    page.say(f"{row}: {failure}")
                    if names != ["java"]:
                        raise

    def _add(self, names, row):
        found = measure_row(row, [self.known[name] for name in names],
                            [self.fan[name] for name in names], self.generator, self.size)
        for name, values in found.items():
            self.results.setdefault(name, {}).update(values)
            self.versions[name] = self.known[name].version()


def raise_limit(size):
    """Of files that are open."""
    wanted = size["idle"] + 2 * size["waiters"] + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=page.CHECKOUT / "build" / "release")
    parser.add_argument("--quick", action="store_true", help="fewer consumers")
    parser.add_argument("--only", default="floor,gantry,java")
    parser.add_argument("--check", action="store_true", help="fail when a goal is missed")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    parser.add_argument("--rows", default=",".join(ROWS))
    args = parser.parse_args()
    raise_limit(QUICK if args.quick else FULL)
    cores = sorted(os.sched_getaffinity(0))
    generator = load.Generator(args.build.resolve(), cores[-1])
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory(prefix="consumers-", dir=args.build.resolve()) as folder:
        table = Table(args, Path(folder), generator, cores)
        try:
            table.measure()
        except (Failure, peers.Unavailable, OSError):
            return 1
    results, versions = table.results, table.versions
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
