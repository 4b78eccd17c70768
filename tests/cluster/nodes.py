# SPDX-License-Identifier: Apache-2.0
"""A name server, a master and slaves of it, each Java's or Gantry's, on loopback."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE.parent / "peers"))

# pylint: disable=wrong-import-position
from harness import servers  # noqa: E402
from harness.process import HOST, wait_until  # noqa: E402
from harness.remoting import request  # noqa: E402

CLUSTER_INFO = 106
BROKER = servers.BROKER_NAME


class Node:
    """One broker: where it is, and its process while it runs."""

    def __init__(self, pair, name, kind, broker_id, more):
        self._pair = pair
        self.name, self.kind, self.broker_id = name, kind, broker_id
        self.port = pair.site.ports.broker()
        self.address = f"{HOST}:{self.port}"
        self._more = more
        self.process = None

    def properties(self):
        """Its property file: the usual one, with its part in the pair."""
        home = self._pair.site.home(self.name)
        all_of_it = servers.broker_properties(home, self.port, self._pair.namesrv.address)
        all_of_it.update({
            "brokerId": self.broker_id,
            "brokerRole": "SLAVE" if self.broker_id else "ASYNC_MASTER",
            "brokerIP2": HOST,
            "haHousekeepingInterval": 5000,
            "registerNameServerPeriod": 10000,
        })
        all_of_it.update(self._more)
        return all_of_it

    def start(self):
        """Starts it on what it left; serves and is registered when this returns."""
        start = {"java": servers.start_java_broker, "gantry": servers.start_gantry_broker}
        properties = self.properties()
        if self.kind == "java":
            properties.pop("slaveSyncInterval", None)
        self.process = start[self.kind](self._pair.site, self._pair.namesrv, self.name, properties)
        wait_until(lambda: str(self.broker_id) in self._pair.members(), f"{self.name} in the route")
        return self

    def kill(self):
        """Ends it as a crash does."""
        self._pair.site.kill(self.process)
        self.process = None

    def stop(self):
        """Ends it as an operator does; returns how it ended."""
        process, self.process = self.process, None
        return self._pair.site.stop_one(process)

    def ask(self, code, fields=None, body=b""):
        """One request; its answer's header, with the body under "body"."""
        from harness.remoting import Connection  # a body is more than request() sends

        with Connection(self.address) as connection:
            header, answer = connection.ask(code, fields or {}, body)
        return dict(header, body=answer, extFields=header.get("extFields") or {})


class Pair:
    """A master and its slaves under one name server."""

    def __init__(self, site, namesrv="gantry"):
        self.site = site
        start = {"java": servers.start_java_namesrv, "gantry": servers.start_gantry_namesrv}
        self.namesrv = start[namesrv](site)

    def node(self, name, kind, broker_id=0, **more):
        """A node that is not started yet; more: further keys of its property file."""
        return Node(self, name, kind, broker_id, more)

    def members(self):
        """Broker ids and addresses, as the name server has them."""
        _, body = request(self.namesrv.address, CLUSTER_INFO, {})
        text = body.decode()
        for number in range(10):  # Java's JSON has bare keys
            text = text.replace("{%d:" % number, '{"%d":' % number)
            text = text.replace(",%d:" % number, ',"%d":' % number)
        table = json.loads(text).get("brokerAddrTable", {})
        return table.get(BROKER, {}).get("brokerAddrs", {})
