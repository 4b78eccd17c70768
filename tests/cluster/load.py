# SPDX-License-Identifier: Apache-2.0
"""Producers that keep what each message was answered, and when."""

import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "crash"))

# pylint: disable=wrong-import-position
from broker import SEND, SUCCESS, Failure, Patience, Pipe, body_of, send_fields  # noqa: E402

SLAVE_NOT_AVAILABLE, FLUSH_SLAVE_TIMEOUT = 11, 12
TOPIC, QUEUES, WINDOW = "Fault", 4, 16

Answer = namedtuple("Answer", "code seconds at")


class Producer(threading.Thread):
    """A connection with a window of messages; it ends when it is asked to, or when it breaks."""

    def __init__(self, node, label):
        super().__init__(daemon=True)
        self.answers, self.error = {}, None
        self._node, self._label, self._ending = node, label, False
        self._under_way = {}

    def run(self):
        try:
            with Pipe(self._node.port, host=self._node.host) as pipe:
                self._send_all(pipe)
        except TimeoutError:
            self.error = f"no answer to {self._under_way}"
        except OSError:
            pass  # killed
        except Exception as error:  # told by the main thread
            self.error = error

    def end(self):
        """Sends no more; what is under way is waited for."""
        self._ending = True

    def _send_all(self, pipe):
        under_way, number = self._under_way, 0
        while under_way or not self._ending:
            while len(under_way) < WINDOW and not self._ending:
                name = f"{self._label}.{number}"
                opaque = pipe.ask(SEND, body_of(name), send_fields(TOPIC, number % QUEUES))
                under_way[opaque] = name, time.monotonic()
                number += 1
            header, _ = pipe.answer()
            name, asked = under_way.pop(header["opaque"])
            now = time.monotonic()
            self.answers[name] = Answer(header["code"], now - asked, now)


class Load:
    """A few producers at one node."""

    def __init__(self, node, label, count=2):
        self._producers = [Producer(node, f"{label}.{i}") for i in range(count)]
        for producer in self._producers:
            producer.start()

    def count(self, code, since=0.0):
        """How often the code was answered."""
        return sum(answer.code == code and answer.at >= since
                   for producer in self._producers for answer in list(producer.answers.values()))

    def wait(self, code, count, seconds=60, since=0.0):
        """Waits until the code was answered so often."""
        patience = Patience(seconds)
        while self.count(code, since) < count:
            if patience.is_over():
                raise Failure(f"{self.count(code, since)} answers with code {code} within {seconds} s; "
                              f"all: {self.codes()}")
            time.sleep(0.02)

    def codes(self):
        """How often each code was answered."""
        found = {}
        for producer in self._producers:
            for answer in list(producer.answers.values()):
                found[answer.code] = found.get(answer.code, 0) + 1
        return found

    def stop(self, seconds=60):
        """Ends it; all answers by name."""
        for producer in self._producers:
            producer.end()
        return self.join(seconds)

    def join(self, seconds=60):
        """The same, of producers that end since their broker has been killed."""
        answers = {}
        for producer in self._producers:
            producer.join(seconds)
            if producer.is_alive() or producer.error:
                raise Failure(f"a producer did not end: {producer.error}")
            answers.update(producer.answers)
        return answers


def stored(answers):
    """Names of those that were answered with SEND_OK."""
    return {name for name, answer in answers.items() if answer.code == SUCCESS}
