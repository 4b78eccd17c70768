# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive a run, waiting for conditions, and free ports."""

import itertools
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time

STOP_SECONDS = 60
LAST_WORDS = 10
HOST = "127.0.0.1"

# Below what the kernel gives to outgoing connections, so that none of those takes a port between
# our look and the server's start, or while a server is down that comes back.
PORTS = range(20000, 32000)
BLOCK = 200  # ports of one program; those of tests/support/ports.h are the same


class Failure(Exception):
    """A peer or the server under test did not do what it must."""


class Patience:
    """So many seconds in which this program ran: time in which it was stopped does not count, since
    whom it waits for was stopped, too."""

    def __init__(self, seconds):
        self.left, self.seen = seconds, time.monotonic()

    def is_over(self):
        """To be asked several times a second."""
        now = time.monotonic()
        self.left -= min(now - self.seen, 1)
        self.seen = now
        return self.left < 0


def wait_until(condition, what, seconds=60):
    """Returns the condition's first true value; the time is only the limit."""
    patience = Patience(seconds)
    while True:
        value = condition()
        if value:
            return value
        if patience.is_over():
            raise Failure(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class _Block:
    """Ports that no other program of tests takes for as long as this one runs: the name of a socket
    says so, which goes with its owner however that ends."""

    def __init__(self):
        count = len(PORTS) // BLOCK
        for number in range(os.getpid(), os.getpid() + count):
            self._mark = socket.socket(socket.AF_UNIX)
            self.first = PORTS.start + number % count * BLOCK
            try:
                self._mark.bind(f"\0gantry-test-ports-{number % count}")
            except OSError:
                self._mark.close()
                continue
            if not any(listens(port) for port in range(self.first, self.first + BLOCK)):
                self._next = itertools.cycle(range(self.first, self.first + BLOCK))
                return
            self._mark.close()
        raise Failure("no free ports")

    def run_of(self, count):
        """The first of so many ports in a row. After the last port comes the first again."""
        found = []
        for _ in range(2 * BLOCK):
            port = next(self._next)
            if found and port != found[-1] + 1:
                found = []
            found = [*found, port] if _is_free(port) else []
            if len(found) == count:
                return found[0]
        raise Failure("no free ports")


_blocks = []  # the one of this program, once it has asked


def own_block():
    """This program's ports."""
    if not _blocks:
        _blocks.append(_Block())
    return _blocks[0]


class Ports:
    """Hands out ports that nobody listens on."""

    @staticmethod
    def one():
        """A single port."""
        return own_block().run_of(1)

    @staticmethod
    def broker():
        """A broker's listenPort, whose neighbours for VIP (-2) and HA (+1) are free as well."""
        return own_block().run_of(4) + 2


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def listens(port, host=HOST):
    """Whether a connection to the port is accepted."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def with_hosts(path, resolv=None):
    """A prefix of a command for which that file is /etc/hosts, and the other one /etc/resolv.conf;
    None: it is not allowed here."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    mounts = [f"mount --bind '{path}' /etc/hosts &&"]
    if resolv:
        mounts.append(f"mount --bind '{resolv}' /etc/resolv.conf &&")
    bind = unshare + ["sh", "-c", f"{' '.join(mounts)} exec \"$@\"", "sh"]
    allowed = shutil.which("unshare") and subprocess.run(
        bind + ["true"], capture_output=True, check=False).returncode == 0
    return bind if allowed else None


class Process:
    """A child with its output in a log file. It is killed when this program ends in any way."""

    def __init__(self, name, command, log, **options):
        self.name = name
        self.log = log
        with open(log, "wb") as output:
            options.setdefault("stdin", subprocess.DEVNULL)
            options.setdefault("stdout", output)
            self.child = subprocess.Popen(_tied_to_us(command), stderr=output, bufsize=0, **options)

    def is_running(self):
        """Whether the child has not ended."""
        return self.child.poll() is None

    def must_run(self):
        """Raises with the exit code and the last words when the child has ended."""
        if not self.is_running():
            words = self.log.read_text(errors="replace").splitlines()[-LAST_WORDS:]
            raise Failure("\n     | ".join(
                [f"{self.name} ended by itself: {describe(self.child.returncode)}", *words]))

    def wait_until(self, condition, what, seconds=60):
        """Waits for a condition that only a running child can meet."""

        def checked():
            self.must_run()
            return condition()

        return wait_until(checked, f"{self.name}: {what}", seconds)

    def said(self, word):
        """Whether the word is in the log."""
        return re.search(rf"\b{word}\b".encode(), self.log.read_bytes()) is not None

    def stop(self, seconds=STOP_SECONDS):
        """Asks the child to end (SIGTERM), kills it when it doesn't; returns what came of it."""
        if not self.is_running():
            return f"ended by itself before: {describe(self.child.returncode)}"
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return f"did not end within {seconds} s of SIGTERM"
        return describe(self.child.returncode)


class Lines:
    """Lines of a child's standard output, with a time limit for each."""

    def __init__(self, process):
        self._process = process
        self._file = process.child.stdout.fileno()
        self._rest = b""

    def next(self, seconds):
        """The next line; raises when it doesn't come in time or the child ends."""
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready = select.select([self._file], [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                raise Failure(f"{self._process.name} gave no answer within {seconds} s")
            data = os.read(self._file, 65536)
            if not data:
                self._process.child.wait()
                self._process.must_run()
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()


def describe(code):
    """An exit code in words."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def _tied_to_us(command):
    """The command, with a request to the kernel to kill it when this program dies."""
    setpriv = shutil.which("setpriv")
    prefix = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
    return prefix + [str(word) for word in command]
