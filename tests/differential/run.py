#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends the same requests, valid and spoilt, to the Java broker and name server 5.5.0 and to ours,
and compares the answers, and at the end the state.

    run.py [--bin DIR] [--seed N] [--sample PERCENT] [--count N] [--only CODE,...]
           [--generated STEPS] [--record FILE | --against FILE] [--show] [--keep] [--prepare]

The same seed asks the same. A difference that is meant to be stands in known.py, with its reason.
Exit code: 0 no other difference, 1 some, 77 no Java broker to be had.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "peers"), str(HERE.parent / "swap")]

# pylint: disable=wrong-import-position
import answers
import codes
import generated
import known
import sequence
import sides
from harness import servers
from harness.cache import CHECKOUT, Cache, Unavailable, required
from harness.process import Failure

SETTLE_SECONDS = 20
SETTLES = {0, 17, 19, 20, 21, 22}  # codes that an answer has while messages are on their way to a queue


def start_side(site, name, start_namesrv, start_broker):
    """Starts one side."""
    namesrv = start_namesrv(site)
    home = site.home(f"{name}-broker")
    properties = servers.broker_properties(home, site.ports.broker(), namesrv.address)
    start_broker(site, namesrv, f"{name}-broker", properties)
    return sides.Side(name, namesrv, properties["listenPort"])


class Race:
    """Both sides, and what was found."""

    def __init__(self, java, gantry, show):
        self.java = java
        self.gantry = gantry
        self.show = show
        self.asked = self.found = 0
        self._settled = False  # whether there was time enough since the last write
        self.known = Counter()

    def ask(self, request):
        """One request to both."""
        self.asked += 1
        self._settled = self._settled and request.code.reads
        java, gantry = self.java.ask(request), self.gantry.ask(request)
        lines = answers.differences(java, gantry)
        deadline = time.monotonic() + SETTLE_SECONDS
        # what was sent a moment ago may not be in the queue yet
        while lines and request.code.reads and {java["code"], gantry["code"]} <= SETTLES \
                and not self._settled and not known.reason(request, java, gantry):
            time.sleep(0.05)
            self._settled = time.monotonic() > deadline
            java, gantry = self.java.ask(request), self.gantry.ask(request)
            lines = answers.differences(java, gantry)
        if not lines:
            return
        reason = known.reason(request, java, gantry)
        if reason:
            self.known[reason] += 1
            if not self.show:
                return
        else:
            self.found += 1
        print(f"{'KNOWN' if reason else 'DIFFERS'} {request}", *lines, sep="\n     ", flush=True)

    def all(self, requests):
        """Many."""
        for request in requests:
            self.ask(request)


def healed(those):
    """Requests, each followed by what makes both sides the same again."""
    for request in those:
        yield request
        yield from sequence.healing(request)


def requests(options):
    """Everything that is asked, in order."""
    if options.sample:
        yield from fixed(options)
    if options.generated:
        yield from generated.Generator(options.seed).requests(options.generated)


def fixed(options):
    """Every code, valid and spoilt in every way, then valid ones in any order."""
    maker = sequence.Maker(options.seed)
    only = {int(code) for code in options.only.split(",")} if options.only else None
    chance = random.Random(f"sample {options.seed}")

    def sample(those):
        return (one for one in those if not one.spoilt or chance.random() * 100 < options.sample)

    def chosen(table):
        return [code for code in table if not only or code.code in only]

    yield from sequence.prelude(maker)
    for server, table in (("namesrv", codes.NAMESRV), ("broker", codes.BROKER)):
        for code in chosen(table):
            yield from healed([maker.valid(code, server)])
            yield from healed(sample(maker.spoilt(code, server)))
            if not code.reads:
                yield from sequence.tables()
    for request in healed(sample(sequence.bodies())):
        if not only or request.code.code in only:
            yield request
    if not only:
        yield from maker.shuffled(codes.NAMESRV, options.count // 4, "namesrv")
        yield from healed(maker.shuffled(codes.BROKER, options.count))
        yield from sequence.whole_state()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=lambda text: Path(text).resolve(), default=CHECKOUT / "build" / "release" / "bin")
    parser.add_argument("--seed", type=int, default=0, help="0: any")
    parser.add_argument("--sample", type=int, default=100, metavar="PERCENT",
                        help="of the spoilt requests; 0: none of the fixed ones either")
    parser.add_argument("--count", type=int, default=600, help="requests in any order")
    parser.add_argument("--generated", type=int, default=0, metavar="STEPS",
                        help="then so many valid requests that make, use and delete things")
    parser.add_argument("--only", default="", help="these request codes, after the same beginning")
    parser.add_argument("--record", type=Path, help="keep the Java nodes' answers in this file")
    parser.add_argument("--against", type=Path, help="such a file, instead of the Java nodes")
    parser.add_argument("--show", action="store_true", help="the known differences, too")
    parser.add_argument("--keep", action="store_true", help="the servers' files")
    parser.add_argument("--prepare", action="store_true", help="only fetch the Java nodes")
    options = parser.parse_args()
    options.seed = options.seed or random.SystemRandom().randrange(1, 1 << 31)
    print(f"seed {options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="gantry-differential-"))
    site = servers.Site(folder, Cache(), options.bin)
    begin = time.monotonic()
    try:
        if options.prepare:
            site.cache.java_servers()
            return 0
        if options.against:
            java = sides.Recorded(options.against)
        else:
            java = start_side(site, "java", servers.start_java_namesrv, servers.start_java_broker)
        if options.record:
            java = sides.Recorder(java, options.record)
        gantry = start_side(site, "gantry", servers.start_gantry_namesrv,
                            servers.start_gantry_broker)
        race = Race(java, gantry, options.show)
        race.all(requests(options))
        site.must_run()
        java.close()
        gantry.close()
    except Unavailable as error:
        print(f"SKIP: {error}")
        return 1 if required() else 77
    except Failure as error:
        print(f"FAIL: {error}")
        return 1
    finally:
        site.stop()
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for reason, count in race.known.most_common():
        print(f"known, {count} x: {reason}")
    print(f"{race.asked} requests, {race.found} answers differ, "
          f"{sum(race.known.values())} by what is known; {time.monotonic() - begin:.0f} s")
    return 1 if race.found else 0


if __name__ == "__main__":
    sys.exit(main())
