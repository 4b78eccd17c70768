#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slave's half of a broker: what it refuses, what it has from its master, what it answers to pulls
with the master there, gone and back; and that consumers' progress goes neither way back.

    slave_reads.py                                  Gantry and Gantry
    slave_reads.py --master java --slave gantry     one of them Java's
    slave_reads.py --master java --slave java --record   keeps the facts in expect/slave.json
    slave_reads.py --bin DIR                        with DIR/gantryd

Exit code: 0 as recorded, 1 something differs, 77 nothing could run.
"""

import json
import struct
import sys
import time

import slave_run
from harness import servers
from harness.expect import differences
from harness.peer import Peer
from harness.process import Failure, wait_until
from nodes import HERE
from slave_run import (COMMIT, CREATE_GROUP, CREATE_TOPIC, MAX_OFFSET, PULL, QUERY_OFFSET, SEND,
                       send_fields)

SEND_BACK, END_TRANSACTION, OFFSETS, RESET = 36, 37, 43, 222
SEND_REPLY, TOPIC, GROUP, SET_MODE, MODES, HA_STATUS = 324, 351, 352, 401, 402, 907
SUBSCRIPTION, SUSPEND = 4, 2
EXPECTED = HERE / "expect" / "slave.json"
NAME, MEMBERS = "Shipped", "readers"
MESSAGES = 20
# What 5.5.0 does otherwise, and why we do not: docs/compatibility.md
DIFFERENT = {
    "facts.back.master_offset", "facts.back.slave_offset",  # Java's takes an older offset over
}


def plain(answer, *fields):
    """Code, remark and some fields of an answer, without what differs between runs."""
    remark = answer.get("remark") or ""
    for line in ("\n", "BROKER: ", "not set any response code"):  # the last: there is none
        remark = remark.split(line)[0]
    return [answer["code"], remark] + [answer["extFields"].get(field) for field in fields]


def pull_fields(offset, flags=SUBSCRIPTION, wait_ms=0):
    """The header of a pull from the first queue."""
    return {"consumerGroup": MEMBERS, "topic": NAME, "queueId": 0, "queueOffset": offset,
            "maxMsgNums": 32, "sysFlag": flags, "commitOffset": 0,
            "suspendTimeoutMillis": wait_ms, "subscription": "*", "subVersion": 0,
            "expressionType": "TAG"}


def commit_fields(offset):
    """The header of a commit, or of a question for it."""
    return {"consumerGroup": MEMBERS, "topic": NAME, "queueId": 0, "commitOffset": offset}


def offset_at(node):
    """The group's offset there, or None."""
    answer = node.ask(QUERY_OFFSET, dict(commit_fields(0), setZeroIfNotFound="false"))
    return answer["extFields"].get("offset")


def count(body):
    """How many messages a pull has brought."""
    at = found = 0
    while at < len(body):
        at += struct.unpack_from(">i", body, at)[0]
        found += 1
    return found


def fill(master):
    """What the slave is to have: a topic, a group, messages, an offset, a mode."""
    assert master.ask(CREATE_TOPIC, slave_run.topic_fields(NAME))["code"] == 0
    group = {"groupName": MEMBERS, "retryMaxTimes": 7, "consumeBroadcastEnable": False}
    assert master.ask(CREATE_GROUP, {}, json.dumps(group).encode())["code"] == 0
    for i in range(MESSAGES):
        answer = master.ask(SEND, send_fields(NAME), b"message %d" % i)
        if answer["code"] != 0:
            raise Failure(f"the master refuses a send: {answer}")
    assert master.ask(COMMIT, commit_fields(5))["code"] == 0
    mode = {"topic": NAME, "consumerGroup": MEMBERS, "mode": "PULL", "popShareQueueNum": 2}
    assert master.ask(SET_MODE, {}, json.dumps(mode).encode())["code"] == 0


def copied(slave):
    """What the slave has by now."""
    topic = json.loads(slave.ask(TOPIC, {"topic": NAME})["body"] or b"{}")
    group = json.loads(slave.ask(GROUP, {"group": MEMBERS})["body"] or b"{}")
    modes = slave.ask(MODES)["body"].decode()
    return {
        "topic": [topic.get("readQueueNums"), topic.get("writeQueueNums")],
        "group": [group.get("retryMaxTimes"), group.get("consumeBroadcastEnable")],
        "offset": offset_at(slave),
        "mode": '"popShareQueueNum":2' in modes,
    }


def wait_known(master, slaves):
    """Waits until each side says of the other what it should (907)."""
    def status(node):
        return json.loads(node.ask(HA_STATUS)["body"])

    def all_in_sync():
        seen = status(master)
        return seen["master"] and seen["inSyncSlaveNums"] == len(slaves) and all(
            peer["diff"] == 0 and peer["slaveAckOffset"] == seen["masterCommitLogMaxOffset"]
            for peer in seen["haConnectionInfo"])

    def knows_master(slave):
        seen = status(slave)
        of_master = seen["haClientRuntimeInfo"]
        return (not seen["master"] and of_master["maxOffset"] > 0
                and of_master.get("masterAddr") == f"127.0.0.1:{master.port + 1}")

    wait_until(all_in_sync, "the master to know its slaves")
    for slave in slaves:
        wait_until(lambda slave=slave: knows_master(slave), f"{slave.name} to know its master")


def refusals(slave):
    """What a slave says to who wants something of it that only a master does."""
    asked = {
        "send": (SEND, send_fields(NAME), b"no"),
        "send_back": (SEND_BACK, {"offset": 0, "group": MEMBERS, "delayLevel": 1}, b""),
        "end_transaction": (END_TRANSACTION, {
            "producerGroup": "producers", "tranStateTableOffset": 0, "commitLogOffset": 0,
            "commitOrRollback": 8, "msgId": "x", "topic": NAME}, b""),
        "reset": (RESET, {"topic": NAME, "group": MEMBERS, "timestamp": -1, "isForce": "true"},
                  b""),
        "reply": (SEND_REPLY, send_fields(f"{servers.CLUSTER_NAME}_REPLY_TOPIC"), b"no"),
    }
    return {name: plain(slave.ask(*what)) for name, what in asked.items()}


def pulls(slave, master_there):
    """What pulls of a member are answered, as (code, remark, next offset, suggested broker)."""
    shown = ("nextBeginOffset", "suggestWhichBrokerId")
    facts = {}
    with Peer(slave.address) as peer:
        first = peer.ask(PULL, pull_fields(0))
        facts["at_begin"] = plain(first, *shown) + [count(first["body"])]
        facts["at_end"] = plain(peer.ask(PULL, pull_fields(MESSAGES)), *shown)
        facts["beyond"] = plain(peer.ask(PULL, pull_fields(MESSAGES + 50)), *shown)
        begun = time.monotonic()
        waited = peer.ask(PULL, pull_fields(MESSAGES, SUBSCRIPTION | SUSPEND, 1500))
        facts["waits"] = [waited["code"], time.monotonic() - begun > 1]
    if not master_there:
        facts["commit"] = plain(slave.ask(COMMIT, commit_fields(12)))
        facts["committed"] = offset_at(slave)
    return facts


def run(pair, options):
    """The facts of one pair."""
    master, slave = slave_run.start(pair, options)
    deaf = pair.node("deaf", options.slave, 2, slaveSyncInterval=1000).start()
    fill(master)
    patience = slave_run.patience(slave)
    wait_until(lambda: offset_at(slave) == "5", "the slave's copy", patience)
    wait_until(lambda: copied(slave)["mode"], "the slave's modes", patience)
    facts = {"copied": copied(slave), "refusals": refusals(slave)}
    wait_until(lambda: slave.ask(MAX_OFFSET, {"topic": NAME, "queueId": 0})["extFields"]
               .get("offset") == str(MESSAGES), "the slave's log")
    wait_known(master, [slave, deaf])
    facts["deaf"] = plain(deaf.ask(PULL, pull_fields(0)))
    facts["with_master"] = pulls(slave, True)
    master.kill()
    wait_until(lambda: "0" not in pair.members(), "the name server to miss the master", 150)
    facts["without_master"] = pulls(slave, False)
    master.start()
    facts["back"] = back(master, slave, patience)
    return facts


def back(master, slave, patience):
    """What both know of the group's offset once the slave has talked to its master again."""
    assert master.ask(COMMIT, dict(commit_fields(3), queueId=1))["code"] == 0
    wait_until(lambda: '"%s@%s"' % (NAME, MEMBERS) in slave.ask(OFFSETS)["body"].decode() and
               slave.ask(QUERY_OFFSET, dict(commit_fields(0), queueId=1,
                                            setZeroIfNotFound="false"))["code"] == 0,
               "the slave's next copy", patience)
    if slave.kind == "gantry":
        wait_until(lambda: offset_at(master) == "12", "the offset at the master", patience)
    return {"master_offset": offset_at(master), "slave_offset": offset_at(slave)}


def once(pair, _, options):
    """Runs it and compares; a list of what differs."""
    facts = run(pair, options)
    if options.record:
        EXPECTED.write_text(json.dumps({"server": "Java 5.5.0", "facts": facts}, indent=1,
                                       sort_keys=True) + "\n")
        return []
    found = differences(json.loads(EXPECTED.read_text())["facts"], facts)
    if options.slave == "gantry":
        found = [line for line in found if line.split(":")[0] not in DIFFERENT]
    return found


if __name__ == "__main__":
    sys.exit(slave_run.main(__doc__, once))
