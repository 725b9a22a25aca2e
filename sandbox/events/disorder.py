"""Delivery as it is on a bad day: late, twice, in another order, or never; a function of a seed.

Knows nothing of rules and targets: events are held here, one at a time is let go, and only while
somebody waits for the sandbox to settle. So the same calls and the same seed give the same run,
with one worker even where functions cause events of their own.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.core.state import Record
from sandbox.events.buses import Event

Predicate = Callable[[Record], bool]


def _not_yet(event: Event) -> None:
    raise RuntimeError(f"no router takes events yet: {event.bus_arn}")


@dataclass
class Disorder:
    """What waits to be delivered. `deliver` hands an event to the rules; the router sets it.
    `lost` are the records that no bus ever got."""

    deliver: Callable[[Event], None] = _not_yet
    lost: list[Record] = field(default_factory=list)
    _random: random.Random | None = None
    _late: float = 0.0
    _twice: float = 0.0
    # (event, whether it may still be repeated), in the order in which they came.
    _held: list[tuple[Event, bool]] = field(default_factory=list)
    _behind: list[tuple[Event, bool]] = field(default_factory=list)
    _loses: Predicate | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, *, seed: int, late: float, twice: float) -> None:
        """From now on hold events. `late`: the share that comes after everything else; `twice`:
        the share that comes again, later."""
        with self._lock:
            self._random, self._late, self._twice = random.Random(seed), late, twice

    def end(self) -> None:
        """Deliver what is held, and everything after it at once and in order."""
        with self._lock:
            self._random = None
            held, self._held, self._behind = [*self._held, *self._behind], [], []
        for event, _ in held:
            self.deliver(event)

    def lose(self, predicate: Predicate | None) -> None:
        self._loses = predicate

    def loses(self, record: Record) -> bool:
        """Whether this record never reaches a bus; it is kept if so."""
        if self._loses is None or not self._loses(record):
            return False
        self.lost.append(record)
        return True

    def accept(self, event: Event) -> None:
        with self._lock:
            if self._random is not None:
                self._held.append((event, True))
                return
        self.deliver(event)

    def let_go(self) -> bool:
        """Deliver one of the events that are held; False when there is none."""
        with self._lock:
            if self._random is None or not (event := self._next(self._random)):
                return False
        self.deliver(event)
        return True

    def _next(self, chance: random.Random) -> Event | None:
        while self._held:
            event, first = self._held.pop(chance.randrange(len(self._held)))
            if first and chance.random() < self._late:
                self._behind.append((event, first))
                continue
            return self._perhaps_again(event, first, chance)
        if not self._behind:
            return None
        event, first = self._behind.pop(chance.randrange(len(self._behind)))
        return self._perhaps_again(event, first, chance)

    def _perhaps_again(self, event: Event, first: bool, chance: random.Random) -> Event:
        if first and chance.random() < self._twice:
            self._behind.append((event, False))
        return event
