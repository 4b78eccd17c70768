#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles each public header alone, as C17 and as C++17, with warnings as errors, and looks for
names that do not belong in them.

    headers.py --cc cc --cxx c++ --include api
"""
import argparse
import pathlib
import re
import subprocess
import sys

FOREIGN = re.compile(r"\bg(int|uint|char|boolean|pointer|size|ssize)\d*\b|\bG[A-Z][a-z]\w+|<glib")
COMMON = ["-Wall", "-Wextra", "-Werror", "-pedantic-errors", "-fsyntax-only"]


def compiles(command, header, include):
    done = subprocess.run(command + [f"-I{include}", str(header)], capture_output=True, text=True)
    return done.returncode == 0 or print(done.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("--include", type=pathlib.Path, required=True)
    args = parser.parse_args()
    wrong = 0
    headers = sorted((args.include / "gantry").glob("*.h"))
    for header in headers:
        for command in ([args.cc, "-std=c17", "-xc"], [args.cxx, "-std=c++17", "-xc++"]):
            if not compiles(command + COMMON, header, args.include):
                print(f"{header.name}: does not compile alone with {' '.join(command)}")
                wrong += 1
        if FOREIGN.search(header.read_text()):
            print(f"{header.name}: names a GLib type")
            wrong += 1
    print(f"{len(headers)} headers, {wrong} faults")
    return 1 if wrong or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
