"""Carries events to the real handler code: late, twice, in any order; and calls reconciliation.

As Lambda does, an event that raised is tried again after one and after two more minutes, and then
lies in the dead-letter queue until a reconciliation redrives it.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from handler.revoker.reconcile.reconcile import reconcile
from handler.revoker.respond.dispatch import deliver
from handler.revoker.respond.event_history import Deferred
from handler.revoker.state.context import ReportRefused, Tools
from handler.revoker.state.table import TableBusy
from tests.doubles.history import LaggingHistory
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import MemoryQueue

RECONCILE_SECONDS = 900.0
RETRIES = (60.0, 120.0)
# What Lambda catches: each is an event's or a reconciliation's own trouble, and tried again.
TROUBLES = (Deferred, ClientError, ReportRefused, TableBusy)
# Shares of the events that arrive within so many seconds. Most are quick, a few are very late.
DELAYS = ((0.55, 0.0, 4.0), (0.8, 4.0, 30.0), (0.92, 30.0, 150.0), (0.99, 150.0, 600.0))
LATEST = (600.0, 2_400.0)
# The event history lags up to 15 minutes. CloudTrail User Guide, "event history".
HISTORY_LAG = (5.0, 895.0)
# What the next event may stumble over once: a throttled call of IAM, the table, or the bus.
STUMBLES = (
    ("iam", "attach_user_policy"),
    ("iam", "get_user"),
    ("iam", "update_access_key"),
    ("iam", "get_group"),
    ("table", "batch_get_item"),
    ("table", "update_item"),
    ("table", "put_item"),
    ("bus", ""),
)


@dataclass
class Courier:
    """Events under way. `go_to` moves the clock; `tools` makes what the handler works with.

    `arrived` is when each event was first handled without an error, by its id; `taken_for` the
    reason of that verdict.
    """

    tools: Callable[[], Tools]
    go_to: Callable[[float], None]
    history: LaggingHistory
    letters: MemoryQueue
    stumble_over: Callable[[str, str, bool], None]
    next_reconciliation: float
    arrived: dict[str, float] = field(default_factory=dict)
    taken_for: dict[str, str] = field(default_factory=dict)
    failed: list[tuple[str, Exception]] = field(default_factory=list)
    stumble: int = 0
    _due: list[tuple[float, int, int, Mapping[str, Any]]] = field(default_factory=list)
    _order: Any = field(default_factory=itertools.count)

    def post(self, record: Mapping[str, Any], chance: Random, *, now: float, lost: bool) -> None:
        """Send a record on its way, once or more, and into the event history."""
        self.history.add(record, visible=now + chance.uniform(*HISTORY_LAG))
        if lost:
            return
        event = {"account": ACCOUNT, "source": "aws.iam", "detail": record}
        for _ in range(1 + (chance.random() < 0.2) + (chance.random() < 0.05)):
            self._send(now + _delay(chance), 0, event)

    def _send(self, due: float, tries: int, event: Mapping[str, Any]) -> None:
        heapq.heappush(self._due, (due, next(self._order), tries, event))

    @property
    def idle(self) -> bool:
        return not self._due and not self.letters.letters

    def run(self, until: float) -> None:
        """Deliver and reconcile in the order of time up to `until`, and leave the clock there."""
        while True:
            due = self._due[0][0] if self._due else until + 1
            if min(due, self.next_reconciliation) > until:
                break
            if due <= self.next_reconciliation:
                _, _, tries, event = heapq.heappop(self._due)
                self.go_to(due)
                self._deliver(event, tries, now=due)
            else:
                self.go_to(self.next_reconciliation)
                self.next_reconciliation += RECONCILE_SECONDS
                self.reconcile()
        self.go_to(until)

    def reconcile(self) -> None:
        """One round of the real reconciliation; its trouble is the next round's."""
        self.letters.unhide()
        self.failed.clear()
        try:
            reconcile(self.tools())
        except TROUBLES as error:
            self.failed.append(("reconcile", error))

    def _deliver(self, event: Mapping[str, Any], tries: int, *, now: float) -> None:
        where, what = STUMBLES[self.stumble % len(STUMBLES)]
        if self.stumble:
            self.stumble_over(where, what, True)
        try:
            said = deliver(event, self.tools())
        except TROUBLES:
            if tries < len(RETRIES):
                self._send(now + RETRIES[tries], tries + 1, event)
            else:
                self.letters.put({"requestPayload": event})
        else:
            self.arrived.setdefault(said["eventId"], now)
            self.taken_for.setdefault(said["eventId"], said["reason"])
        if self.stumble:
            self.stumble_over(where, what, False)
            self.stumble = 0


def _delay(chance: Random) -> float:
    share = chance.random()
    low, high = next(((low, high) for most, low, high in DELAYS if share < most), LATEST)
    return chance.uniform(low, high)
