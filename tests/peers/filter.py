#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks RocketMQ's own SQL92 filter and Gantry's the same questions.

    filter.py                  the questions of plugins/filter/sql92/testdata/answers.txt
    filter.py --record         keeps what RocketMQ's filter answers, in that file
    filter.py --random COUNT   made-up expressions and properties; --seed N for the same ones again
    filter.py --ask PROGRAM    Gantry's side, default the newest build/*/tests/sql_ask

A question is an expression, then names and values of properties, with tabs between them; its answer
is what filter.AskFilter prints. Exit code: 0 all answers are equal, 1 not, 77 nothing could be asked.
"""

import argparse
import os
import random
import subprocess
import sys

from harness.cache import CHECKOUT, Cache, SERVER_VERSION, Unavailable, java

ANSWERS = CHECKOUT / "plugins" / "filter" / "sql92" / "testdata" / "answers.txt"
MARK = "=> "
SHOWN = 20

HEAD = f"""\
# What the SQL92 filter of RocketMQ {SERVER_VERSION} (rocketmq-filter) answers: a question, then "=> " and the
# answer. Recorded with tests/peers/filter.py --record, which describes the lines. A question that
# would begin with # begins with a backslash.
"""


def ask(command, questions):
    """The answers of one program, a line each."""
    text = "".join(question + "\n" for question in questions).encode()
    done = subprocess.run(command, input=text, capture_output=True, check=True)
    answers = done.stdout.decode().split("\n")[:-1]
    if len(answers) != len(questions):
        raise RuntimeError(f"{len(questions)} questions, {len(answers)} answers")
    return answers


def ask_java(cache, questions):
    """What RocketMQ's filter says."""
    return ask([java(), "-Xss512k", "-cp", cache.java_filter(), "filter.AskFilter"], questions)


def recorded():
    """The lines of the file before its first question, and from there on; answers left out."""
    lines = [line for line in ANSWERS.read_text().split("\n")[:-1] if not line.startswith(MARK)]
    return lines[HEAD.count("\n"):] if lines[:1] == [HEAD.split("\n", 1)[0]] else lines


def record(cache):
    """Writes the file anew."""
    lines = recorded()
    answers = iter(ask_java(cache, [line for line in lines if not line.startswith("#")]))
    text = "".join(line + "\n" + ("" if line.startswith("#") else MARK + next(answers) + "\n")
                   for line in lines)
    ANSWERS.write_text(HEAD + text)


class Inventor:
    """Makes up questions. Most expressions are right, some have a word too many or too few."""

    NAMES = ["a", "b", "c", "TAGS", "missing"]
    VALUES = ["5", "5.0", "-5", "x", "true", "FALSE", "2147483648", "9223372036854775808", "1e3",
              "NaN", "it's", "abc", " 7 ", "0x1p3"]
    NUMBERS = ["0", "5", "7L", "5.0", "2147483648", "1000.0", ".5", "1e3", "99999999999999999999"]
    TEXTS = ["'x'", "''", "'5'", "'it''s'", "'b'", "'true'", "'abc'", "'5.0'"]
    WORDS = ["NOT", "AND", "OR", "(", ")", "+", "-", "IS", "NULL", "IN", "BETWEEN", "=", "<>", ">",
             ",", "a", "'x'", "5", "TRUE", "CONTAINS", "@", "'", "/", ".", "5.5"]

    def __init__(self, seed):
        self._random = random.Random(seed)

    def question(self):
        """One line."""
        words = self._boolean(self._random.randint(0, 4)).split(" ")
        if self._random.random() < 0.25:
            at = self._random.randrange(len(words) + 1)
            words[at:at + self._random.randint(0, 2)] = [self._random.choice(self.WORDS)]
        fields = [" ".join(words)]
        for name in self.NAMES[:-1]:
            if self._random.random() < 0.7:
                fields += [name, self._random.choice(self.VALUES)]
        return "\t".join(fields)

    def _one(self, *makers):
        return self._random.choice(makers)

    def _boolean(self, depth):
        if depth == 0:
            return self._simple()
        kind = self._random.randrange(6)
        if kind == 0:
            return "NOT " + self._boolean(depth - 1)
        if kind < 3:
            return f"( {self._boolean(depth - 1)} )"
        return f"{self._boolean(depth - 1)} {self._one('AND', 'OR')} {self._boolean(depth - 1)}"

    def _simple(self):
        left, kind = self._operand(), self._random.randrange(9)
        negated = self._one("", "NOT ")
        texts = [self._random.choice(self.TEXTS) for _ in range(self._random.randint(1, 4))]
        if kind == 0:
            return f"{left} IS {negated}NULL"
        if kind == 1:
            return f"{self._random.choice(self.NAMES)} {negated}IN ( {' , '.join(texts)} )"
        if kind == 2:
            return f"{left} {negated}BETWEEN {self._operand()} AND {self._operand()}"
        if kind == 3:
            return f"{left} {negated}{self._one('CONTAINS', 'STARTSWITH', 'ENDSWITH')} {texts[0]}"
        if kind == 4:
            return self._one("TRUE", "FALSE", "NULL", self._random.choice(self.NAMES))
        return f"{left} {self._one('=', '<>', '>', '>=', '<', '<=', '=')} {self._operand()}"

    def _operand(self):
        kind = self._random.randrange(12)
        if kind < 6:
            return self._random.choice(self.NAMES)
        if kind < 9:
            return self._random.choice(self.NUMBERS)
        if kind == 9:
            return self._random.choice(self.TEXTS)
        if kind == 10:
            return self._one("- ", "+ ") + self._operand()
        return self._one("TRUE", f"( {self._boolean(1)} )", "NULL")


def compare(cache, program, questions):
    """Prints the differences; returns how many there are."""
    wrong = 0
    for question, theirs, ours in zip(questions, ask_java(cache, questions),
                                      ask([program], questions)):
        if theirs == ours:
            continue
        wrong += 1
        if wrong <= SHOWN:
            print(f"{question}\n  RocketMQ: {theirs}\n  Gantry:   {ours}")
    print(f"{len(questions)} questions, {wrong} answered differently")
    return wrong


def newest_program():
    """Gantry's side that was built last."""
    found = sorted(CHECKOUT.glob("build/*/tests/sql_ask"), key=os.path.getmtime)
    if not found:
        sys.exit("filter.py: no build/*/tests/sql_ask; --ask names one")
    return found[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--random", type=int, metavar="COUNT")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--ask", metavar="PROGRAM")
    options = parser.parse_args()
    try:
        if options.record:
            record(Cache())
            return 0
        questions = [line for line in recorded() if not line.startswith("#")]
        if options.random:
            seed = random.randrange(1 << 32) if options.seed is None else options.seed
            print(f"seed {seed}")
            inventor = Inventor(seed)
            questions = [inventor.question() for _ in range(options.random)]
        return 1 if compare(Cache(), options.ask or newest_program(), questions) else 0
    except Unavailable as error:
        print(f"filter.py: {error}")
        return 77


if __name__ == "__main__":
    sys.exit(main())
