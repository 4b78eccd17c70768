# SPDX-License-Identifier: Apache-2.0
"""The nodes of a layout of conf.d/examples on loopback, each Gantry's or Java's."""

import fnmatch
import json
import re

from nodes import HERE  # finds tests/peers/harness
from harness import servers
from harness.names import BARE_KEY, CLUSTER
from harness.process import HOST, listens, wait_until
from harness.remoting import Connection

EXAMPLES = HERE.parent.parent / "conf.d" / "examples"
HA_STATUS, TOPIC_CONFIG = 907, 351
LOG_FILE_SIZE = 16 << 20
READY_SECONDS = 200
REGISTER_MS = 10000


def value_of(text, key, otherwise=None):
    """The value of a key in a property file: the last one, as when it is loaded."""
    found = re.findall(rf"^[ \t]*{key}[ \t]*[=:][ \t]*(.*?)[ \t]*$", text, re.MULTILINE)
    return found[-1] if found else otherwise


class Node:
    """One node: its property file is the layout's, with ports and folders of this run behind it."""

    def __init__(self, cluster, file, kind):
        self.cluster, self.name, self.kind = cluster, file.stem, kind
        self.text = file.read_text()
        self.is_namesrv = self.name.startswith("namesrv")
        self.broker = value_of(self.text, "brokerName")
        self.broker_id = int(value_of(self.text, "brokerId", "0"))
        self.is_synchronous = value_of(self.text, "brokerRole") == "SYNC_MASTER"
        self.role = "namesrv" if self.is_namesrv else "slave" if self.broker_id else "master"
        ports = cluster.site.ports
        self.port = ports.one() if self.is_namesrv else ports.broker()
        self.address = f"{HOST}:{self.port}"
        self.home = cluster.site.home(self.name)
        self.store = self.home / "store"
        self.process = None

    def _properties(self):
        if self.is_namesrv:
            return servers.namesrv_properties(self.home, self.port)
        # 5.5.0 takes no commas; Gantry takes what the layout's file has
        separator = ";" if self.kind == "java" or "," not in value_of(
            self.text, "namesrvAddr") else ","
        more = {
            "listenPort": self.port, "bindAddress": HOST, "brokerIP1": HOST, "brokerIP2": HOST,
            "namesrvAddr": separator.join(node.address for node in self.cluster.namesrvs),
            "storePathRootDir": self.store, "storePathCommitLog": self.store / "commitlog",
            "mappedFileSizeCommitLog": LOG_FILE_SIZE, "registerNameServerPeriod": REGISTER_MS,
            "slaveReadEnable": "true",  # else nobody reads while a master is down
            # of this machine: little disk, slow starts
            "diskMaxUsedSpaceRatio": 95, **servers.PATIENT,
        }
        if self.kind == "java" and self.is_synchronous:
            more["inSyncReplicas"] = 2  # without it 5.5.0 waits for nobody
        return more

    def start(self):
        """Starts it on what it left, without waiting."""
        conf = self.home / "conf" / "node.properties"
        conf.write_text(self.text + "\n" + "".join(
            f"{key}={value}\n" for key, value in self._properties().items()))
        site, role = self.cluster.site, "namesrv" if self.is_namesrv else "broker"
        if self.kind == "java":
            main = "namesrv.NamesrvStartup" if self.is_namesrv else "broker.BrokerStartup"
            command = [*servers.java_server(site, self.home, main), "-c", conf]
            self.process = site.start(self.name, command, self.home)
        else:
            self.process = site.start(self.name, [servers.gantryd(site), role, "-c", conf])

    def wait_until_serves(self):
        """Until a connection to it is accepted."""
        self.process.wait_until(lambda: listens(self.port), "its port", READY_SECONDS)

    def kill(self):
        """Ends it as a crash does."""
        self.cluster.site.kill(self.process)
        self.process = None

    def ask(self, code, fields=None, body=b""):
        """One request; its answer's header and body."""
        with Connection(self.address) as connection:
            return connection.ask(code, fields or {}, body)

    def brokers(self):
        """What a name server knows, as {(broker name, id): address}."""
        _, body = self.ask(CLUSTER)
        table = json.loads(BARE_KEY.sub(r'\1"\2":', body.decode())).get("brokerAddrTable") or {}
        return {(name, int(number)): address for name, entry in table.items()
                for number, address in entry["brokerAddrs"].items()}

    def has_slaves(self, count):
        """Whether so many slaves follow this master closely."""
        return json.loads(self.ask(HA_STATUS)[1])["inSyncSlaveNums"] >= count


class Layout:
    """All nodes of a layout; those whose names fit one of the patterns are Java's."""

    def __init__(self, site, layout, java):
        self.site = site
        files = sorted((EXAMPLES / layout).glob("*.properties"), key=lambda file: file.stem)
        self.namesrvs, self.brokers = [], []
        for file in files:
            fits = any(fnmatch.fnmatch(file.stem, pattern) for pattern in java)
            node = Node(self, file, "java" if fits else "gantry")
            (self.namesrvs if node.is_namesrv else self.brokers).append(node)
        self.nodes = self.namesrvs + self.brokers
        self.masters = [node for node in self.brokers if node.role == "master"]
        self.addresses = ";".join(node.address for node in self.namesrvs)

    def wait_until_known(self, topic):
        """Until the slaves that are to serve without their master have heard of the topic. It is
        sent to, which makes Gantry's ask for it."""
        for slave in self.brokers:
            if slave.role == "slave" and slave.kind == "gantry":
                slave.process.wait_until(
                    lambda node=slave: node.ask(TOPIC_CONFIG, {"topic": topic})[0]["code"] == 0,
                    f"{topic} on its master", READY_SECONDS)

    def slaves(self, master):
        """Those of one master."""
        return [node for node in self.brokers
                if node.broker == master.broker and node.role == "slave"]

    def can_read_without(self, node):
        """Whether slaves have all that this node acknowledged, and serve it by now: a Java slave
        learns of a topic within its first minute only."""
        return node.is_synchronous and all(slave.kind == "gantry" for slave in self.slaves(node))

    def start(self):
        """Starts all: name servers, then masters, then slaves."""
        for role in ("namesrv", "master", "slave"):
            started = [node for node in self.nodes if node.role == role]
            for node in started:
                node.start()
            for node in started:
                node.wait_until_serves()
        self.wait_until_ready()

    def wait_until_ready(self):
        """Until every name server knows every broker, and every master has its slaves."""
        for node in self.nodes:
            node.process.must_run()
        wanted = {(node.broker, node.broker_id): node.address for node in self.brokers}
        for namesrv in self.namesrvs:
            wait_until(lambda server=namesrv: server.brokers() == wanted,
                       f"{namesrv.name} to know all brokers", READY_SECONDS)
        for master in self.masters:
            wait_until(lambda node=master: node.has_slaves(len(self.slaves(node))),
                       f"{master.name} to have its slaves", READY_SECONDS)

    def wait_until_missed(self, gone):
        """Until no name server names a broker that was killed."""
        for namesrv in self.namesrvs if not gone.is_namesrv else ():
            wait_until(lambda server=namesrv: (gone.broker, gone.broker_id) not in server.brokers(),
                       f"{namesrv.name} to miss {gone.name}", READY_SECONDS)
