# SPDX-License-Identifier: Apache-2.0
"""Client programs: one process serves many scenarios, each a line in and a JSON line out."""

import json
import os
import signal
import subprocess

from . import cache as peers
from .process import Failure, Lines, Process, wait_until

JAVA_FLAGS = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
              "-Drocketmq.client.logLevel=WARN"]

# A client's own round of balancing comes so late that only a broker's notice can be in time, and a
# notice is followed at once.
REBALANCE_FLAGS = ["-Drocketmq.client.rebalance.waitInterval=600000",
                   "-Drocketmq.client.rebalance.minInterval=50"]


class Client:
    """One kind of client, with the process of it that runs now, if any."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self._command = command
        self._environment = environment or {}
        self._process = None
        self._lines = None

    def run(self, site, words, seconds):
        """Runs one scenario and returns its report; a process that fails to answer is ended."""
        if self._process is None:
            self._start(site)
        try:
            self._process.child.stdin.write((" ".join(words) + "\n").encode())
            return json.loads(self._lines.next(seconds))
        except (Failure, OSError, ValueError):
            self._dump_threads()
            self.stop()
            raise

    def stop(self):
        """Ends the process, if one runs."""
        if self._process is not None:
            self._process.child.stdin.close()
            self._process.stop()
            self._process.child.stdout.close()
            self._process = None

    def _start(self, site):
        home = site.home(self.name)
        serial = sum(1 for _ in site.folder.glob(f"{self.name}*.log"))
        log = site.folder / (f"{self.name}-{serial}.log" if serial else f"{self.name}.log")
        command = [word.replace("{home}", str(home)) for word in self._command] + ["-"]
        environment = dict(os.environ, HOME=str(home), **self._environment)
        self._process = Process(self.name, command, log, cwd=home, env=environment,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lines = Lines(self._process)

    def _dump_threads(self):
        """Has a runtime that hangs write all its stacks to the log, for whoever reads it."""
        if self._process.is_running():
            self._process.child.send_signal(signal.SIGQUIT)
            wait_until(lambda: self._process.said("Full thread dump")
                       or not self._process.is_running(), "a thread dump", 10)


# How one Java client may be told to speak, each in a JVM of its own.
JAVA_MANNERS = {
    "": [],
    "-v1": ["-Dorg.apache.rocketmq.client.sendSmartMsg=false"],  # long field names in sends
    "-binary": ["-Drocketmq.serialize.type=ROCKETMQ"],  # binary request headers
}


def java_names(manner=""):
    """The names of all versions of the Java client that speak so."""
    return tuple(f"java-{version}{manner}" for version in peers.CLIENT_VERSIONS)


GO_NAME = f"go-{peers.GO_VERSION}"


def make_client(cache, name):
    """The client of that name; fetches and builds what it needs."""
    return Client(name, *program(cache, name))


def program(cache, name):
    """The command of that client, with {home} for a folder of its own, and its environment."""
    if name == GO_NAME:
        return [str(cache.go_client())], {"ROCKETMQ_GO_LOG_LEVEL": "warn"}
    version, manner = next((version, manner) for manner in JAVA_MANNERS
                           for version in peers.CLIENT_VERSIONS
                           if name == f"java-{version}{manner}")
    command = [peers.java(), *JAVA_FLAGS, *REBALANCE_FLAGS, *JAVA_MANNERS[manner],
               "-Duser.home={home}", "-Drocketmq.client.localOffsetStoreDir={home}/offsets",
               "-cp", cache.java_client(version), "peers.Main"]
    return command, {}
