#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts gantryd with each hostile plugin and compares its answer: the exit code and the words
that name plugin, field and both values. Built with a sanitizer, a leak or a race changes the exit
code, so nothing may leak on any of these ways out either.

    run.py --gantryd PROGRAM --plugins FOLDER
"""
import argparse
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

CLEAN, USAGE, CONFIG, PLUGIN, START = 0, 2, 3, 4, 5

HEADER = pathlib.Path(__file__).parents[2] / "api/gantry/plugin.h"
MINOR = int(re.search(r"GANTRY_ABI_MINOR\s*=?\s*(\d+)", HEADER.read_text())[1])


def module(name):
    return rf"\S*/hostile-{name}\.so"


# what is configured, and the sentence (a regular expression) that refuses it
REFUSED = [
    (["no-entry"], rf"plugin {module('no-entry')}: has no function gantry_plugin_entry"),
    (["no-descriptor"],
     rf"plugin {module('no-descriptor')}: its entry function returns no descriptor"),
    (["wrong-magic"], rf"plugin {module('wrong-magic')}: magic is 0x7f454c46, "
                      r"this gantryd wants 0x47545259"),
    (["other-size"], rf"plugin {module('other-size')}: size is (\d+), this gantryd wants (?!\1)\d+"),
    (["other-major"], rf"plugin {module('other-major')}: abi is 1\.{MINOR}, this gantryd has 0\.{MINOR}"),
    (["other-minor"], rf"plugin {module('other-minor')}: abi is 0\.{MINOR + 1}, this gantryd has 0\.{MINOR} "
                      r"\(major 0: only the same minor fits\)"),
    (["other-layout"], rf"plugin {module('other-layout')}: layout is 0x40302010, "
                       r"this gantryd wants 0x[0-9a-f]{8}"),
    (["other-name"], rf"plugin {module('other-name')}: name is \"hostile-somebody-else\", "
                     r"the file's name says \"hostile-other-name\""),
    (["short-vtable"], rf"plugin {module('short-vtable')}: the vtable of its filter service "
                       r"\"SHORT\" has size 8, the least is 16"),
    (["key-outside"], rf"plugin {module('key-outside')}: key outside: its field ends at byte 16, "
                      r"conf_size is 8"),
    (["unresolved"], rf"plugin {module('unresolved')}: cannot be loaded: .*undefined symbol: "
                     r"gantry_function_of_tomorrow"),
    (["not-elf"], rf"plugin {module('not-elf')}: cannot be loaded: .*invalid ELF header"),
    (["cut-off"], rf"plugin {module('cut-off')}: cannot be loaded: .*file too short"),
    (["nowhere"], r"plugin hostile-nowhere: there is no hostile-nowhere\.so in "),
    (["missing-need"], rf"plugin {module('missing-need')}: needs the filter service \"PLAIN\", "
                       r"and nothing in role broker offers it"),
    (["wants-more", "plain"],
     rf"plugin {module('wants-more')}: needs the filter service \"PLAIN\" with a vtable of 4096 "
     rf"bytes, the one of hostile-plain \({module('plain')}\) has 16"),
    (["cycle-one", "cycle-two"],
     rf"cyclic needs in role broker: hostile-cycle-one \({module('cycle-one')}\) -> "
     rf"hostile-cycle-two \({module('cycle-two')}\) -> hostile-cycle-one"),
    (["plain", "twin"], rf"plugins {module('plain')} and {module('twin')}: both offer the filter "
                        r"service \"PLAIN\" in role broker"),
]

# where it fails, exit code, its calls, the kernel's sentence
UP, DOWN = ["setup", "start", "serve"], ["drain", "stop", "free"]
FAILING = [
    ("check", CONFIG, [], r"10-hostile\.conf:\d+: hostile-fails in role broker: "
                          r"failAt must not be check"),
    ("setup", START, ["setup"], "setup failed: Input/output error"),
    ("start", START, ["setup", "start", "free"], "start failed: Input/output error"),
    ("startLater", START, ["setup", "start", "free"], "start failed: Input/output error"),
    ("serve", START, ["setup", "start", "serve", "stop", "free"],
     "serve failed: Input/output error"),
    ("drain", CLEAN, UP + DOWN, "drain failed: Input/output error"),
    ("drainLater", CLEAN, UP + DOWN, "drain failed: Input/output error"),
    ("stop", CLEAN, UP + DOWN, "stop failed: Input/output error"),
    ("stopLater", CLEAN, UP + DOWN, "stop failed: Input/output error"),
    ("nowhere", CLEAN, UP + DOWN, "ready: broker"),
]


# arguments, exit code, what is said
ARGUMENTS = [
    ([], USAGE, "a command is missing"),
    (["brokr"], USAGE, "there are the commands broker, namesrv and all"),
    (["broker", "namesrv"], USAGE, "there is one command only"),
    (["broker", "--nonsense"], USAGE, "Unknown option --nonsense"),
    (["all", "-c", "x"], USAGE, "files are given with --broker and --namesrv"),
    (["broker", "--namesrv", "x"], USAGE, "go with all"),
    (["--help"], CLEAN, r"0 stopped as asked .*6 stop cut short"),
    (["--version"], CLEAN, r"^gantryd \d+\.\d+"),
    (["broker", "-c", "no-such-file"], CONFIG, "no-such-file"),
    (["broker", "--conf-dir", "no-such-folder"], CONFIG, "no-such-folder"),
]


class Site:
    """gantryd with a conf.d and two plugin folders of its own."""

    def __init__(self, gantryd, plugins, home):
        self.gantryd, self.plugins, self.home = gantryd, plugins, home
        self.conf = home / "conf.d"
        self.conf.mkdir()
        own = home / "plugins"
        own.mkdir()
        (own / "hostile-not-elf.so").write_text("#!/bin/sh\n" + "# just a script\n" * 40)
        (own / "hostile-cut-off.so").write_bytes(b"\x7fELF")
        self.own = own

    def configure(self, sections):
        text = "[kernel]\neventLoopThreads = 2\nlogLevel = debug\n"
        (self.conf / "10-hostile.conf").write_text(text + "\n".join(sections) + "\n")

    def command(self, *words):
        return [self.gantryd, "broker", "--conf-dir", self.conf, "--plugin-dir", self.own,
                "--plugin-dir", self.plugins, *words]

    def run(self, *words):
        """Exit code and log of a gantryd that ends by itself."""
        done = subprocess.run(self.command(*words), text=True, stderr=subprocess.PIPE, timeout=60)
        return done.returncode, done.stderr

    def serve(self):
        """Exit code and log of a gantryd that is stopped once it is ready, or ends before."""
        process = subprocess.Popen(self.command(), text=True, stderr=subprocess.PIPE)
        log = ""
        try:
            for line in process.stderr:
                log += line
                if "ready: " in line:
                    process.send_signal(signal.SIGTERM)
            return process.wait(60), log
        finally:
            process.kill()
            process.wait()


def expect(name, code, log, wanted_code, sentence):
    assert code == wanted_code, f"{name}: exit code {code}, not {wanted_code}\n{log}"
    assert re.search(sentence, log), f"{name}: nothing in the log like {sentence}\n{log}"


def check_arguments(site):
    for words, wanted_code, sentence in ARGUMENTS:
        done = subprocess.run([site.gantryd, *words], text=True, cwd=site.home, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = " ".join(done.stdout.split())
        expect(f"gantryd {' '.join(words)}", done.returncode, said, wanted_code, sentence)


def check_printing(site):
    """Words that mqbroker drops are dropped; what is in force can be printed."""
    site.configure(["[plugin hostile-fails]", "failAt = serve"])
    done = subprocess.run(site.command("-p", "autoCreateTopicEnable=true"), text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    expect("-p", done.returncode, done.stderr, CLEAN,
           "autoCreateTopicEnable=true: ignored on the command line")
    expect("-p", done.returncode, done.stdout, CLEAN, r"failAt = serve +# \S*10-hostile\.conf:\d+")


def check_refused(site):
    for plugins, sentence in REFUSED:
        site.configure(f"[plugin hostile-{name}]" for name in plugins)
        expect(plugins[0], *site.run(), PLUGIN, sentence)
        expect(plugins[0] + " --check", *site.run("--check"), PLUGIN, sentence)


def check_all_at_once(site):
    """Every fault is reported, not just the first."""
    names = ["wrong-magic", "other-minor", "no-entry", "fails"]
    site.configure([f"[plugin hostile-{name}]" for name in names] + ["failAt = sometime"])
    code, log = site.run("--check")
    expect("all at once", code, log, CONFIG, r"10-hostile\.conf:\d+: .*failAt.*sometime")
    for plugins, sentence in REFUSED:
        if plugins[0] in names:
            expect("all at once", code, log, CONFIG, sentence)


def check_failing(site):
    for place, wanted_code, calls, sentence in FAILING:
        site.configure(["[plugin hostile-fails]", f"failAt = {place}"])
        code, log = site.serve()
        expect(f"fails at {place}", code, log, wanted_code, sentence)
        seen = re.findall(r"broker/hostile-fails: call (\w+)", log)
        assert seen == calls, f"fails at {place}: {seen}, not {calls}\n{log}"


def check_leaving(site):
    site.configure(["[plugin hostile-leaves]"])
    code, log = site.serve()
    for sentence in (
            r"broker/hostile-leaves: took back 1 listeners, 1 timers, 1 subscriptions",
            r"broker/hostile-leaves: the subscription ended",
            r"error +broker/hostile-leaves: left a libuv check handle open on loop 0"):
        expect("leaves", code, log, CLEAN, sentence)


def check_listing(site):
    done = subprocess.run([site.gantryd, "--list-plugins", "--conf-dir", site.conf, "--plugin-dir",
                           site.plugins], text=True, stdout=subprocess.PIPE, timeout=60)
    expect("--list-plugins", done.returncode, done.stdout, PLUGIN,
           r"hostile-plain +1\.0 +filter \"PLAIN\" +is fine +\(\S*hostile-plain\.so\)")
    expect("--list-plugins", done.returncode, done.stdout, PLUGIN,
           r"hostile-wrong-magic +refused: plugin \S* magic is 0x7f454c46")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gantryd", type=pathlib.Path, required=True)
    parser.add_argument("--plugins", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gantry-hostile-") as home:
        site = Site(arguments.gantryd.resolve(), arguments.plugins.resolve(), pathlib.Path(home))
        check_arguments(site)
        check_printing(site)
        check_refused(site)
        check_all_at_once(site)
        check_failing(site)
        check_leaving(site)
        check_listing(site)
    print("every hostile plugin got its answer")


if __name__ == "__main__":
    sys.exit(main())
