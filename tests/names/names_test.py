#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bad peers cost a name server, and what bad name servers cost a broker.

    names_test.py FOLDER-OF-PROGRAMS
"""

import http.server
import json
import os
import socket
import struct
import sys
import threading
import unittest
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from harness import names  # noqa: E402
from harness.names import Node, body, compressed, data_version, route, topic  # noqa: E402
from harness.peer import Peer  # noqa: E402
from harness.process import HOST, wait_until, with_hosts  # noqa: E402
from harness.servers import Site  # noqa: E402

BINARIES = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
SUCCESS, SYSTEM_ERROR, NO_PERMISSION, NO_TOPIC = 0, 1, 16, 17
CREATE_TOPIC, RUNTIME = 17, 28
CONNECTS = 5_000
MUTE_HOST = "127.0.0.153"
MUTE_NAMES = "".join(f"mute-{number}.test:{{0}};" for number in range(7))
SANITIZED = "GANTRY_SANITIZED" in os.environ  # slower, and what is freed stays for a while
AT_ONCE = 20  # seconds: less than any period or time-out of what is waited for


class Names(unittest.TestCase):
    """Each test starts what it needs on ports of its own."""

    def setUp(self):
        self.site = Site.of_test(self, BINARIES)

    def namesrv(self, name="namesrv", **more):
        """A name server: its address and its process."""
        port = self.site.ports.one()
        return f"{HOST}:{port}", self.site.start_namesrv(name, port, more)

    def broker(self, namesrvs, name="broker", **more):
        """A broker: its address and its process."""
        port = self.site.ports.broker()
        return f"{HOST}:{port}", self.site.start_broker(name, port, namesrvs, more)

    def peer(self, address):
        """A connection that ends with the test."""
        peer = Peer(address)
        self.addCleanup(peer.close)
        return peer

    def pair(self):
        """Two topics."""
        return [topic("t0"), topic("t1")]

    def create(self, broker, name):
        """A topic on a broker."""
        answer = self.peer(broker).ask(CREATE_TOPIC, {
            "topic": name, "defaultTopic": "TBW102", "readQueueNums": 4, "writeQueueNums": 4,
            "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false"})
        self.assertEqual(answer["code"], SUCCESS)

    def said(self, process, *words):
        """Waits for a line of the log with all of these words."""
        def found():
            return any(all(word in line for word in words)
                       for line in process.log.read_text(errors="replace").splitlines())
        wait_until(found, f"a line with {words}")

    def test_garbage(self):
        """Bytes that are no frames close their connection; those of others go on."""
        address, process = self.namesrv()
        node = Node("n", self.peer(address))
        node.register(body(self.pair()))
        host, port = address.split(":")
        for rubbish in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                        b"\xff" * 4096, struct.pack(">II", 1 << 30, 1 << 29),
                        struct.pack(">II", 100, 96) + b"{" * 96, b"\x00" * 64):
            with socket.create_connection((host, int(port)), timeout=20) as one:
                one.sendall(rubbish)
                try:
                    self.assertEqual(one.recv(1), b"", rubbish[:8])
                except ConnectionResetError:
                    pass
        self.said(process, "127.0.0.1:", "closed")
        self.assertEqual(len(route(node.peer, "t0")["brokerDatas"]), 1)

    def test_registrations_that_lie(self):
        """Lengths and counts that are not there, a body that inflates without end, wrong sums."""
        address, process = self.namesrv()
        version = json.dumps(data_version()).encode()
        head = struct.pack(">i", len(version)) + version
        bodies = [head + struct.pack(">i", -1), head + struct.pack(">i", 0x7fffffff),
                  head + struct.pack(">ii", 1, -5), head + struct.pack(">ii", 1, 1 << 30) + b"x",
                  struct.pack(">i", -1), b"", bytes(200 << 20)]
        before = memory(process)
        for text in bodies:
            node = Node("n", self.peer(address))
            answer = node.register(zlib.compress(text, 1), compressed="true")
            self.assertEqual(answer["code"], SYSTEM_ERROR, text[:40])
        for content in (b"[" * 5000, b'{"topicConfigSerializeWrapper":', b"\xff" * 100):
            answer = Node("n", self.peer(address)).register(content)
            self.assertEqual(answer["code"], SYSTEM_ERROR, content[:8])
        answer = Node("n", self.peer(address)).register(compressed(self.pair()))
        self.assertIn("compressedRegister", answer["remark"])
        self.said(process, "a registration from 127.0.0.1 as n-a", "Failed to decode")

        def wrong_sum():
            answer = Node("n", self.peer(address)).register(body(self.pair()), bodyCrc32=1)
            self.assertEqual(answer["code"], SYSTEM_ERROR)
            return "n:10911: crc32 not match" in process.log.read_text(errors="replace")

        wait_until(wrong_sum, "a line about a wrong sum; there may be one a second")
        self.assertEqual(route(self.peer(address), "t0"), f"code {NO_TOPIC}")
        self.assertTrue(SANITIZED or memory(process) - before < 32 << 20)

    def test_large_tables(self):
        """More topics than maxTopics: who brings them is refused, others are not."""
        address, process = self.namesrv(maxTopics=1000)
        good = Node("good", self.peer(address))
        good.register(body(self.pair()))
        bad = Node("bad", self.peer(address))
        answer = bad.register(compressed([topic(f"x{i}") for i in range(5_000)]),
                              compressed="true")
        self.assertEqual(answer["code"], SYSTEM_ERROR)
        self.assertIn("maxTopics", answer["remark"])
        self.said(process, "a registration from 127.0.0.1 as bad-a", "maxTopics")
        self.assertEqual(good.register(body(self.pair()))["code"], SUCCESS)
        self.assertEqual(len(route(good.peer, "t0")["brokerDatas"]), 1)
        bad.unregister()
        wait_until(lambda: len(names.names_of(good.peer, names.ALL_TOPICS, "")) == 2,
                   "only the good one's topics")

    def test_a_taken_id(self):
        """Another node with the same name and id takes its place, unless that is to be refused."""
        address, process = self.namesrv()
        first = Node("n", self.peer(address))
        other = Node("n", self.peer(address), brokerAddr="elsewhere:1")
        first.register(body(self.pair()))
        self.assertEqual(other.register(body(self.pair()))["code"], SUCCESS)
        self.said(process, "broker n-a, id 0, at elsewhere:1 takes the place of n:10911")
        update = other.peer.ask(names.UPDATE_CONFIG, {}, b"refuseTakenBrokerIds=true")
        self.assertEqual(update["code"], SUCCESS, update)
        refused = first.register(body(self.pair()))
        self.assertEqual(refused["code"], SYSTEM_ERROR)
        self.assertIn("refuseTakenBrokerIds", refused["remark"])
        self.said(process, "broker n-a, id 0, at n:10911 is refused", "elsewhere:1")
        addresses = route(other.peer, "t0")["brokerDatas"][0]["brokerAddrs"]
        self.assertEqual(addresses, {"0": "elsewhere:1"})
        other.peer.close()
        wait_until(lambda: first.register(body(self.pair()))["code"] == SUCCESS,
                   "the other is gone")

    def test_connections_that_close(self):
        """Health checks that connect and close, some after a registration or half a frame."""
        address, process = self.namesrv()
        host, port = address.split(":")
        knock(host, int(port), 500)  # pools are filled
        before = memory(process)
        knock(host, int(port), CONNECTS)
        for i in range(100):
            peer = Peer(address)
            Node(f"n{i}", peer).register(body(self.pair()))
            peer.close()
        watcher = self.peer(address)
        names.wait_no_route(watcher, "t0")
        wait_until(lambda: files(process) < 64, "its files are closed")
        self.assertTrue(SANITIZED or memory(process) - before < 8 << 20)
        self.assertEqual(names.parsed(watcher.ask(names.CLUSTER, {}))["brokerAddrTable"], {})

    def test_several_name_servers(self):
        """One that is down and one that never answers cost the others nothing."""
        good, _ = self.namesrv("good")
        other, other_process = self.namesrv("other")
        down = f"{HOST}:{self.site.ports.one()}"
        with socket.create_server((HOST, 0)) as mute:
            slow = "%s:%d" % mute.getsockname()
            broker, _ = self.broker(f"{slow};{down},{good};{other}",
                                    registerBrokerTimeoutMills=300_000, registerNameServerPeriod=60_000)
            watchers = [self.peer(good), self.peer(other)]
            for watcher in watchers:
                wait_until(lambda one=watcher: route(one, "TBW102") != f"code {NO_TOPIC}",
                           "the broker is known")
            self.create(broker, "Quick")
            for watcher in watchers:
                wait_until(lambda one=watcher: route(one, "Quick") != f"code {NO_TOPIC}",
                           "the topic is known", AT_ONCE)
            watchers[1].close()
            self.site.stop_one(other_process)
            self.create(broker, "Later")
            wait_until(lambda: route(watchers[0], "Later") != f"code {NO_TOPIC}",
                       "the topic is known", AT_ONCE)

    def test_host_names(self):
        """A name in namesrvAddr is looked up, again at each connection."""
        address, _ = self.namesrv()
        port = address.split(":")[1]
        self.broker(f"localhost:{port};no-such-host.invalid:9876")
        watcher = self.peer(address)
        wait_until(lambda: route(watcher, "TBW102") != f"code {NO_TOPIC}", "it is known")

    def test_names_with_several_addresses(self):
        """fetchNameSrvAddrByDnsLookup: each address of a name is a name server, as long as it is
        one of its addresses; when the name cannot be looked up nothing changes."""
        hosts = self.site.folder / "hosts"
        port = self.site.ports.one()
        watchers = []

        def addresses(*numbers):
            hosts.write_text("".join(f"127.0.0.{number} names.test\n" for number in numbers))

        def known_at(*numbers):
            known = [number for number, watcher in enumerate(watchers, 1)
                     if route(watcher, "TBW102") != f"code {NO_TOPIC}"]
            return known == list(numbers)

        addresses(1, 2)
        prefix = with_hosts(hosts)
        if not prefix:
            self.skipTest("no mount namespaces here")
        for number in (1, 2, 3):
            host = f"127.0.0.{number}"
            self.site.start_namesrv(f"namesrv-{number}", port, {"bindAddress": host})
            watchers.append(self.peer(f"{host}:{port}"))
        listen = self.site.ports.broker()
        broker = self.site.start_broker("broker", listen, f"names.test:{port}", {
            "fetchNameSrvAddrByDnsLookup": "true", "updateNameServerAddrPeriod": 1000}, prefix)
        wait_until(lambda: known_at(1, 2), "both addresses")
        addresses(3, 2)
        wait_until(lambda: known_at(2, 3), "the new address, and not the old one")
        addresses()
        self.said(broker, "names.test cannot be looked up")
        self.create(f"{HOST}:{listen}", "Kept")
        for watcher in watchers[1:]:
            wait_until(lambda one=watcher: route(one, "Kept") != f"code {NO_TOPIC}",
                       "the topic is known", AT_ONCE)
        self.assertEqual(self.site.stop_one(broker), "exit code 0")
        self.assertTrue(known_at())

    def test_a_name_that_nobody_answers(self):
        """fetchNameSrvAddrByDnsLookup: names that are looked up for long hold up no other one."""
        address, _ = self.namesrv()
        port = int(address.split(":")[1])
        hosts, resolv = self.site.folder / "hosts", self.site.folder / "resolv.conf"
        hosts.write_text(f"{HOST} names.test\n")
        resolv.write_text(f"nameserver {MUTE_HOST}\noptions timeout:30 attempts:1\n")
        prefix = with_hosts(hosts, resolv)
        if not prefix:
            self.skipTest("no mount namespaces here")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
            try:
                mute.bind((MUTE_HOST, 53))
            except PermissionError:
                self.skipTest("no port for a DNS server here")
            broker = self.site.start_broker("broker", self.site.ports.broker(),
                                            MUTE_NAMES.format(port) + f"names.test:{port}", {
                                                "fetchNameSrvAddrByDnsLookup": "true",
                                                "updateNameServerAddrPeriod": 1000}, prefix)
            watcher = self.peer(address)
            wait_until(lambda: route(watcher, "TBW102") != f"code {NO_TOPIC}", "it is known",
                       AT_ONCE)
            mute.settimeout(60)
            self.assertTrue(mute.recv(512), "the other name is asked for")
            self.site.start_namesrv("late", port, {"bindAddress": "127.0.0.2"})
            late = self.peer(f"127.0.0.2:{port}")
            hosts.write_text(f"{HOST} names.test\n127.0.0.2 names.test\n")
            wait_until(lambda: route(late, "TBW102") != f"code {NO_TOPIC}",
                       "a new address, while the other name is still looked up", AT_ONCE)
            self.site.kill(broker)  # whose stop would wait for the look-up

    def test_an_address_server(self):
        """fetchNamesrvAddrByAddressServer: name servers are those that a page lists now; when it
        cannot be read, or lists none, nothing changes."""
        servers = [self.namesrv(f"namesrv-{number}")[0] for number in (1, 2)]
        watchers = [self.peer(server) for server in servers]
        page = Page(f" {servers[0]};;no address\r\n{servers[1]}\n")
        self.addCleanup(page.close)

        def known():
            return [route(watcher, "TBW102") != f"code {NO_TOPIC}" for watcher in watchers]

        _, broker = self.broker("", fetchNamesrvAddrByAddressServer="true",
                                fetchNamesrvAddrInterval=1000, rmqAddressServerSubGroup="here",
                                rmqAddressServerDomain=page.address)
        wait_until(lambda: known() == [True, False], "the first line")
        self.assertEqual(page.asked, {"/rocketmq/here"})
        page.text = ";".join(servers)
        wait_until(lambda: known() == [True, True], "both")
        page.status = 503
        self.said(broker, "the address server http://", "names no name server")
        page.text, page.status = f"{servers[1]}", 200
        wait_until(lambda: known() == [False, True], "the second alone")
        page.text = "<html></html>"
        count = page.count
        wait_until(lambda: page.count > count + 1, "it is read again")
        self.assertEqual(known(), [False, True])
        self.assertEqual(self.site.stop_one(broker), "exit code 0")

    def test_many_topics(self):
        """A broker's many topics come in parts, whole and with the right version."""
        address, _ = self.namesrv()
        home = self.site.home("broker")
        table = {f"Many{i:05d}": dict(topic(f"Many{i:05d}"), topicFilterType="SINGLE_TAG")
                 for i in range(3_000)}
        (home / "store" / "config").mkdir(parents=True)
        (home / "store" / "config" / "topics.json").write_text(json.dumps({
            "dataVersion": data_version(7), "topicConfigTable": table}))
        mute = names.Listener()
        self.addCleanup(mute.close)
        self.broker(f"{address};{mute.address}", enableSplitRegistration="true",
                    splitRegistrationSize=100)
        first = json.loads(mute.heard.get(timeout=60)["body"])["topicConfigSerializeWrapper"]
        self.assertEqual(len(first["topicConfigTable"]), 100)
        watcher = self.peer(address)
        wait_until(lambda: len(names.names_of(watcher, names.ALL_TOPICS, "Many")) == 3_000,
                   "all topics")
        wait_until(lambda: "TBW102" in names.names_of(watcher, names.ALL_TOPICS, "TBW"),
                   "the built-in ones")
        self.assertEqual(route(watcher, "Many02999")["queueDatas"][0]["readQueueNums"], 4)


class Page:
    """An address server: one text for every path."""

    def __init__(self, text):
        self.text, self.status, self.asked, self.count = text, 200, set(), 0
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers with the page's text."""

            def do_GET(self):  # pylint: disable=invalid-name
                page.asked.add(self.path)
                page.count += 1
                body = page.text.encode()
                self.send_response(page.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self.address = f"{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()


def knock(host, port, count):
    """Connects and closes; every fourth sends half a frame first. Most reset, since a port that was
    closed in peace is not free again for a minute."""
    for i in range(count):
        one = socket.create_connection((host, port), timeout=20)
        if i % 4 == 0:
            one.sendall(b"\x00\x00\x01\x00\x00\x00")
        if i % 5:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


def memory(process):
    """Bytes of private memory."""
    for line in Path(f"/proc/{process.child.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def files(process):
    """Open files."""
    return len(os.listdir(f"/proc/{process.child.pid}/fd"))


if __name__ == "__main__":
    unittest.main()
