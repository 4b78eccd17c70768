#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps what docs/principles.md says: sizes, banned calls, layering, one exported symbol per plugin.

    tidy.py --root CHECKOUT [--plugins FOLDER-OF-SO-FILES]
"""
import argparse
import pathlib
import re
import subprocess
import sys

FILE_LINES = {".c": 800, ".h": 420, ".cc": 1000, ".py": 600, ".java": 800, ".go": 600}
FUNCTION_LINES = 80
LINE_WIDTH = 100
CODE = {".c", ".h", ".cc"}
SPDX = CODE | {".py", ".sh", ".java", ".go", ".cmake"}

BANNED = {
    "strcpy": "copies without a limit", "strcat": "copies without a limit",
    "sprintf": "prints without a limit", "vsprintf": "prints without a limit",
    "gets": "reads without a limit", "strtok": "keeps hidden state",
    "atoi": "hides errors", "atol": "hides errors", "atoll": "hides errors",
    "alloca": "can run off the stack", "system": "starts a shell", "popen": "starts a shell",
    "g_signal_emit": "too slow, use the bus", "g_object_new": "no GObject",
    "signal": "use sigaction through the kernel", "usleep": "wait for a condition",
}
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
FUNCTION_START = re.compile(r"^\{\s*$", re.M)
MACHINE_PATH = re.compile(r"/(?:home|root|work|Users)/\w")
REGISTRY = re.compile(
    r"(?:repo1?\.maven|proxy\.golang|registry\.npmjs|pypi\.org|files\.pythonhosted|crates\.io"
    r"|deb\.debian\.org|repo\.maven\.apache)")


def tracked(root):
    """Files git knows or would add; a checkout without git is walked."""
    try:
        names = subprocess.run(
            ["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
            check=True, capture_output=True, text=True).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(root)) for p in root.rglob("*") if "build" not in p.parts]
    return [pathlib.Path(n) for n in names if n and (root / n).is_file()]


def bare(text):
    """The text with comments and strings blanked, line numbers kept."""
    return COMMENT_OR_STRING.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_sizes(path, text):
    limit = FILE_LINES.get(path.suffix)
    lines = text.split("\n")
    if limit and len(lines) > limit:
        yield f"{path}: {len(lines)} lines, at most {limit}"
    if path.suffix in CODE:
        for number, line in enumerate(lines, 1):
            if len(line.expandtabs(8)) > LINE_WIDTH:
                yield f"{path}:{number}: wider than {LINE_WIDTH} columns"


def check_functions(path, text):
    if path.suffix not in {".c", ".cc"}:
        return
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{":
            start = number if ")" in lines[number - 2] else None  # not a class or namespace
        elif line.startswith("}") and start:
            if number - start - 1 > FUNCTION_LINES:
                yield f"{path}:{start}: function of {number - start - 1} lines, at most {FUNCTION_LINES}"
            start = None


def check_calls(path, code):
    if path.suffix not in CODE:
        return
    for match in BANNED_CALL.finditer(code):
        line = code.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: {match.group(1)}() {BANNED[match.group(1)]}"


def allowed_include(path, name):
    """Which project headers a file may include, by the room it stands in."""
    room = path.parts[0]
    if path.name.endswith("_test.cc") or room == "tests" or "fuzz" in path.name:
        return True
    if room == "api":
        return not ("/" in name and not name.startswith("gantry/"))
    if room == "kernel":
        return "message" not in name and "remoting" not in name and "json/" not in name
    if room == "plugins":
        if name.startswith(("kernel/", "../../", "glib", "ltdl")):
            return name.startswith("glib") and path.parts[1] != "lib"
        if path.parts[1] == "lib":
            return not re.match(r"(store|broker|namesrv)/", name)
        return True
    return True


def check_layering(path, text):
    if path.suffix not in CODE:
        return
    for match in INCLUDE.finditer(text):
        if not allowed_include(path, match.group(1)):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {path.parts[0]} must not include {match.group(1)}"


def check_text(path, text):
    if path.suffix in SPDX or path.name == "CMakeLists.txt":
        if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.split("\n")[:3]):
            yield f"{path}: no SPDX line at its top"
    if path.name == "tidy.py":
        return
    for pattern, what in ((MACHINE_PATH, "a path of somebody's machine"), (REGISTRY, "a registry's host")):
        match = pattern.search(text)
        if match:
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: names {what} ({match.group()})"


def check_plugin_folders(root):
    for folder in sorted((root / "plugins").glob("*/*")):
        if folder.parent.name == "lib" or not (folder / "CMakeLists.txt").is_file():
            continue
        for suffix in (".md", ".conf"):
            if not (folder / (folder.name + suffix)).is_file():
                yield f"{folder.relative_to(root)}: has no {folder.name}{suffix}"


def check_modules(folder):
    """One exported symbol per plugin, and nothing in it that can change."""
    for module in sorted(folder.glob("*.so")):
        exported = subprocess.run(["nm", "-D", "--defined-only", module], check=True,
                                  capture_output=True, text=True).stdout.split("\n")
        names = [line.split()[-1] for line in exported if line]
        if names != ["gantry_plugin_entry"]:
            yield f"{module.name}: exports {', '.join(names) or 'nothing'}, not just gantry_plugin_entry"
        table = subprocess.run(["objdump", "-t", module], check=True, capture_output=True, text=True)
        for line in table.stdout.split("\n"):
            part = line.split()
            if " O " in line and len(part) > 3 and {".data", ".bss"} & set(part):
                if not part[-1].startswith(("completed.", "__dso_handle", "__TMC_END__")):
                    yield f"{module.name}: {part[-1]} is a mutable static"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--plugins", type=pathlib.Path)
    args = parser.parse_args()
    faults, files = [], 0
    for path in tracked(args.root):
        try:
            text = (args.root / path).read_text()
        except UnicodeDecodeError:
            continue
        files += 1
        code = bare(text) if path.suffix in CODE else ""
        for check in (check_sizes(path, text), check_functions(path, text), check_calls(path, code),
                      check_layering(path, text), check_text(path, text)):
            faults.extend(check)
    faults.extend(check_plugin_folders(args.root))
    if args.plugins:
        faults.extend(check_modules(args.plugins))
    print("\n".join(faults + [f"{files} files, {len(faults)} faults"]))
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main())
