"""Who was an administrator, and when: a ledger, not a question. Shell.

"Is the user in the group?" is beaten by one call: add yourself first. So the group is
read once, at the baseline, and after that only changes made by administrators count. IAM names
users in those events, the ledger keeps ids; the group's own listing has both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handler.model.cloudtrail import Call
from handler.revoker.judge.membership import Membership
from handler.revoker.state.table import Item, Table, TableBusy, Value

BASELINE = "baseline"
# What the security team vouched for, in place of an event's id.
RESPONDER_EVENT = "responder-"
# What a round leaves on its request; without it the next one begins again.
LOOKED = ("seen", "begun", "until")
# A request can go and come between two writes, but hardly so often.
ASK_ROUNDS = 5


@dataclass(frozen=True)
class Member:
    """One user as the group lists it; `made` is the user's creation in epoch seconds."""

    id: str
    name: str
    made: float


@dataclass(frozen=True)
class LiveGroup:
    """The administrators' group as it stands now; `missing` when there is no such group."""

    members: tuple[Member, ...] = ()
    missing: bool = False

    def by_id(self, principal_id: str) -> Member | None:
        return next((m for m in self.members if m.id == principal_id), None)

    def by_name(self, name: str) -> Member | None:
        folded = name.casefold()
        return next((m for m in self.members if m.name.casefold() == folded), None)


@dataclass(frozen=True)
class Baseline:
    """The group as the first invocation found it: names by id, and when that was."""

    taken: float
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not self.members


def principal_key(principal_id: str) -> str:
    return f"principal#{principal_id}"


def credential_key(credential_id: str) -> str:
    return f"credential#{credential_id}"


def read_group(iam: Any, name: str) -> LiveGroup:
    """The group's members, every page of them."""
    pages = iam.get_paginator("get_group").paginate(GroupName=name)
    try:
        return LiveGroup(
            members=tuple(
                Member(
                    id=user["UserId"], name=user["UserName"], made=user["CreateDate"].timestamp()
                )
                for page in pages
                for user in page["Users"]
            )
        )
    except iam.exceptions.NoSuchEntityException:
        return LiveGroup(missing=True)


def read_baseline(item: Item | None) -> Baseline | None:
    if item is None:
        return None
    return Baseline(taken=float(item["taken"]), members=json.loads(str(item["members"])))


def take_baseline(
    table: Table, live: LiveGroup, call: Call | None, *, group: str, now: float
) -> Baseline:
    """Write the baseline unless another invocation was first; answers the one that counts.

    A user that the event at hand adds is left out: that addition has not been judged yet.
    """
    added = added_user(call, group=group) if call else ""
    members = {
        member.id: member.name
        for member in live.members
        if member.name.casefold() != added.casefold()
    }
    text = json.dumps(members, separators=(",", ":"))
    facts: dict[str, Value] = {
        "taken": now,
        "group": group,
        "missing": float(live.missing),
        "members": text,
    }
    if table.put_new(BASELINE, facts):
        return Baseline(taken=now, members=members)
    first = read_baseline(table.read([BASELINE])[BASELINE])
    assert first is not None
    return first


def added_user(call: Call, *, group: str) -> str:
    """Return the user that a successful call put into the administrators' group, or ""."""
    if call.name != "AddUserToGroup" or call.error_code:
        return ""
    return _user_in(call, group=group)


def removed_user(call: Call, *, group: str) -> str:
    """Return the user that a successful call took out of the group, or ""."""
    if call.name != "RemoveUserFromGroup" or call.error_code:
        return ""
    return _user_in(call, group=group)


def membership(baseline: Baseline, principal_id: str, item: Item) -> Membership:
    """What the ledger holds of one user."""
    return Membership(
        baseline=baseline.taken if principal_id in baseline.members else None,
        adds=_times(item, "add#"),
        removes=_times(item, "del#"),
        strikes=_times(item, "strike#"),
    )


def denied_by_responder(item: Item, time: float | None) -> bool:
    """Whether the last word up to that time is the responder's, and says no administrator."""
    said = [
        (float(value), name)
        for name, value in item.items()
        if name.startswith(("add#", "del#")) and (time is None or float(value) <= time)
    ]
    return bool(said) and max(said)[1].startswith(f"del#{RESPONDER_EVENT}")


def ask_again(
    table: Table, *, since: float, name: str = "", principal_id: str = "", by: str = "Username"
) -> None:
    """Ask reconciliation to judge calls since then once more, from the event history.

    `by` is the attribute that LookupEvents is asked for and `name` its value; with `principal_id`
    only that caller's. The earliest time counts, and the history is given its lag again. A round
    looking meanwhile finds its `begun` gone, and takes nothing off the list.
    """
    key = (
        f"reevaluate#{principal_id}"
        if by == "Username"
        else f"reevaluate#{by}#{principal_id or name}"
    )
    facts: dict[str, Value] = {"id": principal_id, "name": name}
    facts |= {} if by == "Username" else {"by": by}
    for _ in range(ASK_ROUNDS):
        if ask_since(table, key, facts, since):
            return
        if table.update(key, facts, remove=LOOKED, given=("since", "<=", since)):
            return
        # A reconciliation was through with it between the two: it is asked for again.
    raise TableBusy(f"{key} comes and goes")


def ask_since(table: Table, key: str, facts: Mapping[str, Value], since: float) -> bool:
    """Ask for a look from then on; False where one is asked for that begins as early or earlier."""
    asked = {**facts, "since": since}
    return table.put_new(key, asked) or table.update(
        key, asked, remove=LOOKED, given=("since", ">", since)
    )


def forget_elsewhere(table: Table, fact: str, *, keep: str, only: str = "") -> list[Item]:
    """Take one fact off every principal but `keep`: it was put there by a name that had moved.

    With `only`, off that one. Answers the items as they were; looks at all principals.
    """
    wrong = [
        item
        for item in table.items("principal#")
        if fact in item
        and item["pk"] != principal_key(keep)
        and (not only or item["pk"] == principal_key(only))
    ]
    for item in wrong:
        table.update(str(item["pk"]), {}, remove=[fact])
    return wrong


def baseline_names(table: Table) -> Mapping[str, str]:
    """The baseline's names by id."""
    baseline = read_baseline(table.read([BASELINE]).get(BASELINE))
    return baseline.members if baseline else {}


def gone_bearers(iam: Any, table: Table, name: str) -> list[Member]:
    """Users of the ledger who were known by this name and are deleted since.

    Nobody else can be asked who bore it; and what the dead did may have to be judged again.
    """
    named = {
        str(item["pk"]).removeprefix("principal#"): str(item["name"])
        for item in table.items("principal#")
        if item.get("kind") == "user" and "name" in item
    } | dict(baseline_names(table))
    wanted = {id for id, known in named.items() if known.casefold() == name.casefold()}
    if not wanted:
        return []
    pages = iam.get_paginator("list_users").paginate()
    alive = {user["UserId"] for page in pages for user in page["Users"]}
    return [Member(id=id, name=name, made=0.0) for id in sorted(wanted - alive)]


def _user_in(call: Call, *, group: str) -> str:
    named, user = call.request.get("groupName"), call.request.get("userName")
    # IAM compares group names without case.
    if not isinstance(named, str) or named.casefold() != group.casefold():
        return ""
    return user if isinstance(user, str) else ""


def _times(item: Item, mark: str) -> tuple[float, ...]:
    return tuple(float(value) for name, value in sorted(item.items()) if name.startswith(mark))
