#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the message store costs: flushes, many queues, restarts, cold reads; beside fio and Java.

    store.py --build build/release [--quick] [--only gantry,java,uring] [--rows sync,queues,...]
             [--gib N] [--output json] [--write] [--check]

One server after the other runs on the first core, the load generator on the second. Prints one
table; --write puts it into docs/benchmarks.md, where figures of rows and contenders that were not
measured stay as they are; --check fails when Gantry misses a goal.
"""

import argparse
import json
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
from table import number

BEGIN, END = "<!-- store table: begin -->\n", "<!-- store table: end -->\n"
NAMES = {"java": "Java", "gantry": "Gantry", "uring": "Gantry, io_uring"}
SHARE_OF_DISK = 3  # of what is free, this part is used

FULL = {"seconds": 8, "queues": (1, 1000, 50000), "count": 2_000_000, "gib": 10, "dense_gib": 2,
        "flushes": 10, "backlog_rate": 20_000}
QUICK = {"seconds": 3, "queues": (1, 1000), "count": 300_000, "gib": 1, "dense_gib": 0.25,
         "flushes": 3, "backlog_rate": 5_000}


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
    generator = load.Generator(build, cores[1])
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
                rows = store_rows.Rows(contender, generator, disk, lines, size)
                try:
                    getattr(rows, row)()
                except (Failure, peers.Unavailable) as failure:
                    if name != "java":
                        raise
                    page.say(f"{name}: {row}: left out: {failure}")
                finally:
                    contender.stop()
    return lines, versions, size


def table_of(lines):
    """What was measured, as cells of the table."""
    return {(line.row, line.what): {**{NAMES[name]: number(value)
                                       for name, value in line.values.items()},
                                    "goal": line.goal_text()}
            for line in lines.all()}


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


def write(args, cells, caption):
    """Into the page; what was not measured stays."""
    measured = tuple(title for row in args.rows.split(",") for title in store_rows.TITLES[row])
    columns = {NAMES[name] for name in args.only.split(",")}
    old, old_caption = kept.section(BEGIN, END)
    cells = kept.merge(old, cells,
                       lambda row, column: row.startswith(measured) and column in columns)
    text = kept.markdown(cells, NAMES.values())
    caption = "\n".join(kept.merge_caption(old_caption, caption))
    page.write_page(f"\n{text}\n\n{caption}\n", BEGIN, END)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=page.CHECKOUT / "build" / "release")
    parser.add_argument("--quick", action="store_true", help="short runs, small stores")
    parser.add_argument("--only", default="gantry,java", help="some of gantry, uring, java")
    parser.add_argument("--rows", default=",".join(store_rows.ROWS), help="some of them")
    parser.add_argument("--gib", type=float, help="how large a store is killed and read")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--check", action="store_true", help="fail when a goal is missed")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    args = parser.parse_args()
    size = dict(QUICK if args.quick else FULL)
    size["gib"] = args.gib or size["gib"]
    try:
        lines, versions, size = measure(args, size)
    except (Failure, peers.Unavailable, OSError) as failure:
        page.say(failure)
        return 1
    cells, caption = table_of(lines), caption_of(args, size, versions, lines)
    if args.output == "json":
        print(json.dumps([line.as_json() for line in lines.all()], indent=1))
    else:
        print(kept.markdown(cells, NAMES.values()), "", *caption, sep="\n")
    missed = [line for line in lines.all() if args.check and line.is_missed()]
    for line in missed:
        page.say(f"missed: {line.row}: {line.what}: {line.goal_text()}")
    if args.write:
        write(args, cells, caption)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
