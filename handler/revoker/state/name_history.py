"""Who bore a name when: records name users, the ledger keeps ids, and names move. Shell.

A call's record says AddUserToGroup of "bob"; by the time it is handled bob may be called otherwise,
and another bob. Every rename that arrives is kept for a while, so that a name can be followed
from the second of a call to today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from handler.revoker.judge.membership import CLOCK_SLACK
from handler.revoker.judge.renames import (
    Rename,
    holders_then,
    names_today,
    names_touching,
    spelling,
)
from handler.revoker.state.ledger import Member, baseline_names
from handler.revoker.state.table import Table, Value

KEPT_SECONDS = 2 * 86_400.0
# A call of IAM for each. A caller that renames more users than these has shown what it is.
NAMES_ASKED = 24


@dataclass(frozen=True)
class MemberChange:
    """One addition or removal by an administrator, by name; `fact` is the ledger's name for it.

    `placed` is when its user was found behind the name, None as long as nobody was.
    """

    fact: str
    user: str
    at: float
    placed: float | None = None


@dataclass(frozen=True)
class NameHolder:
    """Who bore a name at some time. `taker` is who has it today and certainly had it not then.

    `perhaps` are all those that the records leave open: renames within one second.
    """

    member: Member | None = None
    taker: Member | None = None
    perhaps: tuple[Member, ...] = ()


def keep_rename(table: Table, rename: Rename, *, event_id: str, now: float) -> None:
    values: dict[str, Value] = {"at": rename.at, "old": rename.old, "new": rename.new}
    table.put_new(f"rename#{event_id}", values | {"expires_at": int(now + KEPT_SECONDS)})


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

    False when it was kept and placed before: until a rename arrives, a repetition knows less
    than the first of them did.
    """
    key = f"change#{fact}"
    values: dict[str, Value] = {"user": user, "at": at, "expires_at": int(now + KEPT_SECONDS)}
    return table.put_new(key, values) or "placed" not in table.read([key]).get(key, {})


def mark_placed(table: Table, fact: str, *, now: float) -> None:
    table.update(f"change#{fact}", {"placed": now})


def drop_change(table: Table, fact: str) -> None:
    table.delete(f"change#{fact}")


def kept_changes(table: Table) -> tuple[MemberChange, ...]:
    return tuple(
        MemberChange(
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
    return any(
        rename.at >= since and folded in (rename.old.casefold(), rename.new.casefold())
        for rename in kept_renames(table)
    )


def holder_of(
    iam: Any, table: Table, name: str, at: float, *, also: Iterable[Rename] = (), found: str = ""
) -> NameHolder:
    """Who bore `name` at that time, under today's name.

    `also` are renames that are not kept, `found` is the id that was found at the time.
    """
    renames = (*kept_renames(table), *also)
    names, spelled = names_today(renames, name, at), spelling(renames, name)
    wanted = [spelled[one] for one in sorted(names)] or [name]
    there = [user for one in wanted if (user := _user(iam, one))]
    holders = [user for user in there if user.made <= at + CLOCK_SLACK]
    if not names or (there and not holders):
        return NameHolder(taker=there[0] if there else None)
    if len(holders) > 1:
        holders = _possible(iam, renames, holders, name=name, at=at)
        likeliest = _likeliest(holders, name, found, baseline_names(table))
        return NameHolder(member=likeliest, perhaps=tuple(holders))
    # None: deleted, or renamed by a call that has not arrived.
    return NameHolder(member=holders[0] if holders else None)


def _possible(
    iam: Any, renames: tuple[Rename, ...], holders: list[Member], *, name: str, at: float
) -> list[Member]:
    """Return those from which today's names lead back to `name`; all where that decides nothing."""
    names = names_touching(renames, name, at)
    if len(names) > NAMES_ASKED:
        return holders
    spelled = spelling(renames, name) | {r.old.casefold(): r.old for r in renames}
    there = {one: user for one in sorted(names) if (user := _user(iam, spelled[one]))}
    ids = holders_then(
        [rename for rename in renames if rename.old.casefold() in names],
        {one: user.id for one, user in there.items()},
        {user.id: user.made for user in there.values()},
        name,
        at,
    )
    return [user for user in holders if user.id in ids] or holders


def _likeliest(
    holders: list[Member], name: str, found: str, baseline: Mapping[str, str]
) -> Member | None:
    """Return the one found at the time; or known to the baseline by this name, or by no other."""
    if len(holders) == 1:
        return holders[0]
    named = [user for user in holders if baseline.get(user.id, "").casefold() == name.casefold()]
    free = [user for user in holders if user.id not in baseline]
    for few in ([user for user in holders if user.id == found], named, free):
        if len(few) == 1:
            return few[0]
    return None


def _user(iam: Any, name: str) -> Member | None:
    try:
        user = iam.get_user(UserName=name)["User"]
    except iam.exceptions.NoSuchEntityException:
        return None
    return Member(id=user["UserId"], name=user["UserName"], made=user["CreateDate"].timestamp())
