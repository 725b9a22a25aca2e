"""What is due: found by its index, claimed and marked many at a time. Sends nothing. A shell.

The index `due` holds the items that have `due_at`, and nothing else; it is spread like the table
itself, so that it is no hot spot. A worker that takes something on moves its `due_at` first, on the
condition that nobody else did; who dies before the work is marked leaves it to come up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from handler.model.names import DUE_INDEX
from handler.notifier.messages.notice import Incident
from handler.notifier.store.incidents import (
    LEASE_SECONDS,
    claim_change,
    give_back_change,
    mark_changes,
)
from handler.notifier.store.table import (
    IncidentStore,
    ItemChange,
    as_number,
    change_item,
    change_items,
)

# Of 1 MB each: some 10,000 items.
MOST_PAGES = 20


def find_due(store: IncidentStore) -> dict[str, int]:
    """Every key whose time has come, with that time; the longest overdue first."""
    found: dict[str, int] = {}
    start: dict[str, Any] = {}
    for _ in range(MOST_PAGES):
        page = store.client.scan(
            TableName=store.table,
            IndexName=DUE_INDEX,
            FilterExpression="due_at <= :now",
            ExpressionAttributeValues={":now": as_number(store.now)},
            **start,
        )
        found |= {item["pk"]["S"]: int(item["due_at"]["N"]) for item in page["Items"]}
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return dict(sorted(found.items(), key=lambda one: one[1]))


def claim_all(store: IncidentStore, incidents: Sequence[Incident]) -> list[Incident]:
    """Return those that this caller may report now, as they were read."""
    changes = [
        _as_read(claim_change(store, incident.key), incident.milestone) for incident in incidents
    ]
    claimed = set(change_items(store, changes))
    return [incident for incident in incidents if incident.key in claimed]


def _as_read(change: ItemChange, milestone: int) -> ItemChange:
    return ItemChange(
        change.key,
        change=change.change,
        condition=f"{change.condition} AND next_mail = :seen",
        values=change.values | {":seen": as_number(milestone)},
    )


def mark_all(store: IncidentStore, incidents: Sequence[Incident]) -> None:
    """Write down that a digest named them."""
    changes = {one.key: mark_changes(store, one, covers_all=True) for one in incidents}
    done = set(change_items(store, [done for done, _ in changes.values()]))
    for key, (_, more) in changes.items():
        if key not in done:
            # Called so often meanwhile that the next mail is due, or lost to another.
            change_item(store, more)


def give_back_all(store: IncidentStore, incidents: Iterable[Incident]) -> None:
    """The undo of claim_all."""
    change_items(store, [give_back_change(store, incident) for incident in incidents])


def hold_due(store: IncidentStore, due: Mapping[str, int]) -> dict[str, int]:
    """Put what is due off for as long as a lease lasts; the keys that are the caller's, and until.

    For what has no lease of its own: reminders and accounts. `due` says what each `due_at` was.
    """
    until = int(store.now + LEASE_SECONDS)
    changes = [move_change(key, seen=seen, due_at=until) for key, seen in due.items()]
    return dict.fromkeys(change_items(store, changes), until)


def move_change(key: str, *, seen: int, due_at: float | None) -> ItemChange:
    """Another time, or none at all, if the time there is still the one seen."""
    values = {":seen": as_number(seen)}
    if due_at is None:
        return ItemChange(key, change="REMOVE due_at", condition="due_at = :seen", values=values)
    return ItemChange(
        key,
        change="SET due_at = :due",
        condition="due_at = :seen",
        values=values | {":due": as_number(due_at)},
    )
