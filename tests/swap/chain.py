# SPDX-License-Identifier: Apache-2.0
"""One store that brokers of either kind take over from each other, filled and read by a Java client."""

import hashlib
import json
import re
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from harness import servers  # noqa: E402  (tests/peers lends how Java is fetched and run)
from harness.process import HOST, Failure  # noqa: E402
from harness.remoting import Connection  # noqa: E402

from ledger import DUE, LATER, Got, Ledger, lines_of  # noqa: E402
from records import Store, compare  # noqa: E402
from tables import Tables  # noqa: E402

LEVELS = "1s 1h 2h"
GROUP = "swap-" + "g" * 115  # as long as a group's name may be
LONG_TOPIC = "%RETRY%swap-" + "r" * 140  # only v2 records hold such a name
LONG_MESSAGES = 10
SEND_MESSAGE = 10
WAIT_SECONDS = 40
LOGICS_AT = 40  # of the checkpoint: logicsPhysicalOffset
LIGHT_QUEUES = "%LMQ%swap-one,%LMQ%swap-two"
JAVA_NOISE = re.compile(
    r"closeChannel|RemotingConnectException|RemotingSendRequestException|addr.*null|HOST_NAME")


@dataclass(frozen=True)
class Step:
    """One broker's turn: who, and how it ends (stop, kill, or load: killed while it is sent to)."""

    node: str
    end: str


@dataclass
class Plan:
    """What is tried: the brokers in turn, what differs from the usual properties, how much."""

    name: str
    steps: list
    properties: dict = field(default_factory=dict)
    messages: int = 1200
    folders: int = 1
    kinds: str = "all"  # what is sent: plain without delays and transactions; to Gantry no transactions
    send_back: bool = False
    raw: type = None  # a RawTopic, too


def steps(text):
    """java.stop gantry.kill as a list of steps."""
    return [Step(*word.split(".")) for word in text.split()]


class Chain:
    """One run of one plan."""

    def __init__(self, site, namesrv, client, plan):
        self._site, self._namesrv, self._client, self._plan = site, namesrv, client, plan
        self._home = site.home(f"{plan.name}-store")
        self._root = self._home / "store"
        self._folders = [self._root / f"commitlog{i or ''}" for i in range(plan.folders)]
        self._properties = self._make_properties()
        self._ledger = Ledger()
        self._prefix = f"{plan.name}"
        self._serial = 0
        self._records = []
        self._committed = {}
        self._killed = False
        self._unclean = self._left = False  # of this turn; of the one before
        self._index_is_whole = True
        self._process = None
        self._raw = plan.raw(f"{plan.name}-{plan.raw.name}", self._root) if plan.raw else None
        self._tables = Tables(self._root / "config")

    def _seed(self):
        """A group as older brokers let them be made; this one no longer does, but keeps it."""
        name = LONG_TOPIC.removeprefix("%RETRY%")
        config = self._root / "config"
        config.mkdir(parents=True)
        (config / "subscriptionGroup.json").write_text(json.dumps({
            "dataVersion": {"counter": 1, "stateVersion": 0, "timestamp": 1},
            "forbiddenTable": {},
            "subscriptionGroupTable": {name: {"groupName": name, "retryQueueNums": 1, "brokerId": 0}}}))

    def run(self):
        """All steps; raises Failure with the first fault."""
        if self._plan.send_back:
            self._seed()
        for number, step in enumerate(self._plan.steps):
            where = f"{self._plan.name}, {number + 1}. {step.node}.{step.end}"
            try:
                self._step(step, is_last=number + 1 == len(self._plan.steps))
            except Failure as fault:
                raise Failure(f"{where}: {fault}") from fault

    def _make_properties(self):
        port = self._site.ports.broker()
        properties = servers.broker_properties(self._home, port, self._namesrv.address)
        properties.update({
            "storePathRootDir": self._root,
            "storePathCommitLog": ",".join(map(str, self._folders)),
            "mappedFileSizeCommitLog": 2 << 20,
            "mappedFileSizeConsumeQueue": 20 * 256,
            "maxHashSlotNum": 2000, "maxIndexNum": 8000,
            "messageDelayLevel": LEVELS,
            "flushConsumerOffsetInterval": 500,
            # Undecided transactions stay so: a Java broker asks about them when it stops, for a minute.
            "transactionCheckInterval": 3_600_000, "transactionTimeOut": 3_600_000,
        })
        properties.update(self._plan.properties)
        return properties

    # ---- one broker's turn

    def _step(self, step, is_last):
        self._tables.before(step.node)
        # The Java broker indexes again only what its own recovery reads.
        self._index_is_whole &= not (step.node == "java" and self._unclean)
        self._left = self._unclean
        self._unclean = step.end != "stop"
        logics_at = self._logics_at()
        self._start(step.node)
        self._check_recovery(step.node, logics_at)
        if self._ledger.sent:
            # whoever takes over delivers what the other left; only Java knows transactions
            self._read_and_compare(LATER if step.node == "java" and is_last else {DUE})
        if step.end == "load":
            self._commit_kept()
        self._write(step)
        if step.end != "load":
            self._read_and_compare(set())
            self._commit_kept()
        self._end(step)
        self._check_files(step)

    def _start(self, node):
        start = servers.start_java_broker if node == "java" else servers.start_gantry_broker
        self._process = start(self._site, self._namesrv, f"{self._plan.name}-{node}", self._properties)

    def _logics_at(self):
        """Where the checkpoint says that the queues are safe up to; None without one."""
        path = self._root / "checkpoint"
        return struct.unpack_from(">q", path.read_bytes(), LOGICS_AT)[0] if path.exists() else None

    def _check_recovery(self, node, logics_at):
        """A Java broker that starts after a kill, and may, begins with that record."""
        if node != "java" or not self._plan.properties.get("enableAcceleratedRecovery") or not self._left:
            return
        words = f"recover using acceleration, recovery offset is {logics_at}"
        if not any(words in line for line in self._java_lines()):
            raise Failure(f"the Java broker does not say: {words}")

    def _end(self, step):
        if step.end == "stop":
            ended = self._site.stop_one(self._process)
            if ended not in ("exit code 0", "exit code 143"):
                raise Failure(f"the broker's end: {ended}")
        elif step.end == "kill":
            self._site.kill(self._process)
        self._killed |= step.end != "stop"

    def _write(self, step):
        kinds = self._plan.kinds
        if step.node == "gantry" and kinds == "all":
            kinds = "delays"
        out = self._file("sent")
        words = {"n": self._plan.messages, "from": self._serial * 1_000_000, "kinds": kinds, "out": out}
        if step.end == "load":
            self._write_until_killed(words | {"until": "failure", "n": 1_000_000}, out)
        else:
            self._scenario("swap-write", words)
        self._ledger.add(out, cut_short=step.end == "load")
        if self._raw:
            self._raw.write(self._properties["listenPort"])
        if self._plan.send_back and step.end != "load":
            if step.node == "java":
                self._send_to_long_topic()
            back = self._file("back")
            self._scenario("swap-back", {"group": GROUP, "from": f"{self._prefix}-a", "out": back})
            self._ledger.add(back)

    def _send_to_long_topic(self):
        """No client sends to such a topic any more; brokers take it."""
        lines = []
        with Connection(f"{HOST}:{self._properties['listenPort']}") as connection:
            for i in range(LONG_MESSAGES):
                unique, body = f"{self._serial:04d}{i:028d}", f"long {i}".encode()
                answer, _ = connection.ask(SEND_MESSAGE, {
                    "producerGroup": "swap", "topic": LONG_TOPIC, "defaultTopic": "TBW102",
                    "defaultTopicQueueNums": 1, "queueId": 0, "sysFlag": 0, "flag": 0,
                    "bornTimestamp": int(time.time() * 1000), "batch": "false",
                    "properties": f"UNIQ_KEY\1{unique}\2n\1{i}\2KEYS\1long{i}\2"}, body)
                if answer["code"] != 0:
                    raise Failure(f"a send to a topic with a long name: {answer}")
                place = answer["extFields"]
                digest = f"{int(hashlib.md5(body).hexdigest(), 16):x}"
                user = f"{int(hashlib.md5(b'nullnull').hexdigest(), 16):x}"
                lines.append("\t".join(["long", LONG_TOPIC, place["queueId"], place["queueOffset"],
                                        place["msgId"], unique, str(i), digest, f"long{i}", "-", user]))
        out = self._file("long")
        out.write_text("".join(f"{line}\n" for line in lines))
        self._ledger.add(out)

    def _write_until_killed(self, words, out):
        faults = []

        def write():
            try:
                self._scenario("swap-write", words)
            except (Failure, OSError, ValueError) as fault:
                faults.append(fault)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            self._process.wait_until(lambda: faults or _line_count(out) > self._plan.messages, "sends", 120)
        finally:
            self._site.kill(self._process)
            writer.join()
        if faults:
            raise Failure(faults[0])

    # ---- what readers get

    def _read_and_compare(self, late_too):
        rows, facts, path = self._read_until_there(late_too)
        faults = self._ledger.faults(rows, late_too, self._killed)
        faults += [f"offset of {queue}: {wanted} was committed, {facts['stored'].get(queue)} is stored"
                   for queue, wanted in self._committed.items() if facts["stored"].get(queue) != wanted]
        if faults:
            raise Failure("\n     ".join(faults))
        self._committed = facts["committed"]
        if self._raw:
            self._raw.read(self._properties["listenPort"])
        self._scenario("swap-query", {"lines": path, "broker": servers.BROKER_NAME,
                                      "index": int(self._index_is_whole)})

    def _read(self):
        path = self._file("got")
        report = self._scenario("swap-read", {"topics": ",".join(self._ledger.readable_topics()), "out": path})
        return lines_of(path, Got), report["facts"], path

    def _read_until_there(self, late_too):
        """What was acknowledged may be readable a moment later; delayed messages take longer."""
        rows, facts, path = self._read()
        stored = facts["stored"]
        end = time.monotonic() + WAIT_SECONDS
        while self._ledger.missing(rows, late_too) and time.monotonic() < end:
            rows, facts, path = self._read()
        return rows, {**facts, "stored": stored}, path

    def _commit_kept(self):
        """A killed broker keeps only what it has written: waits for that."""
        def kept():
            table = self._tables.offsets(f"{self._prefix}-reader")
            return all(table.get(queue) == offset for queue, offset in self._committed.items())

        self._process.wait_until(kept, "consumerOffset.json to have what was committed")

    def _scenario(self, command, arguments):
        words = [command, f"namesrv={self._namesrv.address}", f"topic={self._prefix}"]
        words += [f"{key}={value}" for key, value in arguments.items()]
        report = self._client.run(self._site, words, 300)
        if report["problems"]:
            more = len(report["problems"]) - 5
            raise Failure("; ".join(report["problems"][:5]) + (f" and {more} more" if more > 0 else ""))
        return report

    def _file(self, kind):
        self._serial += 1
        return self._home / f"{self._serial:02d}-{kind}.tsv"

    # ---- what stands in the files

    def _check_files(self, step):
        store = Store(self._root, self._folders, LEVELS)
        faults = list(compare(self._records, store.records))
        faults += self._acknowledged_missing(store.records)
        if step.end == "stop":
            faults += store.check(self._index_is_whole)
            faults += self._left_behind()
            faults += self._raw.faults(store.records) if self._raw else []
            faults += self._checkpoint_behind(store.records) if step.node == "gantry" else []
            faults += self._verified()
        faults += self._tables.after(step.node)
        if step.node == "java":
            faults += self._said_by_java()
        if faults:
            raise Failure("\n     ".join(faults[:10]))
        self._records = store.records

    def _acknowledged_missing(self, records):
        places = {(record.topic, str(record.queue), str(record.queue_offset), record.value("UNIQ_KEY"))
                  for record in records}
        return [f"acknowledged, but not in the log: {line}" for line in self._ledger.sent.values()
                if line.queue != "-" and line.kind != "maybe"
                and (line.topic, line.queue, line.offset, line.unique) not in places]

    def _left_behind(self):
        return ["abort is left after a clean stop"] if (self._root / "abort").exists() else []

    def _checkpoint_behind(self, records):
        """After a clean stop the queues are safe up to the last record: Java says so once a minute only."""
        wanted = records[-1].at if records else 0
        got = self._logics_at()
        return [f"logicsPhysicalOffset is {got}, the last record is at {wanted}"] if got != wanted else []

    def _verified(self):
        """What `gantry store verify` finds: nothing, whichever broker wrote."""
        words = [self._site.binaries / "gantry", "store", "verify", self._root, "--path-commit-log",
                 ",".join(map(str, self._folders)), "--message-delay-level", LEVELS,
                 "--max-hash-slot-num", str(self._properties["maxHashSlotNum"])]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return []
        return [f"gantry store verify: {line}" for line in (done.stdout + done.stderr).splitlines()]

    def _said_by_java(self):
        """Errors in the Java broker's own logs."""
        return [line for line in self._java_lines() if " ERROR " in line and not JAVA_NOISE.search(line)]

    def _java_lines(self):
        for log in (self._site.folder / f"{self._plan.name}-java").rglob("*.log"):
            for line in log.read_text(errors="replace").splitlines():
                yield f"{log.name}: {line}"


def _line_count(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0
