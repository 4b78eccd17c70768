# SPDX-License-Identifier: Apache-2.0
"""Clients that send and take all the time, and what they wrote down; see the scenario `stream`."""

import json
import os
from dataclasses import dataclass

from nodes import HERE  # noqa: F401  finds tests/peers/harness
from harness.clients import REBALANCE_FLAGS, program
from harness.process import Failure, Process, wait_until

TOPIC = "Layout"
STORED = {"SEND_OK", "FLUSH_DISK_TIMEOUT", "FLUSH_SLAVE_TIMEOUT", "SLAVE_NOT_AVAILABLE"}
END_SECONDS = 120
# How long a client may know nothing of a broker's end, or of its return: 5.5.0 looks for routes each
# second here and ends what waits on a closed connection; in 4.9.8 a pull may be left waiting by the
# send that met the closed connection first, for its 30 s; Go looks for routes every 30 s.
NOTICES_MS = {"java-5.5.0": 1000, "java-4.9.8": 30000, "go-2.1.2": 30000}


@dataclass(frozen=True)
class Sent:
    """One send as the client saw it; times in ms, no broker where it failed."""

    name: str
    begin: int
    end: int
    outcome: str
    broker: str

    def is_acknowledged(self):
        """Whether the client was told that the message is stored."""
        return self.outcome in STORED


def _lines(path):
    """The whole lines of a file that is being written."""
    if not path.exists():
        return []
    text = path.read_text()
    return [line.split() for line in text[:text.rfind("\n") + 1].splitlines()]


class Stream:
    """One client process."""

    def __init__(self, site, kind, namesrvs, pause):
        self.name = kind.replace(".", "-")
        self.group = f"{TOPIC}-{self.name}"
        self.language = kind.split("-")[0]
        self.notices_ms = NOTICES_MS["-".join(kind.split("-")[:2])]
        home = site.home(self.name)
        self._to = home / "stream"
        command, environment = program(site.cache, kind)
        # of its own accord a client balances every 20 s: here it need not wait so long
        command = [word.replace("{home}", str(home)) for word in command
                   if word not in REBALANCE_FLAGS]
        command += ["stream", f"namesrv={namesrvs}", f"topic={TOPIC}", f"name={self.name}",
                    f"to={self._to}", f"pause={pause}"]
        if self.language == "java":
            command.insert(1, "-Drocketmq.client.rebalance.waitInterval=2000")
        self._report = site.folder / f"{self.name}.report"
        with open(self._report, "wb") as report:
            self.process = Process(self.name, command, site.folder / f"{self.name}.log", cwd=home,
                                   stdout=report,
                                   env=dict(os.environ, HOME=str(home), **environment))

    def _file(self, what):
        return self._to.with_suffix(f".{what}")

    def sent(self):
        """All sends that have ended."""
        return [Sent(name, int(begin), int(end), outcome, broker)
                for name, begin, end, outcome, broker in _lines(self._file("sent"))]

    def taken(self):
        """[(name, ms)] of all that was taken, in order."""
        return [(name, int(when)) for name, when in _lines(self._file("taken"))]

    def enough(self):
        """Lets the producer end."""
        self._file("enough").touch()
        self.process.wait_until(self._file("done").exists, "its last send", END_SECONDS)

    def end(self):
        """Lets the consumer end."""
        self._file("end").touch()
        self.process.child.wait(END_SECONDS)
        problems = json.loads(self._report.read_text().splitlines()[-1])["problems"]
        if problems:
            raise Failure(f"{self.name}: {problems}")


class Streams:
    """All clients of a run."""

    def __init__(self, streams):
        self.all = streams

    def must_run(self):
        """Raises if one has ended."""
        for stream in self.all:
            stream.process.must_run()

    def acknowledged(self, outcomes=STORED):
        """The names of all messages of which a client knows that they are stored."""
        return {one.name for stream in self.all for one in stream.sent() if one.outcome in outcomes}

    def wait_for_sends(self, since, fits, what, count=1, seconds=120):
        """Until each client has begun so many sends since then that fit and have ended."""
        for stream in self.all:
            stream.process.wait_until(
                lambda one=stream: sum(1 for sent in one.sent()
                                       if sent.begin >= since and fits(sent)) >= count,
                what, seconds)

    def wait_until_taken(self, outcomes=STORED, seconds=120):
        """Until each consumer has all that is acknowledged so by now."""
        wanted = self.acknowledged(outcomes)
        for stream in self.all:
            try:
                stream.process.wait_until(
                    lambda one=stream: wanted <= {name for name, _ in one.taken()},
                    "all messages", seconds)
            except Failure as failure:
                missing = sorted(wanted - {name for name, _ in stream.taken()})
                raise Failure(f"{failure}: {len(missing)} are missing, {missing[:5]}") from failure

    def stop(self):
        """Ends what still runs."""
        for stream in self.all:
            stream.process.stop(5)


def wait_until_committed(streams, masters, queues):
    """Until every group's offsets have reached the ends of the queues."""
    def end(node, queue):
        return node.ask(30, {"topic": TOPIC, "queueId": queue})[0]["extFields"]["offset"]

    def offset(node, queue, group):
        header, _ = node.ask(14, {"topic": TOPIC, "queueId": queue, "consumerGroup": group})
        return (header.get("extFields") or {}).get("offset", "0")  # nothing came: nothing is kept

    for stream in streams.all:
        wait_until(lambda one=stream: all(
            offset(node, queue, one.group) == end(node, queue)
            for node in masters for queue in range(queues)),
            f"the offsets of {stream.group} at the ends")
