# SPDX-License-Identifier: Apache-2.0
"""A table of docs/benchmarks.md that is measured in pieces: what a run did not measure stays."""

import argparse
import json
from pathlib import Path

from page import CHECKOUT, PAGE, say, write_page
from table import number

FIRST, GOAL = 2, -1  # columns: row, what, then contenders, then the goal


def section(begin, end, page=PAGE):
    """What stands between the marks: (cells, caption). cells: {(row, what): {column: text}}."""
    text = page.read_text().split(begin, 1)[1].split(end, 1)[0]
    lines = text.splitlines()
    table = [[cell.strip() for cell in line.strip().strip("|").split("|")]
             for line in lines if line.startswith("|")]
    caption = [line for line in lines if line.startswith("- ")]
    cells, row = {}, ""
    for values in table[2:]:
        row = values[0] or row
        cells[row, values[1]] = dict(zip([*table[0][FIRST:GOAL], "goal"], values[FIRST:]))
    return cells, caption


def merge(old, new, is_measured):
    """new over old, in new's form: lines in the order of the old ones where they were.
    is_measured(row, column): this run would have that cell if it still existed."""
    kept = {}
    for key, cells in old.items():
        stay = {column: text for column, text in cells.items()
                if column != "goal" and text != "-" and not is_measured(key[0], column)}
        if stay or key in new:
            kept[key] = {**stay, "goal": cells.get("goal", "")}
    for key, cells in new.items():
        kept[key] = {**kept.get(key, {}), **cells}
    rows = list(dict.fromkeys(row for row, _ in kept))
    return dict(sorted(kept.items(), key=lambda item: rows.index(item[0][0])))


def merge_caption(old, new):
    """Lines `- KEY: text`: the new ones of a key, and the old ones of all others."""
    keys = {line.split(":", 1)[0] for line in new}
    return new + [line for line in old if line.split(":", 1)[0] not in keys]


def markdown(cells, columns):
    """The table; columns: in their order, those without any figure are left out."""
    columns = [column for column in columns if any(column in values for values in cells.values())]
    lines = ["| " + " | ".join(["", "", *columns, "goal"]) + " |",
             "| --- | --- |" + " ---: |" * (len(columns) + 1)]
    last = None
    for (row, what), values in cells.items():
        shown = [row if row != last else "", what,
                 *(values.get(column, "-") for column in columns), values.get("goal", "")]
        lines.append("| " + " | ".join(shown) + " |")
        last = row
    return "\n".join(lines)


def arguments(text, only, rows):
    """The command line of a program that measures such a table; it may get more. only, rows: which
    contenders and rows there are, in order, all of which are measured unless it says otherwise."""
    parser = argparse.ArgumentParser(description=text,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=CHECKOUT / "build" / "release")
    parser.add_argument("--quick", action="store_true", help="less of everything, once each")
    parser.add_argument("--only", default=only, help="some contenders, in order")
    parser.add_argument("--rows", default=",".join(rows), help="some of them")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--check", action="store_true", help="fail when a goal is missed")
    parser.add_argument("--write", action="store_true", help="put the table into the docs")
    return parser


def report(args, lines, caption, columns, is_measured, marks):
    """Shows what was measured, as the command line says, and puts it between the marks of the page.
    columns: {contender: column}. is_measured(row): this run would have that row. Returns the exit
    code."""
    cells = cells_of(lines, columns)
    if args.output == "json":
        print(json.dumps([line.as_json() for line in lines.all()], indent=1))
    else:
        print(markdown(cells, columns.values()), "", *caption, sep="\n")
    missed = [line for line in lines.all() if args.check and line.is_missed()]
    for line in missed:
        say(f"missed: {line.row}: {line.what}: {line.goal_text()}")
    if args.write:
        mine = {columns[name] for name in args.only.split(",")}
        old, old_caption = section(*marks)
        cells = merge(old, cells, lambda row, column: is_measured(row) and column in mine)
        caption = "\n".join(merge_caption(old_caption, caption))
        write_page(f"\n{markdown(cells, columns.values())}\n\n{caption}\n", *marks)
    return 1 if missed else 0


def cells_of(lines, columns):
    """What was measured, as cells of the table."""
    return {(line.row, line.what): {**{columns[name]: number(value)
                                       for name, value in line.values.items()},
                                    "goal": line.goal_text()}
            for line in lines.all()}
