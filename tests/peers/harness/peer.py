# SPDX-License-Identifier: Apache-2.0
"""A client of raw frames that also hears the broker: it answers, or keeps, what the broker asks."""

import json
import queue
import socket
import struct
import threading

CURRENT_VERSION = 513  # V5_5_0
HEARTBEAT = 34
RESPONSE, ONE_WAY = 1, 2  # bits of flag
WAIT_SECONDS = 60


class Peer:
    """One connection to a broker, read by a thread of its own until it closes.

    `handlers` maps request codes of the broker to functions (header, body) -> (code, remark, body),
    or None for no answer; every request of the broker is put into `pushed` as well.
    """

    def __init__(self, address, version=CURRENT_VERSION, language="JAVA"):
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=WAIT_SECONDS)
        self._socket.settimeout(None)
        self.address = "%s:%d" % self._socket.getsockname()
        self._version = version
        self._language = language
        self._opaque = 0
        self._answers = queue.Queue()
        self._lock = threading.Lock()
        self.handlers = {}
        self.pushed = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connection."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(WAIT_SECONDS)
        self._socket.close()

    def send(self, code, fields=None, body=b"", one_way=False):
        """Sends a request; returns its opaque."""
        self._opaque += 1
        self._write({"code": code, "language": self._language, "version": self._version,
                     "flag": ONE_WAY if one_way else 0, "opaque": self._opaque,
                     "serializeTypeCurrentRPC": "JSON", "extFields": fields or {}}, body)
        return self._opaque

    def answer(self, opaque, seconds=WAIT_SECONDS):
        """The answer to that request, the header with its body under "body"."""
        while True:
            header = self._answers.get(timeout=seconds)
            if header is None:
                raise ConnectionError("closed by the broker")
            if header["opaque"] == opaque:
                return header

    def ask(self, code, fields=None, body=b"", seconds=WAIT_SECONDS):
        """Sends a request and returns its answer."""
        return self.answer(self.send(code, fields, body), seconds)

    def next_push(self, code, seconds=WAIT_SECONDS):
        """The next request of the broker with that code; others are passed over."""
        while True:
            header = self.pushed.get(timeout=seconds)
            if header["code"] == code:
                return header

    def join(self, client, consumer=None, topics=(), producer=None, model="CLUSTERING"):
        """A heartbeat of one consumer group, or one producer group, or both."""
        consumers = [{
            "groupName": consumer, "consumeType": "CONSUME_PASSIVELY", "messageModel": model,
            "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET", "unitMode": False,
            "subscriptionDataSet": [
                {"topic": topic, "subString": "*", "subVersion": 1, "tagsSet": [], "codeSet": [],
                 "classFilterMode": False, "expressionType": "TAG"} for topic in topics],
        }] if consumer else []
        producers = [{"groupName": producer}] if producer else []
        return self.ask(HEARTBEAT, {}, json.dumps({
            "clientID": client, "consumerDataSet": consumers,
            "producerDataSet": producers}).encode())

    def _write(self, header, body):
        text = json.dumps(header).encode()
        with self._lock:
            self._socket.sendall(struct.pack(">II", 4 + len(text) + len(body), len(text)) + text
                                 + body)

    def _listen(self):
        try:
            while True:
                length = struct.unpack(">I", self._read(4))[0]
                frame = self._read(length)
                size = struct.unpack(">I", frame[:4])[0] & 0xFFFFFF
                header = json.loads(frame[4:4 + size])
                header["body"] = frame[4 + size:]
                if header["flag"] & RESPONSE:
                    self._answers.put(header)
                else:
                    self._hear(header)
        except (ConnectionError, OSError):
            self._answers.put(None)

    def _hear(self, header):
        self.pushed.put(header)
        handler = self.handlers.get(header["code"])
        if not handler or header["flag"] & ONE_WAY:
            return
        answer = handler(header, header["body"])
        if answer is None:
            return
        code, remark, body = answer
        self._write({"code": code, "language": self._language, "version": self._version,
                     "flag": RESPONSE, "opaque": header["opaque"], "remark": remark,
                     "serializeTypeCurrentRPC": "JSON", "extFields": {}}, body)

    def _read(self, size):
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionError("closed by the broker")
            data += part
        return data
