# SPDX-License-Identifier: Apache-2.0
"""Fetches the peers by name and version, builds our programs against them, once."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
CHECKOUT = HERE.parent.parent

SERVER_VERSION = "5.5.0"
CLIENT_VERSIONS = ("5.5.0", "4.9.8")
GO_VERSION = "2.1.2"  # as pinned in go/go.mod and go/go.sum

FETCH_SECONDS = 900
TAIL_LINES = 8


class Unavailable(Exception):
    """A peer that this machine cannot have: a tool is missing, or a registry is not reached."""


class Cache:
    """A directory of fetched jars and built programs, shared by all runs on this machine.

    Every entry is a directory with a stamp that names what it was made from; an entry whose stamp
    fits is used as it is, any other is made aside and put in place whole. One run makes at a time.
    """

    def __init__(self, root=None):
        root = root or os.environ.get("GANTRY_PEER_CACHE") or CHECKOUT / "build" / "peers"
        self.root = Path(root).resolve()
        self._unavailable = {}  # entries that could not be made in this run, with the reason

    def java_servers(self):
        """The class path of the Java name server, broker and tools."""
        return self._jars("servers", SERVER_VERSION)

    def java_client(self, version):
        """The class path of one client version and our programs compiled against it."""
        jars = self._jars("client", version)
        sources = sorted((HERE / "java" / "src").rglob("*.java"))

        def compile_into(target):
            command = [_tool("javac"), "-Xlint:all,-deprecation,-processing,-path,-classfile",
                       "-Werror", "--release", "17", "-cp", jars, "-d", str(target)]
            _run(command + [str(source) for source in sources], RuntimeError)

        classes = self._entry(f"classes-{version}", sources, version, compile_into)
        return f"{classes}{os.pathsep}{jars}"

    def java_filter(self):
        """The class path of the server's SQL92 filter and our program that asks it."""
        jars = self.java_servers()
        sources = sorted((HERE / "java" / "filter").glob("*.java"))

        def compile_into(target):
            command = [_tool("javac"), "-Xlint:all,-deprecation,-processing,-path,-classfile",
                       "-Werror", "--release", "17", "-cp", jars, "-d", str(target)]
            _run(command + [str(source) for source in sources], RuntimeError)

        classes = self._entry("filter", sources, SERVER_VERSION, compile_into)
        return f"{classes}{os.pathsep}{jars}"

    def go_client(self):
        """The Go program."""
        folder = HERE / "go"
        sources = sorted(path for path in folder.iterdir() if path.is_file())

        def build_into(target):
            go = _tool("go")
            environment = dict(os.environ, GOTOOLCHAIN="local")
            _run([go, "mod", "download"], Unavailable, cwd=folder, env=environment)
            _run([go, "build", "-mod=readonly", "-buildvcs=false", "-o", str(target / "peer"), "."],
                 RuntimeError, cwd=folder, env=environment)

        return self._entry("go", sources, GO_VERSION, build_into) / "peer"

    def _jars(self, kind, version):
        pom = HERE / "java" / kind / "pom.xml"

        def fetch_into(target):
            _run([_tool("mvn"), "-q", "-B", "-Dstyle.color=never", "-f", str(pom), "dependency:copy-dependencies",
                  f"-DoutputDirectory={target}", "-DincludeScope=runtime",
                  f"-Dpeer.version={version}"], Unavailable)

        return str(self._entry(f"{kind}-{version}", [pom], version, fetch_into) / "*")

    def _entry(self, name, sources, version, make):
        if name in self._unavailable:
            raise self._unavailable[name]
        stamp_text = _digest(sources, version)
        place = self.root / name
        with self._lock():
            stamp = place / ".stamp"
            if not stamp.exists() or stamp.read_text() != stamp_text:
                self._make_entry(name, stamp_text, make)
        return place

    def _make_entry(self, name, stamp_text, make):
        place = self.root / name
        aside = self.root / f"{name}.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        print(f"peers: preparing {name}", flush=True)
        try:
            make(aside)
        except Unavailable as error:
            self._unavailable[name] = error
            raise
        (aside / ".stamp").write_text(stamp_text)
        shutil.rmtree(place, ignore_errors=True)
        aside.rename(place)

    @contextlib.contextmanager
    def _lock(self):
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def required():
    """Whether a peer that cannot be had is a failure."""
    return os.environ.get("GANTRY_PEERS_REQUIRED") == "1"


def java():
    """The command that runs Java programs."""
    return _tool("java")


def _tool(name):
    path = shutil.which(name)
    if path is None:
        raise Unavailable(f"{name} is not installed")
    return path


def _digest(sources, version):
    digest = hashlib.sha256(version.encode())
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def _run(command, error, **options):
    """Runs to the end; a failure raises the given error with the last lines of the output."""
    name = os.path.basename(command[0])
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", stdin=subprocess.DEVNULL, timeout=FETCH_SECONDS,
                              check=False, **options)
    except subprocess.TimeoutExpired:
        raise error(f"{name} did not end within {FETCH_SECONDS} s") from None
    if done.returncode != 0:
        tail = "; ".join(done.stdout.strip().splitlines()[-TAIL_LINES:])
        raise error(f"{name} failed: {tail}")
