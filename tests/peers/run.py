#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs unmodified RocketMQ clients, brokers and name servers with Gantry.

    run.py                          everything, against the newest build/*/bin/gantryd
    run.py --smoke                  one Java client, 10,000 messages, a push consumer; a minute
    run.py --list                   the names of all cases: CLUSTER/CLIENT/SCENARIO
    run.py 'separate/*/push-*'      those that fit one of the patterns
    run.py --against java           the same cases against the Java name server and broker
    run.py --against java --record  and keeps what the clients saw, in expect/SCENARIO.json
    run.py --bin DIR                with DIR/gantryd
    run.py --prepare                only fetches and builds what the cases need
    run.py --keep                   keeps the servers' files and logs also when all is well

Clusters: `separate` (a Gantry name server and a Gantry broker), `all` (both in one process),
`java-broker` (a Java broker under a Gantry name server), `java-namesrv` (a Gantry broker under a
Java name server). Clients: Java 5.5.0 and 4.9.8 (`-v1`, `-binary`: told to send long field names or
binary headers), Go. A case passes when the client program found nothing wrong and saw the same facts
(counts, order, statuses, error codes, never times) as with the Java broker. Each Gantry server must
also end with exit code 0 when it is asked to: the case CLUSTER/stop.

Peers are fetched by name and version from the ordinary registries into $GANTRY_PEER_CACHE (default
build/peers in the checkout), once. It takes mvn, a JDK 17 and go; what cannot be had is skipped and
counted, or fails when GANTRY_PEERS_REQUIRED=1. To add a scenario: a class in java/src/peers (and
Main's table) or a function in go/, a line in harness/scenarios.py, then --against java --record.
(Once in some dozens of runs the Java broker handles a one-way commit before an older pull that
commits as well, and keeps the older offset: `resume` and `lite-subscribe` wait in vain. Try again.)

Exit code: 0 all passed or skipped, 1 something failed, 77 nothing could run, 2 wrong usage.
"""

import argparse
import fnmatch
import sys
import time
from itertools import groupby
from pathlib import Path

from harness.cache import Cache, Unavailable, required
from harness.clients import make_client
from harness.expect import Expectations, differences
from harness.process import Failure
from harness.program import EXIT_FAILED, EXIT_NOTHING_RAN, newest_build, run_in_folder
from harness.scenarios import SMOKE, cases

DIFFERENCES_SHOWN = 12


class Tally:
    """Prints one line for each case and counts."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def passes(self, name, seconds):
        """The case did what it must."""
        self.passed += 1
        print(f"PASS {name} ({seconds:.1f} s)", flush=True)

    def fails(self, name, reasons):
        """The case did not, for these reasons."""
        self.failed += 1
        if len(reasons) > DIFFERENCES_SHOWN:
            more = len(reasons) - DIFFERENCES_SHOWN
            reasons = reasons[:DIFFERENCES_SHOWN] + [f"and {more} more"]
        print(f"FAIL {name}", *reasons, sep="\n     ", flush=True)

    def skips(self, name, reason):
        """The case could not run here."""
        if required():
            self.fails(name, [f"required, but {reason}"])
            return
        self.skipped += 1
        print(f"SKIP {name}: {reason}", flush=True)

    def exit_code(self):
        """See the top of this file."""
        if self.failed:
            return EXIT_FAILED
        return 0 if self.passed else EXIT_NOTHING_RAN


class Run:
    """One run of some cases."""

    def __init__(self, options, site):
        self._options = options
        self._site = site
        self._tally = Tally()
        self._expectations = Expectations()

    def all(self, chosen):
        """Runs the cases, cluster by cluster."""
        for topology, group in groupby(chosen, key=lambda case: case.topology):
            group = list(group)
            try:
                namesrv = topology.start(self._site)
            except Unavailable as error:
                for case in group:
                    self._tally.skips(case.name, error)
            except (Failure, OSError, RuntimeError) as error:
                self._tally.fails(f"{topology.name}/start", [error])
            else:
                self._cluster(namesrv, group)
            self._stop(topology)
        print(f"{self._tally.passed} passed, {self._tally.failed} failed, "
              f"{self._tally.skipped} skipped", flush=True)
        return self._tally.exit_code()

    def _cluster(self, namesrv, group):
        for name, of_client in groupby(group, key=lambda case: case.client):
            of_client = list(of_client)
            try:
                client = make_client(self._site.cache, name)
            except Unavailable as error:
                for case in of_client:
                    self._tally.skips(case.name, error)
            except RuntimeError as error:
                self._tally.fails(f"{name}/build", [error])
            else:
                for case in of_client:
                    self._case(case, client, namesrv)
                client.stop()

    def _case(self, case, client, namesrv):
        scenario = case.scenario
        topic = f"{scenario.name}-{case.client}".replace(".", "_")
        words = [scenario.command, f"namesrv={namesrv.address}", f"topic={topic}"]
        words += [f"{key}={value}" for key, value in scenario.arguments.items()]
        start = time.monotonic()
        try:
            self._site.must_run()
            report = client.run(self._site, words, scenario.seconds)
            self._site.must_run()
        except (Failure, OSError, ValueError) as error:
            self._tally.fails(case.name, [error])
            return
        seconds = time.monotonic() - start
        reasons = report["problems"]
        if not reasons and self._options.record:
            self._expectations.record(scenario.name, case.client, report["facts"],
                                      "python3 tests/peers/run.py --against java --record")
        elif not reasons:
            reasons = self._compared(case, report["facts"])
        if reasons:
            print(f"notes of {case.name}: {report['notes']}")
            self._tally.fails(case.name, reasons)
        else:
            self._tally.passes(case.name, seconds)

    def _compared(self, case, facts):
        expected = self._expectations.facts(case.scenario.name, case.client)
        if expected is None:
            return ["nothing recorded to compare with: run with --against java --record"]
        return differences(expected, facts)

    def _stop(self, topology):
        ends = [(name, end) for name, end in self._site.stop() if name.startswith("gantry")]
        wrong = [f"{name}: {end}" for name, end in ends if end != "exit code 0"]
        if wrong:
            self._tally.fails(f"{topology.name}/stop", wrong)
        elif ends:
            self._tally.passes(f"{topology.name}/stop", 0)


def prepare(chosen, cache):
    """Fetches and builds what the cases need, so that their own time limits need not cover it."""
    steps = {case.client: lambda name=case.client: make_client(cache, name) for case in chosen}
    if any(case.topology.needs_java for case in chosen):
        steps["the Java servers"] = cache.java_servers
    code = 0
    for name, step in steps.items():
        try:
            step()
            print(f"ready: {name}")
        except Unavailable as error:
            print(f"not to be had: {name}: {error}")
            code = EXIT_FAILED if required() else code
    return code


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*", help="cases to run (shell patterns)")
    parser.add_argument("--against", choices=("gantry", "java"), default="gantry")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--bin", type=Path)
    options = parser.parse_args(arguments)
    if options.record and options.against != "java":
        parser.error("--record needs --against java: only Java's behaviour is an expectation")
    options.chosen = choose(options, parser)
    if options.against == "gantry" and not (options.list or options.prepare):
        options.bin = (options.bin or newest_build() or Path()).resolve()
        if not (options.bin / "gantryd").exists():
            parser.error("no gantryd: build it, or say --bin DIR")
    return options


def choose(options, parser):
    """The cases that the command line asks for."""
    chosen = cases(options.against)
    if options.smoke:
        chosen = [case for case in chosen if fnmatch.fnmatch(case.name, SMOKE)][:1]
    if options.patterns:
        chosen = [case for case in chosen
                  if any(fnmatch.fnmatch(case.name, pattern) for pattern in options.patterns)]
    if not chosen:
        parser.error("no case fits")
    return chosen


def main():
    """Runs what the command line says."""
    options = parse(sys.argv[1:])
    if options.list:
        print(*(case.name for case in options.chosen), sep="\n")
        return 0
    if options.prepare:
        return prepare(options.chosen, Cache())
    return run_in_folder("peers", options, lambda site: Run(options, site).all(options.chosen))


if __name__ == "__main__":
    sys.exit(main())
