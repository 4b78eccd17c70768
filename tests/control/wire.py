# SPDX-License-Identifier: Apache-2.0
"""One remoting connection, frame by frame: JSON headers, and what the server pushes."""

import json
import socket
import struct
import time

CALL_SECONDS = 60
RESPONSE = 1


class Answer:
    """A response: its code, remark, fields and body."""

    def __init__(self, header, body):
        self.code = header["code"]
        self.remark = header.get("remark") or ""
        self.fields = header.get("extFields") or {}
        self.body = body

    def json(self):
        return json.loads(self.body)


class Wire:
    """A client that speaks version 513 (5.5.0) unless told otherwise."""

    def __init__(self, port, host="127.0.0.1", version=513):
        self.version = version
        self.opaque = 0
        self.pushes = []  # (code, fields) in order of arrival
        self.buffer = b""
        self.socket = socket.create_connection((host, port), timeout=CALL_SECONDS)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, code, body=b"", **fields):
        """Sends a request and waits for its answer."""
        self.opaque += 1
        header = json.dumps({"code": code, "language": "JAVA", "version": self.version,
                             "opaque": self.opaque, "flag": 0,
                             "serializeTypeCurrentRPC": "JSON",
                             "extFields": {key: str(value) for key, value in fields.items()}})
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        data = header.encode()
        self.socket.sendall(struct.pack(">II", 4 + len(data) + len(body), len(data)) + data + body)
        end = time.monotonic() + CALL_SECONDS
        while True:
            header, body = self._frame(end)
            if header["flag"] & RESPONSE and header["opaque"] == self.opaque:
                return Answer(header, body)

    def wait_push(self, code, seconds=CALL_SECONDS):
        """The fields of the next push of that code; what came before it is forgotten."""
        end = time.monotonic() + seconds
        while True:
            while self.pushes:
                pushed, fields = self.pushes.pop(0)
                if pushed == code:
                    return fields
            self._frame(end)

    def _frame(self, end):
        size = struct.unpack(">I", self._read(4, end))[0]
        data = self._read(size, end)
        header_size = struct.unpack(">I", data[:4])[0] & 0xFFFFFF
        header = json.loads(data[4:4 + header_size])
        if not header["flag"] & RESPONSE:
            self.pushes.append((header["code"], header.get("extFields") or {}))
        return header, data[4 + header_size:]

    def _read(self, size, end):
        while len(self.buffer) < size:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise ConnectionError("the server closed the connection")
            self.buffer += piece
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data
