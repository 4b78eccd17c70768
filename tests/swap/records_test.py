#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""records.py must find what is wrong with a store: a small one made here, sound and then spoiled."""

import struct
import sys
import tempfile
import unittest
from pathlib import Path

from records import (INDEX_HEAD, INDEX_ITEM, MAGIC_BLANK, MAGIC_V1, MAGIC_V2, QUEUE_UNIT, Store, compare, crc,
                     index_hash, java_hash)

TOPIC = "T"
SEGMENT = 512
SLOTS = 4


def record(at, offset, body, tags, magic=MAGIC_V1):
    """One message with two IPv4 hosts."""
    topic = TOPIC.encode()
    properties = b"UNIQ_KEY\x01u%d\x02TAGS\x01%s\x02" % (offset, tags.encode())
    host = bytes([127, 0, 0, 1]) + struct.pack(">i", 10911)
    rest = struct.pack(">Iiiiqqiq", magic, crc(body), 0, 0, offset, at, 0, 1) + host \
        + struct.pack(">q", 2) + host + struct.pack(">iqi", 0, 0, len(body)) + body \
        + struct.pack(">b" if magic == MAGIC_V1 else ">h", len(topic)) + topic \
        + struct.pack(">h", len(properties)) + properties
    return struct.pack(">I", len(rest) + 4) + rest


class Records(unittest.TestCase):
    """Each test spoils one thing."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.places = []
        self.write_log()
        self.write_queue()
        self.write_index()

    def write_log(self):
        """Three messages; the third did not fit into the first file."""
        log = b""
        for offset, body in enumerate((b"one", b"two" * 40, b"three" * 30)):
            if offset == 2:
                log += struct.pack(">II", SEGMENT - len(log), MAGIC_BLANK)
                log = log.ljust(SEGMENT, b"\0")
            data = record(len(log), offset, body, "tag", MAGIC_V2 if offset == 1 else MAGIC_V1)
            self.places.append((len(log), len(data)))
            log += data
        log = log.ljust(2 * SEGMENT, b"\0")
        for first in (0, SEGMENT):
            self.file(f"commitlog/{first:020d}").write_bytes(log[first:first + SEGMENT])

    def write_queue(self):
        """Its entries, in a file that is longer."""
        units = b"".join(QUEUE_UNIT.pack(at, size, java_hash("tag")) for at, size in self.places)
        self.file(f"consumequeue/{TOPIC}/0/{0:020d}").write_bytes(units.ljust(200, b"\0"))

    def write_index(self):
        """One key a message."""
        slots, items = [0] * SLOTS, b"\0" * INDEX_ITEM.size
        for number, (at, _) in enumerate(self.places, 1):
            value = index_hash(TOPIC, f"u{number - 1}")
            items += INDEX_ITEM.pack(value, at, 0, slots[value % SLOTS])
            slots[value % SLOTS] = number
        head = INDEX_HEAD.pack(2, 2, 0, 0, SLOTS, 4)
        self.file("index/20260101000000000").write_bytes(
            head + struct.pack(f">{SLOTS}i", *slots) + items.ljust(INDEX_ITEM.size * 4 * SLOTS, b"\0"))

    def file(self, name):
        """A file of the store; its folder is made."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def spoil(self, name, at):
        """Changes one byte."""
        path = self.root / name
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)

    def faults(self):
        """What the store's check says."""
        return Store(self.root).check()

    def test_sound(self):
        """Nothing is found where nothing is wrong."""
        self.assertEqual(len(Store(self.root).records), 3)
        self.assertEqual(self.faults(), [])

    def test_body(self):
        """A record whose body changed ends the log."""
        self.spoil(f"commitlog/{0:020d}", self.places[1][0] + 90)
        self.assertEqual(len(Store(self.root).records), 1)

    def test_queue(self):
        """Each part of an entry counts, and so does an entry too many."""
        for at in (7, 11, 19, 20 * 3 + 11):
            with self.subTest(at=at):
                self.spoil(f"consumequeue/{TOPIC}/0/{0:020d}", at)
                self.assertEqual(len(self.faults()), 1)
                self.spoil(f"consumequeue/{TOPIC}/0/{0:020d}", at)

    def test_index(self):
        """A key that the index does not lead to."""
        self.spoil("index/20260101000000000", INDEX_HEAD.size + 4 * SLOTS + INDEX_ITEM.size + 11)
        self.assertEqual(len(self.faults()), 1)

    def test_gap(self):
        """A CommitLog file that is missing from the middle."""
        self.file(f"commitlog/{4 * SEGMENT:020d}").write_bytes(b"\0" * SEGMENT)
        with self.assertRaisesRegex(Exception, "the file before it ends"):
            Store(self.root)

    def test_compare(self):
        """A later log must begin with the earlier one."""
        before = Store(self.root).records
        self.assertEqual(list(compare(before, before)), [])
        self.assertEqual(len(list(compare(before, before[:2]))), 1)
        self.spoil(f"commitlog/{0:020d}", self.places[0][0] + 47)  # the time born
        self.assertEqual(len(list(compare(before, Store(self.root).records))), 1)


if __name__ == "__main__":
    sys.exit(unittest.main())
