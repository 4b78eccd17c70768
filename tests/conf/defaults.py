#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every key that RocketMQ has, too, has RocketMQ's default: what gantryd prints for empty files is
compared with the kernel's list of RocketMQ's own keys (kernel/conf/known_*.c).

    defaults.py GANTRYD KERNEL-FOLDER
"""
import os
import pathlib
import re
import subprocess
import sys

# As conf/known.c looks them up: the first list that has a key decides.
LISTS = {
    "broker": ["start_broker", "broker", "server", "client", "store", "auth"],
    "namesrv": ["start_namesrv", "namesrv", "server", "client", "controller"],
}
LIST = re.compile(r"const struct gk_known gk_known_(\w+)\[\] = \{\n(.*?)\n\};", re.S)
ROW = re.compile(r'\{"([^"]+)", (?:NULL|"(.*)")\}')
LINE = re.compile(r"(broker|namesrv) (\S+) (\S+) = (.*?)  # (?:default|not set)$")


def known_defaults(folder):
    lists = {}
    for path in folder.glob("known_*.c"):
        for name, rows in LIST.findall(path.read_text()):
            lists[name] = dict(ROW.findall(rows))
    return lists


def main():
    gantryd, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    lists = known_defaults(folder)
    environment = {k: v for k, v in os.environ.items() if k != "NAMESRV_ADDR"}
    printed = subprocess.run([gantryd, "all", "--print-config"], check=True, capture_output=True,
                             text=True, timeout=30, env=environment).stdout
    compared, faults = 0, []
    for line in printed.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        role, plugin, key, ours = match.groups()
        java = next((lists[name][key] for name in LISTS[role] if key in lists[name]), None)
        if java is None or java.startswith(("=", "${")):
            continue  # a key of our own, or a default that RocketMQ works out
        compared += 1
        if ours != java:
            faults.append(f"{plugin}: {key} is {ours!r} by default, RocketMQ has {java!r}")
    print("\n".join(faults + [f"{compared} defaults compared, {len(faults)} differ"]))
    return 1 if faults or compared < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
