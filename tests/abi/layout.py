#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the offset and size of every member of every public struct with layout.txt.

    layout.py --cc cc --include api --expect layout.txt [--write]

A change here is a change of the ABI: it needs a new minor (members appended) or major (anything
else) in plugin.h, a line in its changelog, and --write in the same commit.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

COMMENT = re.compile(r"/\*.*?\*/", re.S)
STRUCT = re.compile(r"^struct (\w+)\s*\{(.*?)^\}", re.S | re.M)
FUNCTION = re.compile(r"\(\*(\w+)\)\s*\(.*\)", re.S)


def members(body):
    """The names declared in a struct's body, in order."""
    for declaration in body.split(";"):
        declaration = re.sub(r"__attribute__\(\(.*?\)\)", "", declaration).strip()
        if not declaration:
            continue
        function = FUNCTION.search(declaration)
        if function:
            yield function.group(1)
            continue
        for part in declaration.split(","):
            yield re.sub(r"\[.*\]", "", part).split()[-1].lstrip("*")


def program(include):
    """A C program that prints the layout of everything the headers declare."""
    lines, prints = ["#include <stdio.h>"], []
    for header in sorted((include / "gantry").glob("*.h")):
        lines.append(f"#include <gantry/{header.name}>")
        for name, body in STRUCT.findall(COMMENT.sub("", header.read_text())):
            prints.append(f'printf("struct {name} %zu\\n", sizeof(struct {name}));')
            prints += [
                f'printf("  {m} %zu %zu\\n", offsetof(struct {name}, {m}), '
                f"sizeof(((struct {name} *)0)->{m}));"
                for m in members(body)
            ]
    return "\n".join(lines + ["int main(void) {"] + prints + ["return 0; }"])


def measure(cc, include):
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder, "layout.c"), pathlib.Path(folder, "layout")
        source.write_text(program(include))
        subprocess.run([cc, "-std=gnu17", f"-I{include}", source, "-o", binary], check=True)
        return subprocess.run([binary], check=True, capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--include", type=pathlib.Path, required=True)
    parser.add_argument("--expect", type=pathlib.Path, required=True)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    found = measure(args.cc, args.include)
    if args.write:
        args.expect.write_text(found)
        return 0
    expected = args.expect.read_text().splitlines()
    wrong, where = [], ""
    for want, have in zip(expected, found.splitlines()):
        if want.startswith("struct"):
            where = want
        if want != have:
            wrong.append(f"{where}: layout.txt has '{want.strip()}', the headers '{have.strip()}'")
            break
    if not wrong and len(expected) != len(found.splitlines()):
        wrong.append(f"{len(expected)} lines in layout.txt, {len(found.splitlines())} measured")
    print("\n".join(wrong) or f"{len(expected)} members stand where they stood")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
