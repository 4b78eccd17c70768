# SPDX-License-Identifier: Apache-2.0
"""What the cases of frames/names*.py ask a name server, as brokers and tools do."""

import json
import queue
import re
import socket
import struct
import threading
import zlib

from .peer import CURRENT_VERSION
from .process import wait_until

PUT_KV, GET_KV, DELETE_KV, REGISTER, UNREGISTER, ROUTE, CLUSTER = 100, 101, 102, 103, 104, 105, 106
WIPE, ALL_TOPICS, DELETE_TOPIC, REGISTER_TOPIC, KV_LIST = 205, 206, 216, 217, 219
CLUSTER_TOPICS, SYSTEM_TOPICS, UNIT, UNIT_SUB, UNIT_SUB_ONLY = 224, 304, 311, 312, 313
UPDATE_CONFIG, GET_CONFIG, DATA_VERSION, ADD_WRITE = 318, 319, 322, 327
MEMBERS, HEARTBEAT, MIN_ID_CHANGED = 901, 904, 905
BARE_KEY = re.compile(r"([{,])(-?\d+):")


def data_version(counter=1, state=0):
    """A DataVersion."""
    return {"counter": counter, "stateVersion": state, "timestamp": 1700000000000}


def topic(name, queues=4, perm=6, flag=0):
    """A TopicConfig."""
    return {"topicName": name, "readQueueNums": queues, "writeQueueNums": queues, "perm": perm,
            "topicFilterType": "SINGLE_TAG", "topicSysFlag": flag, "order": False, "attributes": {}}


def wrapper(topics, version=None, mappings=None):
    """A TopicConfigSerializeWrapper."""
    made = {"topicConfigTable": {one["topicName"]: one for one in topics},
            "dataVersion": version or data_version()}
    if mappings is not None:
        made["topicQueueMappingInfoMap"] = mappings
    return made


def body(topics, version=None, mappings=None, filters=()):
    """A RegisterBrokerBody."""
    return json.dumps({"filterServerList": list(filters),
                       "topicConfigSerializeWrapper": wrapper(topics, version, mappings)}).encode()


def compressed(topics, version=None, mappings=(), filters="[]"):
    """The same as brokers with compressedRegister=true send it."""
    def text(value):
        value = value if isinstance(value, bytes) else value.encode()
        return struct.pack(">i", len(value)) + value

    out = text(json.dumps(version or data_version())) + struct.pack(">i", len(topics))
    for one in topics:
        out += text(f"{one['topicName']} {one['readQueueNums']} {one['writeQueueNums']} "
                    f"{one['perm']} {one['topicFilterType']} {{}}")
    out += text(filters) + struct.pack(">i", len(mappings))
    for mapping in mappings:
        out += text(json.dumps(mapping))
    return zlib.compress(out)


class Node:
    """A broker as a name server sees it."""

    def __init__(self, case, peer, **fields):
        self.peer = peer
        self.fields = {"brokerName": f"{case}-a", "brokerAddr": f"{case}:10911", "brokerId": 0,
                       "clusterName": f"{case}-cluster", "haServerAddr": f"{case}:10912"}
        self.fields.update(fields)

    def register(self, content, **more):
        """REGISTER_BROKER; the answer."""
        return self.peer.ask(REGISTER, {**self.fields, **more}, content)

    def unregister(self):
        """UNREGISTER_BROKER; the answer. Java obeys a moment later."""
        return self.peer.ask(UNREGISTER, self.fields)


def parsed(answer):
    """The answer's body with lists in order, so that hash tables do not show."""
    if not answer["body"]:
        return None
    text = answer["body"].decode()
    while BARE_KEY.search(text):
        text = BARE_KEY.sub(r'\1"\2":', text)
    return in_order(json.loads(text))


def in_order(value):
    """The same with every list sorted."""
    if isinstance(value, dict):
        return {key: in_order(one) for key, one in value.items()}
    if isinstance(value, list):
        return sorted((in_order(one) for one in value), key=json.dumps)
    return value


def route(peer, name, **more):
    """A topic's route, or the code of the refusal."""
    answer = peer.ask(ROUTE, {"topic": name, **more})
    return parsed(answer) if answer["code"] == 0 else f"code {answer['code']}"


def wait_no_route(peer, name):
    """Waits until nobody has the topic."""
    wait_until(lambda: peer.ask(ROUTE, {"topic": name})["code"] == 17, f"{name} has no route")


def names_of(peer, code, prefix, **fields):
    """The topics of a list that begin so."""
    answer = peer.ask(code, fields)
    if answer["code"]:
        return f"code {answer['code']} {answer.get('remark')}"
    return sorted(name for name in json.loads(answer["body"]).get("topicList", [])
                  if name.startswith(prefix))


class Listener:
    """Listens as a broker would and keeps the requests that come."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self.heard = queue.Queue()
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Ends it and its connections."""
        self._socket.close()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def next(self, seconds=60):
        """The next request: its code, flag and fields."""
        header = self.heard.get(timeout=seconds)
        return {"code": header["code"], "one_way": bool(header["flag"] & 2),
                "fields": header.get("extFields")}

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection):
        try:
            with connection.makefile("rb") as file:
                while True:
                    length, mark = struct.unpack(">II", file.read(8))
                    frame = file.read(length - 4)
                    size = mark & 0xFFFFFF
                    self.heard.put({**json.loads(frame[:size]), "body": frame[size:]})
        except (OSError, struct.error, ValueError):
            pass


__all__ = [name for name in dir() if not name.startswith("_")] + ["CURRENT_VERSION"]
