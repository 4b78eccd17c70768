# SPDX-License-Identifier: Apache-2.0
"""What counts as a stored message: for the store, and for the numbers of users' messages."""

import json

from harness.broker import MAX_OFFSET, PULL_SUBSCRIPTION
from harness.process import wait_until

PROPERTIES = {"messageDelayLevel": "1s 1s 1s", "transactionOpBatchInterval": "10",
              "transactionCheckInterval": "3600000"}
RUNTIME, END_TRANSACTION, SEND_BACK = 28, 37, 36
PREPARED, COMMIT, ROLLBACK = 4, 8, 12
OPS = "RMQ_SYS_TRANS_OP_HALF_TOPIC"
NAMES = ("putMessageTimesTotal", "msgPutTotalTodayNow")


def _numbers(peer):
    table = json.loads(peer.ask(RUNTIME)["body"])["table"]
    return [int(table[name]) for name in NAMES]


def _end(peer, topic, queue=0):
    answer = peer.ask(MAX_OFFSET, {"topic": topic, "queueId": queue})
    return int(answer["extFields"]["offset"]) if answer["code"] == 0 else 0


def _counted(peer, act, topic):
    """By how much the numbers grow until the act has brought a message into that topic."""
    before, end = _numbers(peer), _end(peer, topic)
    act()
    wait_until(lambda: _end(peer, topic) > end, f"a message in {topic}")
    return [now - then for now, then in zip(_numbers(peer), before)]


def _begin(broker):
    """A topic with a message: a store that has none says 1."""
    peer, topic = broker.peer(), broker.topic()
    broker.fill(peer, topic, 0, 1)
    return peer, topic


def plain(broker):
    """A message as any other."""
    peer, topic = _begin(broker)
    return {"one": _counted(peer, lambda: broker.send(peer, topic), topic)}


def delayed(broker):
    """Once when it is sent, once when it is due."""
    peer, topic = _begin(broker)
    return {"one": _counted(peer, lambda: broker.send(peer, topic, properties="DELAY\0011\2"),
                            topic)}


def transactions(broker):
    """Half message, committed message, op message."""
    peer, topic = _begin(broker)

    def run(state):
        half = broker.send(peer, topic, properties="TRAN_MSG\1true\2PGROUP\1producers\2"
                           "UNIQ_KEY\1unique\2", sysFlag=PREPARED)["extFields"]
        answer = peer.ask(END_TRANSACTION, {
            "producerGroup": "producers", "tranStateTableOffset": half["queueOffset"],
            "commitLogOffset": int(half["msgId"][-16:], 16), "commitOrRollback": state,
            "msgId": half["transactionId"], "transactionId": half["transactionId"],
            "fromTransactionCheck": "false"})
        assert answer["code"] == 0, answer

    return {"commit": _counted(peer, lambda: run(COMMIT), OPS),
            "rollback": _counted(peer, lambda: run(ROLLBACK), OPS)}


def sent_back(broker):
    """Put off and delivered to the retry topic; or dead at once."""
    peer, topic, group = broker.peer(), broker.topic(), broker.group()
    sent = broker.fill(peer, topic, 0, 1)["extFields"]
    broker.pull(peer, group, topic, 0, 0, PULL_SUBSCRIPTION)

    def back(level):
        answer = peer.ask(SEND_BACK, {
            "offset": int(sent["msgId"][-16:], 16), "group": group, "delayLevel": level,
            "originMsgId": sent["msgId"], "originTopic": topic, "unitMode": "false",
            "maxReconsumeTimes": 16})
        assert answer["code"] == 0, answer

    return {"late": _counted(peer, lambda: back(1), f"%RETRY%{group}"),
            "dead": _counted(peer, lambda: back(-1), f"%DLQ%{group}")}
