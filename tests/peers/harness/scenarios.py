# SPDX-License-Identifier: Apache-2.0
"""What is tried: scenarios of the client programs, and the clusters they are run against."""

from dataclasses import dataclass, field

from . import servers
from .clients import GO_NAME, java_names


@dataclass(frozen=True)
class Scenario:
    """One command of a client program, for some clients."""

    name: str
    command: str
    arguments: dict = field(default_factory=dict)
    clients: tuple = java_names()
    seconds: int = 60


EXACTLY_ONCE = "push-10000"

SCENARIOS = [
    Scenario("send-sync", "send", {"mode": "sync"}),
    Scenario("send-async", "send", {"mode": "async", "n": 1000}),
    Scenario("send-oneway", "send", {"mode": "oneway"}),
    Scenario("send-batch", "send", {"mode": "batch"}),
    Scenario("send-selected", "send", {"mode": "selected"}),
    Scenario("send-vip", "send", {"mode": "vip"}),
    Scenario("send-v1", "send", {"mode": "sync"}, java_names("-v1")),
    Scenario("send-v1-batch", "send", {"mode": "batch"}, java_names("-v1")),
    Scenario("send-binary", "send", {"mode": "sync"}, java_names("-binary")),
    Scenario("send-binary-batch", "send", {"mode": "batch"}, java_names("-binary")),
    Scenario("push-binary", "push", {"n": 1000}, java_names("-binary")),
    Scenario(EXACTLY_ONCE, "push", {"n": 10000}),
    Scenario("push-orderly", "push", {"n": 1000, "mode": "orderly"}),
    Scenario("push-concurrent", "push", {"n": 1000, "mode": "concurrent"}),
    Scenario("push-tag", "push", {"n": 300, "tags": "TagB"}),
    Scenario("push-tags", "push", {"n": 300, "tags": "TagA||TagC"}),
    Scenario("fields", "fields"),
    Scenario("auto-create", "auto-create"),
    Scenario("errors", "errors"),
    Scenario("bodies", "bodies"),
    Scenario("queue-offsets", "queue-offsets"),
    Scenario("resume", "resume"),
    Scenario("from-last", "from-last"),
    Scenario("pull", "pull"),
    Scenario("query", "query"),
    Scenario("lite-subscribe", "lite-subscribe"),
    Scenario("lite-assign", "lite-assign"),
    Scenario("broadcast", "broadcast"),
    Scenario("rebalance", "rebalance"),
    Scenario("sql", "sql"),
    Scenario("long-poll", "long-poll"),
    Scenario("delay", "delay"),
    Scenario("retry-concurrent", "retry", {"mode": "concurrent"}),
    Scenario("retry-orderly", "retry", {"mode": "orderly"}),
    Scenario("transactions", "transactions", seconds=150),
    Scenario("transaction-errors", "transaction-errors"),
    Scenario("request", "request"),
    Scenario("relay", "relay"),
    Scenario("go-send-sync", "send", {"mode": "sync"}, (GO_NAME,)),
    Scenario("go-send-async", "send", {"mode": "async"}, (GO_NAME,)),
    Scenario("go-send-oneway", "send", {"mode": "oneway"}, (GO_NAME,)),
    Scenario("go-send-batch", "send", {"mode": "batch"}, (GO_NAME,)),
    Scenario("go-push", "push", {"n": 1000}, (GO_NAME,)),
    Scenario("go-push-orderly", "push", {"n": 300, "mode": "orderly"}, (GO_NAME,)),
    Scenario("go-push-tags", "push", {"n": 300, "tags": "TagA||TagC"}, (GO_NAME,)),
]

# What a mixed cluster is tried with: sends, receives, and what goes through the name server.
MIXED = {"send-sync", "push-tags", "push-orderly", "auto-create", "go-push-tags"}


def _separate(site):
    namesrv = servers.start_gantry_namesrv(site)
    servers.start_gantry_broker(site, namesrv)
    return namesrv


def _java_broker(site):
    namesrv = servers.start_gantry_namesrv(site, "gantry-namesrv-for-java")
    servers.start_java_broker(site, namesrv)
    return namesrv


def _java_namesrv(site):
    namesrv = servers.start_java_namesrv(site)
    servers.start_gantry_broker(site, namesrv, "gantry-broker-under-java")
    return namesrv


def _java_both(site):
    namesrv = servers.start_java_namesrv(site)
    servers.start_java_broker(site, namesrv)
    return namesrv


@dataclass(frozen=True)
class Topology:
    """A cluster: how to start it (returns the name server) and what is tried against it."""

    name: str
    start: callable
    scenarios: frozenset
    needs_java: bool = False


ALL = frozenset(scenario.name for scenario in SCENARIOS)

TOPOLOGIES = {
    "gantry": [
        Topology("all", servers.start_gantry_all, frozenset({EXACTLY_ONCE})),
        Topology("separate", _separate, ALL),
        Topology("java-broker", _java_broker, frozenset(MIXED), True),
        Topology("java-namesrv", _java_namesrv, frozenset(MIXED), True),
    ],
    "java": [Topology("java", _java_both, ALL, True)],
}

# One Java client, 10,000 messages, a push consumer, everything in one process.
SMOKE = f"*/java-{servers.peers.SERVER_VERSION}/{EXACTLY_ONCE}"


@dataclass(frozen=True)
class Case:
    """One scenario of one client against one cluster."""

    topology: Topology
    client: str
    scenario: Scenario

    @property
    def name(self):
        """As printed and selected."""
        return f"{self.topology.name}/{self.client}/{self.scenario.name}"


def cases(against):
    """Everything there is to try, in the order it is tried: cluster by cluster, client by client."""
    clients = list(dict.fromkeys(name for scenario in SCENARIOS for name in scenario.clients))
    return [Case(topology, client, scenario)
            for topology in TOPOLOGIES[against]
            for client in clients
            for scenario in SCENARIOS
            if client in scenario.clients and scenario.name in topology.scenarios]
