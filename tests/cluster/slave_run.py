# SPDX-License-Identifier: Apache-2.0
"""What the tests of slaves share: codes, requests, the command line, a run of one pair."""

import argparse
import shutil
import tempfile
from pathlib import Path

from nodes import Pair  # finds tests/peers/harness
from harness import servers
from harness.cache import CLIENT_VERSIONS, Cache, Unavailable, required
from harness.process import Failure

SEND, PULL, QUERY_OFFSET, COMMIT = 10, 11, 14, 15
CREATE_TOPIC, MAX_OFFSET, CREATE_GROUP = 17, 30, 200
NOTHING_RAN = 77


def topic_fields(name):
    """The header that makes a topic."""
    return {"topic": name, "defaultTopic": "TBW102", "readQueueNums": 3, "writeQueueNums": 2,
            "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false"}


def send_fields(topic, queue=0):
    """The header of a send."""
    return {"producerGroup": "producers", "topic": topic, "defaultTopic": "TBW102",
            "defaultTopicQueueNums": 4, "queueId": queue, "sysFlag": 0,
            "bornTimestamp": 1700000000000, "flag": 0, "properties": "", "reconsumeTimes": 0,
            "unitMode": "false", "batch": "false"}


def start(pair, options):
    """A master, and a slave that serves pulls."""
    master = pair.node("master", options.master).start()
    slave = pair.node("slave", options.slave, 1, slaveReadEnable="true", slaveSyncInterval=1000)
    return master, slave.start()


def patience(slave):
    """How long a copy may take: Java's slave asks once a minute, the first time later."""
    return 200 if slave.kind == "java" else 60


def main(description, once):
    """The program: once(pair, site, options) returns a list of what is wrong."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--master", choices=("gantry", "java"), default="gantry")
    parser.add_argument("--slave", choices=("gantry", "java"), default="gantry")
    parser.add_argument("--client", choices=CLIENT_VERSIONS, default=CLIENT_VERSIONS[0])
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--bin", type=Path)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gantry-slave-"))
    site = servers.Site(folder, Cache(), options.bin and options.bin.resolve())
    try:
        wrong = _run(site, options, once)
    except Unavailable as error:
        print(f"skipped: {error}")
        return 1 if required() else NOTHING_RAN
    if wrong:
        print("\n".join(wrong), f"files in {folder}", sep="\n")
    elif not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


def _run(site, options, once):
    try:
        both = options.master == options.slave == "java"
        wrong = once(Pair(site, "java" if both else "gantry"), site, options)
    except (Failure, OSError) as error:
        wrong = [f"failed: {error}"]
    finally:
        ends = site.stop()
    wrong += [f"{name} ended: {how}" for name, how in ends
              if how != "exit code 0" and "java" not in (options.master, options.slave)]
    return wrong
