# SPDX-License-Identifier: Apache-2.0
"""Transactions that one broker leaves open, and the one that takes its store over has to ask about."""

from dataclasses import dataclass

from chain import Failure, servers

SECONDS = 150
# Nobody is asked before the store changes hands, and soon after it did.
PATIENT = {"transactionCheckInterval": 3_600_000, "transactionTimeOut": 3_600_000,
           "transactionOpBatchInterval": 300}
EAGER = {"transactionCheckInterval": 1000, "transactionTimeOut": 1000,
         "transactionOpBatchInterval": 300, "transactionCheckMax": 15}


@dataclass
class OpenTransactions:
    """Who leaves them (stopped, or killed), and who takes them over."""

    name: str
    leaver: str
    taker: str
    end: str = "stop"
    messages: int = 60

    def run(self, site, namesrv, client):
        """Raises Failure with the first fault."""
        home = site.home(f"{self.name}-store")
        port = site.ports.broker()
        properties = servers.broker_properties(home, port, namesrv.address)
        broker = self._start(site, namesrv, self.leaver, properties | PATIENT)
        self._scenario(site, namesrv, client, "leave")
        if self.end == "stop":
            site.stop_one(broker)
        else:
            site.kill(broker)
        broker = self._start(site, namesrv, self.taker, properties | EAGER)
        self._scenario(site, namesrv, client, "take")
        ended = site.stop_one(broker)
        if ended not in ("exit code 0", "exit code 143"):
            raise Failure(f"{self.name}: the broker's end: {ended}")

    def _start(self, site, namesrv, node, properties):
        start = servers.start_java_broker if node == "java" else servers.start_gantry_broker
        return start(site, namesrv, f"{self.name}-{node}", properties)

    def _scenario(self, site, namesrv, client, part):
        words = ["transaction-swap", f"namesrv={namesrv.address}", f"topic={self.name}",
                 f"part={part}", f"n={self.messages}"]
        report = client.run(site, words, SECONDS)
        if report["problems"]:
            raise Failure(f"{self.name}, {part}: {report['problems']}, {report['notes']}")
