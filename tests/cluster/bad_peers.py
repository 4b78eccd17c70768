#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that flood, lie and only look: each costs only itself, and a line in the log, not thousands.

    bad_peers.py FOLDER-OF-PROGRAMS [--connections N] [SCENARIO]...
"""

import contextlib
import os
import re
import socket
import struct
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import scenarios
from network import connections, sockets
from ha_files import wait_until_same
from ha_kill import check, wait_for_slave
from load import Load, stored
from name_server import NameServer
from broker import SEND, SUCCESS, Broker, Failure, Pipe, body_of, send_fields
from harness.names import Node, body, topic
from harness.peer import Peer
from harness.process import HOST, wait_until

Place = namedtuple("Place", "prefix address")

IP_BIND_ADDRESS_NO_PORT = 24  # of Linux
LIMIT = 300  # descriptors of a broker that is flooded
HA_LIMIT = 8
NEVER_MS = 600_000  # for what is not to be the reason
SANITIZED = "GANTRY_SANITIZED" in os.environ  # what is freed stays for a while
GROWTH = 6 << 20  # bytes that an allocator may keep


def connect(port):
    """A connection; None if none is to be had."""
    try:
        return socket.create_connection((HOST, port), timeout=60)
    except OSError:
        return None


def is_closed(one, seconds=60):
    """Whether the other side closes the connection, whatever it sends before."""
    one.settimeout(seconds)
    try:
        while one.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


def memory(process):
    """Bytes of private memory."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s*(\d+)", text).group(1)) * 1024


@contextlib.contextmanager
def name_server(binaries, home):
    """A name server whose stop is clean."""
    server = NameServer(binaries, home)
    try:
        yield server
        server.stop()
    except Failure as failure:
        raise Failure(f"{failure}\nname server: {server.said()[-8000:]}") from failure
    finally:
        server.kill()


@contextlib.contextmanager
def nodes(binaries, home, count=1, **more):
    """A synchronous master, with a slave if there are to be two."""
    homes = [Path(home) / name for name in ("master", "slave")]
    for path in homes:
        path.mkdir()
    more = {"haSendHeartbeatInterval": 100, "haSendFromFirstFile": "true", **more}
    master = Broker(binaries, homes[0], brokerRole="SYNC_MASTER" if count > 1 else "ASYNC_MASTER",
                    slaveTimeout=20000, **more)
    slave = Broker(binaries, homes[1], brokerRole="SLAVE", brokerId=1,
                   haMasterAddress=f"{HOST}:{master.port + 1}", **more)
    made = [master, slave][:count]
    try:
        for node in made:
            node.start()
        yield made
        for node in reversed(made):
            if node.stop() != 0:
                raise Failure("the last stop was not clean")
    except Failure as failure:
        said = "\n".join(node.said()[-8000:] for node in made)
        raise Failure(f"{failure}\nmaster, slave: {said}") from failure
    finally:
        for node in made:
            node.kill()


def wants(lines, log, begun):
    """The log has the words of each line, and since then a few lines a second, not thousands."""
    at_most = 40 + 4 * (time.monotonic() - begun)
    for words in lines:
        if words not in log:
            raise Failure(f"nothing is said of {words!r}")
    if len(log.splitlines()) > at_most:
        raise Failure(f"{len(log.splitlines())} lines in the log")


# ---- those that only look

def knock(port, count, source):
    """Connects and closes; every fourth sends something first. From many addresses, and most with a
    reset, since a port that was closed in peace is not free again for a minute; even then others may
    listen on it."""
    for number in range(count):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        one.bind((f"127.{source}.{number >> 14 & 127}.{1 + (number >> 10 & 15)}", 0))
        with contextlib.suppress(TimeoutError):  # all was stopped for minutes
            one.connect((HOST, port))
            if number % 4 == 0:
                one.sendall(b"\x00\x00\x01\x00\x00\x00")
        if number % 5:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


def knock_together(ports, count):
    """So many at each of the ports."""
    with ThreadPoolExecutor(len(ports)) as pool:
        for done in [pool.submit(knock, port, count, 1 + i) for i, port in enumerate(ports)]:
            done.result()


def health_checks(binaries, home, options):
    """Connections that are closed again leave no memory and no descriptor behind."""
    with name_server(binaries, home) as namesrv, nodes(binaries, home) as (master,):
        processes = {master.process: (master.port, master.port + 1),
                     namesrv.child: (namesrv.port,)}
        ports = [one for some in processes.values() for one in some]
        before = {}
        for count in (2000, options.connections // len(ports)):
            knock_together(ports, count)
            for process, own in processes.items():
                wait_until(lambda one=process, of=own: not any(connections(one, p, True) for p in of),
                           "all connections to be closed")
                now = sockets(process), memory(process)
                then = before.setdefault(process, now)
                if now[0] != then[0] or (not SANITIZED and now[1] > then[1] + GROWTH):
                    raise Failure(f"sockets and memory were {then}, and are {now}")
        with Pipe(master.port) as pipe:
            if pipe.call(SEND, body_of("1"), **send_fields("Still", 0))[0]["code"] != SUCCESS:
                raise Failure("the broker serves nobody any more")


# ---- those that are too many

def roll(pipe, count):
    """Messages that need new files, all of them answered with SEND_OK."""
    for number in range(count):
        header, _ = pipe.call(SEND, body_of(f"1.{number}", 60000), **send_fields("Rolled", 0))
        if header["code"] != SUCCESS:
            raise Failure(f"message {number}: {header['code']} {header.get('remark')}")


def a_flood_of_connections(binaries, home, _options):
    """More connections than descriptors: the store has its files, who is there is served, the others
    are closed at once, and when they have gone others are let in."""
    begun = time.monotonic()
    few = Place(["prlimit", f"--nofile={LIMIT}:{LIMIT}"], HOST)
    with nodes(binaries, home, place=few) as (master,):
        with Pipe(master.port) as pipe:
            roll(pipe, 10)
            flood = [connect(master.port) for _ in range(3 * LIMIT)]
            roll(pipe, 400)
            for one in flood:
                if one:
                    one.close()
            roll(pipe, 10)
            wait_until(lambda: connections(master.process, master.port, True) == 1,
                       "the broker to see that they have gone")
        with Pipe(master.port) as pipe:
            roll(pipe, 10)
        wants(["no more connections are taken"], master.said(), begun)


def a_flood_of_the_port_for_slaves(binaries, home, _options):
    """Connections that never report give way to one that does."""
    begun = time.monotonic()
    with nodes(binaries, home, 2, haMaxConnections=HA_LIMIT,
               haHousekeepingInterval=NEVER_MS) as (master, slave):
        wait_for_slave(master, "0.0")
        load = Load(master, 1)
        flood = [connect(master.port + 1) for _ in range(500)]
        load.wait(SUCCESS, load.count(SUCCESS) + 200)
        slave.kill()
        flood += [connect(master.port + 1) for _ in range(100)]
        slave.start()
        load.wait(SUCCESS, 200, since=time.monotonic())
        answers = load.stop()
        check(slave, stored(answers))
        for one in flood:
            if one:
                one.close()
        wait_until(lambda: connections(master.process, master.port + 1, True) == 1,
                   "one connection to be left")
        wait_until_same(master.store, slave.store)
        wants(["haMaxConnections"], master.said(), begun)


# ---- those that lie

def a_slave_that_lies(binaries, home, _options):
    """Offsets that cannot be, and bytes that are no offsets: closed; the real slave is not disturbed,
    and nothing is acknowledged for it."""
    begun = time.monotonic()
    lies = [struct.pack(">q", offset) for offset in (-1, 1 << 62, -1 << 63, (1 << 63) - 1, 7 << 40)]
    lies += [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)) * 64, b"\x16\x03\x01" * 9,
             struct.pack(">qq", 0, 1 << 40)]
    with nodes(binaries, home, 2, haHousekeepingInterval=NEVER_MS) as (master, slave):
        wait_for_slave(master, "0.0")
        load = Load(master, 1)
        for _ in range(20):
            for lie in lies:
                with connect(master.port + 1) as liar:
                    with contextlib.suppress(ConnectionError):
                        liar.sendall(lie)
                    if not is_closed(liar):
                        raise Failure(f"{lie[:16]!r} is listened to")
        load.wait(SUCCESS, load.count(SUCCESS) + 100)
        answers = load.stop()
        if {answer.code for answer in answers.values()} != {SUCCESS}:
            raise Failure(f"the master answers {load.codes()}")
        check(slave, stored(answers))
        wait_until(lambda: connections(master.process, master.port + 1, True) == 1, "liars to be gone")
        wants(["it is no slave of this master's log", "is not on its way to a slave"],
              master.said(), begun)


def a_master_that_lies(binaries, home, _options):
    """Headers that do not continue the slave's log: it says so, tries again later, and its log stays
    what it was."""
    begun = time.monotonic()
    with socket.create_server((HOST, 0)) as liar:
        heads = [struct.pack(">qi", *head) for head in (
            (0, -1), (0, 1 << 30), (-5, 10), (1 << 40, -1 << 31))] + [b"HTTP/1.1 400 Bad\r\n" * 9]
        liar.settimeout(60)
        (Path(home) / "slave").mkdir()
        slave = Broker(binaries, Path(home) / "slave", brokerRole="SLAVE", brokerId=1,
                       haMasterAddress="%s:%d" % liar.getsockname(),
                       haHousekeepingInterval=NEVER_MS)
        try:
            slave.start()
            for head in heads:
                one, _ = liar.accept()
                with one:
                    one.sendall(head)
                    if not is_closed(one):
                        raise Failure(f"{head!r} is believed")
            if any(path.read_bytes().strip(b"\0")
                   for path in (slave.store / "commitlog").glob("0*")):
                raise Failure("something is in the slave's log")
            wants(["the master 127.0.0.1"], slave.said(), begun)
            if slave.stop() != 0:
                raise Failure("the last stop was not clean")
        except Failure as failure:
            raise Failure(f"{failure}\nslave: {slave.said()}") from failure
        finally:
            slave.kill()


def a_flood_of_false_registrations(binaries, home, _options):
    """A broker that registers what is wrong, and one that takes another's place, again and again: the
    log has some of it, and routes are as the last of them says."""
    begun = time.monotonic()
    with name_server(binaries, home) as namesrv:
        right = body([topic("Right"), topic("Other")])
        good = Node("good", Peer(namesrv.address))
        good.register(right)
        bad, here = Peer(namesrv.address), Peer(namesrv.address)
        for number in range(3000):
            Node("bad", bad).register(b"no registration")
            for where in ("here", "there"):
                Node("good", here, brokerAddr=f"{where}:{number}").register(right)
        answer = good.register(right)
        if answer["code"] != SUCCESS:
            raise Failure(f"the good one is refused: {answer}")
        wants(["a registration from 127.0.0.1 as bad-a", "takes the place of"],
              namesrv.said(), begun)
        for peer in (good.peer, bad, here):
            peer.close()


SCENARIOS = {one.__name__: one for one in (
    health_checks, a_flood_of_connections, a_flood_of_the_port_for_slaves, a_slave_that_lies,
    a_master_that_lies, a_flood_of_false_registrations)}


def main():
    scenarios.run(__doc__, SCENARIOS,
                  lambda name, binaries, home, options: SCENARIOS[name](binaries, home, options),
                  lambda parser: parser.add_argument("--connections", type=int, default=100_000,
                                                     help="health checks, in all"))


if __name__ == "__main__":
    main()
