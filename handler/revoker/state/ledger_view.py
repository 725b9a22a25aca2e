"""The ledger as people see it: entries with their facts, and where it differs from the group. Pure.

Changes nothing and asks nobody: what differs may be a lost event, or an attack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from handler.revoker.judge.membership import administrator_at
from handler.revoker.state.ledger import Baseline, LiveGroup, membership
from handler.revoker.state.table import Item

FACT_MARKS = ("add#", "del#", "strike#")
DIFFERENCES_REPORTED = 20


@dataclass(frozen=True)
class Entry:
    """One user that the ledger knows; `facts` are (mark, event id, epoch seconds)."""

    id: str
    name: str
    administrator: bool
    in_baseline: bool
    facts: tuple[tuple[str, str, float], ...] = ()
    said: tuple[str, ...] = ()


def ledger_entries(items: Iterable[Item], baseline: Baseline) -> list[Entry]:
    """Every user with a baseline entry or a fact, by name."""
    held: Mapping[str, Item] = {str(i["pk"]).removeprefix("principal#"): i for i in items}
    found = [
        _entry(principal_id, held.get(principal_id, {}), baseline)
        for principal_id in dict.fromkeys([*baseline.members, *held])
    ]
    known = (entry for entry in found if entry.in_baseline or entry.facts)
    return sorted(known, key=lambda entry: (entry.name.casefold(), entry.id))


def ledger_differences(
    entries: Iterable[Entry], live: LiveGroup, baseline: Baseline, *, group: str
) -> tuple[str, ...]:
    """Where ledger and group differ, one sentence each, so many at most."""
    if not baseline.empty and live.missing:
        return (f"CRITICAL: the group {group!r} had members at the baseline and does not exist.",)
    if not baseline.empty and not live.members:
        return (f"CRITICAL: the group {group!r} had members at the baseline and is empty.",)
    administrators = {entry.id: entry for entry in entries if entry.administrator}
    there = {member.id: member for member in live.members}
    reported = [
        f"{entry.name!r} ({entry.id}) was removed from {group!r} without a recorded event."
        for principal_id, entry in administrators.items()
        if principal_id not in there
    ] + [
        f"{member.name!r} ({member.id}) was added to {group!r} without a recorded event."
        for principal_id, member in there.items()
        if principal_id not in administrators
    ]
    more = len(reported) - DIFFERENCES_REPORTED
    return (
        *reported[:DIFFERENCES_REPORTED],
        *([f"And {more} more differences."] if more > 0 else []),
    )


def entry_row(entry: Entry, live: LiveGroup) -> dict[str, Any]:
    """One entry in JSON types, for the responder."""
    return {
        "id": entry.id,
        "name": entry.name,
        "administrator": entry.administrator,
        "in_group": live.by_id(entry.id) is not None,
        "in_baseline": entry.in_baseline,
        "facts": [{"fact": mark, "event_id": event, "at": at} for mark, event, at in entry.facts],
        "said": list(entry.said),
    }


def _entry(principal_id: str, item: Item, baseline: Baseline) -> Entry:
    facts = [
        (mark.rstrip("#"), name.removeprefix(mark), float(value))
        for name, value in item.items()
        for mark in FACT_MARKS
        if name.startswith(mark)
    ]
    return Entry(
        id=principal_id,
        name=str(item.get("name") or baseline.members.get(principal_id, "")),
        administrator=administrator_at(membership(baseline, principal_id, item), None),
        in_baseline=principal_id in baseline.members,
        facts=tuple(sorted(facts, key=lambda fact: fact[2])),
        said=tuple(str(value) for name, value in item.items() if name.startswith("said#")),
    )
