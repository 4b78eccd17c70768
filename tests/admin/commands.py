# SPDX-License-Identifier: Apache-2.0
"""The commands of mqadmin 5.5.0, as an operator's first day has them; what they print is compared."""

import json
import os
import re
import subprocess

import raw
from harness import cache as peers
from harness import servers
from harness.process import Lines, Process
from harness.remoting import request
from normal import settled_text
from peers import HERE

SECONDS = 60
DELETE_TOPIC_IN_NAMESRV = 216
FLAGS = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
CLUSTER, BROKER = servers.CLUSTER_NAME, servers.BROKER_NAME

# b: the broker's address, c: the cluster, n: the broker's name
COMMANDS = [
    "updateTopic -c {c} -t Made -r 3 -w 3",
    "updateTopic -b {b} -t Made -r 3 -w 3 -p 4",
    "updateTopic -b {b} -t Attributes -a +message.type=FIFO",
    "updateTopicPerm -b {b} -t Made -p 6",
    "updateSubGroup -c {c} -g made -r 3",
    "updateSubGroup -b {b} -g made -s false",
    "setConsumeMode -b {b} -t Made -g made -m PULL",
    "topicList",
    "topicList -c",
    "topicRoute -t Orders",
    "topicRoute -t Orders -l",
    "topicRoute -t Nowhere",
    "topicStatus -t Orders",
    "topicStatus -t Made",
    "topicClusterList -t Orders",
    "clusterList",
    "clusterList -m",
    "brokerStatus -b {b}",
    "brokerStatus -c {c}",
    "getBrokerConfig -b {b}",
    "updateBrokerConfig -b {b} -k fileReservedTime -v 48",
    "updateBrokerConfig -b {b} -k rocketmqHome -v /elsewhere",
    "getNamesrvConfig",
    "updateNamesrvConfig -k returnOrderTopicConfigToBroker -v true",
    "updateKvConfig -s space -k key -v value",
    "deleteKvConfig -s space -k key",
    "updateOrderConf -t Orders -m put -v {n}:4",
    "updateOrderConf -t Orders -m get",
    "updateOrderConf -t Orders -m delete",
    "producerConnection -g writers -t Orders",
    "producerConnection -g nobody -t Orders",
    "producer -b {b}",
    "consumerConnection -g readers",
    "consumerConnection -g nobody",
    "consumerProgress -g readers",
    "consumerProgress -g readers -t Orders",
    "consumerProgress -g nobody",
    "consumerProgress",
    "consumerProgress -g orderly",
    "brokerConsumeStats -b {b}",
    "brokerConsumeStats -b {b} -o true",
    "getConsumerConfig -g readers",
    "statsAll -t Orders",
    "queryMsgByKey -t Orders -k k3",
    "queryMsgByKey -t Orders -k none",
    "queryMsgById -t Orders -i {id}",
    "queryMsgByUniqueKey -t Orders -i none",
    "queryMsgByOffset -t Orders -b {n} -i 0 -o 1",
    "queryCq -t Orders -q 0 -i 1 -c 2 -b {b}",
    "printMsg -t Orders",
    "printMsgByQueue -t Orders -a {n} -i 1 -p true",
    "sendMessage -t Made -p text -b {n} -i 0",
    "consumeMessage -t Orders -b {n} -i 0 -o 0 -c 2",
    "resetOffsetByTime -g orderly -t Ordered -s 0",
    "skipAccumulatedMessage -g orderly -t Ordered",
    "cloneGroupOffset -s readers -d made -t Orders -o true",
    "allocateMQ -t Orders -i one,two",
    "cleanExpiredCQ -b {b}",
    "cleanUnusedTopic -b {b}",
    "deleteExpiredCommitLog -b {b}",
    "haStatus -b {b}",
    "getBrokerEpoch -b {b}",
    "getColdDataFlowCtrInfo -b {b}",
    "wipeWritePerm -b {n}",
    "topicRoute -t Made",
    "addWritePerm -b {n}",
    "deleteSubGroup -b {b} -g made",
    "deleteSubGroup -c {c} -g listA -r true",
    "deleteTopic -t Made -c {c}",
    "topicRoute -t Made",
]

STATUS = ("brokerStatus", "clusterList")  # numbers that say how a run went: only names are compared
CONFIG = ("getBrokerConfig", "getNamesrvConfig")
CONFIG_KEYS = ("brokerName", "brokerClusterName", "brokerId", "brokerRole", "fileReservedTime",
               "flushDiskType", "autoCreateTopicEnable", "brokerPermission", "bindAddress",
               "kvConfigPath")
DIGITS = re.compile(r"\d+(\.\d+)?")
RATES = re.compile(r"\b\d+\.\d+\b")
PLACES = re.compile(r"(?<=physicOffset=)\d+|(?<=physicSize=)\d+|(?<=storeSize=)\d+|"
                    r"(?<=commitLogOffset=)\d+|(?<=CommitLog Offset: )\d+|"
                    r"(?<=MasterCommitLogMaxOffset )\d+|(?<=MESSAGE-ID@)\d+")
NOISE = re.compile(r"^at |^\.\.\.|\|-(INFO|WARN)")


def prepare(cache):
    """Fetches the Java tools and compiles the driver; returns its class path."""
    jars = cache.java_servers()
    classes = cache.root / "admin-tool"
    classes.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["javac", "--release", "17", "-cp", jars, "-d", str(classes),
                           str(HERE / "java" / "Tool.java")], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"Tool.java: {done.stderr}")
    return f"{classes}{os.pathsep}{jars}"


class Tool:
    """One JVM that runs mqadmin's commands."""

    def __init__(self, site, namesrv):
        home = site.home("mqadmin")
        command = [peers.java(), *FLAGS, f"-Duser.home={home}", f"-Drocketmq.home.dir={home}",
                   "-cp", prepare(site.cache), "Tool"]
        environment = dict(os.environ, NAMESRV_ADDR=namesrv, ROCKETMQ_HOME=str(home))
        self._process = Process("mqadmin", command, site.folder / "mqadmin.log", env=environment,
                                cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lines = Lines(self._process)

    def run(self, words):
        """What the command printed."""
        self._process.child.stdin.write((json.dumps(words) + "\n").encode())
        return json.loads(self._lines.next(SECONDS))

    def stop(self):
        """Ends the JVM."""
        self._process.child.stdin.close()
        self._process.stop()
        self._process.child.stdout.close()


def seen_of(words, text):
    """The lines that are compared."""
    lines = {seen_line(words[0], " ".join(line.split()))
             for line in settled_text(text).splitlines()}
    return sorted(line for line in lines if line)


def seen_line(command, line):
    """What of a line is compared; "" for nothing."""
    if NOISE.search(line):
        return ""
    if command in CONFIG and " =" in line:
        return line if line.split(" =")[0] in CONFIG_KEYS else ""
    if command in STATUS:
        return DIGITS.sub("0", re.sub(r"(\w+) *:.*$", r"\1", line))
    if command == "statsAll":
        return " ".join(line.split()[:3])
    line = PLACES.sub("N", line)
    return line if "ADDRESS" in line else RATES.sub("RATE", line)


def run_all(site, namesrv, broker):
    """Every command; what it printed, by its text."""
    world = raw.World(broker)
    world.change()
    world.fill()
    request(namesrv, DELETE_TOPIC_IN_NAMESRV, {"topic": "Doomed"})
    tool = Tool(site, namesrv)
    facts = {}
    try:
        for number, command in enumerate(COMMANDS, 1):
            words = command.format(b=broker, c=CLUSTER, n=BROKER, id=world.first_id).split()
            facts[f"{number:02} {command}"] = seen_of(words, tool.run(words))
    finally:
        tool.stop()
        world.close()
    return facts
