# SPDX-License-Identifier: Apache-2.0
"""A name server that shows a slave as master, tells brokers of a new lowest id, and forgets topics
that a registration leaves out."""

import queue

from harness import names
from harness.names import Listener, Node, body, data_version, route, topic
from harness.process import wait_until

SERVER = "namesrv"
PROPERTIES = {"supportActingMaster": "true", "notifyMinBrokerIdChanged": "true",
              "deleteTopicWithBrokerRegistration": "true", "orderMessageEnable": "false",
              "returnOrderTopicConfigToBroker": "false", "enableAllTopicList": "false",
              "enableTopicList": "false"}


class _Group:
    """The nodes of one broker, each listening."""

    def __init__(self, ns, acting, count):
        self.case = ns.name("n")
        self.ns = ns
        self.acting = acting
        self.listeners = [Listener() for _ in range(count)]
        for i, listener in enumerate(self.listeners):
            ns.call_it(listener.address, f"<node {i}>")
        self.nodes = [Node(self.case, ns.peer(), brokerId=i, brokerAddr=listener.address,
                           haServerAddr=f"ha-{i}:1")
                      for i, listener in enumerate(self.listeners)]
        self.topics = [topic(ns.name("t0")), topic(ns.name("t1"))]

    def register(self, i):
        """The i-th node registers."""
        return self.ns.plain(self.nodes[i].register(body(self.topics),
                                                    enableActingMaster=self.acting))["code"]

    def leave(self, i):
        """The i-th node unregisters, and this has had its effect."""
        before = len(self.members())
        self.nodes[i].unregister()
        wait_until(lambda: len(self.members()) < before, "it is gone")

    def members(self):
        """The group's nodes."""
        answer = self.nodes[0].peer.ask(names.MEMBERS, {
            "clusterName": f"{self.case}-cluster", "brokerName": f"{self.case}-a"})
        return names.parsed(answer)["brokerMemberGroup"]["brokerAddrs"]

    def heard(self, *wanted):
        """What each node was told; those that are not wanted hear nothing before a later one."""
        facts = {}
        for i, listener in enumerate(self.listeners):
            if i in wanted:
                facts[str(i)] = listener.next()
            else:
                try:
                    facts[str(i)] = listener.heard.get_nowait()
                except queue.Empty:
                    facts[str(i)] = "nothing"
        return facts

    def close(self):
        """Ends the listeners."""
        for listener in self.listeners:
            listener.close()


def notices(ns):
    """905 to those who stay, and to those who were there."""
    group = _Group(ns, "true", 3)
    facts = {"2": group.register(2), "told 2": group.heard()}
    facts["1"] = group.register(1)
    facts["told 1"] = group.heard(2)
    facts["0"] = group.register(0)
    facts["told 0"] = group.heard(1, 2)
    facts["again"] = group.register(0)
    group.leave(0)
    facts["0 left"] = group.heard(1, 2)
    group.leave(2)  # not the lowest: nobody is told
    facts["2 left"] = group.heard()
    facts["2 back"] = group.register(2)
    group.leave(1)
    facts["1 left"] = group.heard(2)
    group.close()
    return facts


def notices_without_acting(ns):
    """Brokers that do not want an acting master hear of a new one only."""
    group = _Group(ns, "false", 2)
    group.register(1)
    group.register(0)
    facts = {"told 0": group.heard(1)}
    group.leave(0)
    group.register(0)
    facts["told again"] = group.heard(1)
    group.close()
    return facts


def a_lost_connection(ns):
    """A node whose connection closes is told of like one that left."""
    group = _Group(ns, "true", 2)
    group.register(0)
    group.register(1)
    group.nodes[0].peer.close()
    facts = {"closed": group.heard(1)}
    group.close()
    return facts


def acting(ns):
    """The slave is shown as master, its topics may be read only."""
    group = _Group(ns, "true", 3)
    name = group.topics[0]["topicName"]
    for i in range(3):
        group.register(i)
    peer = ns.peer()
    facts = {"all": route(peer, name)}
    group.nodes[0].unregister()
    wait_until(lambda: len(route(peer, name)["brokerDatas"][0]["brokerAddrs"]) == 2, "it is gone")
    facts["without master"] = route(peer, name)
    member = topic(f"rmq_sys_SYNC_BROKER_MEMBER_{group.case}-a")
    group.topics.append(member)
    facts["2 again"] = group.register(2)
    facts["1 again"] = group.register(1)
    facts["same"] = route(peer, name)
    facts["member topic"] = route(peer, member["topicName"])
    peer.ask(names.ADD_WRITE, {"brokerName": f"{group.case}-a"})
    facts["writable"] = route(peer, name)
    group.close()
    return facts


def left_out(ns):
    """A registration takes away the broker's topics that it does not name."""
    node = Node(ns.name("n"), ns.peer())
    other = Node(ns.name("n"), ns.peer(), brokerName=ns.name("n-b"), brokerAddr="other:1")
    three = [topic(ns.name(f"t{i}")) for i in range(3)]
    node.register(body(three))
    other.register(body(three[:2]))
    facts = {"before": route(node.peer, three[2]["topicName"])}
    node.register(body(three[:1] + [topic(ns.name("new"))], data_version(2)))
    for i in range(3):
        facts[f"after {i}"] = route(node.peer, three[i]["topicName"])
    mapping = {"topic": three[0]["topicName"], "scope": "__global__", "totalQueues": 1,
               "bname": ns.name("n-b"), "epoch": 1, "dirty": False, "currIdMap": {"0": 0}}
    other.register(body(three[:1] + [topic(ns.name("new"))], data_version(3),
                        {three[0]["topicName"]: mapping}))
    facts["static"] = route(node.peer, three[1]["topicName"])
    return facts


def off(ns):
    """Lists that are switched off, and a registration that is told nothing of order."""
    node = Node(ns.name("n"), ns.peer())
    node.peer.ask(names.PUT_KV, {"namespace": "ORDER_TOPIC_CONFIG", "key": ns.name("t0"),
                                 "value": "x:1"})
    facts = {"registered": ns.plain(node.register(body([topic(ns.name("t0")),
                                                        topic(ns.name("t1"))])), body=True)}
    facts["route"] = route(node.peer, ns.name("t0"))
    for code in (names.ALL_TOPICS, names.CLUSTER_TOPICS, names.UNIT, names.UNIT_SUB,
                 names.UNIT_SUB_ONLY):
        facts[str(code)] = ns.plain(node.peer.ask(code, {"cluster": ns.name("n-cluster")}))
    facts["system"] = ns.plain(node.peer.ask(names.SYSTEM_TOPICS, {}))["code"]
    return facts
