# SPDX-License-Identifier: Apache-2.0
"""Makes tests/peers/harness importable, and names its broker."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

sys.path.insert(0, str(HERE.parent / "peers"))
