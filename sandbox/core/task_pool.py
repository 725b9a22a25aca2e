"""Work in flight: two pools of threads, delayed work, and waiting until nothing is left.

Knows nothing of AWS.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


class Work:
    """Counts what was submitted, now or later, until it is done; keeps what went wrong."""

    def __init__(self, *, workers: int) -> None:
        # With one worker everything happens in turn.
        self._routing = ThreadPoolExecutor(min(workers, 4), thread_name_prefix="router")
        self._lambdas = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="lambda")
        self._changed = threading.Condition()
        self._in_flight = 0
        self._timers: set[threading.Timer] = set()
        self._closed = False
        self._problems: list[str] = []

    def new_problems(self) -> list[str]:
        """What went wrong since the last time that somebody asked."""
        reported, self._problems = self._problems, []
        return reported

    @property
    def in_flight(self) -> int:
        return self._in_flight

    def route(self, task: Callable[..., None], *args: Any) -> None:
        """Do a short task soon."""
        self._submit(self._routing, task, args)

    def invoke(self, task: Callable[..., None], *args: Any) -> None:
        """Do a task that runs a function; only so many of them run at once."""
        self._submit(self._lambdas, task, args)

    def later(self, seconds: float, again: Callable[..., None], *args: Any) -> None:
        """Call `again`, which submits more, after a while; it is in flight in the meantime."""

        def due() -> None:
            try:
                again(*args)
            finally:
                self._timers.discard(timer)
                self._add(-1)

        self._add(1)
        timer = threading.Timer(seconds, due)
        timer.daemon = True
        self._timers.add(timer)
        timer.start()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Something that is done elsewhere is in flight meanwhile."""
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def close(self) -> None:
        """Forget what waits; what runs comes to its end."""
        self._closed = True
        for timer in list(self._timers):
            timer.cancel()
        self._routing.shutdown(wait=True, cancel_futures=True)
        self._lambdas.shutdown(wait=True, cancel_futures=True)

    def _submit(
        self, pool: ThreadPoolExecutor, task: Callable[..., None], args: tuple[Any, ...]
    ) -> None:
        if self._closed:
            return
        self._add(1)
        future = pool.submit(task, *args)
        future.add_done_callback(self._done)

    def _done(self, future: Any) -> None:
        problem = None if future.cancelled() else future.exception()
        if problem is not None:
            self._problems.append("".join(traceback.format_exception(problem)))
        self._add(-1)

    def _add(self, count: int) -> None:
        with self._changed:
            self._in_flight += count
            self._changed.notify_all()
