#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""That a table which is measured in pieces keeps its other pieces."""

import tempfile
import unittest
from pathlib import Path

import kept

BEGIN, END = "<!-- begin -->\n", "<!-- end -->\n"
TABLE = """
|  |  | Java | Gantry | goal |
| --- | --- | ---: | ---: | ---: |
| sync | rate | 10 | 20 |  |
|  | ratio | - | 0.90 | at least 0.90 |
| restart, 1 GiB | ms | 5,000 | 30.0 | at most 1,000 |

- machine: this one
- sync: made on Monday
- restart: made on Monday
"""


def is_restart(row, column):
    """The run measured restarts, of Gantry alone."""
    return row.startswith("restart") and column == "Gantry"


class Pieces(unittest.TestCase):
    """One piece is measured anew."""

    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            page.write_text("before\n" + BEGIN + TABLE + END + "after\n")
            self.cells, self.caption = kept.section(BEGIN, END, page)

    def test_reads_what_it_writes(self):
        """Nothing changes where nothing is measured."""
        text = kept.markdown(kept.merge(self.cells, {}, lambda row, column: False), ["Java", "Gantry"])
        self.assertEqual(TABLE.strip().split("\n\n")[0], text)

    def test_one_cell_changes(self):
        """The others of its line and all other lines stay."""
        new = {("restart, 1 GiB", "ms"): {"Gantry": "25.0", "goal": "at most 1,000"}}
        cells = kept.merge(self.cells, new, is_restart)
        self.assertEqual({"Java": "5,000", "Gantry": "25.0", "goal": "at most 1,000"},
                         cells["restart, 1 GiB", "ms"])
        self.assertEqual("20", cells["sync", "rate"]["Gantry"])

    def test_what_is_measured_no_more_goes(self):
        """A row of another name takes its place."""
        new = {("restart, 10 GiB", "ms"): {"Gantry": "26.0", "goal": ""}}
        cells = kept.merge(self.cells, new, lambda row, column: row.startswith("restart"))
        self.assertNotIn(("restart, 1 GiB", "ms"), cells)
        self.assertEqual("26.0", cells["restart, 10 GiB", "ms"]["Gantry"])

    def test_an_empty_table(self):
        """The first run."""
        text = kept.markdown(kept.merge({}, {("a", "b"): {"Gantry": "1", "goal": ""}}, is_restart),
                             ["Java", "Gantry"])
        self.assertEqual("| a | b | 1 |  |", text.splitlines()[-1])

    def test_captions(self):
        """Of what was measured."""
        self.assertEqual(["- restart: made today", "- machine: this one", "- sync: made on Monday"],
                         kept.merge_caption(self.caption, ["- restart: made today"]))


if __name__ == "__main__":
    unittest.main()
