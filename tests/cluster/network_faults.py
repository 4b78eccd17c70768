#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks that fail between master and slave, broker and name server, client and broker: what is
acknowledged meanwhile, and that everything is as before when the network is.

    network_faults.py FOLDER-OF-PROGRAMS [--set KEY=VALUE]... SCENARIO...

Exit code: 77 where the machine permits no network namespaces.
"""

import json
import time
from collections import namedtuple
from pathlib import Path

import scenarios
from network import Network, connections, move_in, sockets
from ha_files import wait_until_same
from ha_kill import check, wait_for_slave
from load import FLUSH_SLAVE_TIMEOUT, SLAVE_NOT_AVAILABLE, Load, stored
from name_server import NameServer
from broker import SUCCESS, Broker, Failure, Pipe, body_of, send_fields
from harness.names import CLUSTER, parsed
from harness.peer import Peer
from harness.process import wait_until, with_hosts

Place = namedtuple("Place", "prefix address")

HEARTBEAT_MS, SILENCE_MS, SLAVE_MS = 100, 1500, 600
SEND, PULL, CREATE_TOPIC, REGISTER_CLIENT = 10, 11, 17, 34
BACK_SECONDS = 60  # a slave that cannot connect tries every 3 + 5 s
CONNECT_SECONDS = 3  # for one address
MARGIN = 12  # seconds that a busy machine may be late


class Pair:
    """A synchronous master and a slave, each on a host of its own."""

    silence_ms, slave_ms, back_seconds = SILENCE_MS, SLAVE_MS, BACK_SECONDS

    def __init__(self, binaries, home, network, **more):
        self.network = network
        self.rounds = 0
        self.hosts = [network.host(), network.host()]
        homes = [Path(home) / name for name in ("master", "slave")]
        for path in homes:
            path.mkdir()
        common = {"haSendHeartbeatInterval": HEARTBEAT_MS, "haHousekeepingInterval": SILENCE_MS,
                  "haSendFromFirstFile": "true", "slaveTimeout": SLAVE_MS, **more}
        self.master = Broker(binaries, homes[0], place=self.hosts[0], brokerRole="SYNC_MASTER",
                             **common)
        self.ha_port = self.master.port + 1
        self.slave = Broker(binaries, homes[1], place=self.hosts[1], brokerRole="SLAVE",
                            brokerId=1, haMasterAddress=f"{self.master.host}:{self.ha_port}",
                            **common)
        for node in (self.master, self.slave):
            node.start()
        wait_for_slave(self.master, "0.0")
        self.sockets = {node: self._idle_sockets(node) for node in (self.master, self.slave)}

    def _idle_sockets(self, node):
        wait_until(lambda: connections(node.process, node.port) == 0, "clients to be gone")
        return sockets(node.process)

    def load(self):
        """Producers, of whose messages some are stored on both."""
        self.rounds += 1
        made = Load(self.master, self.rounds)
        made.wait(SUCCESS, 200)
        return made

    def silent_for_a_while(self, load, cut_at):
        """The slave is waited for, and then no longer; returns all answers."""
        load.wait(SLAVE_NOT_AVAILABLE, 50, self.silence_ms / 1000 + MARGIN, cut_at)
        answers = self.ended(load)
        soon = [answer for answer in answers.values() if answer.code == SLAVE_NOT_AVAILABLE]
        if min(answer.seconds for answer in soon) > self.slave_ms / 2000:
            raise Failure("a slave that is known to be gone is waited for")
        check(self.slave, stored(answers))

    def ended(self, load):
        """All answers; none may be late, and some must have waited for the slave."""
        answers = load.stop()
        late = [answer for answer in answers.values()
                if answer.seconds > self.slave_ms / 1000 + MARGIN]
        codes = {answer.code for answer in answers.values()}
        if late or not codes <= {SUCCESS, SLAVE_NOT_AVAILABLE, FLUSH_SLAVE_TIMEOUT}:
            raise Failure(f"codes {codes}, {len(late)} answers are late")
        if FLUSH_SLAVE_TIMEOUT not in codes:
            raise Failure("nobody has waited for the slave before it was given up")
        return answers

    def master_given_up(self):
        """The slave has closed the connection to a master that says nothing."""
        wait_until(lambda: "the connection to the master" in self.slave.said() and
                   connections(self.slave.process, self.ha_port) == 0,
                   "the slave to give its master up", self.silence_ms / 1000 + MARGIN)

    def whole_again(self):
        """The slave is back, has everything, and nothing of before is still open."""
        wait_for_slave(self.master, f"0.{self.rounds}", self.back_seconds)
        wait_until_same(self.master.store, self.slave.store)
        for node in (self.master, self.slave):
            wait_until(lambda one=node: connections(one.process, self.ha_port) == 1,
                       "one connection for the log")
            wait_until(lambda one=node: sockets(one.process) == self.sockets[one],
                       "sockets of before to be closed")

    def said(self):
        """The logs of both."""
        return f"master: {self.master.said()}\nslave: {self.slave.said()}"

    def close(self):
        """Ends both."""
        self.master.kill()
        self.slave.kill()


def lost_between(pair, lose):
    """Loses something under load until the slave is given up, and no longer."""
    load = pair.load()
    cut_at = time.monotonic()
    lose()
    pair.silent_for_a_while(load, cut_at)
    pair.network.mend()
    pair.whole_again()


# ---- master and slave

def a_partition_between_master_and_slave(pair):
    """Nothing goes through, twice."""
    for _ in range(2):
        lost_between(pair, lambda: pair.network.part(*pair.hosts))


def the_slave_hears_nothing(pair):
    """The log does not arrive; reports would."""
    lost_between(pair, lambda: pair.network.lose(*pair.hosts))


def the_master_hears_nothing(pair):
    """The log arrives; reports do not, so nobody may count on it."""
    lost_between(pair, lambda: pair.network.lose(*reversed(pair.hosts)))


def a_short_gap_goes_unnoticed(pair):
    """Less than slaveTimeout: late answers, and the connection stays."""
    load = pair.load()
    pair.network.part(*pair.hosts)
    time.sleep(SLAVE_MS / 3000)  # the length of the gap is what is tried
    pair.network.mend()
    before = load.count(SUCCESS)
    load.wait(SUCCESS, before + 200)
    answers = load.stop()
    if {answer.code for answer in answers.values()} - {SUCCESS, FLUSH_SLAVE_TIMEOUT}:
        raise Failure(f"a slave was given up for a short gap: {load.codes()}")
    check(pair.slave, stored(answers))
    pair.whole_again()


def the_slave_vanishes(pair):
    """Its machine loses power: no FIN, no reset; it comes back before it is missed, then after."""
    load = pair.load()
    cut_at = time.monotonic()
    pair.network.part(*pair.hosts)
    pair.slave.kill()
    pair.hosts[1].vanish()
    pair.silent_for_a_while(load, cut_at)
    pair.hosts[1].come_back()
    pair.network.mend()
    pair.slave.start()
    pair.whole_again()


def the_slave_restarts_unseen(pair):
    """It is back before the master has noticed: for a while there are two connections of it."""
    load = pair.load()
    pair.network.part(*pair.hosts)
    pair.slave.kill()
    pair.hosts[1].vanish()
    pair.hosts[1].come_back()
    pair.network.mend()
    pair.slave.start()
    load.wait(SUCCESS, 100, BACK_SECONDS, time.monotonic())
    check(pair.slave, stored(load.stop()))
    pair.whole_again()


def the_master_vanishes(pair):
    """The slave gives up a master that says nothing, and finds it again at its address."""
    load = pair.load()
    pair.network.part(*pair.hosts)
    load.wait(FLUSH_SLAVE_TIMEOUT, 1, pair.slave_ms / 1000 + MARGIN)
    pair.master.kill()
    pair.hosts[0].vanish()
    check(pair.slave, stored(load.join()))
    pair.master_given_up()
    pair.hosts[0].come_back()
    pair.network.mend()
    pair.master.start()
    pair.whole_again()


def a_master_with_several_addresses(binaries, home, network):
    """Behind the first address of its name nobody listens, behind the second is nobody at all."""
    refusing, mute, here, there = [network.host() for _ in range(4)]
    network.part(mute, there)
    hosts, homes = Path(home) / "hosts", [Path(home) / name for name in ("master", "slave")]
    hosts.write_text("".join(f"{one.address} master.test\n" for one in (refusing, mute, here)))
    for path in homes:
        path.mkdir()
    prefix = with_hosts(hosts)
    if not prefix:
        raise Failure("there are namespaces for networks, and none for mounts")
    master = Broker(binaries, homes[0], place=here, brokerRole="SYNC_MASTER", slaveTimeout=SLAVE_MS)
    slave = Broker(binaries, homes[1], brokerRole="SLAVE", brokerId=1, bindAddress=there.address,
                   haMasterAddress=f"master.test:{master.port + 1}",
                   place=Place([*there.prefix, *prefix], there.address))
    try:
        master.start()
        for number in range(2):
            slave.start()
            wait_for_slave(master, f"0.{number}", CONNECT_SECONDS + 2 * MARGIN)
            slave.kill()
    except Failure as failure:
        raise Failure(f"{failure}\nmaster: {master.said()}\nslave: {slave.said()}") from failure
    finally:
        slave.kill()
        master.kill()


# ---- broker and name server

def table(namesrv):
    """Addresses of brokers, as the name server has them."""
    peer = Peer(namesrv)
    try:
        entries = parsed(peer.ask(CLUSTER, {}))["brokerAddrTable"]
    finally:
        peer.close()
    return {address for broker in entries.values() for address in broker["brokerAddrs"].values()}


def a_partition_from_the_name_server(binaries, home, network):
    """The broker is forgotten when its time is up, and registers again over one connection."""
    hosts = [network.host(), network.host()]
    namesrv = NameServer(binaries, home, hosts[0], scanNotActiveBrokerInterval=200,
                         brokerChannelExpiredTime=12000)  # brokers register every 10 s
    address, port = namesrv.address, namesrv.port
    broker = Broker(binaries, home, place=hosts[1], namesrvAddr=address,
                    registerNameServerPeriod=10000, registerBrokerTimeoutMills=2000)
    name = f"{broker.host}:{broker.port}"
    try:
        broker.start()
        wait_until(lambda: name in table(address), "the broker is registered")
        network.part(*hosts)
        wait_until(lambda: name not in table(address), "the broker is forgotten", 12 + MARGIN)
        with Pipe(broker.port, host=broker.host) as pipe:  # who knows it is served
            header, _ = pipe.call(SEND, body_of("1"), **send_fields("Alone", 0))
            if header["code"] != SUCCESS:
                raise Failure(f"without a name server: {header}")
        network.mend()
        wait_until(lambda: name in table(address), "the broker is registered again", 14 + MARGIN)
        for process in (namesrv.child, broker.process):
            wait_until(lambda one=process: connections(one, port) == 1,
                       "one connection between broker and name server")
    except Failure as failure:
        raise Failure(f"{failure}\nnamesrv: {namesrv.said()}\nbroker: {broker.said()}"
                      ) from failure
    finally:
        broker.kill()
        namesrv.kill()


# ---- client and broker

def a_partition_from_a_client(binaries, home, network):
    """A client that hears nothing any more costs its connections for as long as idle ones may last."""
    hosts = [network.host(), network.host()]
    broker = Broker(binaries, home, place=hosts[0], serverChannelMaxIdleTimeSeconds=2)
    broker.start()
    try:
        with Pipe(broker.port, host=broker.host) as pipe:
            for number in range(400):
                pipe.call(SEND, body_of(f"1.{number}", 60000), **send_fields("Far", 0))
        wait_until(lambda: connections(broker.process, broker.port) == 0, "all to be closed")
        before = sockets(broker.process)
        made = clients_that(network, hosts, broker)
        wait_until(lambda: connections(broker.process, broker.port) == 0,
                   "connections of a client that has gone to be closed", 4 + 2 * MARGIN)
        wait_until(lambda: sockets(broker.process) == before, "sockets to be closed")
        network.mend()
        for one in made:
            one.close()
        with client(hosts[1], broker) as again:
            header, _ = again.call(SEND, body_of("2"), **send_fields("Far", 0))
            if header["code"] != SUCCESS:
                raise Failure(f"after the partition: {header}")
    except Failure as failure:
        raise Failure(f"{failure}\nbroker: {broker.said()}") from failure
    finally:
        broker.kill()


def client(host, broker):
    """A client on a host."""
    made = Pipe(broker.port, host=broker.host)
    made.socket.close()
    made.socket = host.connect(broker.host, broker.port)
    return made


def clients_that(network, hosts, broker):
    """Connections that wait for messages, read none of what they asked for, or are members of a group;
    then the network parts."""
    idle, waits, reads, member = [client(hosts[1], broker) for _ in range(4)]
    fields = {"consumerGroup": "far", "topic": "Far", "queueId": 0, "maxMsgNums": 32,
              "commitOffset": 0, "suspendTimeoutMillis": 15000, "subscription": "*",
              "subVersion": 0, "expressionType": "TAG"}
    waits.ask(PULL, b"", {**fields, "queueOffset": 400, "sysFlag": 6})
    for offset in range(0, 400, 8):
        reads.ask(PULL, b"", {**fields, "queueOffset": offset, "sysFlag": 4})
    beat = {"clientID": "far@1", "producerDataSet": [{"groupName": "far"}], "consumerDataSet": []}
    header, _ = member.call(REGISTER_CLIENT, json.dumps(beat).encode())
    if header["code"] != SUCCESS:
        raise Failure(f"no heartbeat: {header}")
    network.part(*hosts)
    return idle, waits, reads, member


OF_A_PAIR = {one.__name__: one for one in (
    a_partition_between_master_and_slave, the_slave_hears_nothing, the_master_hears_nothing,
    a_short_gap_goes_unnoticed, the_slave_vanishes, the_slave_restarts_unseen, the_master_vanishes)}
OF_ONE = {one.__name__: one for one in (
    a_master_with_several_addresses, a_partition_from_the_name_server,
    a_partition_from_a_client)}


def try_one(name, binaries, home, properties):
    """One scenario in a network of its own."""
    network = Network()
    try:
        if name in OF_ONE:
            OF_ONE[name](binaries, home, network)
            return
        pair = Pair(binaries, home, network, **properties)
        try:
            OF_A_PAIR[name](pair)
            for node in (pair.slave, pair.master):
                if node.stop() != 0:
                    raise Failure("the last stop was not clean")
        except Failure as failure:
            raise Failure(f"{failure}\n{pair.said()}") from failure
        finally:
            pair.close()
    finally:
        network.close()


def main():
    move_in()
    scenarios.run(__doc__, [*OF_A_PAIR, *OF_ONE],
                  lambda name, binaries, home, options: try_one(
                      name, binaries, home, dict(pair.split("=", 1) for pair in options.set)),
                  lambda parser: parser.add_argument("--set", action="append", default=[],
                                                     metavar="KEY=VALUE",
                                                     help="a property of master and slave"))


if __name__ == "__main__":
    main()
