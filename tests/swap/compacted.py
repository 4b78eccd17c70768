# SPDX-License-Identifier: Apache-2.0
"""A topic with cleanup.policy=COMPACTION under enableCompaction=false, on a store that changes hands:
messages with keys are kept like all others, also where a later one has the same key; without keys
they are refused, but for batches, whose messages nobody looks into."""

from batches import item
from harness.process import Failure
from raw_topic import RawTopic

ROUNDS = 40
MESSAGE_ILLEGAL = 13
MISSING = "Required message key is missing"
# what Java takes for white space, and what it does not
BLANK = (None, "", " ", " \t\r\n ", "\x0b\x0c\x1c\x1d\x1e\x1f", "\u3000", "\u2028 \u1680\u2006\u205f")
KEYS = ("one", "one two", " two", "three ", "\u3000x", "\u00a0", "\u2007", "\u202f", "\u200b", "\x00", "-")


class Compacted(RawTopic):
    """The messages of one such topic."""

    name, attributes = "compacted", "+cleanup.policy=COMPACTION"

    def send_all(self, connection):
        for keys in BLANK:
            for more in ("", "DELAY\0011\002"):
                self._expect_refusal(connection, keys, more)
        for i in range(ROUNDS):
            self.send(connection, f"{len(self.sent)}".encode(), self._properties(KEYS[i % len(KEYS)]))
        self._send_batch(connection)

    def _properties(self, keys, more=""):
        unique = f"UNIQ_KEY\1{len(self.sent):032d}\2"
        return more + unique + (f"KEYS\1{keys}\2" if keys is not None else "")

    def _expect_refusal(self, connection, keys, more):
        answer = self.ask(connection, b"x", self._properties(keys, more))
        if (answer["code"], answer.get("remark")) != (MESSAGE_ILLEGAL, MISSING):
            raise Failure(f"{self.topic}: a send with the keys {keys!r}: {answer}")

    def _send_batch(self, connection):
        """Stored as two messages of their own, or as one record by who keeps it whole."""
        bodies = [f"batch {len(self.sent)} {i}".encode() for i in range(2)]
        answer = self.ask(connection, b"".join(map(item, bodies)), self._properties(None), is_batch=True)
        offset = int(answer["extFields"]["queueOffset"].split(",")[0]) if answer["code"] == 0 else None
        if offset != self.end():
            raise Failure(f"{self.topic}: a batch without keys: {answer}, {self.end()} is due")
        self.sent += [(offset + i, 1, body) for i, body in enumerate(bodies)]

    def faults(self, records):
        """A compaction log, or a record that is not where it was sent to."""
        found = [record.queue_offset for record in records if record.topic == self.topic]
        faults = [] if found == list(range(self.end())) else [f"{self.topic}: the log has {found}"]
        return faults + ([f"{self.root}/compaction is there"] if (self.root / "compaction").exists() else [])
