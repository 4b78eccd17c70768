#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends raw frames to a broker or name server and compares every answer with the Java one's.

    frames.py                          every case, against the newest build/*/bin/gantryd
    frames.py --list                   the names of all cases: MODULE/CASE
    frames.py 'relay/*'                those that fit one of the patterns
    frames.py --against java --record  against the Java broker, kept in expect/frames/MODULE.json
    frames.py --bin DIR                with DIR/gantryd
    frames.py --keep                   keeps the servers' files and logs also when all is well

A case is a function of a module in frames/: it gets a Broker (harness/broker.py) and returns facts,
which must be the same against both. A module whose SERVER is "namesrv" talks to a name server. Where Java's remark is an exception's text, any remark will do:
the code counts. Exit codes are those of run.py.
"""

import argparse
import fnmatch
import importlib
import inspect
import json
import sys
import traceback
from pathlib import Path

from harness.broker import Broker
from harness.cache import HERE, Unavailable, required
from harness.expect import differences
from harness.process import Failure
from harness.program import EXIT_FAILED, EXIT_NOTHING_RAN, newest_build, run_in_folder
from harness.servers import (broker_properties, start_gantry_broker, start_gantry_namesrv,
                             start_java_broker, start_java_namesrv)

FOLDER = HERE / "expect" / "frames"
MODULES = tuple(sorted(path.stem for path in (HERE / "frames").glob("[a-z]*.py")))
EXCEPTION = "<exception>"
DIFFERENCES_SHOWN = 12


def cases_of(module):
    """Its public functions, in the order of the file."""
    functions = [function for name, function in inspect.getmembers(module, inspect.isfunction)
                 if not name.startswith("_") and function.__module__ == module.__name__]
    return sorted(functions, key=lambda function: function.__code__.co_firstlineno)


def soften(expected, seen):
    """The seen facts, with a remark of ours where Java told of an exception taken as the same."""
    if expected == EXCEPTION and isinstance(seen, str):
        return EXCEPTION
    if isinstance(expected, dict) and isinstance(seen, dict):
        return {key: soften(expected.get(key), value) for key, value in seen.items()}
    if isinstance(expected, list) and isinstance(seen, list) and len(expected) == len(seen):
        return [soften(one, other) for one, other in zip(expected, seen)]
    return seen


class Run:
    """One run of the modules that were chosen."""

    def __init__(self, options, site):
        self._options = options
        self._site = site
        self._failed = self._passed = 0

    def module(self, name, functions):
        """Starts a broker with the module's properties and runs its cases."""
        module = importlib.import_module(f"frames.{name}")
        start = self._start_namesrv if getattr(module, "SERVER", "") == "namesrv" else self._start
        broker = start(name, getattr(module, "PROPERTIES", {}))
        path = FOLDER / f"{name}.json"
        recorded = json.loads(path.read_text()) if path.exists() else {}
        for function in functions:
            facts = self._one(f"{name}/{function.__name__}", function, broker, recorded)
            if self._options.record and facts is not None:
                recorded[function.__name__] = facts
        if self._options.record:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")
        for end in self._site.stop():
            if end[0].startswith("gantry") and end[1] != "exit code 0":
                self._fails(f"{name}/stop", [f"{end[0]}: {end[1]}"])

    def result(self):
        """The exit code."""
        print(f"{self._passed} passed, {self._failed} failed", flush=True)
        return EXIT_FAILED if self._failed else 0

    def _start_namesrv(self, name, extra):
        java = self._options.against == "java"
        namesrv = (start_java_namesrv if java else start_gantry_namesrv)(
            self._site, f"{self._options.against}-namesrv-{name}", extra)
        return Broker(namesrv.address)

    def _start(self, name, extra):
        java = self._options.against == "java"
        namesrv = (start_java_namesrv if java else start_gantry_namesrv)(
            self._site, f"{self._options.against}-namesrv-{name}")
        server = f"{self._options.against}-broker-{name}"
        properties = broker_properties(self._site.home(server), self._site.ports.broker(),
                                       namesrv.address)
        properties.update(extra)
        (start_java_broker if java else start_gantry_broker)(self._site, namesrv, server,
                                                             properties)
        return Broker(f"127.0.0.1:{properties['listenPort']}")

    def _one(self, name, function, broker, recorded):
        broker.begin(function.__name__)
        try:
            facts = broker.normal(function(broker))
            self._site.must_run()
        except Exception as error:  # a case must not end the others
            traceback.print_exc()
            self._fails(name, [repr(error)])
            return None
        finally:
            broker.end()
        if self._options.record:
            print(f"RECORDED {name}", flush=True)
            return facts
        expected = recorded.get(function.__name__)
        wrong = ["nothing recorded: run with --against java --record"]
        if expected is not None:
            facts = json.loads(json.dumps(facts))
            wrong = differences(expected, soften(expected, facts))
        if wrong:
            self._fails(name, wrong)
        else:
            self._passed += 1
            print(f"PASS {name}", flush=True)
        return facts

    def _fails(self, name, reasons):
        self._failed += 1
        print(f"FAIL {name}", *reasons[:DIFFERENCES_SHOWN], sep="\n     ", flush=True)


def choose(patterns):
    """The cases of each module that fit."""
    chosen = {}
    for name in MODULES:
        functions = [function for function in cases_of(importlib.import_module(f"frames.{name}"))
                     if not patterns or any(fnmatch.fnmatch(f"{name}/{function.__name__}", pattern)
                                            for pattern in patterns)]
        if functions:
            chosen[name] = functions
    return chosen


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--against", choices=("gantry", "java"), default="gantry")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--bin", type=Path)
    options = parser.parse_args()
    options.chosen = choose(options.patterns)
    if options.record and options.against != "java":
        parser.error("--record needs --against java: only Java's behaviour is an expectation")
    if not options.chosen:
        parser.error("no case fits")
    if options.against == "gantry":
        options.bin = (options.bin or newest_build() or Path()).resolve()
    return options


def run_all(run, chosen):
    """Runs the modules; returns the exit code."""
    try:
        for name, functions in chosen.items():
            run.module(name, functions)
        return run.result()
    except (Unavailable, Failure) as error:
        print(f"SKIP: {error}" if isinstance(error, Unavailable) else f"FAIL: {error}")
        return EXIT_NOTHING_RAN if isinstance(error, Unavailable) and not required() else EXIT_FAILED


def main():
    """Runs what the command line says."""
    options = parse()
    if options.list:
        print(*(f"{name}/{function.__name__}" for name, functions in options.chosen.items()
                for function in functions), sep="\n")
        return 0
    return run_in_folder("frames", options, lambda site: run_all(Run(options, site), options.chosen))


if __name__ == "__main__":
    sys.exit(main())
