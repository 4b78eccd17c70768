# SPDX-License-Identifier: Apache-2.0
"""Whom requests are sent to: nodes that run, or what a file keeps of them."""

import json
import socket

import answers
from harness.process import HOST, Failure
from harness.remoting import Connection

ANSWER_SECONDS = 30  # a Java node on a busy machine may take some
NO_ANSWER = ({"code": "none"}, b"")


class Side:
    """One name server and broker, and a connection to each."""

    def __init__(self, name, namesrv, broker_port):
        self.name = name
        self._addresses = {"namesrv": namesrv.address, "broker": f"{HOST}:{broker_port}"}
        self._connections = {}
        self._places = []  # in the log, of the noted messages

    def ask(self, request):
        """What it answers, comparable. No answer, or a closed connection, is an answer too."""
        return answers.comparable(self.raw(request))

    def raw(self, request):
        """The answer's header and body."""
        try:
            connection = self._connections.get(request.server)
            if not connection:
                connection = Connection(self._addresses[request.server], ANSWER_SECONDS)
                self._connections[request.server] = connection
            fields = {name: self._places[number] for name, number in request.places.items()}
            answer = connection.ask(request.code.code, {**request.fields, **fields}, request.body)
            if request.noted:
                self._places.append(place_of(answer))
            return answer
        except (socket.timeout, ConnectionError):
            self._connections.pop(request.server).close()
            return NO_ANSWER

    def close(self):
        """Ends its connections."""
        for connection in self._connections.values():
            connection.close()


def place_of(answer):
    """Where in the log the message stands that was answered; "0" if it was refused."""
    return str(int(((answer[0].get("extFields") or {}).get("msgId") or "0")[-16:], 16))


class Recorder:
    """The Java side, whose last answer to each request is kept in a file."""

    def __init__(self, side, path):
        self._side = side
        self._file = path.open("w", encoding="utf-8")
        self._last = None

    def ask(self, request):
        """As Side."""
        header, body = self._side.raw(request)
        if self._last and self._last[0] is not request:
            self._write()
        self._last = request, header, body
        return answers.comparable((header, body))

    def _write(self):
        request, header, body = self._last
        self._file.write(json.dumps([str(request), header, body.hex()]) + "\n")

    def close(self):
        """Ends both."""
        self._write()
        self._file.close()
        self._side.close()


class Recorded:
    """What a Recorder has kept; takes the place of the Java side."""

    def __init__(self, path):
        self._lines = path.open(encoding="utf-8")
        self._asked = self._answer = None

    def ask(self, request):
        """As Side."""
        if self._asked is not request:
            said, header, body = json.loads(next(self._lines, "[0, 0, 0]"))
            if said != str(request):
                raise Failure(f"recorded for other requests: {said}, not {request}")
            self._asked, self._answer = request, (header, bytes.fromhex(body))
        return answers.comparable(self._answer)

    def close(self):
        """Ends it."""
        self._lines.close()
