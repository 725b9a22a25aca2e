"""The peak of a program's memory, as every benchmark measures it."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_memory() -> int:
    """The most resident memory in bytes that this program has had.

    Linux hands `ru_maxrss` on through exec (getrusage(2)): a small program that a large one starts
    would answer with its parent's size. `VmHWM` (proc_pid_status(5)) begins anew.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except FileNotFoundError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        # The one unit that differs: macOS counts bytes.
        return most if sys.platform == "darwin" else most * 1024
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
