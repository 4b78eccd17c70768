#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Java clients of one consumer group join, leave and are killed while messages come; each is a
process, and one is an older client than the others.

    java_group.py                       against the newest build/*/bin/gantryd
    java_group.py --against java        against the Java broker, which must hold to the same
    java_group.py --bin DIR --keep      with DIR/gantryd; keeps files and logs

Must be so: every message that was acknowledged is taken; one is taken again only if its first taker
had no time to tell the broker before the group changed; once the group is calm, each is taken once.
Exit codes are those of run.py.
"""

import argparse
import itertools
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from harness import servers
from harness.broker import CREATE_TOPIC, MAX_OFFSET, QUERY_OFFSET, SEND, Broker
from harness.cache import CLIENT_VERSIONS, Cache, Unavailable, required
from harness.clients import program
from harness.peer import Peer
from harness.process import Failure, Process, wait_until
from run import EXIT_FAILED, EXIT_NOTHING_RAN, newest_build

TOPIC = "java-group"
GROUP = f"{TOPIC}-member"
QUEUES = 8
YOUNG, OLD = (f"java-{version}" for version in CLIENT_VERSIONS)
MEMBERS = 38  # GET_CONSUMER_LIST_BY_GROUP
PERSIST_MS = 1000  # how often a member tells how far it is
# How long before a change a message may have been taken and still come again: members tell after
# PERSIST_MS, a killed one not at all, and an offset cannot pass a message that is still worked on.
UNTOLD_MS = PERSIST_MS + 3000
# A message that was on its way to its member when the group changed; clocks are one.
AFTER_MS = 5000
RATE = 500  # messages a second
CALM = 1000  # messages after the last change
SECONDS = 60


class Member:
    """A process that is in the group."""

    _serial = itertools.count(1)

    def __init__(self, site, namesrv, client):
        self.name = f"{client}-{next(self._serial)}"
        home = site.home(self.name)
        command, environment = program(site.cache, client)
        self.file = home / "taken"
        self._until = home / "until"
        words = ["member", f"namesrv={namesrv.address}", f"topic={TOPIC}", f"to={self.file}",
                 f"until={self._until}", f"persist={PERSIST_MS}"]
        command = [word.replace("{home}", str(home)) for word in command] + words
        self._process = Process(self.name, command, home / "log", cwd=home,
                                env=dict(os.environ, HOME=str(home), **environment))

    def taken(self):
        """What it took, in order: (body, time in ms)."""
        text = self.file.read_text() if self.file.exists() else ""
        lines = text[:text.rfind("\n") + 1].splitlines()  # the last may be cut by a kill
        return [(body, int(when)) for body, when in (line.split(" ") for line in lines)]

    def must_run(self):
        """Raises when it has ended by itself."""
        self._process.must_run()

    def leave(self):
        """Leaves the group as a client that is shut down does."""
        self._until.touch()
        wait_until(lambda: not self._process.is_running(), f"{self.name} to end", SECONDS)
        if self._process.child.returncode:
            raise Failure(f"{self.name} ended with {self._process.child.returncode}")

    def kill(self):
        """Ends it as a crash does."""
        self._process.child.kill()
        self._process.child.wait()


class Load(threading.Thread):
    """Sends numbered messages to all queues in turn, at a rate, until it is stopped."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self._peer = Peer(address)
        self._ended = threading.Event()
        self.acknowledged = []
        self.error = None

    def run(self):
        start = time.monotonic()
        try:
            for number in itertools.count():
                if self._ended.wait(max(0, start + number / RATE - time.monotonic())):
                    return
                self.send(f"m{number}", number % QUEUES)
        except (OSError, ConnectionError, Failure) as error:
            self.error = error

    def send(self, body, queue):
        """One message; it is acknowledged when this returns."""
        answer = self._peer.ask(SEND, Broker.send_fields(TOPIC, queue), body.encode())
        if answer["code"] != 0:
            raise Failure(f"a send was answered {answer['code']}: {answer.get('remark')}")
        self.acknowledged.append(body)

    def end(self):
        """Stops sending."""
        self._ended.set()
        self.join(SECONDS)
        if self.error:
            raise Failure(f"the load ended by itself: {self.error!r}")


class Trial:
    """One run: the group, what happened to it, and what must be true of it."""

    def __init__(self, site, namesrv, address):
        self._site = site
        self._namesrv = namesrv
        self._peer = Peer(address)
        self.load = Load(address)
        self.members, self.gone, self.changes = [], [], []

    def run(self):
        """Everything, in order; raises Failure for what must not be."""
        self._make_topic()
        for client in (YOUNG, YOUNG, OLD):
            self.join(client)
        self.load.start()
        self._progress()
        self.kill(self.members[0])
        self._progress()
        self.join(YOUNG)
        self._progress()
        self.leave(self.members[0])
        self._progress()
        self.kill(next(member for member in self.members if member.name.startswith(OLD)))
        self.join(OLD)
        self._progress()
        self.leave(self.members[-1])
        self.join(YOUNG)
        self._progress()
        self.load.end()
        self._everything_is_taken()
        self._is_calm()
        self._repeats_are_explained()
        for member in list(self.members):
            self.leave(member)

    def _make_topic(self):
        answer = self._peer.ask(CREATE_TOPIC, {
            "topic": TOPIC, "defaultTopic": "TBW102", "readQueueNums": QUEUES,
            "writeQueueNums": QUEUES, "perm": 6, "topicFilterType": "SINGLE_TAG",
            "topicSysFlag": 0, "order": "false"})
        assert answer["code"] == 0, answer

    # ---- changes of the group

    def _changed(self):
        self.changes.append(time.time() * 1000)

    def join(self, client):
        """A new member, until the broker knows it."""
        self._changed()
        self.members.append(Member(self._site, self._namesrv, client))
        self._wait_for_members()
        self._changed()

    def leave(self, member):
        """A member goes in order."""
        self._changed()
        member.leave()
        self._goes(member)

    def kill(self, member):
        """A member dies."""
        self._changed()
        member.kill()
        self._goes(member)

    def _goes(self, member):
        self.members.remove(member)
        self.gone.append(member)
        self._wait_for_members()
        self._changed()

    def _wait_for_members(self):
        def known():
            for member in self.members:
                member.must_run()
            body = self._peer.ask(MEMBERS, {"consumerGroup": GROUP})["body"].decode()
            return body.count("@") == len(self.members)

        wait_until(known, f"{len(self.members)} members of the group", SECONDS)

    # ---- what was taken

    def _taken(self):
        """All that was taken, by body: [(time, member)], the first taker first."""
        all_of = {}
        for member in self.gone + self.members:
            for body, when in member.taken():
                all_of.setdefault(body, []).append((when, member.name))
        for takers in all_of.values():
            takers.sort()
        return all_of

    def _progress(self):
        """Each member has taken something since."""
        counts = {member.name: len(member.taken()) for member in self.members}
        until = len(self.load.acknowledged) + RATE  # and there was time to

        def moved():
            if self.load.error:
                raise Failure(f"the load ended by itself: {self.load.error!r}")
            return (len(self.load.acknowledged) > until and
                    all(len(member.taken()) > counts[member.name] for member in self.members))

        wait_until(moved, "every member to take messages", SECONDS)

    def _offsets(self, code, fields):
        answers = [self._peer.ask(code, {"topic": TOPIC, "queueId": queue, **fields})
                   for queue in range(QUEUES)]
        return [int(answer["extFields"]["offset"]) if answer["code"] == 0 else -1
                for answer in answers]

    def _everything_is_taken(self):
        sent = set(self.load.acknowledged)
        wait_until(lambda: sent <= set(self._taken()), "every acknowledged message to be taken",
                   SECONDS)
        ends = self._offsets(MAX_OFFSET, {})
        wait_until(lambda: self._offsets(QUERY_OFFSET, {"consumerGroup": GROUP}) == ends,
                   "offsets to reach the end", SECONDS)

    def _is_calm(self):
        for number in range(CALM):
            self.load.send(f"c{number}", number % QUEUES)
        wanted = {f"c{number}" for number in range(CALM)}
        wait_until(lambda: wanted <= set(self._taken()), "the last messages", SECONDS)
        ends = self._offsets(MAX_OFFSET, {})
        wait_until(lambda: self._offsets(QUERY_OFFSET, {"consumerGroup": GROUP}) == ends,
                   "offsets to reach the end", SECONDS)
        again = sorted(body for body, takers in self._taken().items()
                       if body in wanted and len(takers) > 1)
        if again:
            raise Failure(f"{len(again)} messages of a calm group came twice: {again[:5]}")

    def _is_explained(self, first, second):
        return any(first <= change + AFTER_MS and first >= change - UNTOLD_MS and change <= second
                   for change in self.changes)

    def _repeats_are_explained(self):
        taken = self._taken()
        strange = sorted(set(taken) - set(self.load.acknowledged))
        if strange:
            raise Failure(f"messages that nobody sent: {strange[:5]}")
        repeats = odd = 0
        for body, takers in taken.items():
            for (first, one), (second, other) in zip(takers, takers[1:]):
                repeats += 1
                if not self._is_explained(first, second):
                    odd += 1
                    print(f"{body}: {one} at {first:.0f}, {other} at {second:.0f}")
        print(f"{len(taken)} messages, {repeats} taken again, {len(self.changes) // 2} changes")
        if odd:
            raise Failure(f"{odd} messages came again for no reason")


def start(site, against):
    """A name server and a broker; returns the name server and the broker's address."""
    start_namesrv = servers.start_java_namesrv if against == "java" else servers.start_gantry_namesrv
    start_broker = servers.start_java_broker if against == "java" else servers.start_gantry_broker
    namesrv = start_namesrv(site)
    properties = servers.broker_properties(site.home("broker"), site.ports.broker(), namesrv.address)
    start_broker(site, namesrv, "broker", properties)
    return namesrv, f"127.0.0.1:{properties['listenPort']}"


def main():
    """Runs what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", choices=("gantry", "java"), default="gantry")
    parser.add_argument("--bin", type=Path)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    binaries = options.bin or newest_build()
    folder = Path(tempfile.mkdtemp(prefix="gantry-java-group-"))
    site = servers.Site(folder, Cache(), binaries and binaries.resolve())
    trial, code = None, EXIT_FAILED
    try:
        trial = Trial(site, *start(site, options.against))
        trial.run()
        site.must_run()
        code = 0
    except Unavailable as error:
        print(f"skipped: {error}")
        code = EXIT_FAILED if required() else EXIT_NOTHING_RAN
    except (Failure, OSError, RuntimeError) as error:
        print(f"failed: {error}")
    finally:
        for member in trial.members if trial else []:
            member.kill()
        wrong = [f"{name}: {end}" for name, end in site.stop()
                 if options.against == "gantry" and end != "exit code 0"]
        if wrong:
            print(*wrong, sep="\n")
            code = code or EXIT_FAILED
        if options.keep or code not in (0, EXIT_NOTHING_RAN):
            print(f"files and logs: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
