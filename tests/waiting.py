"""Waiting for what the sandbox does on its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

# Real seconds. For a machine that does much else; nobody waits longer than the thing takes.
PATIENCE = 60.0


def wait_until(look: Callable[[], Answer | None], what: str = "it does not come") -> Answer:
    """Look until the answer is true, and hand it over. AssertionError: patience has ended."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := look()):
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
    return answer
