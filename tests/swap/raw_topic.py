# SPDX-License-Identifier: Apache-2.0
"""A topic with attributes on a store that changes hands, written to and read in raw frames: clients
would not send all that brokers take."""

import time

from harness.process import HOST, Failure
from harness.remoting import Connection
from records import read_record

PULL_MESSAGE, CREATE_TOPIC, SEND_V2, SEND_BATCH = 11, 17, 310, 320
SUCCESS, NOT_FOUND = 0, 19
SUBSCRIPTION = 4
WAIT_SECONDS = 60


class RawTopic:
    """Its messages. Subclasses say what is sent, and what of a record they look at."""

    attributes = None  # as `mqadmin updateTopic -a` has them

    def __init__(self, topic, root):
        self.topic, self.root = topic, root
        self.sent = []  # (offset, messages, body)
        self._is_made = False

    def write(self, port):
        """Makes the topic, if need be, and sends more."""
        with Connection(f"{HOST}:{port}") as connection:
            if not self._is_made:
                answer, _ = connection.ask(CREATE_TOPIC, {
                    "topic": self.topic, "defaultTopic": "TBW102", "readQueueNums": 1, "writeQueueNums": 1,
                    "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false",
                    "attributes": self.attributes})
                expect_success(answer, "making the topic")
                self._is_made = True
            self.send_all(connection)

    def send_all(self, connection):
        """One turn's messages."""
        raise NotImplementedError

    def ask(self, connection, body, properties, is_batch=False):
        """The answer to a send."""
        fields = dict(zip("abcdefghijkm", [
            "swap", self.topic, "TBW102", 1, 0, 0, int(time.time() * 1000), 0, properties, 0, "false",
            "true" if is_batch else "false"]))
        return connection.ask(SEND_BATCH if is_batch else SEND_V2, fields, body)[0]

    def send(self, connection, body, properties, count=1, is_batch=False):
        """A record of so many messages, which must be taken and get the next offset."""
        answer = self.ask(connection, body, properties, is_batch)
        expect_success(answer, "a send")
        offset, due = int(answer["extFields"]["queueOffset"]), self.end()
        if offset != due:
            raise Failure(f"{self.topic}: offset {offset}, {due} is due")
        self.sent.append((offset, count, body))

    def end(self):
        """The next offset."""
        return self.sent[-1][0] + self.sent[-1][1] if self.sent else 0

    def read(self, port):
        """Pulls everything and compares it."""
        offset, sent = 0, iter(self.sent)
        with Connection(f"{HOST}:{port}") as connection:
            while True:
                answer, body = self._pull(connection, offset)
                if answer["code"] == NOT_FOUND:
                    break
                expect_success(answer, f"a pull at {offset}")
                self._compare(body, sent)
                offset = int(answer["extFields"]["nextBeginOffset"])
        left = list(sent)
        if left:
            raise Failure(f"{self.topic}: {len(left)} of {len(self.sent)} are not read, from {left[0]} on")

    def _pull(self, connection, offset):
        end = time.monotonic() + WAIT_SECONDS
        while True:
            answer, body = connection.ask(PULL_MESSAGE, {
                "consumerGroup": "swap-raw", "topic": self.topic, "queueId": 0, "queueOffset": offset,
                "maxMsgNums": 32, "sysFlag": SUBSCRIPTION, "commitOffset": 0, "suspendTimeoutMillis": 0,
                "subscription": "*", "subVersion": 0, "expressionType": "TAG"})
            if answer["code"] == SUCCESS or offset == self.end() or time.monotonic() > end:
                return answer, body
            time.sleep(0.1)  # what was sent is not dispatched yet

    def _compare(self, body, sent):
        at = 0
        while at < len(body):
            record = read_record(body, at, at)
            offset, count, wanted = next(sent, (None, 0, b""))
            if record is None or record.queue_offset != offset or record.body != wanted:
                raise Failure(f"{self.topic}: read {record}, sent {offset} of {count}: {wanted}")
            self.check_record(record, offset, count)
            at += record.size

    def check_record(self, record, offset, count):
        """Raises Failure if it is not what was sent."""

    def faults(self, records):
        """What is wrong in the topic's files, beside what records.py looks at."""
        raise NotImplementedError


def expect_success(answer, what):
    """Raises Failure with the answer if it is none."""
    if answer["code"] != SUCCESS:
        raise Failure(f"{what}: {answer}")
