#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A layout of conf.d/examples under clients that send and take all the time: each node in turn is
killed and comes back. Nothing that was acknowledged is lost, everybody takes everything, clients see
no more of each event than they see of an all-Java cluster, and at the end all queues of all nodes of
a broker's name hold the same, record by record.

    layouts.py LAYOUT                            Gantry alone
    layouts.py LAYOUT --java 'broker-?'          the nodes whose names fit one of these are Java's
    layouts.py LAYOUT --java '*' --record        keeps, too, what clients saw of Java's nodes, in
                                                 expect/layouts/LAYOUT.json
    layouts.py LAYOUT --nodes 'namesrv*,broker-a*'   only these are killed
    layouts.py LAYOUT --clients java-4.9.8,go-2.1.2
    layouts.py LAYOUT --bin DIR                  with DIR/gantryd

Exit code: 0 all well, 1 something is wrong, 77 nothing could run.
"""

import argparse
import fnmatch
import sys
import time
from pathlib import Path

import layout_judge
import layout_stores
from ha_files import wait_until_same
from layout_clients import TOPIC, Stream, Streams, wait_until_committed
from layout_nodes import Layout
from machine import Machine
from slave_run import CREATE_TOPIC, topic_fields
from harness.cache import Unavailable, required
from harness.process import Failure
from harness.program import EXIT_FAILED, EXIT_NOTHING_RAN, newest_build, run_in_folder

QUEUES = 4
SENDS = 8  # that each client begins and ends while a node is down
CLIENTS = "java-5.5.0,java-4.9.8,go-2.1.2"


def now():
    """Milliseconds, as clients write them down."""
    return int(time.time() * 1000)


def start(site, options):
    """The nodes, a topic on every master, and clients that are under way."""
    begun = time.monotonic()
    layout = Layout(site, options.layout, options.java)
    layout.start()
    for master in layout.masters:
        fields = dict(topic_fields(TOPIC), readQueueNums=QUEUES, writeQueueNums=QUEUES)
        header, _ = master.ask(CREATE_TOPIC, fields)
        if header["code"] != 0:
            raise Failure(f"{master.name} makes no topic: {header}")
    streams = Streams([Stream(site, kind, layout.addresses, options.pause)
                       for kind in options.clients])
    layout.wait_until_known(TOPIC)
    print(f"{options.layout}: {len(layout.nodes)} nodes serve after "
          f"{time.monotonic() - begun:.1f} s", flush=True)
    return layout, streams


def all_is_well(layout, streams, since):
    """Until each client has sent to each master, and taken all that is acknowledged."""
    for master in layout.masters:
        streams.wait_for_sends(since, lambda sent, name=master.broker: sent.is_acknowledged() and
                               sent.broker == name, f"an answer of {master.name}")
    streams.wait_until_taken()


def kill_and_return(layout, streams, node):
    """One event, as the judge wants it."""
    others = node.role != "master" or len(layout.masters) > 1
    begin = now()
    node.kill()
    layout.wait_until_missed(node)
    streams.wait_for_sends(begin, lambda sent: sent.is_acknowledged() or not others,
                           "sends without " + node.name, SENDS if others else 1)
    if layout.can_read_without(node):
        streams.wait_until_taken({"SEND_OK"})
    node.start()
    node.wait_until_serves()
    layout.wait_until_ready()
    back = now()
    all_is_well(layout, streams, back)
    streams.must_run()
    event = layout_judge.Event(node.name, node.role, node.kind, begin, back, now())
    print(f"{node.name} ({node.kind}) was killed and came back after {back - begin} ms, "
          f"all was taken after {event.done - begin} ms", flush=True)
    return event


def end(layout, streams, options):
    """Ends clients, then nodes; what the stores hold in the end is checked."""
    for stream in streams.all:
        stream.enough()
    streams.wait_until_taken()
    wait_until_committed(streams, layout.masters, QUEUES)
    for stream in streams.all:
        stream.end()
    for master in layout.masters:
        for slave in layout.slaves(master):
            wait_until_same(master.store, slave.store)
            layout_stores.wait_until_dispatched(master, slave, QUEUES)
    wrong = []
    for node in reversed(layout.nodes):
        how = layout.site.stop_one(node.process)
        if node.kind == "gantry" and how != "exit code 0":
            wrong.append(f"{node.name}: {how}")
    return wrong + layout_stores.compare(options.bin / "gantry", layout, streams, QUEUES)


def run(site, options):
    """The whole; a list of what is wrong."""
    streams, machine = None, Machine(site.folder)
    try:
        layout, streams = start(site, options)
        all_is_well(layout, streams, 0)
        events = [kill_and_return(layout, streams, node) for node in layout.nodes
                  if any(fnmatch.fnmatch(node.name, pattern) for pattern in options.nodes)]
        wrong = judge(events, streams, machine, options)
        wrong += end(layout, streams, options)
        return wrong + layout_judge.unexplained(events, streams)
    finally:
        machine.stop()
        if streams:
            streams.stop()


def judge(events, streams, machine, options):
    """What clients saw, kept or compared with what they see of Java's nodes."""
    if options.record:
        of_java = [event for event in events if event.kind == "java"]
        layout_judge.record(options.layout, layout_judge.facts(of_java, streams, machine))
        return []
    return layout_judge.compare(options.layout, layout_judge.facts(events, streams, machine))


def act(site, options):
    """Runs it and says what came of it; the exit code."""
    try:
        wrong = run(site, options)
    except Unavailable as error:
        print(f"skipped: {error}")
        return EXIT_FAILED if required() else EXIT_NOTHING_RAN
    except (Failure, OSError) as error:
        said = [path.read_text().strip() for path in site.folder.glob("*.report")]
        wrong = [f"failed: {error}", *filter(None, said)]
    print(*wrong or [f"{options.layout}: all is well"], sep="\n")
    return EXIT_FAILED if wrong else 0


def main():
    """Runs what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("layout")
    parser.add_argument("--java", type=words, default=[])
    parser.add_argument("--nodes", type=words, default=["*"])
    parser.add_argument("--clients", type=words, default=words(CLIENTS))
    parser.add_argument("--pause", type=int, default=10, help="ms between a client's sends")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--bin", type=Path)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    options.bin = (options.bin or newest_build()).resolve()
    return run_in_folder("layouts", options, lambda site: act(site, options))


if __name__ == "__main__":
    sys.exit(main())
