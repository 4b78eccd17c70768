# SPDX-License-Identifier: Apache-2.0
"""Runs `gantry bench`, pinned to the other core, against one contender."""

import json
import os
import subprocess
import time
from pathlib import Path

from contenders import Failure

SLACK_SECONDS = 90

# One row of load each: options of `gantry bench`.
SEND_128 = ["--mode", "send", "--connections", "8", "--in-flight", "64", "--size", "128"]
SEND_1K = ["--mode", "send", "--connections", "8", "--in-flight", "64", "--size", "1024"]
ONE = ["--mode", "send", "--connections", "1", "--in-flight", "1", "--size", "128"]
PULL = ["--mode", "pull", "--connections", "4", "--in-flight", "4", "--batch", "32"]
LATENCY = ["--mode", "latency", "--connections", "1", "--in-flight", "64", "--size", "128",
           "--rate", "2000"]


def cpu(pid):
    """(user, kernel) CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


def cpu_seconds(pid):
    """CPU seconds of a process's threads so far, to the nanosecond: cpu() counts in hundredths."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended
    return total / 1e9


def settle(pid, pause=0.3):
    """Waits until a process has done what its last load left behind, such as writing to disk:
    until it uses less than a tenth of a core for that long, or 30 s have passed."""
    deadline = time.monotonic() + 30
    before = cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(pause)
        after = cpu_seconds(pid)
        if after - before < pause / 10:
            return
        before = after


class Generator:
    """The load generator of a build. One that spins never sleeps where it has its core for itself: on
    another machine it would be woken by its network card, and here by the server, at the server's cost."""

    def __init__(self, build, core, spin=False):
        self.program = build / "bin" / "gantry"
        self.core = core
        self.spin = spin

    def version(self):
        """As `gantry --version` says it."""
        done = subprocess.run([self.program, "--version"], check=True, capture_output=True,
                              text=True)
        return done.stdout.split()[-1]

    def run(self, contender, load, topic, seconds, count=0, warmup=0, may_spin=True):
        """One run; what `gantry bench --output json` printed. may_spin: nobody else needs its core."""
        command = [str(self.program), "bench", "--broker", contender.address, "--topic", topic,
                   *load, "--duration", str(seconds), "--count", str(count),
                   "--warmup", str(warmup), "--pid", str(contender.process.child.pid),
                   "--output", "json"]
        if self.spin and may_spin and self.core not in contender.cores:
            command.append("--spin")
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=seconds + warmup + SLACK_SECONDS,
                              preexec_fn=lambda: os.sched_setaffinity(0, {self.core}))
        contender.process.must_run()
        if not done.stdout.startswith("{"):
            raise Failure(f"{contender.name}: {' '.join(command)}\n{done.stderr.strip()}")
        return json.loads(done.stdout)

    def run_settled(self, contender, load, topic, **limits):
        """A run without warm-up whose CPU is all that it caused: what the server still does when
        the last answer has come counts as well, what an earlier run left behind does not."""
        pid = contender.process.child.pid
        settle(pid)
        before = cpu(pid)
        result = self.run(contender, load, topic, **limits)
        settle(pid)
        user, kernel = (after - start for start, after in zip(before, cpu(pid)))
        for key, seconds in (("cpu", user + kernel), ("user", user), ("system", kernel)):
            result["process"][f"{key}MicrosPerMessage"] = seconds * 1e6 / result["messages"]
        return result
