#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Swaps Gantry and the Java broker 5.5.0 on one store, back and forth.

    run.py                 the plans of the full suite, against the newest build/*/bin/gantryd
    run.py --long          all plans, one of them with 100,000 messages a turn
    run.py --list          the names of all plans
    run.py NAME...         these plans
    run.py -n COUNT        so many sends in each turn
    run.py --bin DIR       with DIR/gantryd
    run.py --prepare       only fetches and builds what is needed
    run.py --keep          keeps the files also when all is well

A plan is a row of turns: a broker starts on what the one before left, a Java client reads every
message and compares it with what was written down when it was sent, asks by time, key and id, sends
more, and the broker is stopped, killed, or killed while it is sent to. After each turn the files are
read by records.py, which knows nothing of Gantry's code: no byte of an older record may have changed,
each acknowledged message must be in the log, after a clean stop each queue and index must fit it.

Exit code: 0 all passed, 1 something failed, 77 nothing could run, 2 wrong usage.
"""

import argparse
import sys
import time
from pathlib import Path

from chain import Chain, Failure, servers  # noqa: I001  (it finds tests/peers/harness)
from harness.cache import Cache, Unavailable, required
from harness.clients import make_client
from harness.program import EXIT_FAILED, EXIT_NOTHING_RAN, newest_build, run_in_folder
from plans import FULL, PLANS
from transactions import OpenTransactions

CLIENT = "java-5.5.0"


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="plans to run")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("-n", type=int)
    parser.add_argument("--bin", type=Path)
    options = parser.parse_args(arguments)
    unknown = set(options.names) - PLANS.keys()
    if unknown:
        parser.error(f"no such plan: {', '.join(sorted(unknown))}")
    if not (options.list or options.prepare):
        options.bin = (options.bin or newest_build() or Path()).resolve()
        if not (options.bin / "gantryd").exists():
            parser.error("no gantryd: build it, or say --bin DIR")
    return options


def chosen(options):
    """The plans that the command line asks for."""
    names = options.names or (PLANS if options.long else FULL)
    plans = [PLANS[name] for name in names]
    for plan in plans:
        if options.n:
            plan.messages = options.n
    return plans


def prepare(cache):
    """Fetches and builds, so that the plans' own time limits need not cover it."""
    try:
        cache.java_servers()
        make_client(cache, CLIENT)
    except Unavailable as error:
        print(f"not to be had: {error}")
        return EXIT_FAILED if required() else 0
    return 0


def run_all(site, plans):
    """Runs the plans; returns the exit code."""
    try:
        client = make_client(site.cache, CLIENT)
        site.cache.java_servers()
    except Unavailable as error:
        print(f"SKIP {len(plans)} plans: {error}")
        return EXIT_FAILED if required() else EXIT_NOTHING_RAN
    namesrv = servers.start_gantry_namesrv(site)
    failed = 0
    for plan in plans:
        begin = time.monotonic()
        try:
            if isinstance(plan, OpenTransactions):
                plan.run(site, namesrv, client)
            else:
                Chain(site, namesrv, client, plan).run()
            print(f"PASS {plan.name} ({time.monotonic() - begin:.1f} s)", flush=True)
        except (Failure, OSError, ValueError) as fault:
            failed += 1
            print(f"FAIL {fault}", flush=True)
            site.stop()
            namesrv = servers.start_gantry_namesrv(site, f"gantry-namesrv-{failed}")
    client.stop()
    print(f"{len(plans) - failed} passed, {failed} failed", flush=True)
    return EXIT_FAILED if failed else 0


def main():
    """Runs what the command line says."""
    options = parse(sys.argv[1:])
    if options.list:
        print(*PLANS, sep="\n")
        return 0
    if options.prepare:
        return prepare(Cache())
    return run_in_folder("swap", options, lambda site: run_all(site, chosen(options)))


if __name__ == "__main__":
    sys.exit(main())
