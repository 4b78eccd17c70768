# SPDX-License-Identifier: Apache-2.0
"""What the stores of a stopped layout hold: queues of master and slaves, record by record; every
message that was acknowledged; and nothing that is damaged."""

import json
import subprocess

from layout_clients import TOPIC
from harness.process import wait_until
from slave_run import MAX_OFFSET

SECONDS = 120


def wait_until_dispatched(master, slave, queues):
    """Until the slave's queues end where the master's do."""
    def ends(node):
        return [node.ask(MAX_OFFSET, {"topic": TOPIC, "queueId": queue})[0]["extFields"]["offset"]
                for queue in range(queues)]

    wait_until(lambda: ends(master) == ends(slave), f"the queues of {slave.name}")


def _gantry(program, *words):
    """Exit code and output."""
    done = subprocess.run([program, "store", *map(str, words)], capture_output=True, text=True,
                          timeout=SECONDS, check=False)
    return done.returncode, done.stdout + done.stderr


def _records(program, node, queue):
    """The records of a queue, with their bodies."""
    code, said = _gantry(program, "dump", node.store, "--topic", TOPIC, "--queue", queue,
                         "--body", "--output", "json")
    if code != 0:
        raise AssertionError(f"{node.name}: {said}")
    return [json.loads(line) for line in said.splitlines()]


def stored(program, node, queues):
    """All records of the topic, by queue."""
    return {queue: _records(program, node, queue) for queue in range(queues)}


def _first_difference(name, queue, ours, theirs):
    for number, (one, other) in enumerate(zip(ours, theirs)):
        if one != other:
            return f"{name}, queue {queue}, record {number}: {other}, and the master's: {one}"
    return f"{name}, queue {queue}: {len(theirs)} records, and the master's has {len(ours)}"


def compare(program, layout, streams, queues):
    """What is wrong."""
    wrong, names, records = [], [], 0
    for master in layout.masters:
        of_master = stored(program, master, queues)
        names += [record["body"] for queue in of_master.values() for record in queue]
        for slave in layout.slaves(master):
            of_slave = stored(program, slave, queues)
            records += sum(map(len, of_slave.values()))
            wrong += [_first_difference(slave.name, queue, of_master[queue], of_slave[queue])
                      for queue in of_master if of_master[queue] != of_slave[queue]]
    for node in layout.brokers:
        code, said = _gantry(program, "verify", node.store)
        if code != 0:
            wrong.append(f"{node.name}: gantry store verify: {said[-500:]}")
    lost = sorted(streams.acknowledged() - set(names))
    if lost:
        wrong.append(f"{len(lost)} messages were acknowledged and are in no store: {lost[:5]}")
    begun = {sent.name for stream in streams.all for sent in stream.sent()}
    if set(names) - begun:
        wrong.append(f"messages that nobody sent: {sorted(set(names) - begun)[:5]}")
    print(f"{len(names)} messages in {len(layout.masters)} masters, {len(names) - len(set(names))} "
          f"of them sent again by their client; {records} records of slaves compared", flush=True)
    return wrong
