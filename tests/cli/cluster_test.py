#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`gantry cluster` starts layouts on this machine, shows them, and stops them.

    cluster_test.py FOLDER-OF-PROGRAMS
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from harness.process import BLOCK, HOST, own_block, wait_until  # noqa: E402

BINARIES = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
DONE, FAILED, USAGE, TIMEOUT = 0, 1, 2, 5
SMALL = ("--set", "mappedFileSizeCommitLog=16m")
SEEDS = Path(__file__).resolve().parent.parent / "conf" / "seeds"  # the articles' own files
SPAN = 110  # ports from the base port on that a layout of nine brokers takes
assert SPAN <= BLOCK


class Cluster(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gantry-cluster-")
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name) / "c"
        self.base = own_block().first
        self.addCleanup(self.end_all)

    def end_all(self):
        """Whatever a failed test left."""
        for line in self.status():
            if line["pid"]:
                os.kill(line["pid"], signal.SIGKILL)

    def cluster(self, *words, expect=DONE):
        done = subprocess.run([BINARIES / "gantry", "cluster", *map(str, words)], text=True,
                              capture_output=True, timeout=400, check=False)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout if expect == DONE else done.stderr

    def up(self, layout, expect=DONE):
        return self.cluster("up", layout, "--dir", self.dir, "--base-port", self.base, *SMALL,
                            "--timeout", 300,
                            expect=expect)

    def down(self, *words, **options):
        return self.cluster("down", "--dir", self.dir, *words, **options)

    def status(self):
        done = subprocess.run([BINARIES / "gantry", "cluster", "status", "--dir", self.dir,
                               "--output", "json"], text=True, capture_output=True, timeout=60,
                              check=False)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def node(self, name):
        return next(line for line in self.status() if line["node"] == name)

    def gantry(self, *words):
        return subprocess.run([BINARIES / "gantry", *map(str, words)], text=True, check=True,
                              capture_output=True, timeout=120).stdout

    def test_masters_serve_end_and_come_back(self):
        out = self.up("2m-noslave")
        self.assertIn("2 brokers, known to 2 name servers", out)
        self.assertEqual([line["knownTo"] for line in self.status() if "knownTo" in line], [2, 2])
        namesrvs = f"{HOST}:{self.base};{HOST}:{self.base + 1}"
        sent = self.gantry("send", "-n", namesrvs, "-t", "T", "--count", 20, "hello")
        self.assertEqual(len(set(sent.split()) & {"broker=broker-a", "broker=broker-b"}), 2)
        self.assertIn("runs already", self.cluster("up", "--dir", self.dir, expect=FAILED))
        self.assertIn("holds a cluster of layout 2m-noslave", self.cluster(
            "up", "1m", "--dir", self.dir, expect=FAILED))
        self.assertIn("is down", self.down())
        self.assertEqual({line["pid"] for line in self.status()}, {0})
        self.cluster("up", "--dir", self.dir)
        read = self.gantry("consume", "-n", namesrvs, "-t", "T", "-g", "g", "--from", "first",
                           "--max", 20, "--timeout", 60)
        self.assertEqual(read.count("hello"), 20)
        self.down()

    def pairs(self, layout, slaves):
        """The layout starts, its first messages are stored well, and each slave has them."""
        self.up(layout)
        sent = self.gantry("send", "-n", f"{HOST}:{self.base}", "-t", "BenchmarkTest", "--count",
                           24, "hello")
        self.assertEqual(sent.count("SEND_OK"), 24, sent)
        for slave in slaves:
            master = slave.split("-s")[0]
            wait_until(lambda: self.same_log(master, slave),  # noqa: B023
                       f"{slave} has what {master} has")
        self.cluster("status", "--dir", self.dir)
        self.down()

    def same_log(self, master, slave):
        """Whether both have written the same."""
        whole = self.log(master)
        return whole is not None and whole == self.log(slave)

    def log(self, node):
        """The first file of a node's log."""
        files = sorted((self.dir / node / "store" / "commitlog").glob("0*"))
        return files[0].read_bytes() if files else None

    def test_asynchronous_pairs(self):
        self.pairs("2m-2s-async", ["broker-a-s", "broker-b-s"])

    def test_synchronous_pairs(self):
        self.pairs("2m-2s-sync", ["broker-a-s", "broker-b-s"])

    def test_three_masters_with_two_slaves_each(self):
        self.pairs("3m-6s", [f"broker-{one}-s{i}" for one in "abc" for i in (1, 2)])

    def test_a_killed_broker_is_seen(self):
        self.up("2m-noslave")
        os.kill(self.node("broker-a")["pid"], signal.SIGKILL)
        wait_until(lambda: self.node("broker-a").get("knownTo") == 0, "the name servers notice")
        self.cluster("status", "--dir", self.dir, expect=FAILED)
        self.assertEqual((self.node("broker-a")["pid"], self.node("broker-b")["knownTo"]), (0, 2))
        self.down()

    def test_who_does_not_stop_is_named(self):
        self.up("1m")
        pid = self.node("broker-a")["pid"]
        os.kill(pid, signal.SIGSTOP)
        link = self.dir.parent / "link"
        link.symlink_to(self.dir)
        said = self.cluster("down", "--dir", link, "--timeout", 1, expect=TIMEOUT)
        self.assertIn(f"broker-a (process {pid}) has not stopped", said)
        os.kill(pid, signal.SIGCONT)
        self.down()

    def test_a_port_in_use_is_said_before_anything_starts(self):
        with socket.socket() as taken:
            taken.bind((HOST, self.base + 10))  # the broker's VIP port
            taken.listen()
            said = self.up("1m", expect=FAILED)
            self.assertIn(f"port {self.base + 10}, for broker-a, is in use", said)
        self.up("1m")
        self.down()

    def test_what_stops_a_node_is_shown(self):
        layout = self.dir.parent / "mine"
        layout.mkdir()
        (layout / "namesrv.properties").write_text("listenPort=9876\n")
        (layout / "broker-n0.properties").write_text(
            "brokerName=n\nenableDLegerCommitLog=true\ndLegerGroup=n\n")
        said = self.up(f"{layout}", expect=FAILED)
        self.assertIn("broker-n0 has ended with exit code 3", said)
        self.assertIn('enableDLegerCommitLog = "true" promises', said)
        self.assertEqual({line["pid"] for line in self.status()}, {0})

    def test_layouts_load_with_warnings_only(self):
        """Every example's files are read; what is misspelt or given twice is a warning."""
        said = ""
        for line in self.cluster("layouts", "--output", "json").splitlines():
            for file in sorted(Path(json.loads(line)["folder"]).glob("*.properties")):
                role = "namesrv" if file.name.startswith("namesrv") else "broker"
                done = subprocess.run([BINARIES / "gantryd", "--check", role, "-c", file],
                                      text=True, capture_output=True, timeout=60, check=False)
                self.assertEqual(done.returncode, DONE, done.stderr)
                said += done.stderr
        self.assertIn("storePathRootDir: given again", said)
        self.assertIn("rokerClusterName: unknown, did you mean brokerClusterName?", said)
        self.assertIn("mapedFileSizeCommitLog: ignored by RocketMQ 5.5.0 as well", said)

    def layout(self, files, namesrvs):
        """A layout of property files, {node: text}."""
        folder = self.dir.parent / "articles"
        folder.mkdir(exist_ok=True)
        for number in range(namesrvs):
            (folder / f"namesrv-{number}.properties").write_text("listenPort=9876\n")
        for node, text in files.items():
            (folder / f"{node}.properties").write_text(text)
        return folder

    def check(self, file):
        """What gantryd says of a broker's file."""
        done = subprocess.run([BINARIES / "gantryd", "--check", "broker", "-c", file], text=True,
                              capture_output=True, timeout=60, check=False)
        return done.returncode, done.stderr

    def test_the_articles_files_of_pairs_start(self):
        """As they are, but for ports and folders."""
        files = {path.stem: path.read_text() for path in SEEDS.glob("2m-2s-sync-*.properties")}
        self.assertEqual(len(files), 4)
        folder = self.layout(files, 2)
        self.assertIn("4 brokers, known to 2 name servers", self.up(f"{folder}"))
        self.down()
        for node in files:
            code, said = self.check(folder / f"{node}.properties")
            self.assertEqual(code, DONE, said)
            self.assertIn("mapedFileSizeConsumeQueue: ignored by RocketMQ 5.5.0 as well", said)

    def article_of_three(self):
        """The files of three masters and six slaves; some are written as what differs from another."""
        files = {path.stem: path.read_text() for path in SEEDS.glob("3m-6s-*.properties")}
        self.assertEqual(len(files), 9)
        for name in ("3m-6s-broker-b", "3m-6s-broker-c"):
            files[name] = files["3m-6s-broker-a"] + files[name]
        return files

    def test_the_articles_dledger_lines_stop_the_start(self):
        """Each such file is refused with a sentence that names the key and its place."""
        files = self.article_of_three()
        files["node00"] = (SEEDS / "dledger-node00.properties").read_text()
        folder = self.layout(files, 1)
        for node, text in files.items():
            path = folder / f"{node}.properties"
            line = 1 + next(number for number, line in enumerate(text.splitlines())
                            if "enableDLegerCommitLog" in line)
            code, said = self.check(path)
            self.assertEqual(code, 3, said)
            self.assertIn(f'{path}:{line}: enableDLegerCommitLog = "true" promises', said)

    def test_the_articles_three_masters_start_without_dledger_lines(self):
        """The others are as they are: a key given twice, one that is misspelt."""
        files = {node: re.sub(r"(?m)^\s*(enableDL|dL)eger.*$", "", text)
                 for node, text in self.article_of_three().items()}
        folder = self.layout(files, 3)
        self.assertIn("9 brokers, known to 3 name servers", self.up(f"{folder}"))
        self.down()
        for node in files:
            code, said = self.check(folder / f"{node}.properties")
            self.assertEqual(code, DONE, said)
            self.assertIn("storePathRootDir: given again", said)
            if node == "3m-6s-host2-broker-a-s":
                self.assertIn("rokerClusterName: unknown, did you mean brokerClusterName?", said)

    def test_words_that_are_wrong(self):
        self.assertIn("there is no such layout", self.up("2m-2s-unsync", expect=FAILED))
        self.assertIn("no cluster was set up here", self.down(expect=FAILED))
        self.cluster("up", "1m", expect=USAGE)
        self.cluster("up", "--dir", self.dir, expect=USAGE)
        self.cluster("up", "1m", "--dir", self.dir, "--base-port", 80, expect=USAGE)
        self.cluster("up", "1m", "--dir", self.dir, "--set", "nothing", expect=USAGE)


if __name__ == "__main__":
    unittest.main()
