# SPDX-License-Identifier: Apache-2.0
"""What the programs over these servers have in common: which build they try, and where they run."""

import shutil
import signal
import sys
import tempfile
from pathlib import Path

from harness.cache import CHECKOUT, Cache
from harness.servers import Site

EXIT_FAILED = 1
EXIT_NOTHING_RAN = 77


def newest_build():
    """The bin directory of the newest gantryd under build/."""
    found = sorted(CHECKOUT.glob("build/*/bin/gantryd"), key=lambda path: path.stat().st_mtime)
    return found[-1].parent if found else None


def _stop_on_signal(number, _frame):
    """Ends through the finally blocks, which stop the servers."""
    sys.exit(128 + number)


def run_in_folder(name, options, act):
    """Runs act(site) in a folder of its own, which stays if it fails or is to be kept; its exit code."""
    signal.signal(signal.SIGTERM, _stop_on_signal)
    folder = Path(tempfile.mkdtemp(prefix=f"gantry-{name}-"))
    site = Site(folder, Cache(), options.bin)
    code = EXIT_FAILED
    try:
        code = act(site)
    finally:
        site.stop()
        if options.keep or code not in (0, EXIT_NOTHING_RAN):
            print(f"files and logs: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code
