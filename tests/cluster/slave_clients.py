#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unmodified Java consumers with a master and a slave: the master goes, they read on from the slave,
they go and come back, the master comes back. Nothing is lost at any step, and with a Gantry slave
nothing comes twice.

    slave_clients.py                                   Gantry and Gantry, client 5.5.0
    slave_clients.py --master java --slave gantry      one of them Java's
    slave_clients.py --client 4.9.8                    another client
    slave_clients.py --master java --slave java        shows what Java does
    slave_clients.py --bin DIR                         with DIR/gantryd

Exit code: 0 all well, 1 something is wrong, 77 nothing could run.
"""

import sys

import slave_run
from harness.clients import make_client
from harness.process import Failure, wait_until
from slave_run import COMMIT, CREATE_GROUP, CREATE_TOPIC, MAX_OFFSET, QUERY_OFFSET, SEND

TOPIC = "Failover"
GROUP = f"{TOPIC}-takers"
STEP = 30
TAKE_SECONDS = 90


class Run:
    """One pair with one client."""

    def __init__(self, pair, site, options):
        self.pair, self.site = pair, site
        self.master, self.slave = slave_run.start(pair, options)
        self.client = make_client(site.cache, f"java-{options.client}")
        self.sent = 0

    def prepare(self):
        """A topic of one queue, and the group."""
        fields = dict(slave_run.topic_fields(TOPIC), readQueueNums=1, writeQueueNums=1)
        assert self.master.ask(CREATE_TOPIC, fields)["code"] == 0
        assert self.master.ask(CREATE_GROUP, {}, b'{"groupName":"%s"}' % GROUP.encode())["code"] == 0

    def send(self):
        """STEP more messages; they are on the slave when this returns."""
        for _ in range(STEP):
            answer = self.master.ask(SEND, slave_run.send_fields(TOPIC), b"%d" % self.sent)
            if answer["code"] != 0:
                raise Failure(f"not sent: {answer}")
            self.sent += 1
        wait_until(lambda: self.slave.ask(MAX_OFFSET, {"topic": TOPIC, "queueId": 0})["extFields"]
                   .get("offset") == str(self.sent), "the slave's log")

    def take(self, first, count, what):
        """A consumer gets just these; `first` may be None: from wherever it begins."""
        words = ["take", f"namesrv={self.pair.namesrv.address}", f"topic={TOPIC}", f"n={count}"]
        report = self.client.run(self.site, words, TAKE_SECONDS)
        if report.get("problems"):
            raise Failure(f"{what}: {report['problems']}")
        bodies = [int(body) for body in report["facts"]["bodies"].split()]
        wanted = list(range(first, first + count))
        print(f"{what}: {len(bodies)} messages, from {bodies[:1]} to {bodies[-1:]}", flush=True)
        missing, extra = set(wanted) - set(bodies), len(bodies) - len(wanted)
        if missing:
            raise Failure(f"{what}: {len(missing)} are missing, {min(missing)} the first")
        return extra

    def offset(self, node):
        """What a node knows of the group."""
        fields = {"consumerGroup": GROUP, "topic": TOPIC, "queueId": 0, "setZeroIfNotFound": "false"}
        return node.ask(QUERY_OFFSET, fields)["extFields"].get("offset")

    def wait_offset(self, node, offset):
        """Waits until it knows that."""
        wait_until(lambda: self.offset(node) == str(offset), f"offset {offset} at {node.name}",
                   slave_run.patience(self.slave))


def scenario(run):
    """The steps; returns how many messages came twice."""
    run.prepare()
    run.send()
    twice = run.take(0, STEP, "with both")
    run.wait_offset(run.master, STEP)
    run.wait_offset(run.slave, STEP)
    run.send()
    run.master.kill()
    wait_until(lambda: "0" not in run.pair.members(), "the name server to miss the master", 150)
    twice += run.take(STEP, STEP, "from the slave alone")
    run.wait_offset(run.slave, 2 * STEP)
    twice += run.take(2 * STEP, 0, "again from the slave alone")
    run.master.start()
    if run.slave.kind == "gantry":
        run.wait_offset(run.master, 2 * STEP)
    run.send()
    twice += run.take(2 * STEP, STEP, "with the master back")
    run.wait_offset(run.master, 3 * STEP)
    return twice


def once(pair, site, options):
    """Runs it; a list of what is wrong."""
    run = Run(pair, site, options)
    try:
        twice = scenario(run)
    finally:
        run.client.stop()
    if twice and options.slave == "gantry":
        return [f"{twice} messages came twice"]
    return []


if __name__ == "__main__":
    sys.exit(slave_run.main(__doc__, once))
