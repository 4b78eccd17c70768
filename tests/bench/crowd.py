# SPDX-License-Identifier: Apache-2.0
"""Many connections to one broker, in one process: consumers that wait, members of a group."""

import json
import os
import select
import socket
import struct
import time

from contenders import HOST, Failure

SEND_V2, PULL, HEARTBEAT, MEMBERS_CHANGED, MAX_OFFSET = 310, 11, 34, 40, 30
SUSPEND_WITH_SUBSCRIPTION = 6
HOLD_MS = 600_000
CONNECT_AT_ONCE = 100  # less than a listener's backlog
QUIET_SECONDS = 2
READ_BYTES = 1 << 16
BODY = b"x" * 128
TOPIC, GROUP = "bench_crowd", "bench_crowd_group"


def frame(code, opaque, fields, body=b""):
    """A request as a Java client writes it: without blanks, which our floor relies on."""
    header = json.dumps({"code": code, "language": "JAVA", "version": 461, "flag": 0,
                         "opaque": opaque, "serializeTypeCurrentRPC": "JSON",
                         "extFields": fields}, separators=(",", ":")).encode()
    return struct.pack(">II", 4 + len(header) + len(body), len(header)) + header + body


def send_frame(opaque, properties=""):
    """One message of 128 bytes into queue 0."""
    return frame(SEND_V2, opaque, {"a": "bench", "b": TOPIC, "c": "TBW102", "d": "1", "e": "0",
                                   "f": "0", "g": str(int(time.time() * 1000)), "h": "0",
                                   "i": properties, "j": "0", "k": "false", "l": "-1",
                                   "m": "false"}, BODY)


def pull_frame(opaque, offset, group=GROUP):
    """A pull that waits for the next message."""
    return frame(PULL, opaque, {
        "consumerGroup": group, "topic": TOPIC, "queueId": "0", "queueOffset": str(offset),
        "maxMsgNums": "1", "sysFlag": str(SUSPEND_WITH_SUBSCRIPTION), "commitOffset": "0",
        "suspendTimeoutMillis": str(HOLD_MS), "subscription": "*", "subVersion": "1",
        "expressionType": "TAG"})


def heartbeat_frame(opaque, client, group=GROUP):
    """A consumer joins the group."""
    body = json.dumps({"clientID": client, "producerDataSet": [], "consumerDataSet": [{
        "groupName": group, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
        "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "unitMode": False,
        "subscriptionDataSet": [{"topic": TOPIC, "subString": "*", "tagsSet": [], "codeSet": [],
                                 "subVersion": 1, "expressionType": "TAG",
                                 "classFilterMode": False}]}]})
    return frame(HEARTBEAT, opaque, {}, body.encode())


def max_offset_frame(opaque, topic, queue):
    """Asks where a queue ends."""
    return frame(MAX_OFFSET, opaque, {"topic": topic, "queueId": str(queue)})


class Crowd:
    """The connections. Frames that come are counted, and those of one code, without being parsed
    further than need be."""

    def __init__(self, port):
        self._port = port
        self._poll = select.epoll()
        self._sockets = {}
        self._rest = {}
        self.all = []

    def connect(self, count):
        """So many more."""
        for start in range(0, count, CONNECT_AT_ONCE):
            for _ in range(min(CONNECT_AT_ONCE, count - start)):
                one = socket.create_connection((HOST, self._port), timeout=30)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets[one.fileno()] = one
                self._rest[one.fileno()] = b""
                self._poll.register(one.fileno(), select.EPOLLIN)
                self.all.append(one)

    def wait_for(self, count, seconds, wanted=None):
        """Until so many frames have come, of those that wanted() takes; returns the seconds."""
        begin = time.monotonic()
        while count > 0:
            left = begin + seconds - time.monotonic()
            if left <= 0:
                raise Failure(f"{count} answers are missing after {seconds} s")
            for number, _ in self._poll.poll(left):
                count -= self._take(number, wanted)
        return time.monotonic() - begin

    def _take(self, number, wanted):
        data = os.read(number, READ_BYTES)
        if not data:
            raise Failure("a connection was closed")
        data, found, at = self._rest[number] + data, 0, 0
        while len(data) - at >= 4:
            size = 4 + struct.unpack_from(">I", data, at)[0]
            if len(data) - at < size:
                break
            found += not wanted or wanted(data[at:at + size])
            at += size
        self._rest[number] = data[at:]
        return found

    def wait_for_frames(self, count, seconds):
        """As wait_for(), where each connection gets one small frame: this side is to be quicker
        than the server."""
        begin = time.monotonic()
        poll, read, from_bytes = self._poll.poll, os.read, int.from_bytes
        while count > 0:
            ready = poll(seconds)
            if not ready:
                raise Failure(f"{count} answers are missing after {seconds} s")
            for number, _ in ready:
                data = read(number, READ_BYTES)
                if from_bytes(data[:4], "big") + 4 != len(data):
                    raise Failure("what came is not one frame")
            count -= len(ready)
        return time.monotonic() - begin

    def wait_for_others(self):
        """Forgets what comes, until nothing has come for a while."""
        while ready := self._poll.poll(QUIET_SECONDS):
            for number, _ in ready:
                self._take(number, None)

    def anything_came(self):
        """Whether there is something to be read."""
        return bool(self._poll.poll(0))

    def close(self):
        """Ends all."""
        self._poll.close()
        for one in self.all:
            one.close()


def is_members_changed(data):
    """Whether a frame tells of the group's members."""
    return b'"code":%d,' % MEMBERS_CHANGED in data or b'"code":%d}' % MEMBERS_CHANGED in data
