# SPDX-License-Identifier: Apache-2.0
"""What the disk can do by itself, as fio measures it; and a page cache without the store's files."""

import json
import os
import shutil
import subprocess
from pathlib import Path

DROP = Path("/proc/sys/vm/drop_caches")


class Disk:
    """fio in a folder, on one core. Every figure is None where there is no fio."""

    def __init__(self, folder, core):
        self.folder = folder
        self.core = core
        self.program = shutil.which("fio")

    def _run(self, *options):
        done = subprocess.run(
            [self.program, "--name=disk", "--output-format=json", "--thread", *options],
            check=True, capture_output=True, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {self.core}))
        return json.loads(done.stdout[done.stdout.index("{"):])["jobs"][0]

    def _flushes_per_second(self, size, seconds, *options):
        if not self.program:
            return None
        path = self.folder / "fio"
        try:
            job = self._run(f"--filename={path}", "--rw=write", f"--bs={size}", "--fdatasync=1",
                            "--ioengine=psync", f"--runtime={seconds}", *options)
            return job["write"]["iops"]
        finally:
            path.unlink(missing_ok=True)

    def flushes_per_second(self, size, seconds):
        """Writes of that size, each with its fdatasync, over blocks that were written before: what
        making them costs is not in it."""
        return self._flushes_per_second(size, seconds, "--size=256m", "--overwrite=1",
                                        "--time_based")

    def new_flushes_per_second(self, size, seconds):
        """The same into a new file, as fio does it unless it is told otherwise."""
        return self._flushes_per_second(size, seconds, "--size=2g")

    def write_bytes_per_second(self, size):
        """A new file of that size, until it is on the disk."""
        if not self.program:
            return None
        path = self.folder / "fio"
        try:
            job = self._run(f"--filename={path}", "--rw=write", "--bs=1m", f"--size={size}",
                            "--ioengine=psync", "--end_fsync=1")
            return job["write"]["bw_bytes"]
        finally:
            path.unlink(missing_ok=True)

    def read_bytes_per_second(self, paths):
        """Files one after the other, not in the page cache."""
        if not self.program or not drop_caches():
            return None
        files = ":".join(str(path) for path in paths)
        job = self._run(f"--filename={files}", "--file_service_type=sequential", "--rw=read",
                        "--bs=1m", "--ioengine=psync", "--readonly", "--invalidate=1")
        return job["read"]["bw_bytes"]


def drop_caches():
    """Whether the page cache could be emptied: only root may."""
    os.sync()
    try:
        DROP.write_text("1\n")
    except OSError:
        return False
    return True
