"""Read what the central account keeps: last heartbeats, and when incidents were opened.

One scan of a sparse index, in pages of 1 MB; no call for an account. Judges nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handler.model.heartbeat import Heartbeat, unpack_heartbeat
from handler.model.names import (
    ACCOUNT_PREFIX,
    CENTRAL_KEY,
    INCIDENT_TABLE,
    LISTED_INDEX,
    OPENED_PREFIX,
)

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class LastHeartbeat:
    """An account that was heard of: when its last heartbeat was sent (epoch seconds) and what it
    said; None where a newer version wrote what we cannot read."""

    at: float
    beat: Heartbeat | None


@dataclass(frozen=True)
class CentralState:
    """How the central account itself was; epoch seconds, 0 for never (handler/notifier/store)."""

    last_sweep: float = 0.0
    awake_since: float = 0.0
    last_heartbeat_at: float = 0.0
    behind_until: float = 0.0


@dataclass(frozen=True)
class Opened:
    """Incidents that one account opened on one day of UTC (days since 1970), of one kind."""

    account: str
    day: int
    kind: str


@dataclass(frozen=True)
class Kept:
    """`heard` by account; `opened` counts incidents. `readable` is False where the central stack is
    not there, or is of a version that keeps no such thing."""

    heard: Mapping[str, LastHeartbeat] = field(default_factory=dict)
    opened: Mapping[Opened, int] = field(default_factory=dict)
    central: CentralState = CentralState()
    readable: bool = True


def read_kept(dynamodb: Any) -> Kept:
    """What the incident table keeps, with a client of the central account. Raises ClientError."""
    heard: dict[str, LastHeartbeat] = {}
    opened: Counter[Opened] = Counter()
    for page in dynamodb.get_paginator("scan").paginate(
        TableName=INCIDENT_TABLE, IndexName=LISTED_INDEX
    ):
        for item in page["Items"]:
            key = item["pk"]["S"]
            if key.startswith(ACCOUNT_PREFIX):
                heard[key.removeprefix(ACCOUNT_PREFIX)] = _heard(item)
            elif key.startswith(OPENED_PREFIX):
                account, kind, _ = key.removeprefix(OPENED_PREFIX).split("#", 2)
                opened[Opened(account, int(_number(item, "listed_at")) // DAY_SECONDS, kind)] += 1
    found = dynamodb.get_item(TableName=INCIDENT_TABLE, Key={"pk": {"S": CENTRAL_KEY}})
    return Kept(heard=heard, opened=opened, central=read_central(found.get("Item", {})))


def read_central(item: Mapping[str, Any]) -> CentralState:
    """How the central account itself was, from its item of the table."""
    return CentralState(
        last_sweep=_number(item, "last_sweep"),
        awake_since=_number(item, "awake_since"),
        last_heartbeat_at=_number(item, "last_heartbeat_at"),
        behind_until=_number(item, "behind_until"),
    )


def _heard(item: Mapping[str, Any]) -> LastHeartbeat:
    try:
        beat = unpack_heartbeat(item["beat"]["S"]) if "beat" in item else None
    except ValueError:
        beat = None
    return LastHeartbeat(at=_number(item, "last_heartbeat"), beat=beat)


def _number(item: Mapping[str, Any], name: str) -> float:
    return float(item[name]["N"]) if name in item else 0.0
