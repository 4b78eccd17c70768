#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Consumers of one group that join, leave and die (SIGKILL) while messages come: none is lost, and
those that come again were under way when somebody joined, left or died.

    churn.py                  Gantry, with Go consumers
    churn.py --against java   the Java broker
    churn.py --bin DIR        with DIR/gantryd
    churn.py --seed N         the same changes again
    churn.py --changes N      more of them

Exit code: 0 good, 1 not, 77 there is nothing to run with.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import servers
from harness.cache import Cache, Unavailable, required
from harness.process import Failure, Process, wait_until

TOPIC = "Churn"
RATE = 500  # messages a second
STEP = 400  # messages between two changes
TAIL = 2400  # messages after the last one
MEMBERS_MAX = 4  # as many as there are queues
GRACE_MS = 2000  # until queues have changed hands


class Group:
    """The members, those that are gone too, and when it changed."""

    def __init__(self, site, program, namesrv, seed):
        self._site, self._program, self._namesrv = site, str(program), namesrv.address
        self._random = random.Random(seed)
        self._made = 0
        self._here = []
        self.changes = []  # (ms, what)

    def join(self):
        """One more."""
        self._made += 1
        name = f"member-{self._made}"
        command = [self._program, "member", f"namesrv={self._namesrv}", f"topic={TOPIC}",
                   f"name={name}"]
        with open(self._heard(self._made), "wb") as heard:
            self._here.append(Process(name, command, self._site.folder / f"{name}.log",
                                      stdin=subprocess.PIPE, stdout=heard))

    def leave(self, member):
        """In order: it says what it has consumed, and goodbye."""
        member.child.stdin.close()
        member.child.wait(30)

    def die(self, member):
        """Without a word."""
        member.child.kill()
        member.child.wait()

    def change(self):
        """Something happens to it."""
        kinds = [self.join] if len(self._here) < MEMBERS_MAX else []
        kinds += [self.leave, self.die] if len(self._here) > 1 else []
        kind = self._random.choice(kinds)
        self.changes.append((time.time() * 1000, kind.__name__))
        if kind == self.join:
            kind()
        else:
            kind(self._here.pop(self._random.randrange(len(self._here))))

    def wait_for(self, count):
        """Until it has handled so many."""

        def enough():
            for member in self._here:
                member.must_run()
            return len(self.heard()) >= count

        wait_until(enough, f"{count} messages after {self.changes[-3:]}")

    def end(self):
        """All go."""
        for member in self._here:
            member.stop()

    def heard(self):
        """When each number was handled: {number: [ms, ...]}."""
        times = {}
        for made in range(1, self._made + 1):
            for line in self._heard(made).read_text().splitlines():
                words = line.split(" ")
                if len(words) == 2:  # the report of one that left is no such line
                    times.setdefault(int(words[1]), []).append(int(words[0]))
        return times

    def _heard(self, made):
        return self._site.folder / f"member-{made}.heard"


def judge(times, count, changes):
    """Sentences about what is wrong; and facts for a reader."""
    missing = [number for number in range(count) if number not in times]
    again = {number: sorted(when) for number, when in times.items() if len(when) > 1}
    late = [number for number, when in again.items() if when[0] > changes[-1][0] + GRACE_MS]
    wrong = [f"{len(missing)} messages are lost, such as {missing[:5]}"] if missing else []
    if late:
        wrong.append(f"{len(late)} messages came again though nothing had changed, such as "
                     f"{[(number, again[number]) for number in late[:3]]}")
    if unknown := [number for number in times if not 0 <= number < count]:
        wrong.append(f"messages that nobody sent: {unknown[:5]}")
    kinds = [kind for _, kind in changes]
    return wrong, f"{count} messages, {len(again)} came again; " + ", ".join(
        f"{kinds.count(kind)} x {kind}" for kind in ("join", "leave", "die"))


def run(site, against, seed, changes):
    """What is wrong."""
    program = site.cache.go_client()
    start_namesrv = servers.start_java_namesrv if against == "java" else servers.start_gantry_namesrv
    start_broker = servers.start_java_broker if against == "java" else servers.start_gantry_broker
    namesrv = start_namesrv(site)
    start_broker(site, namesrv, "broker")
    count = changes * STEP + TAIL
    feeder = Process("feeder", [program, "feed", f"namesrv={namesrv.address}", f"topic={TOPIC}",
                                f"n={count}", f"rate={RATE}"], site.folder / "feeder.log",
                     stdout=subprocess.PIPE)
    group = Group(site, program, namesrv, seed)
    try:
        group.join()
        group.join()
        for number in range(changes):
            group.wait_for((number + 1) * STEP)
            group.change()
        report = json.loads(feeder.child.communicate(timeout=count / RATE + 120)[0])
        group.wait_for(count)
        times = group.heard()  # the end is one more change
        site.must_run()
    finally:
        group.end()
        feeder.stop()
    wrong, facts = judge(times, count, group.changes)
    print(f"seed {seed}: {facts}")
    return report["problems"] + wrong


def main():
    """Runs what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", choices=("gantry", "java"), default="gantry")
    parser.add_argument("--bin", type=Path)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--changes", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gantry-churn-") as folder:
        site = servers.Site(Path(folder), Cache(), options.bin and options.bin.resolve())
        try:
            wrong = run(site, options.against, options.seed, options.changes)
        except Unavailable as error:
            print(f"skipped: {error}")
            return 1 if required() else 77
        except (Failure, OSError, subprocess.TimeoutExpired) as error:
            print(f"seed {options.seed}: failed: {error}")
            return 1
        finally:
            site.stop()
    print("\n".join(wrong) or "nothing lost, nothing repeated without a reason")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
