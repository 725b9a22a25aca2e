"""CloudTrail's event history in memory: it lags behind, and is read by one attribute at a time."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One record; `at` is its time and `visible` when the history first shows it, epoch seconds."""

    at: float
    visible: float
    text: str


@dataclass
class LaggingHistory:
    """LookupEvents of one account and region; `now` tells the time."""

    now: Callable[[], float]
    entries: dict[tuple[str, str], list[Entry]] = field(default_factory=lambda: defaultdict(list))
    looked: int = 0

    def add(self, record: Record, *, visible: float) -> None:
        at = datetime.fromisoformat(record["eventTime"]).timestamp()
        entry = Entry(at=at, visible=visible, text=json.dumps(record))
        for attribute in _attributes(record):
            self.entries[attribute].append(entry)

    def get_paginator(self, operation: str) -> LaggingHistory:
        assert operation == "lookup_events"
        return self

    def paginate(
        self,
        *,
        LookupAttributes: list[dict[str, str]],
        StartTime: float | datetime,
        PaginationConfig: dict[str, int],
        EndTime: float | datetime | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Newest first, as AWS gives them, both times included."""
        self.looked += 1
        # LookupEvents takes one attribute only.
        [attribute] = LookupAttributes
        key = (attribute["AttributeKey"], attribute["AttributeValue"])
        now = self.now()
        since, until = _seconds(StartTime), now if EndTime is None else _seconds(EndTime)
        found = [e for e in self.entries[key] if e.visible <= now and since <= e.at <= until]
        found.sort(key=lambda entry: entry.at, reverse=True)
        rows = [{"CloudTrailEvent": entry.text} for entry in found[: PaginationConfig["MaxItems"]]]
        for start in range(0, max(len(rows), 1), PaginationConfig["PageSize"]):
            yield {"Events": rows[start : start + PaginationConfig["PageSize"]]}


def _attributes(record: Record) -> Iterator[tuple[str, str]]:
    """By what a record can surely be found. CloudTrail API reference, "LookupAttribute".

    Not by ResourceName: no page says which resources a call of IAM has.
    """
    identity = record["userIdentity"]
    yield "EventId", record["eventID"]
    yield "EventName", record["eventName"]
    yield "EventSource", record["eventSource"]
    yield "Username", identity.get("userName") or identity["arn"].rsplit("/", 1)[-1]
    if "accessKeyId" in identity:
        yield "AccessKeyId", identity["accessKeyId"]


def _seconds(time: float | datetime) -> float:
    return time.astimezone(UTC).timestamp() if isinstance(time, datetime) else time
