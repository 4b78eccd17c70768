#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what docs/plugin-guide.md says: installs into a temporary prefix, builds an allocation
strategy from the installed headers and pkg-config alone, enables it with a conf.d fragment, and
has a broker call it.

    run.py --build BUILD-FOLDER --cc cc
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))
from harness.process import HOST, Ports, Process, listens  # noqa: E402
from harness.remoting import Connection  # noqa: E402

UPDATE_AND_CREATE_TOPIC, HEART_BEAT, QUERY_ASSIGNMENT = 17, 34, 400
QUEUES = 5


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          capture_output=True, **options).stdout


def guide_matches():
    """The guide shows the very file that is compiled here."""
    guide = (HERE.parent.parent / "docs" / "plugin-guide.md").read_text()
    shown = re.search(r"```c\n(.*?)```", guide, re.S).group(1)
    source = (HERE / "allocation-spread.c").read_text()
    assert source.endswith(shown), "docs/plugin-guide.md shows other code than allocation-spread.c"


def build_plugin(prefix, cc):
    """Compiles the strategy as the guide does; returns the plugin directory."""
    pc = next(prefix.rglob("gantry.pc")).parent
    environment = dict(os.environ, PKG_CONFIG_PATH=str(pc))

    def pkg(*what):
        return run("pkg-config", *what, "gantry", env=environment).split()

    folder = pathlib.Path(pkg("--variable=plugindir")[0])
    run(cc, *pkg("--variable=plugin_cflags"), *pkg("--cflags"), HERE / "allocation-spread.c", "-o",
        folder / "allocation-spread.so", *pkg("--variable=plugin_ldflags"), *pkg("--libs"))
    return folder


def heartbeat(client, group, topic):
    return json.dumps({
        "clientID": client, "producerDataSet": [],
        "consumerDataSet": [{
            "groupName": group, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
            "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET", "unitMode": False,
            "subscriptionDataSet": [{"topic": topic, "subString": "*", "subVersion": 1,
                                     "expressionType": "TAG", "tagsSet": [], "codeSet": [],
                                     "classFilterMode": False}]}]}).encode()


def assigned(connection, client):
    """The queues that the broker gives a client under our strategy."""
    header, body = connection.ask(QUERY_ASSIGNMENT, {}, json.dumps({
        "topic": "Spread", "consumerGroup": "readers", "clientId": client,
        "strategyName": "SPREAD", "messageModel": "CLUSTERING"}).encode())
    assert header["code"] == 0, header
    return sorted(a["messageQueue"]["queueId"] for a in json.loads(body)["messageQueueAssignments"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cc", default="cc")
    args = parser.parse_args()
    guide_matches()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gantry-outoftree-"))
    broker = None
    try:
        prefix = folder / "prefix"
        run("cmake", "--install", args.build, "--prefix", prefix)
        plugins = build_plugin(prefix, args.cc)
        environment = dict(os.environ, LD_LIBRARY_PATH=str(plugins.parent))
        inspected = run(prefix / "bin" / "gantry", "plugin", "inspect",
                        plugins / "allocation-spread.so", env=environment)
        assert "SPREAD" in inspected, inspected
        fragments = folder / "conf.d"
        shutil.copytree(prefix / "etc" / "gantry" / "conf.d", fragments)
        shutil.copy(HERE / "allocation-spread.conf", fragments)
        port = Ports().broker()
        conf = folder / "broker.properties"
        conf.write_text(f"listenPort={port}\nbindAddress={HOST}\nbrokerIP1={HOST}\n"
                        f"storePathRootDir={folder}/store\nmappedFileSizeCommitLog=16777216\n")
        broker = Process("gantryd", [prefix / "bin" / "gantryd", "broker", "-c", conf, "--conf-dir",
                                     fragments], folder / "gantryd.log", env=environment)
        broker.wait_until(lambda: listens(port), "its port")
        first, second = Connection(f"{HOST}:{port}"), Connection(f"{HOST}:{port}")
        header, _ = first.ask(UPDATE_AND_CREATE_TOPIC, {
            "topic": "Spread", "defaultTopic": "TBW102", "readQueueNums": str(QUEUES),
            "writeQueueNums": str(QUEUES), "perm": "6", "topicFilterType": "SINGLE_TAG",
            "order": "false"})
        assert header["code"] == 0, header
        for connection, client in ((first, "client-a"), (second, "client-b")):
            header, _ = connection.ask(HEART_BEAT, {}, heartbeat(client, "readers", "Spread"))
            assert header["code"] == 0, header
        assert assigned(first, "client-a") == [0, 2, 4]
        assert assigned(second, "client-b") == [1, 3]
        print("an out-of-tree strategy was built, enabled and called")
        return 0
    except subprocess.CalledProcessError as error:
        print(f"{error}\n{error.stdout}{error.stderr}")
        return 1
    finally:
        if broker:
            print(f"gantryd: {broker.stop()}")
            print(broker.log.read_text())
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
