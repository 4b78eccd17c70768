#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends the same requests, valid and spoilt, to the Java broker and name server 5.5.0 and to ours,
and compares the answers, and at the end the state.

    run.py [--bin DIR] [--seed N] [--count N] [--only CODE,...] [--show] [--keep]

A difference that is meant to be stands in known.py, with its reason. Exit code: 0 no other
difference, 1 some, 77 no Java broker to be had.
"""

import argparse
import shutil
import socket
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
import known
import sequence
from harness import servers
from harness.cache import CHECKOUT, Cache, Unavailable, required
from harness.process import HOST, Failure
from harness.remoting import Connection

SETTLE_SECONDS = 2
SETTLES = {0, 19, 20, 22}  # codes that an answer has while messages are on their way to a queue
NO_ANSWER = ({"code": "none"}, b"")


class Side:
    """One name server and broker, and a connection to each."""

    def __init__(self, name, namesrv, broker_port):
        self.name = name
        self._addresses = {"namesrv": namesrv.address, "broker": f"{HOST}:{broker_port}"}
        self._connections = {}

    def ask(self, request):
        """What it answers, comparable. No answer, or a closed connection, is an answer too."""
        try:
            connection = self._connections.get(request.server)
            if not connection:
                connection = Connection(self._addresses[request.server])
                self._connections[request.server] = connection
            answer = connection.ask(request.code.code, request.fields, request.body)
        except (socket.timeout, ConnectionError):
            self._connections.pop(request.server).close()
            answer = NO_ANSWER
        return answers.comparable(answer)

    def close(self):
        """Ends its connections."""
        for connection in self._connections.values():
            connection.close()


def start_side(site, name, start_namesrv, start_broker):
    """Starts one side."""
    namesrv = start_namesrv(site)
    home = site.home(f"{name}-broker")
    properties = servers.broker_properties(home, site.ports.broker(), namesrv.address)
    start_broker(site, namesrv, f"{name}-broker", properties)
    return Side(name, namesrv, properties["listenPort"])


class Race:
    """Both sides, and what was found."""

    def __init__(self, java, gantry, show):
        self.java = java
        self.gantry = gantry
        self.show = show
        self.asked = self.found = 0
        self.known = Counter()

    def ask(self, request):
        """One request to both."""
        self.asked += 1
        java, gantry = self.java.ask(request), self.gantry.ask(request)
        lines = answers.differences(java, gantry)
        deadline = time.monotonic() + SETTLE_SECONDS
        # what was sent a moment ago may not be in the queue yet
        while lines and request.code.reads and {java["code"], gantry["code"]} <= SETTLES \
                and not known.reason(request, java, gantry) and time.monotonic() < deadline:
            time.sleep(0.05)
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


def requests(options):
    """Everything that is asked, in order."""
    maker = sequence.Maker(options.seed)
    only = {int(code) for code in options.only.split(",")} if options.only else None

    def chosen(table):
        return [code for code in table if not only or code.code in only]

    yield from sequence.prelude(maker)
    for server, table in (("namesrv", codes.NAMESRV), ("broker", codes.BROKER)):
        for code in chosen(table):
            yield maker.valid(code, server)
            yield from maker.spoilt(code, server)
    for request in sequence.bodies():
        if not only or request.code.code in only:
            yield request
    if not only:
        yield from maker.shuffled(codes.NAMESRV, options.count // 4, "namesrv")
        yield from maker.shuffled(codes.BROKER, options.count)
        yield from sequence.whole_state()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=CHECKOUT / "build" / "release" / "bin")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=600, help="requests in any order")
    parser.add_argument("--only", default="", help="these request codes, after the same beginning")
    parser.add_argument("--show", action="store_true", help="the known differences, too")
    parser.add_argument("--keep", action="store_true", help="the servers' files")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gantry-differential-"))
    site = servers.Site(folder, Cache(), options.bin)
    begin = time.monotonic()
    try:
        java = start_side(site, "java", servers.start_java_namesrv, servers.start_java_broker)
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
