# SPDX-License-Identifier: Apache-2.0
"""A topic with queue.type=BatchCQ on a store that changes hands: batches that are stored as one record
each, single messages between them, read back by offset and compared with the files. In raw frames:
clients send so only with automatic batching."""

import struct
import time

from harness.process import HOST, Failure
from harness.remoting import Connection
from records import BATCH_UNIT, INNER_FLAG, read_record, segments

PULL_MESSAGE, CREATE_TOPIC, SEND_V2, SEND_BATCH = 11, 17, 310, 320
SUCCESS, NOT_FOUND = 0, 19
SUBSCRIPTION = 4
ROUNDS = 60
NO_COMPACTED = -1


def item(body):
    """One message of a batch's body."""
    return struct.pack(">iiiii", 22 + len(body), 0, 0, 0, len(body)) + body + struct.pack(">h", 0)


class Batches:
    """The messages of one such topic."""

    def __init__(self, topic, root):
        self._topic, self._root = topic, root
        self._sent = []  # (offset, messages, body)
        self._serial = 0

    def write(self, port):
        """Makes the topic, if need be, and sends more."""
        with Connection(f"{HOST}:{port}") as connection:
            if not self._sent:
                answer, _ = connection.ask(CREATE_TOPIC, {
                    "topic": self._topic, "defaultTopic": "TBW102", "readQueueNums": 1, "writeQueueNums": 1,
                    "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false",
                    "attributes": "+queue.type=BatchCQ"})
                _expect(answer, "making the topic")
            for _ in range(ROUNDS):
                self._serial += 1
                self._send(connection, self._serial % 7 + 1)
                self._send(connection, 0)

    def _send(self, connection, count):
        """A batch of so many; 0: a message that is none."""
        bodies = [f"{self._serial} {i}".encode() for i in range(count or 1)]
        body = b"".join(map(item, bodies)) if count else bodies[0]
        fields = dict(zip("abcdefghijkm", [
            "swap", self._topic, "TBW102", 1, 0, 0, int(time.time() * 1000), 0,
            f"UNIQ_KEY\1{self._serial:030d}{count:02d}\2", 0, "false", "true" if count else "false"]))
        answer, _ = connection.ask(SEND_BATCH if count else SEND_V2, fields, body)
        _expect(answer, "a send")
        offset = int(answer["extFields"]["queueOffset"])
        due = self._sent[-1][0] + self._sent[-1][1] if self._sent else 0
        if offset != due:
            raise Failure(f"{self._topic}: offset {offset}, {due} is due")
        self._sent.append((offset, count or 1, body))

    def read(self, port):
        """Pulls everything and compares it."""
        offset, sent = 0, iter(self._sent)
        with Connection(f"{HOST}:{port}") as connection:
            while True:
                answer, body = self._pull(connection, offset)
                if answer["code"] == NOT_FOUND:
                    break
                _expect(answer, f"a pull at {offset}")
                self._compare(body, sent)
                offset = int(answer["extFields"]["nextBeginOffset"])
        left = list(sent)
        if left:
            raise Failure(f"{self._topic}: {len(left)} of {len(self._sent)} are not read, from {left[0]} on")

    def _pull(self, connection, offset):
        end = time.monotonic() + 20
        due = self._sent[-1][0] + self._sent[-1][1] if self._sent else 0
        while True:
            answer, body = connection.ask(PULL_MESSAGE, {
                "consumerGroup": "swap-batches", "topic": self._topic, "queueId": 0, "queueOffset": offset,
                "maxMsgNums": 32, "sysFlag": SUBSCRIPTION, "commitOffset": 0, "suspendTimeoutMillis": 0,
                "subscription": "*", "subVersion": 0, "expressionType": "TAG"})
            if answer["code"] == SUCCESS or offset == due or time.monotonic() > end:
                return answer, body
            time.sleep(0.1)  # what was sent is not dispatched yet

    def _compare(self, body, sent):
        at = 0
        while at < len(body):
            record = read_record(body, at, at)
            offset, count, wanted = next(sent, (None, 0, b""))
            if record is None or record.queue_offset != offset or record.body != wanted:
                raise Failure(f"{self._topic}: read {record}, sent {offset} of {count}: {wanted}")
            if count > 1 and (not record.sys_flag & INNER_FLAG or record.value("INNER_NUM") != str(count)
                              or record.value("INNER_BASE") != str(offset)):
                raise Failure(f"{self._topic}: no batch of {count} at {offset}: {record}")
            at += record.size

    def faults(self, records):
        """How the queue's files differ from the log."""
        wanted = []
        for record in records:
            if record.topic == self._topic:
                base = int(record.value("INNER_BASE") or record.queue_offset)
                wanted.append((record.at, record.size, 0, record.store_ms, base,
                               int(record.value("INNER_NUM") or 1), NO_COMPACTED, 0))
        data = b"".join(bytes(part) for _, part in
                        segments([self._root / "batchconsumequeue" / self._topic / "0"]))
        got = list(BATCH_UNIT.iter_unpack(data))
        behind = [unit for unit in got[len(wanted):] if any(unit)]
        if got[:len(wanted)] != wanted:
            first = next(i for i, unit in enumerate(wanted) if got[i:i + 1] != [unit])
            return [f"{self._topic}: entry {first} is {got[first:first + 1]}, not {wanted[first]}"]
        return [f"{self._topic}: an entry {behind[0]} behind the last"] if behind else []


def _expect(answer, what):
    if answer["code"] != SUCCESS:
        raise Failure(f"{what}: {answer}")
