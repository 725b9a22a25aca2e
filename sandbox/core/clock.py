"""The clock of the sandbox: real time plus what a test has skipped. Nothing really waits for it.

It moves what goes by the time of day: visibility timeouts, retention, expiry, schedules, the
times that IAM and CloudTrail write down, and `time.time` in functions. Signatures, how long a
session lasts, and the short waits between retries keep real time.
"""

from __future__ import annotations

import os
import time
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.core import patches

STS = "ministack.services.sts"
SERVICES = ("dynamodb", "eventbridge", "scheduler", "sqs")

# Python imports a module of this name at its start, from PYTHONPATH.
_IN_WORKERS = '''"""Written by the sandbox: this function's clock goes with the sandbox's."""

import time
from pathlib import Path

_real = time.time
_skipped = Path(__file__).with_name("skipped-seconds")


def _moved():
    return _real() + float(_skipped.read_text())


time.time = _moved
'''


class Clock:
    """One sandbox's clock; `folder` is what its functions have as PYTHONPATH."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._skipped = 0.0

    def install(self) -> None:
        """Give it to the emulator's services and to functions, until the hooks are restored."""
        self._folder.mkdir()
        (self._folder / "sitecustomize.py").write_text(_IN_WORKERS)
        self._report_functions()
        moved = types.SimpleNamespace(**{**vars(time), "time": self.time})
        for service in SERVICES:
            patches.replace(f"ministack.services.{service}", "time", moved)
        patches.replace("ministack.services.iam", "_now", self.text)
        plain = patches.get(STS, "register_session")

        def register(access_key: str, session: dict[str, Any]) -> None:
            plain(access_key, {"IssuedAt": self.time(), **session})

        patches.replace(STS, "register_session", register)

    def time(self) -> float:
        """Epoch seconds."""
        return time.time() + self._skipped

    def text(self) -> str:
        """The same, as IAM and CloudTrail write it: 2026-01-02T03:04:05Z."""
        return datetime.fromtimestamp(self.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def advance(self, seconds: float) -> None:
        """Skip some time, at once. ValueError for going back, which no clock here does."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back: {seconds} s")
        self._skipped += seconds
        self._report_functions()
        # Whoever polls a queue looks now, not a second later.
        patches.get("ministack.core.concurrency", "esm_wake").set()

    def _report_functions(self) -> None:
        # In one step, since a function may read it at any moment.
        fresh = self._folder / "fresh"
        fresh.write_text(repr(self._skipped))
        os.replace(fresh, self._folder / "skipped-seconds")
