# SPDX-License-Identifier: Apache-2.0
"""Just enough of the remoting protocol to ask a server something without a client."""

import json
import socket
import struct

GET_ROUTEINFO_BY_TOPIC = 105
SUCCESS = 0
RESPONSE = 1  # a bit of flag
TEMPLATE_TOPIC = "TBW102"  # every broker that creates topics by itself registers it


class Connection:
    """One connection to a name server or broker; requests have JSON headers."""

    def __init__(self, address, timeout=60):
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=timeout)
        self._opaque = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends it."""
        self._socket.close()

    def ask(self, code, fields, body=b""):
        """Sends a request; returns its answer's header and body. Requests that the server sends
        in between are passed over."""
        self._opaque += 1
        header = json.dumps({"code": code, "language": "OTHER", "version": 0, "flag": 0,
                             "opaque": self._opaque, "serializeTypeCurrentRPC": "JSON",
                             "extFields": fields}).encode()
        self._socket.sendall(struct.pack(">II", 4 + len(header) + len(body), len(header)) + header
                             + body)
        while True:
            answer, body = self._read_frame()
            if answer["flag"] & RESPONSE and answer["opaque"] == self._opaque:
                return answer, body

    def _read_frame(self):
        length = struct.unpack(">I", self._read(4))[0]
        frame = self._read(length)
        header_length = struct.unpack(">I", frame[:4])[0] & 0xFFFFFF
        return json.loads(frame[4:4 + header_length]), frame[4 + header_length:]

    def _read(self, size):
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise ConnectionError("closed by the server")
            data += part
        return data


def request(address, code, fields):
    """One request on a connection of its own."""
    with Connection(address) as connection:
        return connection.ask(code, fields)


def is_registered(namesrv, broker_name):
    """Whether the name server routes new topics to the broker."""
    try:
        header, body = request(namesrv, GET_ROUTEINFO_BY_TOPIC, {"topic": TEMPLATE_TOPIC})
    except OSError:
        return False
    return header["code"] == SUCCESS and f'"{broker_name}"'.encode() in body
