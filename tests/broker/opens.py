#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Producers on several connections that are the first to send to the same queues: all are answered,
whoever opens the queues.

    opens.py FOLDER-OF-PROGRAMS [TOPICS]
"""

import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "crash"))

# pylint: disable=wrong-import-position
from broker import SEND, SUCCESS, Broker, Failure, Pipe, body_of, send_fields  # noqa: E402

PRODUCERS, QUEUES, MESSAGES = 3, 4, 16


def produce(pipe, topic, wrong):
    """Sends to all queues at once."""
    try:
        for number in range(MESSAGES):
            pipe.ask(SEND, body_of(str(number)), send_fields(topic, number % QUEUES))
        for _ in range(MESSAGES):
            header, _ = pipe.answer()
            if header["code"] != SUCCESS:
                wrong.append(f"{topic}: {header}")
    except OSError as error:
        wrong.append(f"{topic}: {error!r}")


def run(broker, topics):
    """One new topic after another."""
    pipes = [Pipe(broker.port) for _ in range(PRODUCERS)]
    wrong = []
    for number in range(topics):
        topic = f"Opens{number}"
        pipes[0].call(SEND, body_of("first"), **send_fields(topic, 0))
        threads = [threading.Thread(target=produce, args=(pipe, topic, wrong)) for pipe in pipes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrong:
            raise Failure(wrong)
    for pipe in pipes:
        pipe.close()


def main():
    with tempfile.TemporaryDirectory(prefix="gantry-opens-") as home:
        broker = Broker(sys.argv[1], home)
        try:
            broker.start()
            run(broker, int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
            if broker.stop() != 0:
                raise Failure("the stop was not clean")
        finally:
            broker.kill()


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"opens.py: {failure}")
