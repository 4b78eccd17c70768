#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A synchronous master with a slave, both Gantry. The master is killed under load again and again:
everything it had answered with SEND_OK is on the slave. Then it goes on, the slave is killed, too,
and at the end both logs are the same byte for byte; so is that of a slave that began with nothing.

    ha_kill.py FOLDER-OF-PROGRAMS [--rounds N] [--seed N] [--flush SYNC_FLUSH|ASYNC_FLUSH]
               [--storage mmap|io_uring]
"""

import argparse
import random
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "crash"))

# pylint: disable=wrong-import-position
from broker import SEND, SUCCESS, Broker, Failure, Patience, Pipe, body_of, send_fields  # noqa: E402
from ha_files import log_of, wait_until_same  # noqa: E402
from kill import Writer  # noqa: E402

WRITERS = 4
SECONDS = 600  # for an answer; this program may be stopped for a while
NAME = re.compile(rb"(?=(\d+\.\d+\.\d+)\|)")  # the byte before a name may be a digit, too
HA = {"haSendHeartbeatInterval": 100, "haHousekeepingInterval": 5000}


def nodes(binaries, home, **more):
    """A master and a slave that are not started yet."""
    homes = [Path(home) / name for name in ("master", "slave")]
    for path in homes:
        path.mkdir()
    master = Broker(binaries, homes[0], brokerRole="SYNC_MASTER", **more,
                    slaveTimeout=20000, haSendFromFirstFile="true", **HA)
    slave = Broker(binaries, homes[1], brokerRole="SLAVE", brokerId=1, **more,
                   haMasterAddress=f"127.0.0.1:{master.port + 1}", **HA)
    return master, slave


def wait_for_slave(master, label, seconds=60):
    """Sends until a message is acknowledged with its copy."""
    patience = Patience(seconds)
    with Pipe(master.port, SECONDS, master.host) as pipe:
        for number in range(10 ** 6):
            header, _ = pipe.call(SEND, body_of(f"{label}.{number}"), **send_fields("Probe", 0))
            if header["code"] == SUCCESS:
                return
            if patience.is_over():
                raise Failure(f"no message is copied: {header['code']} {header.get('remark')}")
            time.sleep(0.02)


def load(master, slave, label, dice):
    """Sends until the master is killed; returns the names that were acknowledged."""
    writers = [Writer(master.port, f"{label}.{i}", random.Random(dice.random()))
               for i in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(dice.uniform(0.05, 0.6))  # the moment of the kill is what the dice are for
    if dice.random() < 0.3:
        slave.kill()
        slave.start()
        time.sleep(dice.uniform(0.05, 0.6))
    master.kill()
    for writer in writers:
        writer.join(60)
        if writer.is_alive() or writer.error:
            raise Failure(f"a client did not end: {writer.error}")
    return {name for writer in writers for name in writer.acked}


def check(slave, acked, since=0):
    """What was acknowledged is in the slave's log, whole, and behind an offset. Returns where the log
    ends."""
    first, data = log_of(slave.store, since)
    there = set()
    for match in NAME.finditer(data):
        name = match.group(1).decode()
        if name in acked:
            body = body_of(name)
            if data[match.start():match.start() + len(body)] == body:
                there.add(name)
    if acked - there:
        raise Failure(f"{len(acked - there)} messages were acknowledged and are not on the slave: "
                      f"{sorted(acked - there)[:5]}")
    return first + len(data)


def begin_anew(master, slave, label):
    """A slave that has nothing gets the whole log; or, as in Java, its last file, on which it is
    started once more."""
    for key, starts in (("true", 1), ("false", 2)):
        slave.kill()
        shutil.rmtree(slave.store)
        master.stop()
        master.properties["haSendFromFirstFile"] = key
        master.start()
        for number in range(starts):
            slave.kill()
            slave.start()
            wait_for_slave(master, f"{label}.{key}.{number}")
            wait_until_same(master.store, slave.store)
    first, data = log_of(slave.store)
    if first == 0 or len(data) > 1 << 20:
        raise Failure(f"the slave's log is of {first} and {len(data)} bytes behind it")


def run(arguments, home):
    """All rounds over one pair of stores."""
    dice = random.Random(arguments.seed)
    master, slave = nodes(arguments.binaries, home, flushDiskType=arguments.flush,
                          storageBackend=arguments.storage)
    total = end = 0
    try:
        slave.start()
        for number in range(arguments.rounds):
            master.start()
            wait_for_slave(master, f"0.{number}")
            acked = load(master, slave, str(number + 1), dice)
            end = check(slave, acked, end)
            total += len(acked)
            print(f"round {number}: {len(acked)} acknowledged, all of them on the slave",
                  flush=True)
        master.start()
        wait_until_same(master.store, slave.store)
        begin_anew(master, slave, f"0.{arguments.rounds}")
        for node in (slave, master):
            if node.stop() != 0:
                raise Failure(f"the last stop was not clean:\n{node.said()}")
        wait_until_same(master.store, slave.store, 0)
    except Failure as failure:
        raise Failure(f"{failure}\nmaster: {master.said()}\nslave: {slave.said()}") from failure
    finally:
        master.kill()
        slave.kill()
    _, data = log_of(master.store)
    print(f"{arguments.rounds} kills of the master: {total} messages acknowledged, none lost; "
          f"{len(data)} bytes of log the same on both")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--flush", default="ASYNC_FLUSH", choices=["SYNC_FLUSH", "ASYNC_FLUSH"])
    parser.add_argument("--storage", default="mmap", choices=["mmap", "io_uring"])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    print(f"{arguments.rounds} rounds under {arguments.flush}, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gantry-ha-") as home:
        run(arguments, home)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"ha_kill.py: {failure}")
