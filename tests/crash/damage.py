#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts a broker on a store in which one file is damaged: a flipped bit, a missing end, noise. It
says which file and where, serves nothing that was not sent, and takes new messages; or it does not
start and says why.

    damage.py FOLDER-OF-PROGRAMS [--only WORD] [--seed N]
"""

import argparse
import random
import re
import shutil
import struct
import sys
import tempfile
import time
from pathlib import Path

from broker import (CREATE_TOPIC, SEND, SUCCESS, Broker, Failure, Pipe, body_of, name_of,
                    read_from, send_fields)

PLACES = [(f"Damage{topic}", queue) for topic in range(2) for queue in range(2)]
SENT = 240
PROPERTIES = {"flushDiskType": "SYNC_FLUSH", "mappedFileSizeCommitLog": 1 << 16,
              "mappedFileSizeConsumeQueue": 20 * 25}


def wait_until_written(path, topic):
    """Until a topic is in topics.json, so that one which is made later finds it in the .bak."""
    deadline = time.monotonic() + 60
    while not path.exists() or topic not in path.read_text():
        if time.monotonic() > deadline:
            raise Failure(f"{topic} does not come into {path}")
        time.sleep(0.01)


def make_store(binaries, home, kill):
    """A store with some messages; returns where each name is."""
    broker = Broker(binaries, home, **PROPERTIES)
    places = {}
    try:
        broker.start()
        with Pipe(broker.port) as pipe:
            for topic in dict(PLACES):
                pipe.call(CREATE_TOPIC, topic=topic, readQueueNums=2, writeQueueNums=2, perm=6,
                          topicFilterType="SINGLE_TAG", order="false", defaultTopic="TBW102")
                wait_until_written(broker.store / "config/topics.json", topic)
            for number in range(SENT):
                place = PLACES[number % len(PLACES)]
                fields = {**send_fields(*place), "properties": f"KEYS\x01k{number}\x02"}
                header, _ = pipe.call(SEND, body_of(str(number)), **fields)
                if header["code"] != SUCCESS:
                    raise Failure(f"not sent: {header}")
                places[str(number)] = (*place, int(header["extFields"]["queueOffset"]))
        if not kill and broker.stop():
            raise Failure("the stop was not clean")
    finally:
        broker.kill()
    return places


# ---- damages: each returns words that the log must have, or None when it need not say anything

def flip(path, at, bit=0x10):
    """One bit."""
    data = bytearray(path.read_bytes())
    data[at] ^= bit
    path.write_bytes(data)


def cut(path, size):
    """The end is missing."""
    with open(path, "r+b") as file:
        file.truncate(size)


def log_files(store):
    return sorted((store / "commitlog").iterdir())


def offsets_of(store):
    """The log offset and the size of each record, and where its body stands."""
    found = []
    for path in log_files(store):
        data, at = path.read_bytes(), 0
        while at + 8 <= len(data):
            size, magic = struct.unpack_from(">Ii", data, at)
            if size < 91 or magic == -875286124:
                break
            found.append((int(path.name) + at, size, path, at))
            at += size
    return found


def in_record(which, field):
    """Flips a bit of a record: the which-th from the end."""

    def damage(store, dice):
        start, size, path, at = offsets_of(store)[which]
        inside = {"size": 2, "magic": 5, "crc": 9, "queue": 15, "queue offset": 27,
                  "body": 88 + dice.randrange(4), "sysflag": 39}[field]
        flip(path, at + inside)
        return [str(start)]

    return damage


def of_queue(name, at, bit=0x10):
    """Flips a bit of the first queue's file."""

    def damage(store, _):
        flip(store / "consumequeue/Damage0/0" / name, at, bit)
        return ["Damage0"]

    return damage


def truncated(pattern, size):
    def damage(store, _):
        path = sorted(store.glob(pattern))[-1]
        cut(path, size)
        return [str(path.relative_to(store))]

    return damage


def noise(pattern, size, told=True):
    """The file has other bytes altogether."""

    def damage(store, dice):
        path = sorted(store.glob(pattern))[-1]
        path.write_bytes(dice.randbytes(size))
        return [str(path.relative_to(store))] if told else []

    return damage


def text(pattern, change, both=False):
    """Changes a json file, and perhaps its .bak."""

    def damage(store, _):
        path = store / pattern
        path.write_bytes(change(path.read_bytes()))
        backup = path.with_name(path.name + ".bak")
        if both and backup.exists():
            backup.write_bytes(change(backup.read_bytes()))
        return [path.name]

    return damage


FIRST, SECOND = "00000000000000000000", "00000000000000000500"
# name: damage; after a kill or a clean stop; whether everything must be served
CASES = {
    "log: size of the last record": (in_record(-1, "size"), "both", False),
    "log: magic of the last record": (in_record(-1, "magic"), "both", False),
    "log: body of the last record": (in_record(-1, "body"), "both", False),
    "log: crc of the last record": (in_record(-1, "crc"), "both", False),
    "log: body in what is checked": (in_record(-30, "body"), "kill", False),
    "log: magic in what is checked": (in_record(-30, "magic"), "kill", False),
    "log: size, long ago": (in_record(20, "size"), "stop", False),
    "log: magic, long ago": (in_record(20, "magic"), "stop", False),
    "log: body, long ago": (in_record(20, "body"), "stop", False),
    "log: crc, long ago": (in_record(20, "crc"), "stop", False),
    "log: shorter file": (truncated("commitlog/*", 4096), "both", True),
    "log: empty last file": (truncated("commitlog/*", 0), "both", False),
    "queue: offset": (of_queue(FIRST, 20 * 7 + 5), "stop", False),
    "queue: high offset": (of_queue(FIRST, 20 * 7, 0x40), "stop", False),
    "queue: size": (of_queue(FIRST, 20 * 7 + 11), "stop", False),
    "queue: high size": (of_queue(FIRST, 20 * 7 + 8, 0x40), "stop", False),
    "queue: last entry's offset": (of_queue(SECOND, 20 * 24 + 6), "stop", False),
    "queue: shorter file": (truncated("consumequeue/Damage0/0/*", 100), "stop", False),
    "queue: noise": (noise("consumequeue/Damage0/0/*", 500), "stop", True),
    "checkpoint: noise": (noise("checkpoint", 4096), "both", True),
    "checkpoint: shorter": (truncated("checkpoint", 30), "both", True),
    "checkpoint: a bit": (lambda store, _: flip(store / "checkpoint", 0, 0x40), "both", True),
    "checkpoint: confirmed offset": (lambda store, _: flip(store / "checkpoint", 37), "both", True),
    # what it leads to is compared with the key that was asked for
    "index: noise": (noise("index/*", 500 * 4 + 2000 * 20 + 40, False), "stop", True),
    "index: shorter file": (truncated("index/*", 1000), "stop", True),
    # the .bak does not know the topic that was made last
    "topics: half": (text("config/topics.json", lambda data: data[:len(data) // 2]), "stop", False),
    "topics: noise": (text("config/topics.json", lambda data: b"\xff\x00" * 50), "stop", False),
    "topics: both": (text("config/topics.json", lambda data: data[:len(data) // 2], True), "stop",
                     True),
    "topics: empty": (text("config/topics.json", lambda data: b""), "stop", False),
}


class Trial:
    """One damage."""

    def __init__(self, binaries, home, places):
        self.places = places
        self.broker = Broker(binaries, home, **PROPERTIES)
        self.notes = []

    def read(self):
        """Every message that is served is one that was sent; returns how many."""
        count = 0
        with Pipe(self.broker.port) as pipe:
            for place in PLACES:
                last = -1
                for offset, _, body in read_from(pipe, *place, 0):
                    name = name_of(body)
                    if self.places.get(name) != (*place, offset):
                        raise Failure(f"{name} of {self.places.get(name)} is served as {place} "
                                      f"{offset}")
                    if offset <= last:
                        raise Failure(f"{place}: {offset} after {last}")
                    last = offset
                    count += 1
        return count

    def send(self):
        """New messages are taken, or refused in the damaged place, and are read."""
        with Pipe(self.broker.port) as pipe:
            for i, place in enumerate(PLACES):
                header, _ = pipe.call(SEND, body_of(f"new{i}"), **send_fields(*place))
                if header["code"] == SUCCESS:
                    key = (*place, int(header["extFields"]["queueOffset"]))
                    self.places = {name: where for name, where in self.places.items()
                                   if where != key}  # it was lost
                    self.places[f"new{i}"] = key
                else:
                    self.notes.append(f"{place} refuses: {header.get('remark', '')[:60]}")

    def run(self, words, whole):
        try:
            self.broker.start()
        except Failure:
            code = self.broker.process.poll()
            if code is None or code < 0:
                raise
            self.notes.append("does not start")
        else:
            count = self.read()
            self.notes.append(f"serves {count}")
            if whole and count != SENT:
                raise Failure(f"{count} of {SENT} are served")
            self.send()
            self.read()
            self.broker.stop()
        said = "\n".join(line for line in self.broker.said().split("\n")
                         if re.search(" (error|warning) ", line))
        for word in words or []:
            if word not in said:
                raise Failure(f"{'; '.join(self.notes)}; the log does not name {word}: {said}")


# ---- a message that no read shows whole

def add_long_record(store, size, body):
    """Behind the only message: the beginning of one that says it has that size and that body.
    Returns the file and the place."""
    head, (path,) = 88, log_files(store)
    data = path.read_bytes()
    end = struct.unpack_from(">i", data)[0]
    record = bytearray(data[:head])
    struct.pack_into(">i", record, 0, size)
    struct.pack_into(">q", record, 28, end)
    struct.pack_into(">i", record, head - 4, body)
    with open(path, "r+b") as file:
        file.seek(end)
        file.write(record)
    return path, end


def try_too_long(binaries, home):
    """The start that meets one refuses, and leaves the store as it is; with a length that is noise
    it is not met."""
    place, size = PLACES[0], 20 << 20
    broker = Broker(binaries, home, **{**PROPERTIES, "mappedFileSizeCommitLog": 32 << 20})
    try:
        broker.start()
        with Pipe(broker.port) as pipe:
            header, _ = pipe.call(SEND, body_of("0"), **send_fields(*place))
            if header["code"] != SUCCESS:
                raise Failure(f"not sent: {header}")
        broker.stop()
        path, end = add_long_record(broker.store, size, size - 200)
        before = path.read_bytes()
        try:
            broker.start()
        except Failure:
            pass
        else:
            raise Failure("a store with a message that cannot be read is taken")
        if f"the message at log offset {end} has {size} bytes" not in broker.said():
            raise Failure(f"the log does not say which message is too long: {broker.said()}")
        if path.read_bytes() != before:
            raise Failure("the refused store was changed")
        add_long_record(broker.store, size, 5)
        broker.start()
        with Pipe(broker.port) as pipe:
            served = [name_of(body) for _, _, body in read_from(pipe, *place, 0)]
        if served != ["0"]:
            raise Failure(f"{served} is served")
    finally:
        broker.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--go-on", action="store_true", help="after a failure")
    arguments = parser.parse_args()
    dice, failures = random.Random(arguments.seed), 0
    with tempfile.TemporaryDirectory(prefix="gantry-damage-") as folder:
        stores = {}
        for ended in ("kill", "stop"):
            home = Path(folder) / ended
            home.mkdir()
            stores[ended] = (home / "store", make_store(arguments.binaries, home, ended == "kill"))
        for name, (damage, when, whole) in CASES.items():
            for ended in ("kill", "stop"):
                if when not in (ended, "both") or arguments.only not in name:
                    continue
                home = Path(folder) / "trial"
                home.mkdir()
                shutil.copytree(stores[ended][0], home / "store")
                words = damage(home / "store", dice)
                trial = Trial(arguments.binaries, home, stores[ended][1])
                try:
                    trial.run(words, whole)
                    print(f"{name}, after a {ended}: {'; '.join(trial.notes)}", flush=True)
                except (Failure, OSError) as failure:
                    failures += 1
                    print(f"FAILED: {name}, after a {ended}: {failure}", flush=True)
                    if not arguments.go_on:
                        raise Failure(f"{name}: {trial.broker.said()}") from failure
                finally:
                    trial.broker.kill()
                    shutil.rmtree(home)
        if arguments.only in "log: too long":
            home = Path(folder) / "long"
            home.mkdir()
            try_too_long(arguments.binaries, home)
            print("log: too long: is refused", flush=True)
    if failures:
        raise Failure(f"{failures} failed")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"damage.py: {failure}")
