# SPDX-License-Identifier: Apache-2.0
"""A topic with queue.type=BatchCQ on a store that changes hands: batches that are stored as one record
each, single messages between them, read back by offset and compared with the files."""

import struct

from harness.process import Failure
from raw_topic import RawTopic
from records import BATCH_UNIT, INNER_FLAG, segments

ROUNDS = 60
NO_COMPACTED = -1


def item(body):
    """One message of a batch's body."""
    return struct.pack(">iiiii", 22 + len(body), 0, 0, 0, len(body)) + body + struct.pack(">h", 0)


class Batches(RawTopic):
    """The messages of one such topic."""

    name, attributes = "batches", "+queue.type=BatchCQ"

    def __init__(self, topic, root):
        super().__init__(topic, root)
        self._serial = 0

    def send_all(self, connection):
        for _ in range(ROUNDS):
            self._serial += 1
            self._send(connection, self._serial % 7 + 1)
            self._send(connection, 0)

    def _send(self, connection, count):
        """A batch of so many; 0: a message that is none."""
        bodies = [f"{self._serial} {i}".encode() for i in range(count or 1)]
        body = b"".join(map(item, bodies)) if count else bodies[0]
        self.send(connection, body, f"UNIQ_KEY\1{self._serial:030d}{count:02d}\2", count or 1, bool(count))

    def check_record(self, record, offset, count):
        if count > 1 and (not record.sys_flag & INNER_FLAG or record.value("INNER_NUM") != str(count)
                          or record.value("INNER_BASE") != str(offset)):
            raise Failure(f"{self.topic}: no batch of {count} at {offset}: {record}")

    def faults(self, records):
        """How the queue's files differ from the log."""
        wanted = []
        for record in records:
            if record.topic == self.topic:
                base = int(record.value("INNER_BASE") or record.queue_offset)
                wanted.append((record.at, record.size, 0, record.store_ms, base,
                               int(record.value("INNER_NUM") or 1), NO_COMPACTED, 0))
        data = b"".join(bytes(part) for _, part in
                        segments([self.root / "batchconsumequeue" / self.topic / "0"]))
        got = list(BATCH_UNIT.iter_unpack(data))
        behind = [unit for unit in got[len(wanted):] if any(unit)]
        if got[:len(wanted)] != wanted:
            first = next(i for i, unit in enumerate(wanted) if got[i:i + 1] != [unit])
            return [f"{self.topic}: entry {first} is {got[first:first + 1]}, not {wanted[first]}"]
        return [f"{self.topic}: an entry {behind[0]} behind the last"] if behind else []
