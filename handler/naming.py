"""Who bore a name when: records name users, the ledger keeps ids, and names move. Shell.

A call's record says AddUserToGroup of "bob"; by the time it is handled bob may be called otherwise,
and another bob. Every rename that is heard of is kept for a while, so that a name can be followed
from the second of a call to today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from handler.ledger import CLOCK_SLACK
from handler.roster import Member
from handler.store import Table, Value
from handler.trail import Call

KEPT_SECONDS = 2 * 86_400.0
# The order within one second is not in the records: so many are tried, more are given up.
RENAMES_A_SECOND = 6


@dataclass(frozen=True)
class Rename:
    """One change of a user's name; `at` in epoch seconds, names as IAM compares them."""

    at: float
    old: str
    new: str


@dataclass(frozen=True)
class Change:
    """One addition or removal by an administrator, by name; `fact` is the ledger's name for it.

    `placed` is when its user was found behind the name, None as long as nobody was.
    """

    fact: str
    user: str
    at: float
    placed: float | None = None


@dataclass(frozen=True)
class Bearer:
    """Who bore a name at some time. `taker` is who has it today and certainly had it not then."""

    member: Member | None = None
    taker: Member | None = None


def rename_in(call: Call) -> Rename | None:
    """The rename that a call carried out; None for every other call."""
    if call.name != "UpdateUser" or call.error_code or call.time is None:
        return None
    old, new = call.request.get("userName"), call.request.get("newUserName")
    if not isinstance(old, str) or not isinstance(new, str) or old.casefold() == new.casefold():
        return None
    return Rename(at=call.time, old=old.casefold(), new=new.casefold())


def keep_rename(table: Table, rename: Rename, *, event_id: str, now: float) -> None:
    values: dict[str, Value] = {"at": rename.at, "old": rename.old, "new": rename.new}
    table.put_new(f"rename#{event_id}", values | {"expires_at": now + KEPT_SECONDS})


def mark_rename_learnt(table: Table, event_id: str) -> None:
    """Everything that named either name has been looked at again."""
    table.update(f"rename#{event_id}", {"learnt": "yes"})


def rename_is_learnt(table: Table, event_id: str) -> bool:
    key = f"rename#{event_id}"
    return "learnt" in table.read([key]).get(key, {})


def kept_renames(table: Table) -> tuple[Rename, ...]:
    return tuple(
        Rename(at=float(item["at"]), old=str(item["old"]), new=str(item["new"]))
        for item in table.items("rename#")
    )


def keep_change(table: Table, fact: str, *, user: str, at: float, now: float) -> bool:
    """Keep an administrator's change of the group by the name that it gave.

    False when it was kept and placed before: until a rename is heard of, a repetition knows less
    than the first of them did.
    """
    key = f"change#{fact}"
    values: dict[str, Value] = {"user": user, "at": at, "expires_at": now + KEPT_SECONDS}
    return table.put_new(key, values) or "placed" not in table.read([key]).get(key, {})


def mark_placed(table: Table, fact: str, *, now: float) -> None:
    table.update(f"change#{fact}", {"placed": now})


def drop_change(table: Table, fact: str) -> None:
    table.delete(f"change#{fact}")


def kept_changes(table: Table) -> tuple[Change, ...]:
    return tuple(
        Change(
            fact=str(item["pk"]).removeprefix("change#"),
            user=str(item["user"]),
            at=float(item["at"]),
            placed=float(item["placed"]) if "placed" in item else None,
        )
        for item in table.items("change#")
        # Dropped while it was being placed.
        if "user" in item
    )


def has_moved(table: Table, name: str, since: float) -> bool:
    """Whether a rename is known that left or took this name since then."""
    folded = name.casefold()
    return any(r.at >= since and folded in (r.old, r.new) for r in kept_renames(table))


def bearer_of(iam: Any, table: Table, name: str, at: float) -> Bearer:
    """Who bore `name` at that time, under today's name."""
    names = names_since(kept_renames(table), name, at)
    try:
        user = iam.get_user(UserName=names[-1] if names else name)["User"]
    except iam.exceptions.NoSuchEntityException:
        # Deleted, or renamed by a call that nobody has heard of yet.
        return Bearer()
    made = user["CreateDate"].timestamp()
    today = Member(id=user["UserId"], name=user["UserName"], made=made)
    if not names or made > at + CLOCK_SLACK:
        return Bearer(taker=today)
    return Bearer(member=today)


def names_since(renames: Iterable[Rename], name: str, at: float) -> tuple[str, ...]:
    """The names that the bearer of `name` at that time has borne, today's last.

    Empty where somebody else took the name since: its bearer was deleted, or left it by a rename
    that is not among these.
    """
    names = [name]
    later = sorted((r for r in renames if r.at >= at), key=lambda rename: rename.at)
    for second, found in groupby(later, key=lambda rename: rename.at):
        edges = tuple(dict.fromkeys(found))
        today = names[-1].casefold()
        if not any(today in (edge.old, edge.new) for edge in edges):
            continue
        moved = _follow(edges[:RENAMES_A_SECOND], {today: True})
        if moved is None and second > at:
            return ()
        # Within the call's own second the renames may have come before it.
        if moved is not None and moved != today:
            names.append(moved)
    return tuple(names)


def names_before(renames: Iterable[Rename], name: str) -> tuple[str, ...]:
    """`name` and every name from which somebody came to it, whether or not it was the same."""
    names = [name.casefold()]
    for rename in sorted(renames, key=lambda rename: rename.at, reverse=True):
        if rename.new in names and rename.old not in names:
            names.append(rename.old)
    return (name, *names[1:])


def _follow(edges: tuple[Rename, ...], held: dict[str, bool | None]) -> str | None:
    """Where the holder marked True ends when all renames of one second are carried out.

    None where no order of them is possible: IAM gives nobody a name that is taken.
    """
    if not edges:
        return next(name for name, ours in held.items() if ours)
    for edge, rest in _picks(edges):
        who = held.get(edge.old, False)
        if who is None or held.get(edge.new) is not None:
            continue
        found = _follow(rest, held | {edge.old: None, edge.new: who})
        if found is not None:
            return found
    return None


def _picks(edges: tuple[Rename, ...]) -> Iterator[tuple[Rename, tuple[Rename, ...]]]:
    for number, edge in enumerate(edges):
        yield edge, edges[:number] + edges[number + 1 :]
