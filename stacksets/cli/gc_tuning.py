"""Python's collector of cycles, set for a program that makes one look and ends."""

from __future__ import annotations

import gc

# At the default of 700 the collector goes through all objects so often that the time of a status
# grows faster than the Organization. What a run leaves in cycles is little, whatever its size.
NEW_OBJECTS = 100_000


def collect_seldom() -> None:
    """For the whole process: whoever calls this is the program and no library."""
    gc.set_threshold(NEW_OBJECTS)
