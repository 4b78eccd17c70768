# SPDX-License-Identifier: Apache-2.0
"""Where a benchmark ran, and the page that shows its table."""

import os
import platform
import subprocess
import sys
from pathlib import Path

from contenders import peers

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PAGE = CHECKOUT / "docs" / "benchmarks.md"


def say(text):
    """Progress, apart from the table."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def machine():
    """One line about where this ran."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (f"{os.cpu_count()} x {model}, {gib:.0f} GiB, Linux {platform.release()}, "
            f"{distribution()}")


def distribution():
    """The system's name."""
    return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown system")


def java_version():
    """What runs the Java broker."""
    done = subprocess.run([peers.java(), "-version"], capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    return lines[1] if len(lines) > 1 else "unknown"


def write_page(text, begin, end):
    """Replaces what stands between the marks of docs/benchmarks.md."""
    page = PAGE.read_text()
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    PAGE.write_text(before + begin + text + end + after)
    say(f"wrote {PAGE.relative_to(CHECKOUT)}")
