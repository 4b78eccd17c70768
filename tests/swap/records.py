# SPDX-License-Identifier: Apache-2.0
"""Reads RocketMQ's store files, independently of Gantry's code, and checks them with each other.

    records.py ROOT [COMMITLOG-FOLDER...]    checks a store; prints what it holds and every fault
"""

import hashlib
import mmap
import struct
import sys
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

MAGIC_V1, MAGIC_V2, MAGIC_BLANK = 0xDAA320A7, 0xDAA320AB, 0xCBD43194
BORN_V6, STORE_V6 = 0x10, 0x20
TRANSACTION, PREPARED, ROLLBACK = 0xC, 0x4, 0xC
INNER_FLAG = 0x80
DELAY_TOPIC = "SCHEDULE_TOPIC_XXXX"
FILLER = 0x7FFFFFFF
CRC_NAME = b"__CRC32#\x01"
CRC_BYTES = 20
QUEUE_UNIT = struct.Struct(">qiq")
BATCH_UNIT = struct.Struct(">qiqqqhii")
EXT_HEAD = struct.Struct(">hqqh")
INDEX_HEAD = struct.Struct(">qqqqii")
INDEX_ITEM = struct.Struct(">iqii")
EXT_ABOVE = -2147483649  # tags codes up to it are addresses in the ConsumeQueueExt
UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
FAULTS_SHOWN = 20


class Fault(Exception):
    """A file is not as RocketMQ writes it."""


@dataclass(frozen=True)
class Record:  # pylint: disable=too-many-instance-attributes
    """One message of a CommitLog."""

    at: int
    size: int
    magic: int
    queue: int
    queue_offset: int
    physical: int
    sys_flag: int
    born_host: bytes
    store_ms: int
    store_host: bytes
    topic: str
    properties: bytes
    body: bytes
    digest: str
    checksum: bool  # what a checksum property says; True without one

    def value(self, name):
        """The value of one property, None without it."""
        for pair in self.properties.split(b"\x02"):
            key, found, value = pair.partition(b"\x01")
            if found and key == name.encode():
                return value.decode()
        return None

    @property
    def is_queued(self):
        """Whether a ConsumeQueue has an entry of it."""
        return self.sys_flag & TRANSACTION not in (PREPARED, ROLLBACK)

    def keys(self):
        """What the index knows it by."""
        unique = self.value("UNIQ_KEY")
        return ([unique] if unique else []) + [k for k in (self.value("KEYS") or "").split(" ") if k]


def java_hash(text):
    """String.hashCode of Java."""
    value = 0
    data = text.encode("utf-16-be")
    for (unit,) in struct.iter_unpack(">H", data):
        value = (31 * value + unit) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def crc(data):
    """The checksum of bodies and records."""
    return zlib.crc32(data) & 0x7FFFFFFF


def _map(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""


def segments(folders):
    """The files of 20-digit names in the folders, as [(first offset, bytes)], which must join up."""
    found = sorted((int(path.name), path) for folder in folders if folder.is_dir()
                   for path in folder.iterdir() if path.is_file())
    result, end = [], None
    for first, path in found:
        if len(path.name) != 20:
            raise Fault(f"{path}: not a name of 20 digits")
        if end is not None and first != end:
            raise Fault(f"{path}: begins at {first}, the file before it ends at {end}")
        data = _map(path)
        result.append((first, data))
        end = first + len(data)
    return result


def read_record(data, start, at):
    """The record that stands at start of the bytes, at of the log; None where none does."""
    if start + 8 > len(data):
        return None
    size, magic = struct.unpack_from(">II", data, start)
    if magic not in (MAGIC_V1, MAGIC_V2) or start + size > len(data):
        return None
    raw = data[start:start + size]
    body_crc, queue, _, queue_offset, physical, sys_flag = struct.unpack_from(">iiiqqi", raw, 8)
    try:
        here = 48
        born_host, here = _host(raw, here, sys_flag & BORN_V6)
        (store_ms,) = struct.unpack_from(">q", raw, here)
        store_host, here = _host(raw, here + 8, sys_flag & STORE_V6)
        (body_size,) = struct.unpack_from(">i", raw, here + 12)
        here += 16
        body, here = raw[here:here + body_size], here + body_size
        topic_size, width = (raw[here], 1) if magic == MAGIC_V1 else \
            (struct.unpack_from(">h", raw, here)[0], 2)
        topic, here = raw[here + width:here + width + topic_size].decode(), here + width + topic_size
        (properties_size,) = struct.unpack_from(">h", raw, here)
        properties = raw[here + 2:here + 2 + properties_size]
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    if here + 2 + properties_size != size or (body and crc(body) != body_crc):
        return None
    return Record(at, size, magic, queue, queue_offset, physical, sys_flag, born_host, store_ms,
                  store_host, topic, properties, bytes(body), hashlib.md5(raw).hexdigest(), _checksum(raw, properties))


def _checksum(raw, properties):
    """Whether the checksum of the whole record, which may be its last property, is right."""
    tail = properties[-CRC_BYTES:]
    if not tail.startswith(CRC_NAME):
        return True
    return int(tail[len(CRC_NAME):-1][::-1]) == crc(raw[:-CRC_BYTES])


def _host(raw, here, is_v6):
    end = here + (20 if is_v6 else 8)
    return raw[here:end], end


def read_log(folders):
    """All records, up to the first place where none stands; returns them and that place."""
    files = segments(folders)
    records, at = [], files[0][0] if files else 0
    for first, data in files:
        if at < first:
            raise Fault(f"no record at {at}, but files behind it: {first}")
        while at < first + len(data):
            start = at - first
            if start + 8 > len(data):
                return records, at
            if struct.unpack_from(">I", data, start + 4)[0] == MAGIC_BLANK \
                    and struct.unpack_from(">I", data, start)[0] == len(data) - start:
                at = first + len(data)
                break
            record = read_record(data, start, at)
            if record is None:
                return records, at
            records.append(record)
            at += record.size
    return records, at


def delays(text):
    """messageDelayLevel as a list of milliseconds."""
    return [int(word[:-1]) * UNITS[word[-1]] for word in text.split()]


def tags_code(record, levels):
    """What a queue's entry says of the record's tags."""
    level = record.value("DELAY")
    if record.topic == DELAY_TOPIC and level and int(level) > 0:
        return record.store_ms + levels[min(int(level), len(levels)) - 1]
    tags = record.value("TAGS")
    return java_hash(tags) if tags else 0


class Store:
    """One store's files, read at one moment while nobody writes."""

    def __init__(self, root, folders=None, levels=""):
        self.root = Path(root)
        self.levels = delays(levels) if levels else []
        self.records, self.end = read_log([Path(f) for f in folders or [self.root / "commitlog"]])
        self.faults = []

    def check(self, index=True):
        """Everything that does not fit together, as sentences."""
        self._records()
        self._queues(self._wanted())
        if index:
            self._index()
        return self.faults

    def _records(self):
        for record in self.records:
            if record.physical != record.at:
                self.faults.append(f"the record at {record.at} says that it is at {record.physical}")
            if not record.checksum:
                self.faults.append(f"the record at {record.at}: its checksum is not that of its bytes")

    def _wanted(self):
        """{(topic, queue): {offset: entry}} as the log has it; batches under "batch"."""
        wanted = defaultdict(dict)
        for record in self.records:
            if not record.is_queued:
                continue
            if record.value("INNER_NUM"):
                continue
            entry = (record.at, record.size, tags_code(record, self.levels))
            wanted[record.topic, record.queue][record.queue_offset] = entry
            names = record.value("INNER_MULTI_DISPATCH")
            offsets = record.value("INNER_MULTI_QUEUE_OFFSET")
            if names and offsets:
                for name, offset in zip(names.split(","), offsets.split(",")):
                    queue = 0 if name.startswith("%LMQ%") else record.queue
                    wanted[name, queue][int(offset)] = entry
        return wanted

    def _queues(self, wanted):
        for (topic, queue), entries in wanted.items():
            if (self.root / "batchconsumequeue" / topic / str(queue)).is_dir():
                continue
            try:
                self._queue(topic, queue, entries)
            except Fault as fault:
                self.faults.append(str(fault))

    def _queue(self, topic, queue, entries):
        files = segments([self.root / "consumequeue" / topic / str(queue)])
        name = f"{topic}-{queue}"
        for offset, wanted in entries.items():
            got = queue_unit(files, offset)
            if got and got[2] <= EXT_ABOVE:
                got = (got[0], got[1], self._ext_tags(topic, queue, got[2]))
            if got != wanted:
                self.faults.append(f"{name} at {offset}: the log wants {wanted}, the queue has {got}")
                return
        behind = queue_unit(files, max(entries) + 1)
        if behind and behind[1] > 0:
            self.faults.append(f"{name}: an entry {behind} behind the last, {max(entries)}")

    def _ext_tags(self, topic, queue, address):
        at = address + (1 << 63)
        for first, data in segments([self.root / "consumequeue_ext" / topic / str(queue)]):
            if first <= at < first + len(data):
                return EXT_HEAD.unpack_from(data, at - first)[1]
        return None

    def _index(self):
        known = set()
        for path in sorted((self.root / "index").glob("*")):
            known |= set(index_items(path))
        for record in self.records:
            if record.sys_flag & TRANSACTION == ROLLBACK:
                continue
            for key in record.keys():
                if (index_hash(record.topic, key), record.at) not in known:
                    self.faults.append(f"the index lacks {record.topic}#{key}, at {record.at}")


def queue_unit(files, offset):
    """One entry of a ConsumeQueue, None where its files do not reach."""
    at = offset * QUEUE_UNIT.size
    for first, data in files:
        if first <= at < first + len(data):
            return QUEUE_UNIT.unpack_from(data, at - first)
    return None


def index_hash(topic, key):
    """The hash of a key in an IndexFile."""
    value = abs(java_hash(f"{topic}#{key}"))
    return 0 if value == 1 << 31 else value


def index_items(path):
    """(hash, log offset) of each item, walked through the chains of an IndexFile."""
    data = _map(path)
    *_, count = INDEX_HEAD.unpack_from(data, 0)
    slots = _slot_count(path, data, count)
    for slot in range(slots):
        (item,) = struct.unpack_from(">i", data, INDEX_HEAD.size + 4 * slot)
        while 0 < item < max(count, 1):
            value, offset, _, before = INDEX_ITEM.unpack_from(
                data, INDEX_HEAD.size + 4 * slots + INDEX_ITEM.size * item)
            if value % slots != slot:
                raise Fault(f"{path}: item {item} is in the chain of slot {slot}")
            yield value, offset
            item = before if before < item else 0


def _slot_count(path, data, count):
    """A file does not say how many slots it has: maxIndexNum is a multiple of them here."""
    for per_slot in (4, 2, 1, 3, 5):
        slots, rest = divmod(len(data) - INDEX_HEAD.size, 4 + INDEX_ITEM.size * per_slot)
        if rest == 0 and slots * per_slot >= count - 1:
            return slots
    raise Fault(f"{path}: {len(data)} bytes are no number of slots and items")


def compare(before, after):
    """Whether what stood in a log is there still, byte for byte: sentences of what is not."""
    if len(after) < len(before):
        yield f"{len(before)} records before, {len(after)} after"
    for was, now in zip(before, after):
        if (was.at, was.digest) != (now.at, now.digest):
            yield f"the record at {was.at} ({was.topic}) changed: {now}"
            return


def main():
    """Checks the store that the command line names."""
    root, *folders = sys.argv[1:]
    store = Store(root, folders)
    faults = store.check()
    topics = defaultdict(int)
    for record in store.records:
        topics[record.topic] += 1
    print(f"{len(store.records)} records up to {store.end}")
    for topic, count in sorted(topics.items()):
        print(f"{count:9d} {topic}")
    print(*faults[:FAULTS_SHOWN], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
