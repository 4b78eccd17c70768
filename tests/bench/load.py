# SPDX-License-Identifier: Apache-2.0
"""Runs `gantry bench`, pinned to the other core, against one contender."""

import json
import os
import subprocess

from contenders import Failure

SLACK_SECONDS = 90

# One row of load each: options of `gantry bench`.
SEND_128 = ["--mode", "send", "--connections", "8", "--in-flight", "64", "--size", "128"]
SEND_1K = ["--mode", "send", "--connections", "8", "--in-flight", "64", "--size", "1024"]
ONE = ["--mode", "send", "--connections", "1", "--in-flight", "1", "--size", "128"]
PULL = ["--mode", "pull", "--connections", "4", "--in-flight", "4", "--batch", "32"]
LATENCY = ["--mode", "latency", "--connections", "1", "--in-flight", "64", "--size", "128",
           "--rate", "2000"]


class Generator:
    """The load generator of a build."""

    def __init__(self, build, core):
        self.program = build / "bin" / "gantry"
        self.core = core

    def version(self):
        """As `gantry --version` says it."""
        done = subprocess.run([self.program, "--version"], check=True, capture_output=True,
                              text=True)
        return done.stdout.split()[-1]

    def run(self, contender, load, topic, seconds, count=0, warmup=0):
        """One run; what `gantry bench --output json` printed."""
        command = [str(self.program), "bench", "--broker", contender.address, "--topic", topic,
                   *load, "--duration", str(seconds), "--count", str(count),
                   "--warmup", str(warmup), "--pid", str(contender.process.child.pid),
                   "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=seconds + warmup + SLACK_SECONDS,
                              preexec_fn=lambda: os.sched_setaffinity(0, {self.core}))
        contender.process.must_run()
        if not done.stdout.startswith("{"):
            raise Failure(f"{contender.name}: {' '.join(command)}\n{done.stderr.strip()}")
        return json.loads(done.stdout)
