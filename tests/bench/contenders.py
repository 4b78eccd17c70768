# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared, each pinned to one core unless a row says otherwise, with its
files in a folder of its own."""

import os
import shutil
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from harness import cache as peers  # noqa: E402  (tests/peers lends how Java is fetched and run)
from harness.process import HOST, Failure, Ports, Process  # noqa: E402
from harness.servers import JAVA_FLAGS  # noqa: E402

START_SECONDS = 180

# What runbroker.sh gives a broker's JVM, at the size that the comparison names; no pages touched
# ahead, so that memory shows what is used.
JVM_FLAGS = ["-Xms2g", "-Xmx2g", "-XX:+UseG1GC", "-XX:G1ReservePercent=25",
             "-XX:InitiatingHeapOccupancyPercent=30"]
JVM_FLAGS += [flag for flag in JAVA_FLAGS if flag.startswith("--add")]


class Contender:
    """One server: how it is started on a port, and how long it took until it accepted."""

    name = None

    def __init__(self, folder, core):
        self.folder = folder / self.name
        self.cores = {core}
        self.port = None
        self.process = None
        self.start_ms = None
        self.warmed = 0  # messages before the first row
        self.extra = {}  # properties beside the usual ones

    def version(self):
        """What the table says was measured."""
        raise NotImplementedError

    def command(self):
        """The command line; files go below self.folder."""
        raise NotImplementedError

    def start(self):
        """Starts on an empty folder and waits until a connection is accepted."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port = Ports().broker()
        self.resume()

    def resume(self):
        """Starts on the files that are there and waits until a connection is accepted."""
        command = self.command()
        begin = time.monotonic()
        self.process = Process(self.name, command, self.folder / "log", cwd=self.folder,
                               env=self.environment(),
                               preexec_fn=lambda: os.sched_setaffinity(0, self.cores))
        self._wait_for_accept(begin + START_SECONDS)
        self.start_ms = (time.monotonic() - begin) * 1000

    def environment(self):
        """The environment of the process."""
        return dict(os.environ)

    def kill(self):
        """Ends it without a word (SIGKILL); its files stay."""
        self.process.child.kill()
        self.process.child.wait()

    def stop(self):
        """Stops it and drops its files."""
        if self.process:
            self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self):
        """Where it listens."""
        return f"{HOST}:{self.port}"

    def _wait_for_accept(self, deadline):
        while not self._accepts():
            self.process.must_run()
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} accepts nothing after {START_SECONDS} s")

    def _accepts(self):
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((HOST, self.port)) == 0:
                return True
        time.sleep(0.0005)
        return False

    def _write_properties(self):
        properties = {
            "brokerClusterName": "BenchCluster",
            "brokerName": "broker-a",
            "brokerId": 0,
            "brokerRole": "ASYNC_MASTER",
            "flushDiskType": "ASYNC_FLUSH",
            "brokerIP1": HOST,
            "bindAddress": HOST,
            "listenPort": self.port,
            "haListenPort": self.port + 1,
            "storePathRootDir": self.folder / "store",
            "storePathCommitLog": self.folder / "store" / "commitlog",
            "autoCreateTopicEnable": "true",
            # A cold JVM answers its first sends with flow control otherwise.
            "waitTimeMillsInSendQueue": 3000,
            "diskMaxUsedSpaceRatio": 95,
            **self.extra,
        }
        path = self.folder / "broker.conf"
        path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        return path


class NullServer(Contender):
    """The floor: answers and stores nothing."""

    name = "floor"

    def __init__(self, folder, core, build):
        super().__init__(folder, core)
        self.program = build / "tests" / "null_server"

    def version(self):
        return "null server (answers, stores nothing)"

    def command(self):
        return [self.program, self.port, 32, 128]


class Java(Contender):
    """The Java broker, without a name server."""

    name = "java"

    def version(self):
        return f"Apache RocketMQ {peers.SERVER_VERSION} broker, {' '.join(JVM_FLAGS[:3])}"

    def command(self):
        (self.folder / "conf").mkdir(exist_ok=True)
        return [peers.java(), *JVM_FLAGS, f"-Duser.home={self.folder}",
                "-cp", peers.Cache().java_servers(),
                "org.apache.rocketmq.broker.BrokerStartup", "-c", self._write_properties()]

    def environment(self):
        return dict(os.environ, ROCKETMQ_HOME=str(self.folder))


class Gantry(Contender):
    """gantryd as a broker, without a name server."""

    name = "gantry"

    def __init__(self, folder, core, build, version):
        super().__init__(folder, core)
        self.program = build / "bin" / "gantryd"
        self._version = version

    def version(self):
        return f"Gantry {self._version} broker"

    def command(self):
        return [self.program, "broker", "-c", self._write_properties()]


class Uring(Gantry):
    """The same with its other storage engine."""

    name = "uring"

    def version(self):
        return super().version() + ", storageBackend=io_uring"

    def _write_properties(self):
        self.extra["storageBackend"] = "io_uring"
        return super()._write_properties()
