# SPDX-License-Identifier: Apache-2.0
"""Just enough of the remoting protocol to ask a name server whether a broker has registered."""

import json
import socket
import struct

GET_ROUTEINFO_BY_TOPIC = 105
SUCCESS = 0
TEMPLATE_TOPIC = "TBW102"  # every broker that creates topics by itself registers it


def request(address, code, fields):
    """Sends one request with a JSON header; returns the answer's header and body."""
    header = json.dumps({"code": code, "language": "OTHER", "version": 0, "opaque": 1, "flag": 0,
                         "serializeTypeCurrentRPC": "JSON", "extFields": fields}).encode()
    frame = struct.pack(">II", 4 + len(header), len(header)) + header
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(frame)
        length = struct.unpack(">I", _read(connection, 4))[0]
        answer = _read(connection, length)
    header_length = struct.unpack(">I", answer[:4])[0] & 0xFFFFFF
    return json.loads(answer[4:4 + header_length]), answer[4 + header_length:]


def is_registered(namesrv, broker_name):
    """Whether the name server routes new topics to the broker."""
    try:
        header, body = request(namesrv, GET_ROUTEINFO_BY_TOPIC, {"topic": TEMPLATE_TOPIC})
    except OSError:
        return False
    return header["code"] == SUCCESS and f'"{broker_name}"'.encode() in body


def _read(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("closed by the name server")
        data += part
    return data
