#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Races Gantry, the Java broker and a server that stores nothing under one load generator.

    run.py --build build/release [--quick] [--only gantry,floor] [--output json] [--write] [--check]

One after the other they run on the first core, the generator (`gantry bench`) on the second, on
loopback. CPU is the server's, from /proc, for each message. Prints one table; --write puts it into
docs/benchmarks.md, --check fails when Gantry is over a limit that it must keep.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import load
import memory
import table
from contenders import Failure, Gantry, Java, NullServer, peers
from page import CHECKOUT, java_version, machine, say, write_page

BEGIN, END = "<!-- table: begin -->\n", "<!-- table: end -->\n"

FULL = {"seconds": 5, "repeat": 3, "starts": 3, "warm": 1_500_000, "warm_seconds": 180,
        "count_128": 2_000_000, "count_1k": 500_000, "fill": 200_000}
QUICK = {"seconds": 2, "repeat": 1, "starts": 1, "warm": 200_000, "warm_seconds": 20,
         "count_128": 500_000, "count_1k": 100_000, "fill": 50_000}


def memory_row(run):
    """A memory row from what the generator saw of the server."""
    return {"mib": run["process"]["rssAnonKiB"] / 1024,
            "mapped_mib": run["process"]["rssFileKiB"] / 1024}


def measure(contender, generator, size):
    """All rows of one contender: row -> list of runs."""
    rows = {}

    def run(row, options, topic, **limits):
        say(f"{contender.name}: {row}")
        result = generator.run_settled(contender, options, topic, **limits)
        if result["refused"] or result["unanswered"]:
            text = (f"{contender.name}: {row}: {result['refused']} refused, "
                    f"{result['unanswered']} unanswered")
            if contender.name == "gantry":
                raise Failure(text)
            say(text)
        rows.setdefault(row, []).append(result)
        return result

    for _ in range(size["starts"] - 1):
        contender.start()
        rows.setdefault("start", []).append({"ms": contender.start_ms})
        contender.stop()
    contender.start()
    rows.setdefault("start", []).append({"ms": contender.start_ms})
    seconds = size["seconds"]
    first = generator.run(contender, load.ONE, "bench_send", seconds, count=1)
    rows["idle"] = [memory_row(first)]
    say(f"{contender.name}: warming up with {size['warm']:,} messages")
    warm = generator.run(contender, load.SEND_128, "bench_send", size["warm_seconds"],
                         count=size["warm"])
    rows["full"] = [memory_row(warm)]
    contender.warmed = warm["messages"]
    generator.run(contender, load.SEND_128, "bench_pull", seconds, count=size["fill"])
    for options, topic in ((load.PULL, "bench_pull"), (load.LATENCY, "bench_latency")):
        generator.run(contender, options, topic, size["seconds"] / 2)
    for _ in range(size["repeat"]):
        run("send_128", load.SEND_128, "bench_send", seconds=seconds, count=size["count_128"])
        run("send_1k", load.SEND_1K, "bench_send", seconds=seconds, count=size["count_1k"])
        run("one", load.ONE, "bench_send", seconds=seconds / 2)
        run("pull", load.PULL, "bench_pull", seconds=seconds / 2)
        run("latency", load.LATENCY, "bench_latency", seconds=seconds / 2)
    return rows


def race(args, size):
    """Results of every contender that is there."""
    build = args.build.resolve()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Failure("the comparison needs two cores: one for the server, one for the load")
    generator = load.Generator(build, cores[1], spin=True)
    results, versions = {}, {}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as folder:
        folder = Path(folder)
        cache = memory.FullCache(folder)
        known = {"floor": NullServer(folder, cores[0], build), "java": Java(folder, cores[0]),
                 "gantry": Gantry(folder, cores[0], build, generator.version())}
        for name in args.only.split(","):
            contender = known[name]
            try:
                say(f"{name}: filled the page cache in {cache.fill():.1f} s")
                results[name] = measure(contender, generator, size)
                versions[name] = f"{contender.version()}, after {contender.warmed:,} messages"
            finally:
                contender.stop()
    return results, versions


def caption(args, size, versions):
    """How to make the table again, and where and when it was made."""
    command = "./dev bench" + (" --quick" if args.quick else "")
    lines = [f"- made by `{command}` on {time.strftime('%Y-%m-%d')}",
             f"- machine: {machine()}"]
    lines += [f"- {name}: {version}" for name, version in versions.items()]
    if "java" in versions:
        lines.append(f"- JVM: {java_version()}")
    lines.append(f"- runs of each row: {size['repeat']}; a figure is their median")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=CHECKOUT / "build" / "release")
    parser.add_argument("--quick", action="store_true", help="short runs, once each")
    parser.add_argument("--only", default="gantry,java,floor", help="some of them, in order")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--check", action="store_true", help="fail when a limit is broken")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    args = parser.parse_args()
    size = QUICK if args.quick else FULL
    try:
        results, versions = race(args, size)
    except (Failure, peers.Unavailable) as failure:
        say(failure)
        return 1
    if args.output == "json":
        print(json.dumps({"machine": machine(), "versions": versions,
                          "table": table.as_json(results)}, indent=1))
    else:
        print(table.markdown(results) + "\n\n" + caption(args, size, versions))
    broken = list(table.broken_limits(results)) if args.check else []
    for line in broken:
        say(f"over the limit: {line}")
    if args.write:
        write_page("\n" + table.markdown(results) + "\n\n" + caption(args, size, versions) + "\n",
                   BEGIN, END)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
