#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A master and a slave, one of them Java's unless it is said otherwise: messages sent to the master
arrive in the slave's log byte for byte, also those sent while either was away after a kill, and over
several files.

    ha_java.py --bin FOLDER-OF-PROGRAMS [--master java|gantry] [--slave java|gantry]
               [--messages N] [--prepare]

Exit code: 0 all is well, 1 something failed, 77 there is no Java here.
"""

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

sys.path[:0] = [str(HERE.parent / "peers"), str(HERE.parent / "crash")]

# pylint: disable=wrong-import-position
from broker import SEND, Pipe, body_of, send_fields  # noqa: E402
from ha_files import log_of, wait_until_same  # noqa: E402
from harness import servers  # noqa: E402
from harness.cache import Cache, Unavailable, required  # noqa: E402
from harness.process import HOST, Failure, wait_until  # noqa: E402
from harness.remoting import is_registered  # noqa: E402

EXIT_NOTHING_RAN = 77
LOG_LINES = 15
LATE_MS = 10_000  # nobody is so late but who is gone
STORED = {0, 10, 11, 12}  # SUCCESS; stored, but flush or slaves are late or missing
OTHER = {"java": "gantry", "gantry": "java"}


class Pair:
    """A master and a slave under a Gantry name server."""

    def __init__(self, site, master, slave):
        self.site = site
        self.namesrv = servers.start_gantry_namesrv(site)
        self.kind = {"master": master, "slave": slave}
        self.port = {name: site.ports.broker() for name in self.kind}
        self.process = {}
        self.sent = 0

    def store(self, name):
        """The folder of its store."""
        return self.site.home(name) / "store"

    def start(self, name):
        """Starts one of the two."""
        properties = servers.broker_properties(self.site.home(name), self.port[name],
                                               self.namesrv.address)
        properties.update({"brokerIP2": HOST, "mappedFileSizeCommitLog": 1 << 20,
                           "haSendHeartbeatInterval": 500, "haHousekeepingInterval": 20000,
                           "slaveTimeout": LATE_MS})
        if name == "master":
            # The Java broker takes 1 for the default: here each says that a slave is waited for.
            properties.update({"brokerRole": "SYNC_MASTER", "inSyncReplicas": 2})
        else:
            # The name server tells it where the log is: 5.5.0 takes haMasterAddress before it has
            # anything that could follow it, and then follows nobody.
            properties.update({"brokerRole": "SLAVE", "brokerId": 1})
        start = {"java": servers.start_java_broker, "gantry": servers.start_gantry_broker}
        self.process[name] = start[self.kind[name]](self.site, self.namesrv, name, properties)

    def kill(self, name):
        """Ends one of them as a crash does."""
        self.site.kill(self.process[name])

    def send(self, count, size=1500):
        """Sends messages to the master; returns the codes of the answers."""
        codes = []
        with Pipe(self.port["master"], 60) as pipe:
            for _ in range(count):
                self.sent += 1
                body = body_of(f"ha.{self.sent}", size)
                header, _ = pipe.call(SEND, body, **send_fields("HaTopic", self.sent % 4))
                if header["code"] not in STORED:
                    raise Failure(f"message {self.sent}: {header['code']} {header.get('remark')}")
                codes.append(header["code"])
        return codes

    def wait_for_copy(self):
        """Sends until a message is acknowledged with its copy."""
        wait_until(lambda: self.send(1) == [0], "a message that the slave has", 120)

    def same(self, what):
        """Waits until both logs are the same."""
        try:
            wait_until_same(self.store("master"), self.store("slave"))
        except Failure as failure:
            raise Failure(f"{what}: {failure}") from failure
        first, data = log_of(self.store("slave"))
        print(f"{what}: {self.sent} messages, the slave's log from {first} to "
              f"{first + len(data)} is the master's", flush=True)


def run(site, arguments):
    """One life of a pair."""
    pair = Pair(site, arguments.master, arguments.slave or OTHER[arguments.master])
    pair.start("master")
    pair.start("slave")
    wait_until(lambda: is_registered(pair.namesrv.address, servers.BROKER_NAME), "registration")
    pair.wait_for_copy()
    codes = pair.send(arguments.messages)
    if set(codes) != {0}:
        raise Failure(f"answers of the synchronous master: {sorted(set(codes))}")
    pair.same("from the beginning")
    pair.kill("slave")
    # a Java master lets each of them wait for slaveTimeout
    pair.send(2 if arguments.master == "java" else 500, 4000)
    pair.start("slave")
    pair.wait_for_copy()
    pair.same("the slave was killed")
    pair.kill("master")
    pair.start("master")
    pair.wait_for_copy()
    pair.send(200, 4000)
    pair.same("the master was killed")
    ends = [(name, pair.site.stop_one(pair.process[name])) for name in ("slave", "master")]
    wait_until_same(pair.store("master"), pair.store("slave"), 0)
    for name, end in ends:
        if pair.kind[name] == "gantry" and end != "exit code 0":
            raise Failure(f"{name}: {end}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path)
    parser.add_argument("--master", choices=list(OTHER), default="java")
    parser.add_argument("--slave", choices=list(OTHER), help="default: the other kind")
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--prepare", action="store_true")
    arguments = parser.parse_args()
    cache = Cache()
    try:
        if "java" in (arguments.master, arguments.slave or OTHER[arguments.master]):
            cache.java_servers()
    except Unavailable as reason:
        print(f"there is no Java broker here: {reason}")
        return 1 if required() else EXIT_NOTHING_RAN
    if arguments.prepare:
        return 0
    with tempfile.TemporaryDirectory(prefix="gantry-ha-java-") as folder:
        site = servers.Site(Path(folder), cache, arguments.bin.resolve())
        try:
            run(site, arguments)
        except Failure as failure:
            print(f"ha_java.py: {failure}")
            for log in [*Path(folder).glob("*.log"), *Path(folder).rglob("store.log")]:
                print(log.relative_to(folder),
                      *log.read_text(errors="replace").splitlines()[-LOG_LINES:], sep="\n  ")
            return 1
        finally:
            site.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
