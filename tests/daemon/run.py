#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs gantryd with the plugins of its build and asks of it what a service manager, a script and an
administrator would.

    run.py --gantryd PROGRAM
"""
import argparse
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "peers"))
from harness.process import HOST, Ports  # noqa: E402

CLEAN, START = 0, 5


class Daemon:
    """One `gantryd all` on ports and in a folder of its own."""

    def __init__(self, gantryd, home):
        self.gantryd = gantryd
        self.home = home
        ports = Ports()
        self.namesrv_port, self.broker_port = ports.one(), ports.broker()
        self.namesrv = home / "namesrv.properties"
        self.broker = home / "broker.properties"
        self.namesrv.write_text(f"bindAddress={HOST}\nlistenPort={self.namesrv_port}\n")
        self.broker.write_text(f"bindAddress={HOST}\nlistenPort={self.broker_port}\n"
                               f"brokerIP1={HOST}\nbrokerName=daemon-test\n"
                               f"storePathRootDir={home / 'store'}\n")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.settimeout(60)
        self.notify.bind(str(home / "notify"))
        self.process = None
        self.log = ""

    def command(self, *words):
        return [self.gantryd, "all", "--namesrv", self.namesrv, "--broker", self.broker, *words]

    def start(self):
        environment = dict(os.environ, NOTIFY_SOCKET=str(self.home / "notify"))
        environment.pop("NAMESRV_ADDR", None)
        self.process = subprocess.Popen(self.command(), text=True, stderr=subprocess.PIPE,
                                        env=environment)

    def wait_for(self, sentence):
        """Reads the log until a new line like this comes."""
        for line in self.process.stderr:
            self.log += line
            if re.search(sentence, line):
                return line
        raise AssertionError(f"gantryd ended without {sentence}\n{self.log}")

    def end(self):
        self.log += self.process.stderr.read()
        return self.process.wait(60)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.notify.close()


def check_values(daemon):
    """-p names each value's origin; a broker without a name server gets the one beside it."""
    printed = subprocess.run(daemon.command("-p"), text=True, check=True, timeout=60,
                             stdout=subprocess.PIPE).stdout
    wanted = (rf"^broker role-broker namesrvAddr = {HOST}:{daemon.namesrv_port} +"
              r"# the name server of this process$")
    assert re.search(wanted, printed, re.M), printed
    printed = subprocess.run(daemon.command("-p", "-n", "192.0.2.1:9876"), text=True, check=True,
                             timeout=60, stdout=subprocess.PIPE).stdout
    assert re.search(r"^broker role-broker namesrvAddr = 192\.0\.2\.1:9876 +# -n$", printed,
                     re.M), printed
    assert not (daemon.home / "store").exists(), "printing values must not open a store"


def check_ready(daemon):
    """The line and the service manager's datagram name every port; they accept connections."""
    daemon.start()
    line = daemon.wait_for("ready: ")
    wanted = (f"ready: namesrv on {HOST}:{daemon.namesrv_port}; "
              f"broker on {HOST}:{daemon.broker_port}, {HOST}:{daemon.broker_port - 2}")
    assert line.rstrip().endswith(wanted), line
    told = daemon.notify.recv(1024).decode()
    assert told == f"READY=1\nSTATUS={wanted.removeprefix('ready: ')}", told
    for port in (daemon.namesrv_port, daemon.broker_port, daemon.broker_port - 2):
        socket.create_connection((HOST, port), 20).close()
    if "registered at name server" not in daemon.log:  # it may be so before all is ready
        daemon.wait_for("registered at name server")


def reload(daemon):
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.notify.recv(1024).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert daemon.notify.recv(1024) == b"READY=1"
    return daemon.wait_for("reloaded: ")


def check_reload(daemon):
    """A wrong value changes nothing and names its line."""
    assert "reloaded: 0 instances changed" in reload(daemon)
    whole = daemon.broker.read_text()
    daemon.broker.write_text(whole + "flushDiskType=sometimes\n")
    line = reload(daemon)
    assert "not reloaded: " in line and "broker.properties:6: " in line and "sometimes" in line, line
    daemon.broker.write_text(whole)


def check_port_in_use(daemon):
    """A second one on the same port does not start, says why, and undoes what it did."""
    second = subprocess.run([daemon.gantryd, "namesrv", "-c", daemon.namesrv], text=True,
                            timeout=60, stderr=subprocess.PIPE)
    assert second.returncode == START, f"{second.returncode}\n{second.stderr}"
    assert "Address already in use" in second.stderr, second.stderr


def check_stop(daemon):
    daemon.process.send_signal(signal.SIGTERM)
    code = daemon.end()
    assert code == CLEAN, f"exit code {code}\n{daemon.log}"
    errors = [line for line in daemon.log.split("\n") if " error " in line]
    assert len(errors) == 1 and "not reloaded" in errors[0], daemon.log
    assert daemon.notify.recv(1024) == b"STOPPING=1\nSTATUS=draining"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gantryd", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gantry-daemon-") as home:
        daemon = Daemon(arguments.gantryd.resolve(), pathlib.Path(home))
        try:
            check_values(daemon)
            check_ready(daemon)
            check_reload(daemon)
            check_port_in_use(daemon)
            check_stop(daemon)
        finally:
            daemon.kill()
    print("gantryd did as it was asked")


if __name__ == "__main__":
    sys.exit(main())
