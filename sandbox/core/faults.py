"""Faults on purpose: errors instead of answers, and functions that die in the middle of a call.

Nothing happens unless a test asked for it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from sandbox.core import patches

# In the place of an error code: the function that makes the call dies before it reaches AWS, or
# after AWS has done it and before the function hears of it.
KILL_BEFORE = "sandbox.KillBefore"
KILL_AFTER = "sandbox.KillAfter"
# Nothing happens to this call: what is asked for next happens to the one after it.
PASS = ""


@dataclass
class Faults:
    """Errors that the next calls of an action get, instead of being done."""

    _waiting: dict[tuple[str, str], deque[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, service: str, action: str, *, times: int, code: str) -> None:
        with self._lock:
            self._waiting.setdefault((service, action), deque()).extend([code] * times)

    def take(self, service: str, action: str) -> str | None:
        with self._lock:
            waiting = self._waiting.get((service, action))
            return waiting.popleft() if waiting else None

    def forget(self) -> list[tuple[str, str]]:
        """Take back what has not happened yet; answers the actions that it was meant for."""
        with self._lock:
            left = [action for action, waiting in self._waiting.items() if waiting]
            self._waiting.clear()
        return left


def kill_function_of(access_key: str) -> None:
    """Kill the processes of the function whose role session this key is; LookupError if none."""
    session = patches.get("ministack.services.sts", "_sessions").get(access_key, {})
    arn = session.get("SourceFunctionArn")
    if arn is None:
        raise LookupError(f"no function calls with {access_key}")
    _, _, _, region, account, _, name = arn.split(":")
    runtime = patches.get("ministack.core.lambda_runtime", "_workers")
    for key, workers in list(runtime.items()):
        if key.startswith(f"{account}:{region}:{name}:"):
            for worker in workers:
                if worker.in_use and worker._proc is not None:
                    worker._proc.kill()


def end_functions(account: str) -> None:
    """End the warm processes of an account's functions: what they do next begins cold."""
    runtime = "ministack.core.lambda_runtime"
    for key in list(patches.get(runtime, "_workers")):
        if key.startswith(f"{account}:"):
            name = key.split(":")[2]
            patches.get(runtime, "invalidate_worker")(name, account=account)
