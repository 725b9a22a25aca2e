"""Contain, with a record, whom an earlier installation left under a kept deny. Shell.

`python -m stacksets` keeps containments over the end of a stack by policies and a group that no
stack owns. Whoever bears one and is no administrator is contained by the patrol as if she had been
contained here; the kept deny stays, since the revoker may touch none but its own. An administrator
who bears one stays free of ours: else whoever may attach that policy could use us against her.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from handler.deny import still_denies
from handler.ledger import administrator_at
from handler.marks import Contained, write_contained
from handler.names import KEPT_GROUP, KEPT_POLICY, KEPT_SESSION_POLICY, kept_arn
from handler.putback import put_on
from handler.roster import Baseline, membership
from handler.rungs import boundary_of
from handler.store import Item
from handler.target import Rung
from handler.tools import Tools, attempt, target_of
from handler.trail import Kind

KEPT_REASON = "kept"


@dataclass(frozen=True)
class Kept:
    """Who bears a kept deny; `mark` says which, contained or sessions."""

    kind: Kind
    name: str
    id: str
    mark: str


def adopt_kept(
    items: Sequence[Item], baseline: Baseline, tools: Tools, troubles: list[Exception]
) -> None:
    """Contain each bearer of a kept deny of whom nothing is written down; in enforce mode only."""
    if not tools.settings.enforcing:
        return
    found: list[Kept] = []
    attempt(lambda: found.extend(_kept_bearers(tools)), tools, troubles)
    known = {str(item["pk"]).removeprefix("principal#"): item for item in items}
    for bearer in found:
        item = known.get(bearer.id, {})
        # Released here is released: the kept deny is then an administrator's to take off.
        if {bearer.mark, "contained", "released", "releasing"} & item.keys():
            continue
        attempt(partial(_adopt, bearer, item, baseline, tools), tools, troubles)


def _kept_bearers(tools: Tools) -> Iterator[Kept]:
    for policy, mark in ((KEPT_POLICY, "contained"), (KEPT_SESSION_POLICY, "sessions")):
        arn = kept_arn(
            partition=tools.here.partition,
            account=tools.here.account,
            kind="policy",
            name=policy,
        )
        if not still_denies(_kept_document(tools.iam, arn), sessions_only=mark == "sessions"):
            continue
        for page in tools.iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
            for user in page["PolicyUsers"]:
                yield Kept(Kind.USER, user["UserName"], user["UserId"], mark)
            # A user's sessions alone are ever denied: put on by a role's name, that deny would go
            # on the user of the same name.
            for role in page["PolicyRoles"] if mark == "contained" else ():
                yield Kept(Kind.ROLE, role["RoleName"], role["RoleId"], mark)
            if KEPT_GROUP in [group["GroupName"] for group in page["PolicyGroups"]]:
                yield from _kept_members(tools.iam, mark)


def _kept_members(iam: Any, mark: str) -> Iterator[Kept]:
    for page in iam.get_paginator("get_group").paginate(GroupName=KEPT_GROUP):
        for user in page["Users"]:
            yield Kept(Kind.USER, user["UserName"], user["UserId"], mark)


def _kept_document(iam: Any, arn: str) -> Any:
    """The policy's document; None where there is no such policy, as nearly everywhere."""
    try:
        policy = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    except iam.exceptions.NoSuchEntityException:
        return None
    return version["PolicyVersion"]["Document"]


def _adopt(bearer: Kept, item: Item, baseline: Baseline, tools: Tools) -> None:
    if _bears_as_administrator(bearer, item, baseline, tools):
        return
    target = target_of(tools, kind=bearer.kind, name=bearer.name, principal_id=bearer.id)
    # In the place of a kept boundary ours goes, whether or not another rung has room: a kept one
    # would stay for ever, and the end of a keeping need not know which of two is the boundary.
    bound = bearer.kind is Kind.ROLE and boundary_of(tools.iam, bearer.name) == target.kept_deny_arn
    done = put_on(bearer.mark, target, tools, first=Rung.BOUNDARY if bound else None)
    if done.rung is None or done.gone:
        return
    record = Contained(
        name=done.name,
        kind=bearer.kind.value,
        rung=done.rung.value,
        at=tools.now,
        event_id="",
        call="kept from an earlier installation",
        call_time="",
        reason=KEPT_REASON,
        undo=done.undo,
    )
    write_contained(tools.table, bearer.id, record, mark=bearer.mark, unless=bearer.mark)


def _bears_as_administrator(bearer: Kept, item: Item, baseline: Baseline, tools: Tools) -> bool:
    if bearer.kind is Kind.USER:
        return administrator_at(membership(baseline, bearer.id, item), tools.now)
    arn = str(tools.iam.get_role(RoleName=bearer.name)["Role"]["Arn"])
    today = datetime.fromtimestamp(tools.now, UTC).date()
    return any(one.matches(role_arn=arn, on=today) for one in tools.settings.admin_roles)
