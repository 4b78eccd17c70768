# SPDX-License-Identifier: Apache-2.0
"""Starts name servers and brokers: Java's and Gantry's, from the same property files."""

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from . import cache as peers
from .process import HOST, Ports, Process, listens
from .remoting import is_registered

BROKER_NAME = "broker-a"
CLUSTER_NAME = "PeerCluster"
START_SECONDS = 180
# A cold Java broker answers its first sends with flow control otherwise, and any broker does on a
# disk or a machine that stands still for a moment.
PATIENT = {"waitTimeMillsInSendQueue": 60000, "waitTimeMillsInPullQueue": 60000}

JAVA_FLAGS = [
    "-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
    "--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
]


@dataclass
class Site:
    """One run: where it keeps its files, what it may start, and what it has started."""

    folder: Path
    cache: peers.Cache
    binaries: Path = None  # holds gantryd; not needed where only Java servers run
    ports: Ports = field(default_factory=Ports)
    running: list = field(default_factory=list)

    @classmethod
    def of_test(cls, case, binaries):
        """A site for one unittest, which ends with it."""
        folder = tempfile.TemporaryDirectory(prefix="gantry-test-")
        case.addCleanup(folder.cleanup)
        site = cls(Path(folder.name), peers.Cache(), binaries)
        case.addCleanup(site.stop)
        return site

    def start_role(self, role, name, port, properties, prefix=()):
        """gantryd in one role, with these properties alone; serves when this returns."""
        path = _write(self.home(name) / f"{role}.properties", properties)
        process = self.start(name, [*prefix, gantryd(self), role, "-c", path])
        process.wait_until(lambda: listens(port, properties["bindAddress"]), "its port")
        return process

    def start_namesrv(self, name, port, more):
        """A name server on that port; its process."""
        return self.start_role("namesrv", name, port,
                               {**namesrv_properties(self.home(name), port), **more})

    def start_broker(self, name, port, namesrvs, more, prefix=()):
        """A small broker on that port, which need not register anywhere; its process."""
        return self.start_role("broker", name, port, {
            "listenPort": port, "bindAddress": HOST, "brokerIP1": HOST, "brokerIP2": HOST,
            "brokerName": name, "brokerClusterName": "C", "namesrvAddr": namesrvs,
            "storePathRootDir": self.home(name) / "store",
            "mappedFileSizeCommitLog": 16 << 20, "diskMaxUsedSpaceRatio": 95, **PATIENT, **more},
            prefix)

    def start(self, name, command, java_home=None):
        """Starts a server in a folder of its own; it stops with the site."""
        environment = dict(os.environ)
        if java_home:
            environment["ROCKETMQ_HOME"] = str(java_home)
        process = Process(name, command, self.folder / f"{name}.log", env=environment,
                          cwd=self.home(name))
        self.running.append(process)
        return process

    def home(self, name):
        """The folder of one server, with the conf/ that Java servers look for."""
        home = self.folder / name
        (home / "conf").mkdir(parents=True, exist_ok=True)
        return home

    def kill(self, process):
        """Ends a server as a crash does."""
        process.child.kill()
        process.child.wait()
        self.running.remove(process)

    def stop_one(self, process):
        """Stops one server, however long a Java broker with much to flush takes; returns how it
        ended."""
        self.running.remove(process)
        return process.stop(START_SECONDS)

    def stop(self):
        """Stops everything, the last started first; returns (name, how it ended) of each."""
        ends = [(process.name, process.stop()) for process in reversed(self.running)]
        self.running.clear()
        return ends

    def must_run(self):
        """Raises when a server has ended by itself."""
        for process in self.running:
            process.must_run()


@dataclass
class Namesrv:
    """A name server that serves."""

    address: str


def namesrv_properties(home, port):
    """What a name server's property file needs; nothing outside of its folder is touched."""
    return {"listenPort": port, "bindAddress": HOST, "kvConfigPath": home / "kvConfig.json"}


def broker_properties(home, port, namesrv):
    """One file for both brokers: everything on loopback and in a folder of its own."""
    return {
        "brokerClusterName": CLUSTER_NAME,
        "brokerName": BROKER_NAME,
        "brokerId": 0,
        "brokerRole": "ASYNC_MASTER",
        "flushDiskType": "ASYNC_FLUSH",
        "namesrvAddr": namesrv,
        "brokerIP1": HOST,
        "bindAddress": HOST,
        "listenPort": port,
        "haListenPort": port + 1,
        "storePathRootDir": home / "store",
        "storePathCommitLog": home / "store" / "commitlog",
        "mappedFileSizeCommitLog": 64 << 20,
        "autoCreateTopicEnable": "true",
        "enablePropertyFilter": "true",
        **PATIENT,
        # Test machines may have little disk left: this is no test of that.
        "diskMaxUsedSpaceRatio": 95,
        # So that transactions which nobody decides are asked for and given up within seconds.
        "transactionTimeOut": 2000,
        "transactionCheckInterval": 2000,
        "transactionCheckMax": 4,
        "transactionOpBatchInterval": 300,
    }


def start_java_namesrv(site, name="java-namesrv", extra=None):
    """The Java name server; extra: more properties."""
    port = site.ports.one()
    home = site.home(name)
    conf = _write(home / "conf" / "namesrv.conf",
                  {**namesrv_properties(home, port), **(extra or {})})
    process = site.start(name, java_server(site, home, "namesrv.NamesrvStartup") + ["-c", conf], home)
    process.wait_until(lambda: listens(port), "its port")
    return Namesrv(f"{HOST}:{port}")


def start_java_broker(site, namesrv, name="java-broker", properties=None):
    """The Java broker; serves when this returns its process. Without properties: the usual ones."""
    home = site.home(name)
    properties = properties or broker_properties(home, site.ports.broker(), namesrv.address)
    conf = _write(home / "conf" / "broker.conf", properties)
    process = site.start(name, java_server(site, home, "broker.BrokerStartup") + ["-c", conf], home)
    _wait_for_broker(process, properties["listenPort"], namesrv)
    return process


def start_gantry_namesrv(site, name="gantry-namesrv", extra=None):
    """gantryd as a name server; extra: more properties."""
    port = site.ports.one()
    home = site.home(name)
    conf = _write(home / "namesrv.conf", {**namesrv_properties(home, port), **(extra or {})})
    process = site.start(name, [gantryd(site), "namesrv", "-c", conf])
    _wait_for_gantry(process, port)
    return Namesrv(f"{HOST}:{port}")


def start_gantry_broker(site, namesrv, name="gantry-broker", properties=None):
    """gantryd as a broker, told its name server on the command line; returns its process."""
    home = site.home(name)
    properties = dict(properties or broker_properties(home, site.ports.broker(), namesrv.address))
    port = properties["listenPort"]
    del properties["namesrvAddr"]
    conf = _write(home / "broker.conf", properties)
    process = site.start(name, [gantryd(site), "broker", "-c", conf, "-n", namesrv.address])
    _wait_for_gantry(process, port)
    _wait_for_broker(process, port, namesrv)
    return process


def start_gantry_all(site, name="gantry-all"):
    """gantryd as both in one process."""
    namesrv_port = site.ports.one()
    port = site.ports.broker()
    home = site.home(name)
    namesrv = Namesrv(f"{HOST}:{namesrv_port}")
    namesrv_conf = _write(home / "namesrv.conf", namesrv_properties(home, namesrv_port))
    broker_conf = _write(home / "broker.conf", broker_properties(home, port, namesrv.address))
    process = site.start(name, [gantryd(site), "all", "--namesrv", namesrv_conf,
                                "--broker", broker_conf])
    _wait_for_gantry(process, namesrv_port)
    _wait_for_broker(process, port, namesrv)
    return namesrv


def gantryd(site):
    """The daemon under test."""
    return site.binaries / "gantryd"


def _wait_for_gantry(process, port):
    process.wait_until(lambda: process.said("ready"), "the word ready")
    process.wait_until(lambda: listens(port), "its port")


def _wait_for_broker(process, port, namesrv):
    # a Java broker on a busy disk may take more than a minute
    process.wait_until(lambda: listens(port), "its port", START_SECONDS)
    process.wait_until(lambda: listens(port - 2), "its VIP port")
    process.wait_until(lambda: is_registered(namesrv.address, BROKER_NAME), "its registration")


def java_server(site, home, main):
    """The command that starts a Java server; main: its class, as in broker.BrokerStartup."""
    return [peers.java(), *JAVA_FLAGS, f"-Duser.home={home}", "-cp", site.cache.java_servers(),
            f"org.apache.rocketmq.{main}"]


def _write(path, properties):
    path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    return path
