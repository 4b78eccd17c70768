# SPDX-License-Identifier: Apache-2.0
"""A broker process that may be killed at any moment, and what its clients say and hear."""

import hashlib
import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
from harness.process import HOST, Failure, Patience, Ports  # noqa: E402
from harness.servers import PATIENT  # noqa: E402

SUCCESS, NO_TOPIC, OFFSET_MOVED, NOT_FOUND, RETRY_AT_ONCE = 0, 17, 21, 19, 20
SEND, PULL, CREATE_TOPIC = 10, 11, 17
PULL_FIELDS = {"consumerGroup": "readers", "maxMsgNums": 32, "sysFlag": 4, "commitOffset": 0,
               "suspendTimeoutMillis": 0, "subscription": "*", "subVersion": 0,
               "expressionType": "TAG"}
SEND_FIELDS = {"producerGroup": "writers", "defaultTopic": "TBW102", "defaultTopicQueueNums": 8,
               "sysFlag": 0, "bornTimestamp": 1700000000000, "flag": 0, "reconsumeTimes": 0,
               "unitMode": "false", "maxReconsumeTimes": 0}


class Broker:
    """gantryd in the broker's role, on a port and in a folder of its own. place: the network's host
    that it runs on, which is not ours."""

    def __init__(self, binaries, home, environment=None, place=None, **properties):
        self.binaries = Path(binaries).resolve()
        self.place = place
        self.host = place.address if place else HOST
        self.home = Path(home)
        self.store = self.home / "store"
        self.port = Ports().broker()
        self.environment = environment or {}
        self.process = None
        self.log = ""
        self.properties = {
            "listenPort": self.port, "bindAddress": self.host, "brokerIP1": self.host,
            "brokerIP2": self.host, "brokerName": "crash", "brokerClusterName": "C",
            "storePathRootDir": self.store,
            "mappedFileSizeCommitLog": 1 << 20, "mappedFileSizeConsumeQueue": 20 * 500,
            "maxHashSlotNum": 500, "maxIndexNum": 2000, "diskMaxUsedSpaceRatio": 95,
            **PATIENT, **properties}
        self.log_file = self.home / "broker.log"

    def spawn(self, **environment):
        """Starts the process and waits for nothing."""
        path = self.home / "broker.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in self.properties.items()))
        with open(self.log_file, "ab") as output:
            self.log_from = output.tell()
            self.process = subprocess.Popen(
                [*(self.place.prefix if self.place else ()), self.binaries / "gantryd", "broker",
                 "-c", path], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, **self.environment, **environment})

    def start(self, seconds=60, **environment):
        """Starts the process; it serves when this returns."""
        self.spawn(**environment)
        patience = Patience(seconds)
        while " ready: " not in self.said():
            if self.process.poll() is not None:
                raise Failure(f"the broker ended with {self.process.returncode}:\n{self.said()}")
            if patience.is_over():
                raise Failure(f"the broker is not ready after {seconds} s:\n{self.said()}")
            time.sleep(0.005)

    def said(self):
        """The log since the last start."""
        if self.process is None:
            return "never started"
        with open(self.log_file, "rb") as log:
            log.seek(self.log_from)
            return log.read().decode(errors="replace")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def stop(self, seconds=60):
        """Asks it to end; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"the broker did not end within {seconds} s:\n{self.said()}") from None


class Pipe:
    """A connection with any number of requests under way."""

    def __init__(self, port, seconds=60, host=HOST):
        self.host, self.port, self.seconds, self.opaque = host, port, seconds, 0
        self.connect()

    def connect(self):
        """Again: what was under way is forgotten."""
        self.buffer = b""
        self.socket = socket.create_connection((self.host, self.port), timeout=self.seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, code, body, fields):
        """Sends a request; returns the number that its answer will bear."""
        self.opaque += 1
        header = json.dumps({"code": code, "language": "JAVA", "version": 513,
                             "opaque": self.opaque, "flag": 0,
                             "serializeTypeCurrentRPC": "JSON",
                             "extFields": {key: str(value) for key, value in fields.items()}})
        data = header.encode()
        self.socket.sendall(struct.pack(">II", 4 + len(data) + len(body), len(data)) + data + body)
        return self.opaque

    def answer(self):
        """The next answer: its header and body."""
        while True:
            size = struct.unpack(">I", self._read(4))[0]
            data = self._read(size)
            header_size = struct.unpack(">I", data[:4])[0] & 0xFFFFFF
            header = json.loads(data[4:4 + header_size])
            if header["flag"] & 1:
                return header, data[4 + header_size:]

    def call(self, code, body=b"", **fields):
        self.ask(code, body, fields)
        return self.answer()

    def _read(self, size):
        while len(self.buffer) < size:
            piece = self.socket.recv(1 << 18)
            if not piece:
                raise ConnectionError("the broker closed the connection")
            self.buffer += piece
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data


# ---- messages that tell on themselves

def body_of(name, largest=1500):
    """The only body that belongs to a name."""
    seed = hashlib.sha256(name.encode()).digest()
    size = int.from_bytes(seed[:4], "big") % largest
    return name.encode() + b"|" + (seed * (size // len(seed) + 1))[:size]


def name_of(body, largest=1500):
    """The name of a message; raises when the body is not the one that was made for it."""
    name = body.split(b"|", 1)[0].decode(errors="replace")
    if body_of(name, largest) != body:
        raise Failure(f"a body that nobody sent: {body[:60]!r}, {len(body)} bytes")
    return name


def batch_of(bodies):
    """The body of a batch request."""
    return b"".join(struct.pack(">IIIII", 22 + len(body), 0, 0, 0, len(body)) + body + b"\0\0"
                    for body in bodies)


def send_fields(topic, queue, batch=False):
    return {**SEND_FIELDS, "topic": topic, "queueId": queue, "properties": "",
            "batch": "true" if batch else "false"}


def records(data):
    """(queue offset, log offset, body) of stored messages, one after another."""
    at = 0
    while at < len(data):
        size = struct.unpack_from(">I", data, at)[0]
        offset, physical = struct.unpack_from(">qq", data, at + 20)
        length = struct.unpack_from(">I", data, at + 84)[0]
        yield offset, physical, data[at + 88:at + 88 + length]
        at += size


def pull(pipe, topic, queue, offset):
    """One pull: its code, the next offset, the messages."""
    header, data = pipe.call(PULL, topic=topic, queueId=queue, queueOffset=offset, **PULL_FIELDS)
    code = header["code"]
    if code not in (SUCCESS, NOT_FOUND, RETRY_AT_ONCE, OFFSET_MOVED, NO_TOPIC):
        raise Failure(f"pull {topic}-{queue} at {offset}: {code} {header.get('remark')}")
    return code, int((header.get("extFields") or {}).get("nextBeginOffset", 0)), list(records(data))


def read_from(pipe, topic, queue, offset):
    """Every message of a queue from an offset on."""
    for _ in itertools.count():
        code, following, messages = pull(pipe, topic, queue, offset)
        yield from messages
        if code == OFFSET_MOVED and following < offset:
            raise Failure(f"{topic}-{queue} ends at {following}, and not at {offset} or later")
        if code not in (SUCCESS, OFFSET_MOVED) or following == offset:
            return
        offset = following
