#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the message store costs: flushes, many queues, restarts, cold reads; beside fio and Java.

    store.py --build build/release [--quick] [--only gantry,java,uring] [--rows sync,queues,...]
             [--gib N] [--output json] [--write] [--check]

One server after the other runs on the first core, the load generator on the second. Prints one
table; --write puts it into docs/benchmarks.md, where figures of rows and contenders that were not
measured stay as they are; --check fails when Gantry misses a goal.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import fio
import kept
import load
import memory
import page
import store_rows
from contenders import Failure, Gantry, Java, Uring, peers

BEGIN, END = "<!-- store table: begin -->\n", "<!-- store table: end -->\n"
NAMES = {"java": "Java", "gantry": "Gantry", "uring": "Gantry, io_uring"}
SHARE_OF_DISK = 3  # of what is free, this part is used

FULL = {"seconds": 8, "queues": (1, 1000, 50000), "count": 2_000_000, "gib": 10, "dense_gib": 2,
        "flushes": 2, "turns": 5, "backlog_rate": 20_000}
QUICK = {"seconds": 3, "queues": (1, 1000), "count": 300_000, "gib": 1, "dense_gib": 0.25,
         "flushes": 1, "turns": 1, "backlog_rate": 5_000}


def room(folder, size):
    """The sizes that the disk allows."""
    free = shutil.disk_usage(folder).free / (1 << 30) / SHARE_OF_DISK
    gib = min(size["gib"], free)
    return dict(size, gib=gib, dense_gib=min(size["dense_gib"], gib / 2))


def measure(args, size):
    """Lines of the table: (row, what, better, goal, {contender: value}), and versions."""
    build = args.build.resolve()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Failure("two cores are needed: one for the server, one for the load")
    generator = load.Generator(build, cores[1], spin=True)
    lines, versions = store_rows.Lines(), {}
    with tempfile.TemporaryDirectory(prefix="store-", dir=build) as folder:
        folder = Path(folder)
        size = room(folder, size)
        cache = memory.FullCache(folder)
        disk = fio.Disk(folder, cores[0])
        known = {"java": Java(folder, cores[0]),
                 "gantry": Gantry(folder, cores[0], build, generator.version()),
                 "uring": Uring(folder, cores[0], build, generator.version())}
        for name in args.only.split(","):
            contender = known[name]
            versions[name] = contender.version()
            for row in args.rows.split(","):
                page.say(f"{name}: {row}")
                cache.fill()
                rows = store_rows.Rows(contender, generator, disk, cache, lines, size)
                try:
                    getattr(rows, row)()
                except (Failure, peers.Unavailable) as failure:
                    if name != "java":
                        raise
                    page.say(f"{name}: {row}: left out: {failure}")
                finally:
                    contender.stop()
    return lines, versions, size


def caption_of(args, size, versions, lines):
    """How to make each row again, and where and when it was made."""
    command = "./dev bench store" + (" --quick" if args.quick else "")
    command += f" --gib {args.gib:g}" if args.gib else ""
    text = [f"- machine: {page.machine()}"]
    text += [f"- {name}: {version}" for name, version in versions.items()]
    stores = (f"; stores of {size['gib']:.1f} GiB, dense (128-byte bodies, 1,000 queues) in the "
              f"last {size['dense_gib']:.1f} GiB")
    for row in args.rows.split(","):
        for name in args.only.split(","):
            text.append(f"- rows of `{row}`, {NAMES[name]}: by `{command} --rows {row} --only {name}` "
                        f"on {time.strftime('%Y-%m-%d')}{stores if row == 'restart' else ''}")
    return text + [f"- {note}" for note in lines.notes]


def main():
    parser = kept.arguments(__doc__, "gantry,java", store_rows.ROWS)
    parser.add_argument("--gib", type=float, help="how large a store is killed and read")
    args = parser.parse_args()
    size = dict(QUICK if args.quick else FULL)
    size["gib"] = args.gib or size["gib"]
    try:
        lines, versions, size = measure(args, size)
    except (Failure, peers.Unavailable, OSError) as failure:
        page.say(failure)
        return 1
    measured = tuple(title for row in args.rows.split(",") for title in store_rows.TITLES[row])
    return kept.report(args, lines, caption_of(args, size, versions, lines), NAMES,
                       lambda row: row.startswith(measured), (BEGIN, END))


if __name__ == "__main__":
    sys.exit(main())
