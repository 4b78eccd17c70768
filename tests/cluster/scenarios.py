# SPDX-License-Identifier: Apache-2.0
"""Programs that are a row of scenarios, each in a folder of its own: all of them, or those named."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from nodes import HERE  # noqa: F401  finds tests/peers/harness
from harness.process import Failure


def run(doc, names, act, options=lambda parser: None):
    """doc: the program's text. act(name, folder of programs, folder, options): raises Failure if it is
    not as promised. options(parser): adds those that the program has of its own."""
    parser = argparse.ArgumentParser(description=doc,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=Path)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(names))
    options(parser)
    given = parser.parse_intermixed_args()
    for name in given.scenarios:
        if name not in names:
            parser.error(f"there is no scenario {name}")
    for name in given.scenarios or names:
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="gantry-scenario-") as home:
            try:
                act(name, given.binaries.resolve(), Path(home), given)
            except (Failure, OSError) as failure:
                sys.exit(f"{name}: {failure}")
        print(f"{name}: as promised, {time.monotonic() - begin:.1f} s", flush=True)
