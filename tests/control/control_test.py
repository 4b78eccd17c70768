#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Name servers and brokers as whole processes: who is registered where, who is told what, and what
is left after a restart.

    control_test.py FOLDER-OF-PROGRAMS
"""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from harness.process import HOST, wait_until  # noqa: E402
from harness.servers import Site  # noqa: E402
from wire import Wire  # noqa: E402

BINARIES = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
SUCCESS, SYSTEM_ERROR, UNSUPPORTED, NO_TOPIC, NOT_FOUND = 0, 1, 3, 17, 22
(QUERY_OFFSET, UPDATE_OFFSET, CREATE_TOPIC, HEART_BEAT, UNREGISTER, CONSUMER_LIST, NOTIFY, DELETE,
 ROUTE, CLUSTER_INFO, ASSIGNMENT, PUT_KV, GET_KV) = (14, 15, 17, 34, 35, 38, 40, 215, 105, 106,
                                                     400, 100, 101)
AT_ONCE = 20  # seconds: less than the time after which brokers here register again


class Control(unittest.TestCase):
    """Each test starts what it needs on ports of its own."""

    def setUp(self):
        self.site = Site.of_test(self, BINARIES)

    def namesrv(self, port, name="namesrv"):
        return self.site.start_namesrv(name, port, {})

    def broker(self, port, namesrvs, name="broker", **more):
        addresses = ";".join(f"{HOST}:{port}" for port in namesrvs)
        return self.site.start_broker(name, port, addresses, more)

    def stop(self, process):
        """Asks it to end, which it must do well."""
        self.site.running.remove(process)
        self.assertEqual(process.stop(), "exit code 0")

    def brokers_of(self, wire, topic):
        """The broker names of a topic's route; None: it has none."""
        answer = wire.call(ROUTE, topic=topic)
        if answer.code == NO_TOPIC:
            return None
        self.assertEqual(answer.code, SUCCESS, answer.remark)
        return sorted(data["brokerName"] for data in answer.json()["brokerDatas"])

    def create(self, wire, topic, **more):
        answer = wire.call(CREATE_TOPIC, topic=topic, readQueueNums=4, writeQueueNums=4, perm=6,
                           topicFilterType="SINGLE_TAG", order="false", defaultTopic="TBW102",
                           **more)
        self.assertEqual(answer.code, SUCCESS, answer.remark)

    def beat(self, wire, client, group="g", topics=("T",), **more):
        """A heartbeat of one consumer."""
        subscriptions = [{"topic": topic, "subString": "*", "expressionType": "TAG",
                          "subVersion": 1, "tagsSet": [], "codeSet": []} for topic in topics]
        return wire.call(HEART_BEAT, {
            "clientID": client, "producerDataSet": [], "consumerDataSet": [{
                "groupName": group, "consumeType": "CONSUME_PASSIVELY",
                "messageModel": "CLUSTERING", "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET",
                "subscriptionDataSet": subscriptions, "unitMode": False}], **more})

    def members(self, wire, group="g"):
        answer = wire.call(CONSUMER_LIST, consumerGroup=group)
        return sorted(answer.json()["consumerIdList"]) if answer.code == SUCCESS else []

    # ---- registration

    def test_topics_appear_on_every_name_server_at_once(self):
        first, second, port = (self.site.ports.one(), self.site.ports.one(),
                               self.site.ports.broker())
        self.namesrv(first, "first")
        self.namesrv(second, "second")
        self.broker(port, [first, second], registerNameServerPeriod=60000)
        with Wire(first) as one, Wire(second) as two, Wire(port) as admin:
            for wire in one, two:
                wait_until(lambda w=wire: self.brokers_of(w, "BenchmarkTest"), "a registration", AT_ONCE)
            self.create(admin, "Fresh")
            for wire in one, two:
                wait_until(lambda w=wire: self.brokers_of(w, "Fresh"), "the new topic", AT_ONCE)
            admin.call(DELETE, topic="Fresh")
            self.assertEqual(admin.call(351, topic="Fresh").code, NO_TOPIC)

    def test_a_name_server_that_comes_late_is_told_everything(self):
        late, early, port = (self.site.ports.one(), self.site.ports.one(),
                             self.site.ports.broker())
        self.namesrv(early, "early")
        self.broker(port, [late, early])
        with Wire(early) as wire, Wire(port) as admin:
            wait_until(lambda: self.brokers_of(wire, "BenchmarkTest"), "a registration", AT_ONCE)
            self.create(admin, "Missed")
        self.namesrv(late, "late")
        with Wire(late) as wire:
            wait_until(lambda: self.brokers_of(wire, "Missed"), "what it missed")

    def test_a_broker_that_stops_is_gone_at_once(self):
        namesrv, port = self.site.ports.one(), self.site.ports.broker()
        self.namesrv(namesrv)
        broker = self.broker(port, [namesrv])
        with Wire(namesrv) as wire:
            wait_until(lambda: self.brokers_of(wire, "BenchmarkTest"), "a registration", AT_ONCE)
            self.stop(broker)
            self.assertIsNone(self.brokers_of(wire, "BenchmarkTest"))
            self.assertEqual(wire.call(CLUSTER_INFO).json(),
                             {"brokerAddrTable": {}, "clusterAddrTable": {}})

    def test_a_broker_that_is_killed_is_gone_with_its_connection(self):
        namesrv, port = self.site.ports.one(), self.site.ports.broker()
        self.namesrv(namesrv)
        broker = self.broker(port, [namesrv])
        with Wire(namesrv) as wire:
            wait_until(lambda: self.brokers_of(wire, "BenchmarkTest"), "a registration", AT_ONCE)
            self.site.running.remove(broker)
            broker.child.kill()
            broker.child.wait()
            wait_until(lambda: self.brokers_of(wire, "BenchmarkTest") is None, "its end")

    def test_a_name_server_forgets_nothing_of_its_kv_configuration(self):
        port = self.site.ports.one()
        namesrv = self.namesrv(port)
        value = "broker-a:4;" * 500  # longer than a short answer
        with Wire(port) as wire:
            self.assertEqual(wire.call(PUT_KV, namespace="n", key="k", value=value).code, SUCCESS)
        self.stop(namesrv)
        self.namesrv(port)
        with Wire(port) as wire:
            self.assertEqual(wire.call(GET_KV, namespace="n", key="k").fields["value"], value)
            self.assertEqual(wire.call(GET_KV, namespace="n", key="x").code, NOT_FOUND)

    def test_old_clients_get_bare_integer_keys(self):
        namesrv, port = self.site.ports.one(), self.site.ports.broker()
        self.namesrv(namesrv)
        self.broker(port, [namesrv])
        with Wire(namesrv, version=399) as old, Wire(namesrv, version=401) as new:
            wait_until(lambda: self.brokers_of(new, "BenchmarkTest"), "a registration", AT_ONCE)
            self.assertIn(b'"brokerAddrs":{0:"', old.call(ROUTE, topic="BenchmarkTest").body)
            strict = old.call(ROUTE, topic="BenchmarkTest", acceptStandardJsonOnly="true")
            self.assertEqual(strict.json()["brokerDatas"][0]["brokerAddrs"],
                             {"0": f"{HOST}:{port}"})

    # ---- clients

    def test_members_are_told_when_others_come_and_go(self):
        port = self.site.ports.broker()
        self.broker(port, [])
        with Wire(port) as first:
            self.assertEqual(self.members(first), [])
            answer = self.beat(first, "one")
            self.assertEqual(answer.fields["IS_SUPPORT_HEART_BEAT_V2"], "true")
            self.assertEqual(answer.fields["IS_SUB_CHANGE"], "true")
            first.pushes.clear()
            second = Wire(port)
            self.beat(second, "two")
            self.assertEqual(first.wait_push(NOTIFY)["consumerGroup"], "g")
            self.assertEqual(self.members(first), ["one", "two"])
            second.close()
            first.wait_push(NOTIFY)
            wait_until(lambda: self.members(first) == ["one"], "the end of two")
            with Wire(port) as third:
                self.beat(third, "three")
                first.wait_push(NOTIFY)
                third.call(UNREGISTER, clientID="three", consumerGroup="g")
                first.wait_push(NOTIFY)
                self.assertEqual(self.members(first), ["one"])

    def test_heartbeats_without_subscriptions_are_answered_after_a_restart(self):
        port = self.site.ports.broker()
        broker = self.broker(port, [])
        with Wire(port) as wire:
            self.beat(wire, "one", heartbeatFingerprint=7, withoutSub=False)
            same = self.beat(wire, "one", topics=(), heartbeatFingerprint=7, withoutSub=True)
            self.assertEqual(same.fields["IS_SUB_CHANGE"], "false")
        self.stop(broker)
        self.broker(port, [])
        with Wire(port) as wire:
            after = self.beat(wire, "one", topics=(), heartbeatFingerprint=7, withoutSub=True)
            self.assertEqual(after.fields["IS_SUB_CHANGE"], "true")

    def test_the_broker_balances_for_those_who_ask(self):
        namesrv, one, two = (self.site.ports.one(), self.site.ports.broker(),
                             self.site.ports.broker())
        self.namesrv(namesrv)
        self.broker(one, [namesrv], "one")
        self.broker(two, [namesrv], "two")
        with Wire(one) as first, Wire(one) as second, Wire(two) as admin, Wire(namesrv) as routes:
            for wire in first, admin:
                self.create(wire, "Shared")
            wait_until(lambda: self.brokers_of(routes, "Shared") == ["one", "two"], "both")
            self.beat(first, "a", topics=("Shared",))
            self.beat(second, "b", topics=("Shared",))
            shares = [self.assigned(wire, client)
                      for wire, client in ((first, "a"), (second, "b"))]
        self.assertEqual(shares, [[("one", i) for i in range(4)], [("two", i) for i in range(4)]])

    def assigned(self, wire, client):
        answer = wire.call(ASSIGNMENT, {"topic": "Shared", "consumerGroup": "g",
                                        "clientId": client, "messageModel": "CLUSTERING",
                                        "strategyName": "AVG"})
        self.assertEqual(answer.code, SUCCESS, answer.remark)
        queues = [one["messageQueue"] for one in answer.json()["messageQueueAssignments"]]
        return sorted((queue["brokerName"], queue["queueId"]) for queue in queues)

    # ---- restarts and bad input

    def test_topics_groups_and_offsets_survive_a_restart(self):
        port = self.site.ports.broker()
        broker = self.broker(port, [])
        with Wire(port) as wire:
            self.create(wire, "Kept", attributes="+message.type=FIFO")
            wire.call(200, {"groupName": "kept", "retryMaxTimes": 3})
            self.assertEqual(wire.call(UPDATE_OFFSET, consumerGroup="kept", topic="Kept",
                                       queueId=2, commitOffset=77).code, SUCCESS)
        self.stop(broker)
        self.broker(port, [])
        with Wire(port) as wire:
            self.assertEqual(wire.call(351, topic="Kept").json()["attributes"],
                             {"message.type": "FIFO"})
            self.assertEqual(wire.call(352, group="kept").json()["retryMaxTimes"], 3)
            self.assertEqual(wire.call(QUERY_OFFSET, consumerGroup="kept", topic="Kept",
                                       queueId=2).fields["offset"], "77")

    def test_bad_bodies_cost_their_request_only(self):
        namesrv, port = self.site.ports.one(), self.site.ports.broker()
        self.namesrv(namesrv)
        self.broker(port, [namesrv])
        bad = [b"", b"{", b"[" * 5000, b"\xff" * 100, b'{"clientID":1e999}',
               json.dumps({"x": "y" * 100000}).encode(), b'{"consumerDataSet":7}']
        with Wire(port) as broker, Wire(namesrv) as routes:
            for body in bad:
                for code in (HEART_BEAT, 41, 42, 46, 200, ASSIGNMENT, 401):
                    broker.call(code, body)
                for code in (103, 217, 318, 322):
                    routes.call(code, body, brokerName="b", brokerAddr="1:1", clusterName="C",
                                brokerId=0, haServerAddr="1:2", topic="T")
            self.assertEqual(broker.call(9999).code, UNSUPPORTED)
            self.assertEqual(routes.call(9999).code, UNSUPPORTED)
        self.site.must_run()


if __name__ == "__main__":
    unittest.main()
