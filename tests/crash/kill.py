#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a broker under load at random moments, starts it again and reads everything: nothing that
was acknowledged is lost, nothing is invented or altered, offsets are dense, each connection's order
is kept in each queue, and what a consumer has seen stays.

    kill.py FOLDER-OF-PROGRAMS [--rounds N] [--flush SYNC_FLUSH|ASYNC_FLUSH] [--seed N]
            [--storage mmap|io_uring|both]

With --storage both each start takes one engine or the other, over the same files.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

from broker import (SEND, SUCCESS, Broker, Failure, Pipe, batch_of, body_of, name_of,
                    pull, read_from, send_fields)

TOPICS, QUEUES, WRITERS, WINDOW = 3, 4, 4, 24
EPOCHS = 1, 1, 2, 5, 50  # after so many rounds a new store is begun
MOMENTS = 0.02, 0.1, 0.4  # seconds of load at most
AGAIN = 20  # messages before the last known end that are read once more each time


class Ledger:
    """What was sent, acknowledged, seen and found. The writers add to lists of their own."""

    def __init__(self):
        self.sent = {}  # name: (topic, queue)
        self.acked = {}  # name: queue offset
        self.seen = []  # (topic, queue, offset, name) by consumers, of this round
        self.found = {(f"Crash{t}", q): [] for t in range(TOPICS) for q in range(QUEUES)}
        self.places = {}  # name: where it was found
        self.order = {}  # (writer, topic, queue): the last one's number

    def take(self, place, offset, name):
        """A message that was found behind all that was known of its queue."""
        topic, queue = place
        if name not in self.sent:
            raise Failure(f"{topic}-{queue} {offset}: {name} was never sent")
        if self.sent[name] != place:
            raise Failure(f"{name} was sent to {self.sent[name]} and is in {place}")
        if name in self.places:
            raise Failure(f"{name} is there twice: {self.places[name]}, {topic}-{queue} {offset}")
        writer, number = name.rsplit(".", 1)
        before = self.order.get((writer, *place), -1)
        if int(number) <= before:
            raise Failure(f"{topic}-{queue} {offset}: {name} stands behind number {before}")
        self.order[(writer, *place)] = int(number)
        self.places[name] = (topic, queue, offset)
        self.found[place].append(name)


class Writer(threading.Thread):
    """A connection that sends until it breaks."""

    def __init__(self, port, label, dice):
        super().__init__(daemon=True)
        self.port, self.label, self.dice = port, label, dice
        self.number = 0
        self.sent, self.acked, self.refused, self.error = {}, {}, 0, None

    def run(self):
        try:
            with Pipe(self.port) as pipe:
                self.send_all(pipe)
        except OSError:
            pass  # killed
        except Exception as error:  # told by the main thread
            self.error = error

    def send_all(self, pipe):
        open_ = {}
        while True:
            while len(open_) < WINDOW:
                names, place, body = self.next()
                for name in names:
                    self.sent[name] = place
                open_[pipe.ask(SEND, body, send_fields(*place, len(names) > 1))] = names
            header, _ = pipe.answer()
            names = open_.pop(header["opaque"])
            if header["code"] != SUCCESS:
                self.refused += 1
                continue
            offset = int(header["extFields"]["queueOffset"])
            for i, name in enumerate(names):
                self.acked[name] = offset + i

    def next(self):
        place = (f"Crash{self.dice.randrange(TOPICS)}", self.dice.randrange(QUEUES))
        count = self.dice.randrange(2, 6) if self.dice.random() < 0.1 else 1
        names = [f"{self.label}.{self.number + i}" for i in range(count)]
        self.number += count
        bodies = [body_of(name) for name in names]
        return names, place, batch_of(bodies) if count > 1 else bodies[0]


class Reader(threading.Thread):
    """A consumer that reads behind what was known when the round began."""

    def __init__(self, port, known, dice):
        super().__init__(daemon=True)
        self.port, self.known, self.dice = port, known, dice
        self.seen, self.error = [], None

    def run(self):
        try:
            with Pipe(self.port) as pipe:
                while True:
                    place = self.dice.choice(list(self.known))
                    _, following, messages = pull(pipe, *place, self.known[place])
                    for offset, _, body in messages:
                        self.seen.append((*place, offset, name_of(body)))
                    if messages:
                        self.known[place] = following
                    else:
                        time.sleep(0.002)
        except OSError:
            pass  # killed
        except Exception as error:  # told by the main thread
            self.error = error


def check(broker, ledger, whole):
    """Reads what the broker has and compares."""
    with Pipe(broker.port) as pipe:
        for place, found in ledger.found.items():
            start = 0 if whole else max(0, len(found) - AGAIN)
            at = start
            for offset, _, body in read_from(pipe, *place, start):
                if offset != at:
                    raise Failure(f"{place}: offset {offset} follows {at - 1}")
                name = name_of(body)
                if at >= len(found):
                    ledger.take(place, offset, name)
                elif found[at] != name:
                    raise Failure(f"{place} {at}: it was {found[at]}, and is {name}")
                at += 1
            if at < len(found):
                raise Failure(f"{place} ends at {at}: {len(found)} messages were there")
    for name, offset in ledger.acked.items():
        if ledger.places.get(name) != (*ledger.sent[name], offset):
            raise Failure(f"{name} was acknowledged at {ledger.sent[name]} {offset}, and is "
                          f"{ledger.places.get(name, 'lost')}")
    for topic, queue, offset, name in ledger.seen:
        if ledger.places.get(name) != (topic, queue, offset):
            raise Failure(f"a consumer saw {name} at {topic}-{queue} {offset}; now it is "
                          f"{ledger.places.get(name, 'lost')}")
    ledger.acked.clear()
    ledger.seen.clear()


def load(broker, ledger, label, dice):
    """Sends and reads until the broker is killed; returns (sent, acknowledged, refused)."""
    known = {place: len(found) for place, found in ledger.found.items()}
    writers = [Writer(broker.port, f"{label}.{i}", random.Random(dice.random()))
               for i in range(WRITERS)]
    reader = Reader(broker.port, known, random.Random(dice.random()))
    for thread in [*writers, reader]:
        thread.start()
    time.sleep(dice.uniform(0.004, dice.choice(MOMENTS)))  # the moment of the kill is what the dice are for
    broker.kill()
    for thread in [*writers, reader]:
        thread.join(60)
        if thread.is_alive() or thread.error:
            raise Failure(f"a client did not end: {thread.error}")
    for writer in writers:
        ledger.sent.update(writer.sent)
        ledger.acked.update(writer.acked)
    ledger.seen += reader.seen
    return [sum(values) for values in zip(*((len(w.sent), len(w.acked), w.refused)
                                            for w in writers))]


def start(broker, engines, dice):
    """Starts it; now and then it is killed while it starts, too."""
    kills = 0
    while dice.random() < 0.2:
        broker.properties["storageBackend"] = dice.choice(engines)
        broker.spawn()
        time.sleep(dice.uniform(0, 0.15))
        broker.kill()
        kills += 1
    broker.properties["storageBackend"] = dice.choice(engines)
    broker.start()
    return kills


def run_epoch(binaries, flush, engines, first, rounds, dice, quiet):
    """A store's life; returns the sums of load()."""
    ledger, total, starts = Ledger(), [0, 0, 0], 0
    with tempfile.TemporaryDirectory(prefix="gantry-kill-") as home:
        broker = Broker(binaries, home, flushDiskType=flush)
        try:
            for number in range(first, first + rounds):
                starts += start(broker, engines, dice)
                if number > first:
                    check(broker, ledger, False)
                counts = load(broker, ledger, str(number), dice)
                total = [a + b for a, b in zip(total, counts)]
                if not quiet:
                    print(f"round {number}: {counts[0]} sent, {counts[1]} acknowledged, "
                          f"{counts[2]} refused", flush=True)
            broker.start()
            check(broker, ledger, True)
            found = sum(map(len, ledger.found.values()))
            print(f"rounds {first} to {first + rounds - 1}: {total[0]} sent, {total[1]} "
                  f"acknowledged, {total[2]} requests refused, {found} found and whole; killed "
                  f"{rounds} times under load, {starts} times while starting", flush=True)
            if broker.stop() != 0:
                raise Failure(f"the last stop was not clean:\n{broker.said()}")
        except Failure as failure:
            broker.kill()
            raise Failure(f"round {number}: {failure}\n{broker.said()}") from failure
        finally:
            broker.kill()
    return [*total, found, starts]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--flush", default="SYNC_FLUSH", choices=["SYNC_FLUSH", "ASYNC_FLUSH"])
    parser.add_argument("--storage", default="mmap", choices=["mmap", "io_uring", "both"])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--quiet", action="store_true")
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    engines = ["mmap", "io_uring"] if arguments.storage == "both" else [arguments.storage]
    began, sums = time.monotonic(), [0] * 5
    print(f"{arguments.rounds} rounds under {arguments.flush} on {arguments.storage}, seed {arguments.seed}", flush=True)
    first = 0
    while first < arguments.rounds:
        rounds = min(dice.choice(EPOCHS), arguments.rounds - first)
        epoch = run_epoch(arguments.binaries, arguments.flush, engines, first, rounds, dice,
                          arguments.quiet)
        first += rounds
        sums = [a + b for a, b in zip(sums, epoch)]
    print(f"{arguments.rounds} rounds in {time.monotonic() - began:.0f} s: {sums[0]} sent, "
          f"{sums[1]} acknowledged, none of them lost; {sums[3]} found, none invented or altered; "
          f"{sums[4]} kills while starting")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"kill.py: {failure}")
