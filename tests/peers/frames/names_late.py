# SPDX-License-Identifier: Apache-2.0
"""A name server that waits before it answers routes."""

from harness import names
from harness.names import Node, body, topic

SERVER = "namesrv"
PROPERTIES = {"needWaitForService": "true", "waitSecondsForService": 3600}


def not_ready(ns):
    """Routes only are refused; brokers register all the same."""
    node = Node(ns.name("n"), ns.peer())
    facts = {"registered": ns.plain(node.register(body([topic(ns.name("t0")),
                                                        topic(ns.name("t1"))])))}
    facts["route"] = ns.plain(node.peer.ask(names.ROUTE, {"topic": ns.name("t0")}))
    facts["list"] = names.names_of(node.peer, names.ALL_TOPICS, ns.name(""))
    facts["off"] = ns.plain(node.peer.ask(names.UPDATE_CONFIG, {}, b"needWaitForService=false"))
    facts["then"] = ns.plain(node.peer.ask(names.ROUTE, {"topic": ns.name("t0")}))
    return facts
