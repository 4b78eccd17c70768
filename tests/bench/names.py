#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a name server costs that holds 100,000 topics of 300 brokers; beside Java.

    names.py --build build/release [--quick] [--only gantry,java] [--write] [--check]

Every topic has three brokers, which register in parts as brokers with enableSplitRegistration do.
The server runs on the first core, the clients (`gantry bench --mode route`) on the second.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import load
import page
from contenders import HOST, Failure, Gantry, Java, peers
from harness import names
from harness.peer import Peer
from table import number

BEGIN, END = "<!-- names table: begin -->\n", "<!-- names table: end -->\n"
FULL = {"brokers": 300, "topics": 100_000, "seconds": 10, "warm": 15, "runs": 3}
QUICK = {"brokers": 300, "topics": 100_000, "seconds": 2, "warm": 2, "runs": 1}
COPIES = 3       # brokers of a topic
PART = 800       # topics in one registration: RocketMQ's splitRegistrationSize
ROUTES = ["--mode", "route", "--connections", "8", "--in-flight", "64"]
ONE = ["--mode", "route", "--connections", "1", "--in-flight", "1"]
REGISTERED, MEMORY, RATE, P99 = ("registered, s", "private memory then, MiB",
                                 "queries a second", "p99, us")


class _Namesrv:
    """What both name servers share."""

    def _properties(self):
        path = self.folder / "namesrv.conf"
        path.write_text(f"listenPort={self.port}\nbindAddress={HOST}\n"
                        f"kvConfigPath={self.folder / 'kvConfig.json'}\n")
        return path


class GantryNames(_Namesrv, Gantry):
    """gantryd as a name server."""

    def version(self):
        return super().version().replace("broker", "name server")

    def command(self):
        return [self.program, "namesrv", "-c", self._properties()]


class JavaNames(_Namesrv, Java):
    """The Java name server."""

    def version(self):
        return super().version().replace("broker", "name server")

    def command(self):
        command = super().command()
        at = command.index("org.apache.rocketmq.broker.BrokerStartup")
        return [*command[:at], "org.apache.rocketmq.namesrv.NamesrvStartup", "-c",
                self._properties()]


def register(server, size):
    """All brokers, each on a connection of its own, in parts; returns the open connections."""
    groups = size["brokers"] // COPIES
    each = size["topics"] // groups
    open_connections = []
    for broker in range(size["brokers"]):
        peer = Peer(server.address)
        open_connections.append(peer)
        node = names.Node("bench", peer, brokerName=f"broker-{broker}", clusterName="bench",
                          brokerAddr=f"10.0.{broker // 250}.{broker % 250}:10911",
                          heartbeatTimeoutMillis=3_600_000)
        first = broker // COPIES * each
        topics = [names.topic(f"route_{number_:05d}") for number_ in range(first, first + each)]
        for part in range(0, each, PART):
            body = names.body(topics[part:part + PART], names.data_version(part + 1))
            if node.register(body)["code"]:
                raise Failure(f"{server.name}: broker {broker} was refused")
    return open_connections


def measure(server, generator, size):
    """One server's values."""
    values, connections = {}, []
    topics = ["--topics", str(size["topics"])]
    server.start()
    try:
        begin = time.monotonic()
        connections = register(server, size)
        values["register", REGISTERED] = time.monotonic() - begin
        generator.run(server, ROUTES + topics, "route", size["warm"])
        runs = [generator.run_settled(server, ROUTES + topics, "route", seconds=size["seconds"])
                for _ in range(size["runs"])]
        for run in runs:
            if run["refused"] or run["unanswered"]:
                raise Failure(f"{server.name}: {run['refused']} queries were refused")
        runs.sort(key=lambda run: run["messagesPerSecond"])
        middle = runs[len(runs) // 2]
        values["register", MEMORY] = middle["process"]["rssAnonKiB"] / 1024
        values["routes, 8 x 64 in flight", RATE] = middle["messagesPerSecond"]
        values["routes, 8 x 64 in flight", "CPU a query, us"] = \
            middle["process"]["cpuMicrosPerMessage"]
        values["routes, 8 x 64 in flight", P99] = middle["latencyMicros"]["p99"]
        alone = generator.run_settled(server, ONE + topics, "route", seconds=size["seconds"] / 2)
        values["routes, one at a time", "p50, us"] = alone["latencyMicros"]["p50"]
        values["routes, one at a time", P99] = alone["latencyMicros"]["p99"]
    finally:
        for connection in connections:
            connection.close()
        server.stop()
    return values


def markdown(results):
    """One table."""
    keys = list(dict.fromkeys(key for values in results.values() for key in values))
    lines = ["|  |  | Java | Gantry | to reach |", "| --- | --- | ---: | ---: | --- |"]
    last = None
    for row, what in keys:
        cells = [number(results[name][row, what]) if (row, what) in results.get(name, {}) else "-"
                 for name in ("java", "gantry")]
        goal = "at least 50,000" if what == RATE else ""
        lines.append(f"| {row if row != last else ''} | {what} | {' | '.join(cells)} | {goal} |")
        last = row
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=page.CHECKOUT / "build" / "release")
    parser.add_argument("--quick", action="store_true", help="short runs, once each")
    parser.add_argument("--only", default="java,gantry")
    parser.add_argument("--check", action="store_true", help="fail when a goal is missed")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    args = parser.parse_args()
    size = QUICK if args.quick else FULL
    cores = sorted(os.sched_getaffinity(0))
    generator = load.Generator(args.build.resolve(), cores[-1])
    results, versions = {}, {}
    with tempfile.TemporaryDirectory(prefix="names-", dir=args.build.resolve()) as folder:
        known = {"java": JavaNames(Path(folder), cores[0]),
                 "gantry": GantryNames(Path(folder), cores[0], args.build.resolve(),
                                       generator.version())}
        for name in args.only.split(","):
            page.say(f"{name}: {size['topics']:,} topics of {size['brokers']} brokers")
            try:
                results[name] = measure(known[name], generator, size)
                versions[name] = known[name].version()
            except (Failure, peers.Unavailable, OSError) as failure:
                page.say(failure)
                if name == "gantry":
                    return 1
    text = markdown(results)
    text += f"\n\n- made by `./dev bench names{' --quick' if args.quick else ''}` on "
    text += f"{time.strftime('%Y-%m-%d')}\n- machine: {page.machine()}\n"
    text += "\n".join(f"- {name}: {version}" for name, version in versions.items())
    print(text)
    rate = results.get("gantry", {}).get(("routes, 8 x 64 in flight", RATE), 0)
    if rate < 50_000 and "gantry" in results:
        page.say(f"missed: {RATE}: at least 50,000")
    if args.write:
        page.write_page("\n" + text + "\n", BEGIN, END)
    return 1 if args.check and rate < 50_000 else 0


if __name__ == "__main__":
    sys.exit(main())
