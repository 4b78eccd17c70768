#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What replication costs: a master without and with a slave, double writes, catching up; beside Java.

    replication.py --build build/release [--quick] [--only java,gantry] [--rows alone,sync,...]
                   [--output json] [--write] [--check]

The master runs on the first core; the slave, the name server and the load generator share the
second. Prints one table; --write puts it into docs/benchmarks.md, --check fails when Gantry misses
a goal.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import fio
import kept
import load
import memory
import page
import replication_rows as rows
from contenders import Failure, peers
from names import GantryNames
from store import NAMES
from store_rows import Lines

BEGIN, END = "<!-- replication table: begin -->\n", "<!-- replication table: end -->\n"

# Java's flushes are left out for the time that a warm JVM takes.
FULL = {"seconds": 5, "gib": 1,
        "gantry": {"count": 600_000, "turns": 3, "runs": 1, "repeat": 3, "warm": 0},
        "java": {"count": 150_000, "turns": 1, "runs": 2, "repeat": 2, "warm": 400_000,
                 "warm_seconds": 12, "skips": ("flush",)}}
QUICK = {"seconds": 3, "gib": 0.5,
         "gantry": {"count": 300_000, "turns": 1, "runs": 1, "repeat": 1, "warm": 0},
         "java": {"count": 50_000, "turns": 1, "runs": 1, "repeat": 1, "warm": 200_000,
                  "warm_seconds": 6, "skips": ("flush",)}}


def pair_of(kind, folder, cores, namesrv, build, version):
    """A master and a slave that are not started yet."""
    def node(part, core):
        if kind == "java":
            return rows.JavaNode(folder, core, part)
        return rows.GantryNode(folder, core, part, build, version)

    return rows.Pair(node("master", cores[0]), node("slave", cores[1]), namesrv)


def measure_pair(args, pair, measured):
    """The rows that are asked for, of one pair."""
    for row in args.rows.split(","):
        if row in measured.size.get("skips", ()):
            continue
        page.say(f"{pair.name}: {row}")
        try:
            getattr(measured, row)()
        except (Failure, peers.Unavailable) as failure:
            if pair.name != "java":
                raise
            page.say(f"{pair.name}: {row}: left out: {failure}")
        finally:
            pair.stop()


def measure(args, size):
    """Lines of the table, and versions."""
    build = args.build.resolve()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Failure("two cores are needed: one for the master, one for slave and load")
    generator = load.Generator(build, cores[1])
    lines, versions = Lines(), {}
    with tempfile.TemporaryDirectory(prefix="replication-", dir=build) as folder:
        folder = Path(folder)
        namesrv = GantryNames(folder / "names", cores[1], build, generator.version())
        cache, disk = memory.FullCache(folder), fio.Disk(folder, cores[0])
        namesrv.start()
        try:
            for name in args.only.split(","):
                pair = pair_of(name, folder, cores, namesrv, build, generator.version())
                versions[name] = pair.master.version()
                page.say(f"{name}: filled the page cache in {cache.fill():.1f} s")
                measure_pair(args, pair, rows.Rows(pair, generator, disk, lines, size))
        finally:
            namesrv.stop()
    set_goals(lines)
    return lines, versions


def set_goals(lines):
    """Goals that are shares of what Java needs."""
    for line in lines.all():
        if line.what == rows.PAIR and line.row == rows.SYNC and "java" in line.values:
            line.goal = ("at most", line.values["java"] / 10)


def caption_of(args, versions):
    """How to make each row again, and where and when it was made."""
    command = "./dev bench replication" + (" --quick" if args.quick else "")
    size = QUICK if args.quick else FULL
    text = [f"- machine: {page.machine()}"]
    text += [f"- {name}: {version}" for name, version in versions.items()]
    text += [f"- rows of `{row}`: by `{command} --rows {row} --only {args.only}` on "
             f"{time.strftime('%Y-%m-%d')}; median of {size['gantry']['repeat']} runs, of Java's "
             f"pair {size['java']['repeat']}" for row in args.rows.split(",")]
    return text


def main():
    args = kept.arguments(__doc__, "java,gantry", rows.ROWS).parse_args()
    size = QUICK if args.quick else FULL
    try:
        lines, versions = measure(args, size)
    except (Failure, peers.Unavailable, OSError) as failure:
        page.say(failure)
        return 1
    measured = [rows.ROWS[row] for row in args.rows.split(",")]
    return kept.report(args, lines, caption_of(args, versions), NAMES, lambda row: row in measured,
                       (BEGIN, END))


if __name__ == "__main__":
    sys.exit(main())
