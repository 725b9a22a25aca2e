"""How many AWS calls stand in a row: a clock on which every call takes one step.

Calls that the handler makes one after the other come at one step after the other. Those that it
hands to its `together` come at the same step, but only where both really run at once: each waits
for the other before its first call. A `together` that ran them in turn would be counted so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from handler.revoker.state.standing import Together

# Two that run at once meet at once; this long for a busy machine.
MEETING_SECONDS = 10.0


class Steps:
    """The calls as (step, operation), steps counted from 0; each thread has a time of its own."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, str]] = []
        self._own = threading.local()
        self._latest = 0

    @property
    def now(self) -> int:
        return int(getattr(self._own, "now", 0))

    def call(self, operation: str) -> None:
        """One call begins, and takes one step."""
        self.calls.append((self.now, operation))
        self._go_to(self.now + 1)

    def rows(self) -> list[list[str]]:
        """The operations of each step."""
        last = max((step for step, _ in self.calls), default=-1)
        return [[name for at, name in self.calls if at == step] for step in range(last + 1)]

    def beside(self, together: Together, *, patience: float = MEETING_SECONDS) -> Together:
        """The same `together`, and the clock goes on with the longer of the two."""

        def measured(one: Callable[[], Any], other: Callable[[], Any]) -> tuple[Any, Any]:
            began, meeting = self.now, threading.Barrier(2)
            ends: list[int] = []

            def run(act: Callable[[], Any]) -> Any:
                try:
                    meeting.wait(patience)
                    self._go_to(began)
                except threading.BrokenBarrierError:
                    # The other one is not there: it comes after this one, or came before.
                    self._go_to(self._latest)
                answer = act()
                ends.append(self.now)
                return answer

            answers = together(lambda: run(one), lambda: run(other))
            self._go_to(max(ends))
            return answers

        return measured

    def _go_to(self, step: int) -> None:
        self._own.now = step
        self._latest = max(self._latest, step)


class Stepped:
    """A client whose every request, and every page, is a call on the clock."""

    def __init__(self, client: Any, steps: Steps) -> None:
        self._client = client
        self._steps = steps
        self.exceptions = getattr(client, "exceptions", None)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        request = getattr(self._client, operation)

        def stepped(**arguments: Any) -> Any:
            self._steps.call(operation)
            return request(**arguments)

        return stepped

    def get_paginator(self, operation: str) -> SteppedPages:
        return SteppedPages(self._client.get_paginator(operation), operation, self._steps)


class SteppedPages:
    """A paginator of such a client."""

    def __init__(self, pages: Any, operation: str, steps: Steps) -> None:
        self._pages = pages
        self._operation = operation
        self._steps = steps

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        for page in self._pages.paginate(**arguments):
            self._steps.call(self._operation)
            yield page
