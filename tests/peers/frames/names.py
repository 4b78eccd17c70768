# SPDX-License-Identifier: Apache-2.0
"""Brokers and tools at a name server: registration, routes, lists, what tools change."""

import json

from harness import names
from harness.names import Node, body, compressed, data_version, route, topic
from harness.process import wait_until

SERVER = "namesrv"
PROPERTIES = {"scanNotActiveBrokerInterval": 500, "orderMessageEnable": "true"}
V3_0_10, V4_9_3, V4_9_4 = 36, 400, 401


def _node(ns, **fields):
    return Node(ns.name("n"), ns.peer(), **fields)


def _pair(ns, count=2, role="t", **more):
    return [topic(ns.name(f"{role}{i}"), **more) for i in range(count)]


def bodies(ns):
    """A registration's body in each of its forms."""
    facts = {}
    pair = _pair(ns)
    one = pair[0]["topicName"]
    for form, content, fields in (("json", body(pair), {}),
                                  ("compressed", compressed(pair), {"compressed": "true"}),
                                  ("empty", b"", {})):
        node = _node(ns)
        facts[form] = ns.plain(node.register(content, **fields), "haServerAddr", "masterAddr")
        facts[f"{form} route"] = route(node.peer, one)
        node.unregister()
        names.wait_no_route(node.peer, one)
    old = ns.peer(version=V3_0_10)
    node = Node(ns.name("n"), old)
    facts["old"] = ns.plain(node.register(json.dumps(names.wrapper(pair)).encode()))
    facts["old route"] = route(ns.peer(), one)
    return facts


def bad_bodies(ns):
    """Bodies that cannot be read, sums that are wrong."""
    facts = {}
    good = body(_pair(ns))
    short = compressed(_pair(ns))
    for form, content, fields in (
            ("sum", good, {"bodyCrc32": 12345}), ("garbage", b"garbage", {}),
            ("half", good[:len(good) // 2], {}), ("not compressed", good, {"compressed": "true"}),
            ("cut", short[:-8], {"compressed": "true"}), ("list", b"[]", {}),
            ("empty object", b"{}", {})):
        node = _node(ns)
        facts[form] = ns.plain(node.register(content, **fields))
    facts["route"] = route(ns.peer(), ns.name("t0"))
    return facts


def header_fields(ns):
    """Fields of the header that are missing or odd."""
    facts = {}
    # without a name Java keeps half of it, and its lists are broken from then on
    for name in ("brokerId", "haServerAddr"):
        node = _node(ns)
        del node.fields[name]
        facts[f"without {name}"] = ns.plain(node.register(body(_pair(ns))))["code"]
    for value in ("-1", "x", "9223372036854775807", "9223372036854775808"):
        node = _node(ns, brokerName=ns.name(f"id{value}"), brokerAddr=f"id{value}:1")
        facts[f"id {value}"] = ns.plain(node.register(body(_pair(ns))))["code"]
    return facts


def compressed_unsaid(ns):
    """As a 5.5.0 broker with compressedRegister=true registers: its header says that it is not."""
    node = _node(ns)
    pair = _pair(ns)
    return {"registered": ns.plain(node.register(names.compressed(pair), compressed="false"))["code"],
            "route": route(node.peer, pair[0]["topicName"])}


def one_topic_first(ns):
    """A single topic registers nobody, but is taken of who is known."""
    node = _node(ns)
    pair = _pair(ns)
    facts = {"first": ns.plain(node.register(body(pair[:1])))}
    facts["route"] = route(node.peer, pair[0]["topicName"])
    node.register(body(pair))
    extra = topic(ns.name("extra"))
    facts["later"] = ns.plain(node.register(body([extra], data_version(2))))
    facts["later route"] = route(node.peer, extra["topicName"])
    facts["others stay"] = route(node.peer, pair[1]["topicName"])
    return facts


def same_version(ns):
    """Topics count when the data version differs, or when they are new."""
    node = _node(ns)
    pair = _pair(ns)
    new = topic(ns.name("new"), 2)
    node.register(body(pair))
    node.register(body([topic(pair[0]["topicName"], 9), pair[1], new]))
    facts = {"same": route(node.peer, pair[0]["topicName"]),
             "new": route(node.peer, new["topicName"])}
    node.register(body([topic(pair[0]["topicName"], 9), pair[1]], data_version(2)))
    facts["changed"] = route(node.peer, pair[0]["topicName"])
    return facts


def slaves(ns):
    """A slave learns of its master; its topics count while it stands in for one."""
    slave = _node(ns, brokerId=1, brokerAddr="slave:1")
    master = _node(ns)
    pair = _pair(ns)
    name = pair[0]["topicName"]
    facts = {"old slave alone": ns.plain(slave.register(body(pair)), "haServerAddr", "masterAddr"),
             "its route": route(slave.peer, name)}
    facts["prime slave"] = ns.plain(slave.register(body(pair), enableActingMaster="true"))
    facts["prime route"] = route(slave.peer, name)
    facts["master"] = ns.plain(master.register(body(pair, data_version(2)),
                                               enableActingMaster="true"))
    facts["both"] = route(slave.peer, name)
    facts["slave again"] = ns.plain(slave.register(body(pair), enableActingMaster="true"),
                                    "haServerAddr", "masterAddr")
    facts["members"] = names.parsed(slave.peer.ask(names.MEMBERS, {
        "clusterName": ns.name("n-cluster"), "brokerName": ns.name("n-a")}))
    facts["left"] = ns.plain(master.unregister())
    wait_until(lambda: len(route(slave.peer, name)["brokerDatas"][0]["brokerAddrs"]) == 1,
               "the master is gone")
    facts["slave alone"] = route(slave.peer, name)
    return facts


def moves(ns):
    """The same address with another id, and another address with the same id."""
    node = _node(ns, brokerId=1, brokerAddr="moves:1")
    pair = _pair(ns)
    name = pair[0]["topicName"]
    node.register(body(pair, data_version(1, 5)), enableActingMaster="false")
    node.fields["brokerId"] = 0
    node.register(body(pair, data_version(1, 5)), enableActingMaster="false")
    facts = {"slave to master": route(node.peer, name)}
    other = _node(ns, brokerAddr="moves:2")
    facts["older"] = ns.plain(other.register(body(pair, data_version(1, 4))))
    facts["older route"] = route(node.peer, name)
    facts["newer"] = ns.plain(other.register(body(pair, data_version(1, 6))))
    facts["newer route"] = route(node.peer, name)
    return facts


def leaving(ns):
    """104 of who is not known, and of the last one."""
    node = _node(ns)
    pair = _pair(ns)
    facts = {"unknown": ns.plain(node.unregister())}
    node.register(body(pair))
    node.unregister()
    names.wait_no_route(node.peer, pair[0]["topicName"])
    facts["members"] = names.parsed(node.peer.ask(names.MEMBERS, {
        "clusterName": ns.name("n-cluster"), "brokerName": ns.name("n-a")}))
    facts["topics"] = names.names_of(node.peer, names.ALL_TOPICS, ns.name(""))
    info = names.parsed(node.peer.ask(names.CLUSTER, {}))
    facts["in cluster"] = [ns.name("n-a") in info["brokerAddrTable"],
                           ns.name("n-cluster") in info["clusterAddrTable"]]
    return facts


def silence(ns):
    """heartbeatTimeoutMillis of its own; a heartbeat keeps it alive, its connection is closed."""
    node = _node(ns)
    pair = _pair(ns)
    node.register(body(pair), heartbeatTimeoutMillis=700)
    watcher = ns.peer()
    facts = {"beat": ns.plain(watcher.ask(names.HEARTBEAT, {
        **node.fields, "heartbeatTimeoutMills": 700}))}
    names.wait_no_route(watcher, pair[0]["topicName"])
    try:
        node.peer.ask(names.ALL_TOPICS, {})
        facts["its connection"] = "open"
    except (ConnectionError, OSError):
        facts["its connection"] = "closed"
    return facts


def closed(ns):
    """A closed connection takes its broker along."""
    node = _node(ns)
    pair = _pair(ns)
    node.register(body(pair))
    watcher = ns.peer()
    facts = {"before": route(watcher, pair[0]["topicName"])}
    node.peer.close()
    names.wait_no_route(watcher, pair[0]["topicName"])
    return facts


def permissions(ns):
    """205 and 327, and what registrations do to them."""
    node = _node(ns)
    pair = _pair(ns, perm=6)
    name = pair[0]["topicName"]
    node.register(body(pair))
    field = {"brokerName": ns.name("n-a")}
    facts = {"wipe": ns.plain(node.peer.ask(names.WIPE, field), "wipeTopicCount")}
    facts["wiped"] = route(node.peer, name)
    node.register(body(pair))
    facts["same version"] = route(node.peer, name)["queueDatas"]
    facts["add"] = ns.plain(node.peer.ask(names.ADD_WRITE, field), "addTopicCount")
    facts["added"] = route(node.peer, name)["queueDatas"]
    node.peer.ask(names.WIPE, field)
    node.register(body(pair, data_version(2)))
    facts["new version"] = route(node.peer, name)["queueDatas"]
    facts["nobody"] = ns.plain(node.peer.ask(names.WIPE, {"brokerName": "nobody"}),
                               "wipeTopicCount")
    return facts


def versions(ns):
    """322."""
    node = _node(ns)
    ask = {key: node.fields[key] for key in ("brokerName", "brokerAddr", "clusterName", "brokerId")}

    def question(version):
        return ns.plain(node.peer.ask(names.DATA_VERSION, ask, json.dumps(version).encode()),
                        "changed", body=True)

    facts = {"unknown": question(data_version())}
    node.register(body(_pair(ns)))
    facts["same"] = question(data_version())
    facts["other"] = question(data_version(2))
    facts["other state"] = question(data_version(1, 1))
    return facts


def flavours(ns):
    """Both ways to write a route, letter by letter."""
    node = _node(ns, brokerName="flavour-\u4e2d-a", clusterName="fl/<c>&'\"")
    name = ns.name("t0")
    node.register(body(_pair(ns)), enableActingMaster="true")
    facts = {}
    for label, peer, fields in (("old", ns.peer(version=V4_9_3), {}),
                                ("asked", ns.peer(version=V4_9_3),
                                 {"acceptStandardJsonOnly": "true"}),
                                ("4.9.4", ns.peer(version=V4_9_4), {}),
                                ("now", ns.peer(), {"acceptStandardJsonOnly": "false"})):
        facts[label] = peer.ask(names.ROUTE, {"topic": name, **fields})["body"].decode()
    facts["nothing"] = ns.plain(ns.peer().ask(names.ROUTE, {"topic": "nobody-has-it"}))
    facts["no topic"] = ns.plain(ns.peer().ask(names.ROUTE, {}))["code"]
    return facts


def lists(ns):
    """Topics by cluster and kind."""
    node = _node(ns)
    kinds = [topic(ns.name(f"flag{flag}"), flag=flag) for flag in range(4)]
    node.register(body(kinds))
    peer, prefix = node.peer, ns.name("")
    facts = {str(code): names.names_of(peer, code, prefix)
             for code in (names.ALL_TOPICS, names.UNIT, names.UNIT_SUB, names.UNIT_SUB_ONLY,
                          names.SYSTEM_TOPICS)}
    facts["cluster"] = names.names_of(peer, names.CLUSTER_TOPICS, prefix,
                                      cluster=ns.name("n-cluster"))
    facts["no cluster"] = names.names_of(peer, names.CLUSTER_TOPICS, prefix, cluster="nobody")
    info = names.parsed(peer.ask(names.CLUSTER, {}))
    facts["info"] = [info["brokerAddrTable"].get(ns.name("n-a")),
                     info["clusterAddrTable"].get(ns.name("n-cluster"))]
    return facts


def topics(ns):
    """217 and 216."""
    node = _node(ns)
    pair = _pair(ns)
    node.register(body(pair))
    name = ns.name("made")
    peer = node.peer

    def make(*brokers):
        return ns.plain(peer.ask(names.REGISTER_TOPIC, {"topic": name}, json.dumps({
            "queueDatas": [{"brokerName": broker, "readQueueNums": 3, "writeQueueNums": 2,
                            "perm": 6, "topicSysFlag": 0} for broker in brokers],
            "brokerDatas": []}).encode()))

    facts = {"unknown broker": make("nobody"), "no route": route(peer, name)}
    facts["made"] = make(ns.name("n-a"))
    facts["route"] = route(peer, name)
    facts["no queues"] = make()
    facts["no body"] = ns.plain(peer.ask(names.REGISTER_TOPIC, {"topic": name}))
    facts["other cluster"] = ns.plain(peer.ask(names.DELETE_TOPIC,
                                               {"topic": name, "clusterName": "nobody"}))
    facts["still"] = route(peer, name) == facts["route"]
    facts["cluster"] = ns.plain(peer.ask(names.DELETE_TOPIC, {
        "topic": name, "clusterName": ns.name("n-cluster")}))
    facts["gone"] = route(peer, name)
    facts["deleted"] = ns.plain(peer.ask(names.DELETE_TOPIC, {"topic": pair[0]["topicName"]}))
    facts["deleted route"] = route(peer, pair[0]["topicName"])
    node.register(body(pair))
    facts["back"] = route(peer, pair[0]["topicName"])
    return facts


def order(ns):
    """The order configuration goes to brokers and into routes."""
    node = _node(ns)
    pair = _pair(ns)
    name = pair[0]["topicName"]
    space = {"namespace": "ORDER_TOPIC_CONFIG", "key": name}
    facts = {"put": ns.plain(node.peer.ask(names.PUT_KV, {**space, "value": "broker-a:4"}))}
    answer = node.register(body(pair))
    facts["registered"] = ns.plain(answer, body=True)
    facts["route"] = route(node.peer, name)
    facts["delete"] = ns.plain(node.peer.ask(names.DELETE_KV, space))
    facts["after"] = ns.plain(node.register(body(pair)), body=True)
    facts["get"] = ns.plain(node.peer.ask(names.GET_KV, space), "value")
    facts["empty list"] = ns.plain(node.peer.ask(names.KV_LIST, {"namespace": "ORDER_TOPIC_CONFIG"}),
                                   body=True)
    return facts


def mappings(ns):
    """Static topics' mappings, plain and compressed."""
    node = _node(ns)
    pair = _pair(ns)
    name = pair[0]["topicName"]
    mapping = {"topic": name, "scope": "__global__", "totalQueues": 2, "bname": ns.name("n-a"),
               "epoch": 7, "dirty": False, "currIdMap": {"0": 0, "1": 1}}
    node.register(body(pair, None, {name: mapping}))
    facts = {"json": route(node.peer, name)}
    mapping["epoch"] = 8
    node.register(compressed(pair, data_version(2), [mapping]), compressed="true")
    facts["compressed"] = route(node.peer, name)
    return facts


def filters(ns):
    """Filter servers of old brokers."""
    node = _node(ns)
    pair = _pair(ns)
    name = pair[0]["topicName"]
    node.register(body(pair, filters=["10.0.0.1:1", "10.0.0.2:2"]))
    facts = {"two": route(node.peer, name)}
    node.register(body(pair))
    facts["none"] = route(node.peer, name)["filterServerTable"]
    return facts


def zones(ns):
    """Brokers of a zone."""
    near = _node(ns, __ZONE_NAME="east")
    far = _node(ns, __ZONE_NAME="west", brokerName=ns.name("n-b"), brokerAddr="far:1")
    pair = _pair(ns)
    near.register(body(pair))
    far.register(body(pair))
    name = pair[0]["topicName"]
    return {zone: route(near.peer, name, __ZONE_MODE="true", __ZONE_NAME=zone)
            for zone in ("east", "WEST", "north", "")}


def configuration(ns):
    """318 and 319."""
    peer = ns.peer()

    def update(text):
        return ns.plain(peer.ask(names.UPDATE_CONFIG, {}, text.encode()))

    facts = {"nothing": update(""), "black": update("kvConfigPath=/tmp/x\n"),
             "black list": update("configBlackList=x\n"),
             "store path": update("configStorePath=/tmp/x\n"),
             "mixed": update("enableTopicList=false\nkvConfigPath=/tmp/x\n")}
    facts["lists"] = names.names_of(peer, names.UNIT, "no-such")
    facts["off"] = update("enableTopicList=false\n")
    facts["lists off"] = names.names_of(peer, names.UNIT, "no-such")
    facts["all off"] = update("enableAllTopicList = false")
    facts["all"] = names.names_of(peer, names.ALL_TOPICS, "no-such")
    facts["on"] = update("enableTopicList=true\nenableAllTopicList=true\n")
    facts["lists on"] = names.names_of(peer, names.UNIT, "no-such")
    shown = dict(line.split("=", 1) for line in
                 peer.ask(names.GET_CONFIG, {})["body"].decode().split("\n") if "=" in line)
    facts["shown"] = {key: shown.get(key) for key in
                      ("enableTopicList", "orderMessageEnable", "scanNotActiveBrokerInterval",
                       "notifyMinBrokerIdChanged", "supportActingMaster", "waitSecondsForService")}
    return facts


def other_codes(ns):
    """What a name server without a controller does not know."""
    return {str(code): ns.plain(ns.peer().ask(code, {}))
            for code in (905, 907, 1001, 1002, 1003, 1004, 1005, 1006, 1010, 1012, 9999)}
