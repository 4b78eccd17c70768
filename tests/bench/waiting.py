# SPDX-License-Identifier: Apache-2.0
"""The rows about consumers and messages that wait: how each is measured. A row is measured of one
server, or of several by turns, so that what else the machine does meets them alike. Each function
returns {(row, what): value} for each server's name."""

import re
import statistics
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import crowd
import load
from contenders import Failure

IDLE_MEMORY = "private memory and half of the kernel's, MB"
RATE, WAKE_CPU = "wake-ups a second", "CPU a wake-up, us"
TOLD = "until all have been told, ms"
P99 = "p99, us"
DELAYED_MEMORY = "private memory, MB"
PERCENTILES = (("p50, us", "p50"), (P99, "p99"), ("p99.9, us", "p999"))

WARM_ROUNDS = 5
PIPELINE = 256  # sends on their way
DELAY_LEVEL = 18  # two hours
GROUP_MEMBERS = 100  # of those who wait
QUIET_SECONDS = 0.02


@contextmanager
def visit(contender):
    """Starts it with an empty store, sends a first message; gives the crowd with its sender."""
    with ExitStack() as stack:
        stack.callback(contender.stop)
        contender.start()
        people = crowd.Crowd(contender.port)
        stack.callback(people.close)
        people.connect(1)
        _make_topic(contender, people)
        yield people
        contender.process.must_run()


def _make_topic(contender, people):
    """A cold JVM may refuse the first few."""
    deadline, ok = time.monotonic() + 60, []
    while not ok:
        people.all[0].sendall(crowd.send_frame(1))
        people.wait_for(1, 30, lambda data: ok.append(1) or True if b'"code":0' in data else True)
        if time.monotonic() > deadline:
            raise Failure(f"{contender.name}: takes no message")


def memory_mb(pid):
    """(private memory of a process, slab of the kernel)."""
    status = Path(f"/proc/{pid}/status").read_text()
    meminfo = Path("/proc/meminfo").read_text()
    anon = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    slab = next(line for line in meminfo.splitlines() if line.startswith("Slab"))
    return int(anon.split()[1]) * 1024 / 1e6, int(slab.split()[1]) * 1024 / 1e6


def idle(contender, size):
    """Memory that consumers cost while they wait."""
    with visit(contender) as people:
        pid = contender.process.child.pid
        load.settle(pid)
        anon, slab = memory_mb(pid)
        people.connect(size["idle"])
        for index, one in enumerate(people.all[1:]):
            group_name = f"{crowd.GROUP}-{index // GROUP_MEMBERS}"
            one.sendall(crowd.heartbeat_frame(index, f"{index}@bench", group_name))
            one.sendall(crowd.pull_frame(index, 1, group_name))
        people.wait_for_others()  # the heartbeats' answers, and who has joined
        load.settle(pid)
        more_anon, more_slab = memory_mb(pid)
        _must_wait(contender, people)
    row = f"{size['idle']:,} waiting consumers"
    return {contender.name: {
        (row, IDLE_MEMORY): more_anon + max(0, more_slab - slab) / 2,
        (row, "private memory a consumer, bytes"): (more_anon - anon) * 1e6 / size["idle"]}}


def _must_wait(contender, people):
    """That nobody is answered before there is a message, or the row would measure nothing."""
    if people.anything_came():
        raise Failure(f"{contender.name}: a consumer that was to wait has been answered")


class _FanOut:
    """One server, whose consumers all wait for the next message again and again."""

    def __init__(self, contender, people, waiters):
        self.contender, self.people, self.offset = contender, people, 1
        self.rates, self.costs = [], []
        people.connect(waiters)

    def round(self, count_it):
        """All wait, then all get one message."""
        waiters, pid = self.people.all[1:], self.contender.process.child.pid
        for index, one in enumerate(waiters):
            one.sendall(crowd.pull_frame(index, self.offset))
        load.settle(pid, QUIET_SECONDS)
        _must_wait(self.contender, self.people)
        before = load.cpu_seconds(pid)
        self.people.all[0].sendall(crowd.send_frame(2))
        self.offset += 1
        if not count_it:
            self._wait_for_messages(len(waiters))
            return
        seconds = self.people.wait_for_frames(len(waiters) + 1, 60)
        load.settle(pid, QUIET_SECONDS)
        self.rates.append(len(waiters) / seconds)
        self.costs.append((load.cpu_seconds(pid) - before) * 1e6 / len(waiters))

    def _wait_for_messages(self, count):
        """The sender's answer, and the message for each that waits."""
        got = []
        self.people.wait_for(count + 1, 60, lambda data: got.append(crowd.BODY in data) or True)
        if sum(got) != count:
            raise Failure(f"{self.contender.name}: {sum(got)} of {count} got the message")


def fan_out(contenders, size):
    """How fast one message is given to many that wait, and what that costs."""
    with ExitStack() as stack:
        servers = [_FanOut(contender, stack.enter_context(visit(contender)), size["waiters"])
                   for contender in contenders]
        for number in range(WARM_ROUNDS + size["rounds"]):
            for server in servers:
                server.round(number >= WARM_ROUNDS)
    row = f"one message to {size['waiters']:,} waiting consumers"
    return {server.contender.name: {(row, RATE): statistics.median(server.rates),
                                    (row, WAKE_CPU): statistics.median(server.costs)}
            for server in servers}


def group(contender, size):
    """How soon the members of a group learn of a new one."""
    members = size["members"]
    with visit(contender) as people:
        people.connect(members)
        for index, one in enumerate(people.all[1:]):
            one.sendall(crowd.heartbeat_frame(index, f"member-{index}@bench"))
        load.settle(contender.process.child.pid)
        people.connect(1)
        people.wait_for_others()  # what the earlier members' coming told
        people.all[-1].sendall(crowd.heartbeat_frame(0, "newcomer@bench"))
        seconds = people.wait_for(members, 60, crowd.is_members_changed)
    return {contender.name: {(f"a consumer joins a group of {members:,}", TOLD): seconds * 1000}}


def latency(contenders, generator, size):
    """From the moment when a message was due to its arrival at a consumer that waited."""
    found = {contender.name: [] for contender in contenders}
    with ExitStack() as stack:
        for contender in contenders:
            stack.callback(contender.stop)
            contender.start()
        for _ in range(size["runs"]):
            for contender in contenders:
                run = generator.run(contender, load.LATENCY, "bench_latency", size["seconds"],
                                    warmup=1)
                found[contender.name].append(run["latencyMicros"])
    row = "producer to waiting consumer, 2,000 a second"
    return {name: {(row, what): statistics.median(run[key] for run in runs)
                   for what, key in PERCENTILES} for name, runs in found.items()}


def _must_be_pending(contender, people, count):
    """That they wait in the queue of their level, and have not been given to consumers."""
    answers = []
    people.all[0].sendall(crowd.max_offset_frame(4, "SCHEDULE_TOPIC_XXXX", DELAY_LEVEL - 1))
    people.wait_for(1, 60, lambda data: answers.append(data) or True)
    found = re.search(rb'"offset":"?(\d+)', answers[0])
    if not found or int(found[1]) < count:
        raise Failure(f"{contender.name}: {count} messages are not delayed: {answers[0]!r}")


def delayed(contender, size):
    """Memory that delayed messages cost while they wait."""
    count = size["delayed"]
    with visit(contender) as people:
        pid = contender.process.child.pid
        load.settle(pid)
        before = memory_mb(pid)[0]
        frames = crowd.send_frame(3, f"DELAY\x01{DELAY_LEVEL}\x02") * PIPELINE
        for _ in range(count // PIPELINE + 1):
            people.all[0].sendall(frames)
            people.wait_for(PIPELINE, 60, lambda data: b'"code":0' in data)
        load.settle(pid)
        _must_be_pending(contender, people, count)
        after = memory_mb(pid)[0]
    row = f"{count:,} delayed messages wait"
    return {contender.name: {(row, DELAYED_MEMORY): after,
                             (row, "... more than before, MB"): after - before}}
