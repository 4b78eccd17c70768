# SPDX-License-Identifier: Apache-2.0
"""Hosts on one machine, each with a network namespace of its own, behind a router that loses what it
is told to. The program itself is the router: it may talk to every host whatever is cut.

Everything lives in namespaces of processes, which the kernel takes back however the program ends.
Packets are lost by routing rules (from A to B: blackhole), since these are in every kernel that has
namespaces; packet filters and netem are not."""

import ctypes
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from nodes import HERE  # finds tests/peers/harness
from harness.process import Failure, wait_until

NOTHING_RAN = 77
INSIDE = "GANTRY_TEST_ROUTER"
SPACES = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
PROBE = ("echo 1 >/proc/sys/net/ipv4/ip_forward && ip link add probe type veth && "
         "ip rule add from 10.77.1.2 to 10.77.2.2 blackhole && mount -t tmpfs none /mnt")
CLONE_NEWNET = 0x40000000


def move_in():
    """Goes on in namespaces of its own; ends the program where the machine does not permit them."""
    assert HERE.is_dir()
    if os.environ.get(INSIDE) == str(os.getpid()):
        return
    if INSIDE in os.environ:  # the one process of a new pid namespace
        os.environ[INSIDE] = str(os.getpid())
        run("ip", "link", "set", "lo", "up")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        return
    unshare = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), *SPACES]
    for tool in ("unshare", "nsenter", "ip"):
        if not shutil.which(tool):
            skip(f"there is no {tool} here")
    tried = subprocess.run([*unshare, "sh", "-c", PROBE], capture_output=True, text=True,
                           check=False)
    if tried.returncode != 0:
        skip(f"this machine permits no namespaces: {tried.stderr.strip()}")
    os.environ[INSIDE] = "new"
    os.execvp("unshare", [*unshare, sys.executable, *sys.argv])


def skip(why):
    """Ends the program: nothing could run."""
    print(f"skipped: {why}")
    sys.exit(NOTHING_RAN)


def run(*command):
    """A command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.stderr.strip()}")


class Host:
    """A network namespace with one link to the router."""

    def __init__(self, number):
        self.number = number
        self.address = f"10.77.{number}.2"
        self._holder = None
        self.come_back()

    @property
    def prefix(self):
        """What a command begins with to run here."""
        return ["nsenter", f"--net={self._space()}"]

    def come_back(self):
        """The host is there, and knows nothing of what was before."""
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        wait_until(lambda: os.readlink(self._space()) != os.readlink("/proc/self/ns/net"),
                   "a network namespace")
        router = f"10.77.{self.number}.1"
        run("ip", "link", "add", f"to{self.number}", "type", "veth", "peer", "name", "eth0",
            "netns", str(self._holder.pid))
        run("ip", "addr", "add", f"{router}/24", "dev", f"to{self.number}")
        run("ip", "link", "set", f"to{self.number}", "up")
        for words in ("link set lo up", f"addr add {self.address}/24 dev eth0",
                      "link set eth0 up", f"route add default via {router}"):
            run(*self.prefix, "ip", *words.split())

    def vanish(self):
        """The host loses its power: nobody hears of it. Its processes must have been killed."""
        self._holder.kill()
        self._holder.wait()
        name = f"to{self.number}"
        subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)
        wait_until(lambda: not Path(f"/sys/class/net/{name}").exists() and
                   not os.path.exists(f"/proc/sys/net/ipv4/conf/{name}"), f"{name} to go")

    def connect(self, address, port, seconds=20):
        """A connection from this host."""
        libc = ctypes.CDLL(None, use_errno=True)
        ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        theirs = os.open(self._space(), os.O_RDONLY)
        try:
            if libc.setns(theirs, CLONE_NEWNET) != 0:
                raise Failure(f"setns: {os.strerror(ctypes.get_errno())}")
            made = socket.socket()
        finally:
            libc.setns(ours, CLONE_NEWNET)
            os.close(ours)
            os.close(theirs)
        made.settimeout(seconds)
        made.connect((address, port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _space(self):
        return f"/proc/{self._holder.pid}/ns/net"


def _rule(what, sender, receiver):
    run("ip", "rule", what, "from", sender.address, "to", receiver.address, "blackhole")


class Network:
    """Hosts, and what gets lost between them."""

    def __init__(self):
        self._hosts = []
        self._lost = set()

    def host(self):
        """One more host."""
        self._hosts.append(Host(len(self._hosts) + 1))
        return self._hosts[-1]

    def lose(self, sender, receiver):
        """What the one sends to the other is lost from here on."""
        if (sender, receiver) not in self._lost:
            _rule("add", sender, receiver)
            self._lost.add((sender, receiver))

    def part(self, one, other):
        """Loses what they send each other."""
        self.lose(one, other)
        self.lose(other, one)

    def mend(self):
        """Nothing is lost any more."""
        for sender, receiver in self._lost:
            _rule("del", sender, receiver)
        self._lost.clear()

    def close(self):
        """Ends all hosts."""
        self.mend()
        for host in self._hosts:
            host.vanish()


def connections(process, port, accepted=False):
    """Connections to a port, and unless only those accepted are wanted from one, in the process's
    network namespace that are open, whatever the other side thinks of them."""
    open_states = ("01", "08")  # ESTABLISHED, CLOSE_WAIT
    found = 0
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process.pid}/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            ports = [int(word.rsplit(":", 1)[1], 16) for word in words[1:3]]
            found += port in ports[:1 if accepted else 2] and words[3] in open_states
    return found


def sockets(process):
    """Sockets that a process has, listening ones included."""
    found, folder = 0, f"/proc/{process.pid}/fd"
    for name in os.listdir(folder):
        try:
            found += os.readlink(f"{folder}/{name}").startswith("socket:")
        except FileNotFoundError:
            pass  # closed meanwhile
    return found
