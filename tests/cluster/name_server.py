# SPDX-License-Identifier: Apache-2.0
"""A name server of Gantry's, in a process of its own."""

from pathlib import Path

from nodes import HERE  # finds tests/peers/harness
from harness.process import HOST, Failure, Ports, Process


class NameServer:
    """It serves when this is made. place: the network's host that it runs on, which is not ours."""

    def __init__(self, binaries, home, place=None, **properties):
        assert HERE.is_dir()
        host = place.address if place else HOST
        self.port = Ports().one()
        self.address = f"{host}:{self.port}"
        conf = Path(home) / "namesrv.properties"
        lines = {"listenPort": self.port, "bindAddress": host, "kvConfigPath": f"{home}/kv.json",
                 **properties}
        conf.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
        self._process = Process("namesrv", [*(place.prefix if place else []),
                                            binaries / "gantryd", "namesrv", "-c", conf],
                                Path(home) / "namesrv.log")
        self.child = self._process.child
        self._process.wait_until(lambda: self._process.said("ready"), "the word ready")

    def said(self):
        """Its log."""
        return self._process.log.read_text()

    def stop(self):
        """Ends it as an operator does; it must end well."""
        end = self._process.stop()
        if end != "exit code 0":
            raise Failure(f"the name server's stop: {end}")

    def kill(self):
        """Ends it, if it still runs."""
        self.child.kill()
        self.child.wait()
