#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slave whose disk is full, and one that is far behind: the master goes on as its mode says, the
slave says what is wrong, serves what it has, and catches up.

    slave_faults.py FOLDER-OF-PROGRAMS [SCENARIO]...

Exit code: 77 where the machine permits no mount of our own.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

import scenarios
from network import move_in, run
from ha_files import wait_until_same
from ha_kill import check, wait_for_slave
from load import (FLUSH_SLAVE_TIMEOUT, SLAVE_NOT_AVAILABLE, TOPIC, Load, stored)
from name_server import NameServer
from broker import (NO_TOPIC, SEND, SUCCESS, Broker, Failure, Pipe, body_of, name_of, pull,
                    send_fields)
from harness.process import wait_until

ROOM, BALLAST = 20 << 20, 40 << 20  # bytes of the slave's disk, and what is freed later
GAP = 128 << 10
SLAVE_MS = 500
MARGIN = 12  # seconds that a busy machine may be late


def mount_disk(home, store):
    """A small disk under the store, with ballast. On ext4 in a file if this machine has loop devices,
    since a full tmpfs cannot even be read where a file has a hole."""
    store.mkdir()
    image = Path(home) / "disk"
    with open(image, "wb") as made:
        made.truncate(ROOM + BALLAST)
    try:
        run("mkfs.ext4", "-q", "-m", "0", str(image))
        run("mount", "-o", "loop", str(image), str(store))
    except (OSError, Failure):
        run("mount", "-t", "tmpfs", "-o", f"size={ROOM + BALLAST}", "none", str(store))
    with open(store / "ballast", "wb") as made:
        os.posix_fallocate(made.fileno(), 0, BALLAST)


@contextlib.contextmanager
def pair(binaries, home, role, small_disk=False):
    """A master and a slave, which may have a small disk; both know the topic."""
    homes = [Path(home) / name for name in ("master", "slave")]
    for path in homes:
        path.mkdir()
    namesrv = NameServer(binaries, home)
    common = {"haSendHeartbeatInterval": 100, "haHousekeepingInterval": 20000,
              "haSendFromFirstFile": "true", "slaveTimeout": SLAVE_MS, "slaveReadEnable": "true",
              "haMaxGapNotInSync": GAP, "cleanFileForciblyEnable": "false",
              "namesrvAddr": namesrv.address, "slaveSyncInterval": 500}
    master = Broker(binaries, homes[0], brokerRole=role, **common)
    slave = Broker(binaries, homes[1], brokerRole="SLAVE", brokerId=1,
                   haMasterAddress=f"{master.host}:{master.port + 1}", **common)
    if small_disk:
        mount_disk(home, slave.store)
    try:
        master.start()  # whose address the slave gets when it registers
        wait_until(lambda: "registered at name server" in master.said(), "the master's route")
        slave.start()
        with Pipe(master.port) as pipe:
            pipe.call(SEND, body_of("0.0.0"), **send_fields(TOPIC, 0))
        wait_until(lambda: code_of(slave) != NO_TOPIC, "the slave to have the topic")
        yield master, slave
        for node in (slave, master):
            if node.stop() != 0:
                raise Failure("the last stop was not clean")
    except Failure as failure:
        raise Failure(f"{failure}\nmaster: {master.said()}\nslave: {slave.said()}") from failure
    finally:
        master.kill()
        slave.kill()
        namesrv.kill()
        if slave.store.is_mount():
            run("umount", str(slave.store))


def code_of(slave):
    """What a pull is answered."""
    with Pipe(slave.port) as pipe:
        return pull(pipe, TOPIC, 0, 0)[0]


def serves(slave, known):
    """The slave gives out messages, all of which were sent."""
    with Pipe(slave.port) as pipe:
        code, _, messages = pull(pipe, TOPIC, 0, 0)
    names = {name_of(body) for _, _, body in messages}
    if code != SUCCESS or not names or {name for name in names if name[0] == "1"} - known:
        raise Failure(f"the slave answers a pull with {code} and {len(names)} messages")


def is_ext4(store):
    """What mount_disk() has made there."""
    return f" {store} ext4 " in Path("/proc/mounts").read_text()


def fill(master, slave):
    """Sends until the slave's disk is full and the master has gone on from there."""
    load = Load(master, 1)
    wait_until(lambda: "the disk is full" in slave.said(), "the slave's disk to be full")
    return load


def after_full(master, slave, answers):
    """A restart changes nothing; room does."""
    serves(slave, set(answers))
    if master.properties["brokerRole"] == "SYNC_MASTER":
        check(slave, stored(answers))
    if is_ext4(slave.store):
        slave.kill()
        slave.start()
        wait_until(lambda: "the disk is full" in slave.said(), "it to say so again")
        serves(slave, set(answers))
    (slave.store / "ballast").unlink()
    wait_until_same(master.store, slave.store)
    if slave.said().count("log is not followed") > 2 or "has room again" not in slave.said():
        raise Failure("it says so again and again, or not that it goes on")


def a_full_disk_under_async(binaries, home):
    """The master answers SEND_OK as before."""
    with pair(binaries, home, "ASYNC_MASTER", True) as (master, slave):
        load = fill(master, slave)
        load.wait(SUCCESS, load.count(SUCCESS) + 1000)
        answers = load.stop()
        if {answer.code for answer in answers.values()} != {SUCCESS}:
            raise Failure(f"the master answers {load.codes()}")
        after_full(master, slave, answers)


def a_full_disk_under_sync(binaries, home):
    """The slave is waited for, and when it is too far behind no longer; nothing is SEND_OK that it
    lacks."""
    with pair(binaries, home, "SYNC_MASTER", True) as (master, slave):
        wait_for_slave(master, "0.0")
        load = fill(master, slave)
        answers = given_up(load, time.monotonic())
        after_full(master, slave, answers)


def given_up(load, since):
    """Waits until the slave is too far behind; all answers."""
    load.wait(FLUSH_SLAVE_TIMEOUT, 1, SLAVE_MS / 1000 + MARGIN)
    load.wait(SLAVE_NOT_AVAILABLE, 200, since=since)
    answers = load.stop()
    codes = {answer.code for answer in answers.values()}
    late = [answer for answer in answers.values() if answer.seconds > SLAVE_MS / 1000 + MARGIN]
    if late or codes != {SUCCESS, FLUSH_SLAVE_TIMEOUT, SLAVE_NOT_AVAILABLE}:
        raise Failure(f"answers {load.codes()}, {len(late)} of them late")
    return answers


def far_behind(binaries, home):
    """A slave that stands still is in sync until it is haMaxGapNotInSync behind, and again when it
    has caught up."""
    with pair(binaries, home, "SYNC_MASTER") as (master, slave):
        wait_for_slave(master, "0.0")
        load = Load(master, 1)
        load.wait(SUCCESS, 200)
        slave.process.send_signal(signal.SIGSTOP)
        answers = given_up(load, time.monotonic())
        check(slave, stored(answers))
        slave.process.send_signal(signal.SIGCONT)
        wait_for_slave(master, "0.1")
        wait_until_same(master.store, slave.store)
        if "has gone" in master.said() or "silent" in master.said():
            raise Failure("the slave was taken to be gone")


SCENARIOS = {one.__name__: one for one in (
    a_full_disk_under_async, a_full_disk_under_sync, far_behind)}


def main():
    move_in()
    scenarios.run(__doc__, SCENARIOS,
                  lambda name, binaries, home, _: SCENARIOS[name](binaries, home))


if __name__ == "__main__":
    main()
