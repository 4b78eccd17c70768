#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whom a synchronous master counts as a slave, and whom it shows.

    slave_count.py FOLDER-OF-PROGRAMS [SCENARIO]...
"""

import contextlib
import json
import socket
import struct
import threading

import scenarios
from ha_kill import wait_for_slave
from load import FLUSH_SLAVE_TIMEOUT
from broker import SEND, SUCCESS, Broker, Failure, Pipe, body_of, send_fields
from harness.process import HOST, wait_until

HA_STATUS = 907
HEAD = struct.Struct(">qi")
HERE, ELSEWHERE = HOST, "127.0.0.2"


class Slave(threading.Thread):
    """A connection that reports what it got, as long as it is to, and keeps none of it."""

    def __init__(self, port, host, offset=0, reports=True):
        super().__init__(daemon=True)
        self.end, self.reports = offset, reports
        self._socket = socket.create_connection((HOST, port), 60, (host, 0))
        self._report()
        self.start()

    def _report(self):
        self._socket.sendall(struct.pack(">q", self.end))

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                offset, size = HEAD.unpack(self._read(HEAD.size))
                self._read(size)
                self.end = offset + size
                if size and self.reports:
                    self._report()

    def _read(self, size):
        data = b""
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("closed")
            data += piece
        return data

    def close(self):
        """Ends it."""
        self._socket.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def master(binaries, home, **more):
    """A synchronous master, whose stop is clean."""
    made = Broker(binaries, home, brokerRole="SYNC_MASTER", haSendFromFirstFile="true",
                  haSendHeartbeatInterval=100, haHousekeepingInterval=60000, **more)
    try:
        made.start()
        yield made
        if made.stop() != 0:
            raise Failure("the last stop was not clean")
    except Failure as failure:
        raise Failure(f"{failure}\nmaster: {made.said()}") from failure
    finally:
        made.kill()


def code_of(pipe, name):
    """What a message is answered."""
    return pipe.call(SEND, body_of(name), **send_fields("Counted", 0))[0]["code"]


def must_be(code, wanted, what):
    """Raises unless the answer is the wanted one."""
    if code != wanted:
        raise Failure(f"{what}: code {code}, and not {wanted}")


def a_slave_that_comes_back_unseen(binaries, home):
    """Its old connection is not missed yet: the two are one slave. Two slaves of one host are two, once
    both have got something."""
    with master(binaries, home, inSyncReplicas=3, slaveTimeout=2000) as node, \
            Pipe(node.port) as pipe:
        port = node.port + 1
        gone, other = Slave(port, HERE), Slave(port, ELSEWHERE)
        wait_for_slave(node, "0.0")
        other.reports = False
        before = gone.end
        pipe.ask(SEND, body_of("1.0"), send_fields("Counted", 0))
        wait_until(lambda: gone.end > before and other.end == gone.end, "the message to be sent")
        gone.reports = False
        back = Slave(port, HERE, gone.end)
        must_be(pipe.answer()[0]["code"], FLUSH_SLAVE_TIMEOUT, "one slave has it, not two")
        other.reports = True
        must_be(code_of(pipe, "1.1"), SUCCESS, "a slave of each host has it")
        other.close()
        neighbour = Slave(port, HERE, back.end)
        must_be(code_of(pipe, "1.2"), SUCCESS, "two slaves of one host have it")
        neighbour.reports = False
        must_be(code_of(pipe, "1.3"), FLUSH_SLAVE_TIMEOUT, "one of two slaves has it")


def many_slaves_are_shown(binaries, home):
    """GET_BROKER_HA_STATUS lists all of them."""
    with master(binaries, home, haMaxConnections=200) as node, Pipe(node.port) as pipe:
        made = [Slave(node.port + 1, HERE) for _ in range(150)]

        def shown():
            _, text = pipe.call(HA_STATUS)
            return len(json.loads(text)["haConnectionInfo"])

        wait_until(lambda: shown() == len(made), "all slaves to be shown")


SCENARIOS = {one.__name__: one for one in (
    a_slave_that_comes_back_unseen, many_slaves_are_shown)}


def main():
    scenarios.run(__doc__, SCENARIOS,
                  lambda name, binaries, home, _: SCENARIOS[name](binaries, home))


if __name__ == "__main__":
    main()
