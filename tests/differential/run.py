#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends the same requests, valid and spoilt, to the Java broker and name server 5.5.0 and to ours,
and compares the answers, and at the end the state.

    run.py [--bin DIR] [--seed N] [--count N] [--only CODE,...] [--generated STEPS] [--show] [--keep]
           [--record FILE | --against FILE]

A difference that is meant to be stands in known.py, with its reason. Exit code: 0 no other
difference, 1 some, 77 no Java broker to be had.
"""

import argparse
import json
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
import generated
import known
import sequence
from harness import servers
from harness.cache import CHECKOUT, Cache, Unavailable, required
from harness.process import HOST, Failure
from harness.remoting import Connection

SEND = 310
SETTLE_SECONDS = 2
ANSWER_SECONDS = 30  # a Java node on a busy machine may take some
SETTLES = {0, 19, 20, 22}  # codes that an answer has while messages are on their way to a queue
NO_ANSWER = ({"code": "none"}, b"")


class Side:
    """One name server and broker, and a connection to each."""

    def __init__(self, name, namesrv, broker_port):
        self.name = name
        self._addresses = {"namesrv": namesrv.address, "broker": f"{HOST}:{broker_port}"}
        self._connections = {}
        self._places = []  # in the log, of the messages that were sent one by one

    def ask(self, request):
        """What it answers, comparable. No answer, or a closed connection, is an answer too."""
        return answers.comparable(self.raw(request))

    def raw(self, request):
        """The answer's header and body."""
        try:
            connection = self._connections.get(request.server)
            if not connection:
                connection = Connection(self._addresses[request.server], ANSWER_SECONDS)
                self._connections[request.server] = connection
            fields = {name: self._places[number] for name, number in request.places.items()}
            answer = connection.ask(request.code.code, {**request.fields, **fields}, request.body)
            if request.code.code == SEND:
                self._places.append(place_of(answer))
            return answer
        except (socket.timeout, ConnectionError):
            self._connections.pop(request.server).close()
            return NO_ANSWER

    def close(self):
        """Ends its connections."""
        for connection in self._connections.values():
            connection.close()


def place_of(answer):
    """Where in the log the message stands that was answered; "0" if it was refused."""
    return str(int(((answer[0].get("extFields") or {}).get("msgId") or "0")[-16:], 16))


class Recorder:
    """The Java side, whose last answer to each request is kept in a file."""

    def __init__(self, side, path):
        self._side = side
        self._file = path.open("w", encoding="utf-8")
        self._last = None

    def ask(self, request):
        """As Side."""
        header, body = self._side.raw(request)
        if self._last and self._last[0] is not request:
            self._write()
        self._last = request, header, body
        return answers.comparable((header, body))

    def _write(self):
        request, header, body = self._last
        self._file.write(json.dumps([str(request), header, body.hex()]) + "\n")

    def close(self):
        """Ends both."""
        self._write()
        self._file.close()
        self._side.close()


class Recorded:
    """What a Recorder has kept; takes the place of the Java side."""

    def __init__(self, path):
        self._lines = path.open(encoding="utf-8")
        self._asked = self._answer = None

    def ask(self, request):
        """As Side."""
        if self._asked is not request:
            said, header, body = json.loads(next(self._lines, "[0, 0, 0]"))
            if said != str(request):
                raise Failure(f"recorded for other requests: {said}, not {request}")
            self._asked, self._answer = request, (header, bytes.fromhex(body))
        return answers.comparable(self._answer)

    def close(self):
        """Ends it."""
        self._lines.close()


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
    maker = sequence.Maker(options.seed)
    if options.generated:
        yield from generated.Generator(options.seed).requests(options.generated)
        return
    only = {int(code) for code in options.only.split(",")} if options.only else None

    def chosen(table):
        return [code for code in table if not only or code.code in only]

    yield from sequence.prelude(maker)
    for server, table in (("namesrv", codes.NAMESRV), ("broker", codes.BROKER)):
        for code in chosen(table):
            yield from healed([maker.valid(code, server), *maker.spoilt(code, server)])
            if not code.reads:
                yield from sequence.tables()
    for request in healed(sequence.bodies()):
        if not only or request.code.code in only:
            yield request
    if not only:
        yield from maker.shuffled(codes.NAMESRV, options.count // 4, "namesrv")
        yield from healed(maker.shuffled(codes.BROKER, options.count))
        yield from sequence.whole_state()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=CHECKOUT / "build" / "release" / "bin")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=600, help="requests in any order")
    parser.add_argument("--generated", type=int, default=0, metavar="STEPS",
                        help="instead, so many valid requests that make, use and delete things")
    parser.add_argument("--only", default="", help="these request codes, after the same beginning")
    parser.add_argument("--record", type=Path, help="keep the Java nodes' answers in this file")
    parser.add_argument("--against", type=Path, help="such a file, instead of the Java nodes")
    parser.add_argument("--show", action="store_true", help="the known differences, too")
    parser.add_argument("--keep", action="store_true", help="the servers' files")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gantry-differential-"))
    site = servers.Site(folder, Cache(), options.bin)
    begin = time.monotonic()
    try:
        if options.against:
            java = Recorded(options.against)
        else:
            java = start_side(site, "java", servers.start_java_namesrv, servers.start_java_broker)
        if options.record:
            java = Recorder(java, options.record)
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
