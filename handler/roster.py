"""Who was an administrator, and when: a ledger, not a question. Shell.

"Is she in the group?" is beaten by one call: add yourself before anybody looks. So the group is
read once, at the baseline, and after that only changes made by administrators count. IAM names
users in those events, the ledger keeps ids; the group's own listing has both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from handler.ledger import CLOCK_SLACK, Membership, administrator_at
from handler.store import Item, Table, Value
from handler.trail import Call, read_record

BASELINE = "baseline"
# CloudTrail's event history goes back 90 days and answers two requests a second.
HISTORY_SECONDS = 90 * 86_400
HISTORY_PAGES = 10


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

    Whoever the event at hand adds is left out: that addition has not been judged yet.
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
    """The user whom a successful call put into the administrators' group; empty for other calls."""
    if call.name != "AddUserToGroup" or call.error_code:
        return ""
    return _user_in(call, group=group)


def removed_user(call: Call, *, group: str) -> str:
    """The user whom a successful call took out of the group; empty for other calls."""
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


def learn_addition(
    table: Table,
    call: Call,
    live: LiveGroup,
    baseline: Baseline,
    *,
    user: str,
    verified: bool,
) -> None:
    """Write down an addition, by the id that the group itself lists under that name.

    Not listed means: taken out again since, or never really in; then there is nothing to write. An
    addition by somebody who was no administrator voids a baseline that was taken after it.
    """
    member = live.by_name(user)
    if member is None or call.time is None:
        return
    facts = {"kind": "user", "name": member.name}
    if verified:
        table.update(principal_key(member.id), facts | {f"add#{call.event_id}": call.time})
        return
    itself = call.caller.id == member.id
    if member.id in baseline.members and call.time <= baseline.taken + CLOCK_SLACK and itself:
        table.update(principal_key(member.id), facts | {f"strike#{call.event_id}": call.time})
        recheck(table, member.id, member.name, since=call.time)


def learn_removal(
    table: Table, call: Call, live: LiveGroup, baseline: Baseline, *, user: str
) -> None:
    """Write down a removal that an administrator made; calls since then are looked at again."""
    if call.time is None:
        return
    for principal_id, name in _open_entries(table, baseline):
        if name.casefold() == user.casefold() and live.by_id(principal_id) is None:
            table.update(
                principal_key(principal_id),
                {"kind": "user", "name": name, f"del#{call.event_id}": call.time},
            )
            recheck(table, principal_id, name, since=call.time)


def recheck(table: Table, principal_id: str, name: str, *, since: float) -> None:
    """Ask the patrol to judge this user's calls since then once more, from the event history."""
    table.put_new(f"recheck#{principal_id}", {"id": principal_id, "name": name, "since": since})


def prove(
    cloudtrail: Any, table: Table, member: Member, baseline: Baseline, *, group: str, now: float
) -> bool:
    """Look for the addition of `member` in CloudTrail's event history and write what it proves.

    Only additions by whoever was an administrator then count, and none older than the user itself,
    whose name may have been another's. Returns whether anything was found.
    """
    found = False
    for record in _history(cloudtrail, member.name, now=now):
        call = read_record(record)
        user = added_user(call, group=group) or removed_user(call, group=group)
        if user.casefold() != member.name.casefold() or call.time is None:
            continue
        if call.time < member.made or call.caller.id == member.id:
            continue
        if not was_administrator(table, baseline, call.caller.id, call.time):
            continue
        mark = "add#" if call.name == "AddUserToGroup" else "del#"
        facts: dict[str, Value] = {
            "kind": "user",
            "name": member.name,
            f"{mark}{call.event_id}": call.time,
        }
        table.update(principal_key(member.id), facts)
        found = True
    return found


def was_administrator(
    table: Table, baseline: Baseline, principal_id: str, time: float | None
) -> bool:
    """Whether the ledger says so of a user, by id, as of `time`."""
    if not principal_id:
        return False
    key = principal_key(principal_id)
    item = table.read([key]).get(key, {})
    return "tainted" not in item and administrator_at(
        membership(baseline, principal_id, item), time
    )


def _history(cloudtrail: Any, name: str, *, now: float) -> Iterator[Any]:
    """Records of the event history that name this user, newest first, a few pages at most."""
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}],
        StartTime=now - HISTORY_SECONDS,
        PaginationConfig={"MaxItems": HISTORY_PAGES * 50, "PageSize": 50},
    )
    for page in pages:
        for event in page["Events"]:
            yield json.loads(event["CloudTrailEvent"])


def _open_entries(table: Table, baseline: Baseline) -> Iterator[tuple[str, str]]:
    seen = set()
    for item in table.items("principal#"):
        principal_id = str(item["pk"]).removeprefix("principal#")
        if administrator_at(membership(baseline, principal_id, item), None):
            yield principal_id, str(item.get("name") or baseline.members.get(principal_id, ""))
        seen.add(principal_id)
    yield from ((i, name) for i, name in baseline.members.items() if i not in seen)


def _user_in(call: Call, *, group: str) -> str:
    named, user = call.request.get("groupName"), call.request.get("userName")
    # IAM compares group names without case.
    if not isinstance(named, str) or named.casefold() != group.casefold():
        return ""
    return user if isinstance(user, str) else ""


def _times(item: Item, mark: str) -> tuple[float, ...]:
    return tuple(float(value) for name, value in sorted(item.items()) if name.startswith(mark))
