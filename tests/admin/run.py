#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What administrators ask of a broker and a name server, answered by Java 5.5.0 and by Gantry.

    run.py                          everything, against the newest build/*/bin/gantryd
    run.py raw                      requests as raw frames, good and bad
    run.py mqadmin                  the commands of mqadmin 5.5.0
    run.py --against java --record  asks the Java nodes, and keeps their answers in expect/
    run.py --bin DIR                with DIR/gantryd
    run.py --prepare                only fetches and builds what is needed
    run.py --keep                   keeps the servers' files and logs also when all is well

The same requests in the same order reach both; what is compared leaves out times, ports and the
order of lists. The differences that stay are in differences.py, each with its reason.

Exit code: 0 all passed, 1 something differs, 77 nothing could run, 2 wrong usage.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from peers import HERE  # noqa: I001  (it finds tests/peers/harness)
import commands
import raw
from differences import KNOWN
from harness import servers
from harness.cache import SERVER_VERSION, Cache, Unavailable, required
from harness.process import Failure
from harness.program import newest_build
from harness.remoting import request
from normal import parse as parse_json

EXIT_NOTHING_RAN = 77
SUITES = {"raw": raw.run_all, "mqadmin": commands.run_all}
GET_BROKER_CLUSTER_INFO = 106


def start(site, against):
    """A name server and a broker; returns their addresses."""
    if against == "java":
        namesrv = servers.start_java_namesrv(site)
        servers.start_java_broker(site, namesrv)
    else:
        namesrv = servers.start_gantry_namesrv(site)
        servers.start_gantry_broker(site, namesrv)
    _, body = request(namesrv.address, GET_BROKER_CLUSTER_INFO, {})
    table = parse_json(body.decode())["brokerAddrTable"]
    return namesrv.address, table[servers.BROKER_NAME]["brokerAddrs"]["0"]


def compare(suite, facts):
    """One line for each answer that differs without a reason."""
    expected = json.loads(expectation(suite).read_text())["facts"]
    lines = []
    for name in sorted(expected.keys() | facts.keys()):
        wanted, seen = expected.get(name), facts.get(name)
        reason = KNOWN.get((suite, name))
        if wanted != seen and not reason:
            lines += [f"{suite}: {name}", f"    Java   {json.dumps(wanted)}",
                      f"    Gantry {json.dumps(seen)}"]
        elif wanted == seen and reason:
            lines.append(f"{suite}: {name}: is the same now, and still in differences.py")
    return lines


def expectation(suite):
    """Where Java's answers are kept."""
    return HERE / "expect" / f"{suite}.json"


def record(suite, facts):
    """Keeps them."""
    whole = {"server": f"Java name server and broker {SERVER_VERSION}",
             "command": f"python3 tests/admin/run.py {suite} --against java --record",
             "facts": facts}
    expectation(suite).write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")


def run(options, site, suite):
    """One suite on servers of its own; the lines that differ."""
    try:
        namesrv, broker = start(site, options.against)
        facts = SUITES[suite](site, namesrv, broker)
        site.must_run()
    finally:
        ends = site.stop()
    if options.record:
        record(suite, facts)
        return []
    lines = compare(suite, facts)
    if options.against != "java":
        lines += [f"{name}: {end}" for name, end in ends if end != "exit code 0"]
    print(f"{suite}: {len(facts)} answers, {len([key for key in KNOWN if key[0] == suite])} known "
          f"to differ", flush=True)
    return lines


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", choices=[[], *SUITES])
    parser.add_argument("--against", choices=("java", "gantry"), default="gantry")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--bin", type=Path)
    return parser.parse_args(arguments)


def main(arguments):
    """See the top of this file."""
    options = parse(arguments)
    cache = Cache()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="gantry-admin-"))
    failed = True
    try:
        if options.prepare:
            commands.prepare(cache)
        lines = []
        for suite in [] if options.prepare else options.suites or list(SUITES):
            part = folder / suite
            part.mkdir()
            lines += run(options, servers.Site(part, cache, options.bin or newest_build()), suite)
        print(*lines, sep="\n", end="\n" if lines else "")
        failed = bool(lines)
    except Unavailable as error:
        print(f"SKIP {error}")
        failed = False
        return 1 if required() else EXIT_NOTHING_RAN
    except (Failure, OSError, RuntimeError) as error:
        print(f"FAIL {error}")
    finally:
        if failed or options.keep:
            print(f"files are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
