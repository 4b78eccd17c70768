#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A network that fails between a synchronous master and its slave, one of them or both Java's, under a
Gantry name server: what is acknowledged meanwhile, when the slave is back, and that both logs are then
the same.

    network_java.py FOLDER-OF-PROGRAMS --master java|gantry --slave java|gantry [SCENARIO...]

Exit code: 77 where there is no Java, or the machine permits no network namespaces.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from network import Network, connections, move_in
from network_faults import (MARGIN, OF_A_PAIR, Pair, a_partition_between_master_and_slave,
                            the_master_hears_nothing, the_master_vanishes,
                            the_slave_hears_nothing, the_slave_restarts_unseen,
                            the_slave_vanishes)
from ha_files import wait_until_same
from ha_kill import check, wait_for_slave
from load import FLUSH_SLAVE_TIMEOUT, SLAVE_NOT_AVAILABLE, stored
from name_server import NameServer
from broker import SUCCESS, Broker, Failure
from harness import servers
from harness.cache import Cache, Unavailable, required
from harness.process import Process, listens, wait_until

NOTHING_RAN = 77
START_SECONDS = 60  # a Java slave asks a name server for its master every 10 s
KINDS = ("java", "gantry")
WORDS = {SUCCESS: "SEND_OK", FLUSH_SLAVE_TIMEOUT: "FLUSH_SLAVE_TIMEOUT",
         SLAVE_NOT_AVAILABLE: "SLAVE_NOT_AVAILABLE"}
SCENARIOS = [one.__name__ for one in (
    a_partition_between_master_and_slave, the_slave_hears_nothing, the_master_hears_nothing,
    the_slave_vanishes, the_slave_restarts_unseen, the_master_vanishes)]


class JavaBroker:
    """Java's broker on a host of the network, as the class Broker is Gantry's."""

    def __init__(self, site, home, place, **properties):
        self._site, self._place, self._home = site, place, home
        self.host, self.store = place.address, home / "store"
        self.port = site.ports.broker()
        self._properties = {
            **servers.broker_properties(home, self.port, ""), "bindAddress": self.host,
            "brokerIP1": self.host, "brokerIP2": self.host, "mappedFileSizeCommitLog": 1 << 20,
            **properties}
        self._running = None

    @property
    def process(self):
        """What runs now."""
        return self._running.child

    def start(self):
        """It serves when this returns."""
        conf = self._home / "broker.conf"
        (self._home / "conf").mkdir(exist_ok=True)
        conf.write_text("".join(f"{key}={value}\n" for key, value in self._properties.items()))
        command = servers.java_server(self._site, self._home, "broker.BrokerStartup")
        self._running = Process(
            self._home.name, [*self._place.prefix, *command, "-c", conf],
            self._home / "java.log", env={**os.environ, "ROCKETMQ_HOME": str(self._home)})
        self._running.wait_until(lambda: listens(self.port, self.host), "its port",
                                 servers.START_SECONDS)

    def said(self):
        """What it wrote last about its store and its peers."""
        logs = [self._home / "java.log", *self._home.rglob("store.log")]
        return "\n".join(line for log in logs if log.exists()
                         for line in log.read_text(errors="replace").splitlines()[-30:])

    def kill(self):
        """Ends it as a crash does."""
        if self._running:
            self._running.child.kill()
            self._running.child.wait()

    def stop(self):
        """Ends it as an operator does, however it takes that."""
        self._running.stop(servers.START_SECONDS)
        return 0


class MixedPair(Pair):
    """A master and a slave of which one may be Java's, and a name server on a third host that tells
    the slave where the log is: Java's takes it from nowhere else."""

    silence_ms, slave_ms = 4000, 1000  # a Java machine stands still now and then
    # A Java slave: 5 s to connect and 5 s until it tries again; one that was started asks for its
    # master after 10 s, and tries again within 5 s. Gantry's: 3 s and at most 5 s.
    back_seconds = 10 + 5 + 2 * MARGIN

    def __init__(self, site, network, kinds):  # pylint: disable=super-init-not-called
        self.network, self.rounds, self.given_up, self.notes = network, 0, 0, []
        self.hosts = [network.host(), network.host()]
        self.java = [kind == "java" for kind in kinds]
        self._namesrv = NameServer(site.binaries, site.folder, network.host())
        more = {"namesrvAddr": self._namesrv.address, "registerNameServerPeriod": 10000,
                "haSendHeartbeatInterval": 500, "haHousekeepingInterval": self.silence_ms,
                "slaveTimeout": self.slave_ms, "inSyncReplicas": 2,
                "brokerName": "pair", "brokerClusterName": "C"}
        self.master, self.slave = [
            self._node(site, kind, number, brokerId=number,
                       brokerRole="SLAVE" if number else "SYNC_MASTER", **more)
            for number, kind in enumerate(kinds)]
        self.ha_port = self.master.port + 1

    def start(self):
        """The slave has the master's log when this returns."""
        self.master.start()
        self.slave.start()
        wait_for_slave(self.master, "0.0", START_SECONDS)

    def _node(self, site, kind, number, **more):
        home = site.folder / ("master", "slave")[number]
        home.mkdir()
        if kind == "java":
            return JavaBroker(site, home, self.hosts[number], **more)
        return Broker(site.binaries, home, place=self.hosts[number], **more)

    def silent_for_a_while(self, load, cut_at):
        """A Java master never answers SLAVE_NOT_AVAILABLE: it lets each message wait."""
        seconds = self.silence_ms / 1000 + MARGIN
        if self.java[0]:
            load.wait(FLUSH_SLAVE_TIMEOUT, 50, seconds, cut_at)
        wait_until(lambda: connections(self.master.process, self.ha_port) == 0,
                   "the master to give its slave up", seconds)
        self.given_up = time.monotonic() - cut_at
        if not self.java[0]:
            load.wait(SLAVE_NOT_AVAILABLE, 50, seconds, cut_at)
        answers = self.ended(load)
        check(self.slave, stored(answers))
        self._note("; the slave given up after "
                   f"{self.given_up:.1f} s: {self._counts(answers)}")

    @staticmethod
    def _counts(answers):
        codes = [answer.code for answer in answers.values()]
        return ", ".join(f"{codes.count(code)} {word}" for code, word in WORDS.items()
                         if code in codes)

    def _note(self, text):
        self.notes.append(text)

    def master_given_up(self):
        """The slave has closed the connection; Java says nothing of it."""
        wait_until(lambda: connections(self.slave.process, self.ha_port) == 0,
                   "the slave to give its master up", self.silence_ms / 1000 + MARGIN)

    def whole_again(self):
        """The slave is back in time, and has everything."""
        begin = time.monotonic()
        wait_for_slave(self.master, f"0.{self.rounds}", self.back_seconds)
        self._note(f"; copied again after {time.monotonic() - begin:.1f} s")
        wait_until_same(self.master.store, self.slave.store)
        for node in (self.master, self.slave):
            wait_until(lambda one=node: connections(one.process, self.ha_port) == 1,
                       "one connection for the log", self.silence_ms / 1000 + MARGIN)

    def said(self):
        return f"{super().said()}\nnamesrv: {self._namesrv.said()}"

    def close(self):
        super().close()
        self._namesrv.kill()


def run(site, network, kinds, scenarios):
    """One life of a pair; the scenarios come one after another."""
    pair = MixedPair(site, network, kinds)
    try:
        pair.start()
        for name in scenarios:
            begin = time.monotonic()
            pair.notes.clear()
            try:
                OF_A_PAIR[name](pair)
            except Failure as failure:
                raise Failure(f"{name}{''.join(pair.notes)}: {failure}") from failure
            print(f"{name}: as promised, {time.monotonic() - begin:.1f} s{''.join(pair.notes)}",
                  flush=True)
        for node in (pair.slave, pair.master):
            if node.stop() != 0:
                raise Failure("the last stop was not clean")
        wait_until_same(pair.master.store, pair.slave.store, 0)
    except Failure as failure:
        raise Failure(f"{failure}\n{pair.said()}") from failure
    finally:
        pair.close()


def main():
    move_in()
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("--master", choices=KINDS, default="java")
    parser.add_argument("--slave", choices=KINDS, default="gantry")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    options = parser.parse_intermixed_args()
    cache = Cache()
    try:
        cache.java_servers()
    except Unavailable as reason:
        print(f"there is no Java broker here: {reason}")
        sys.exit(1 if required() else NOTHING_RAN)
    with tempfile.TemporaryDirectory(prefix="gantry-network-") as home:
        network = Network()
        try:
            run(servers.Site(Path(home), cache, options.binaries.resolve()), network,
                (options.master, options.slave), options.scenarios or SCENARIOS)
        except Failure as failure:
            sys.exit(f"a {options.master} master with a {options.slave} slave: {failure}")
        finally:
            network.close()


if __name__ == "__main__":
    main()
