# SPDX-License-Identifier: Apache-2.0
"""A table of docs/benchmarks.md that is measured in pieces: what a run did not measure stays."""

from page import PAGE

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
