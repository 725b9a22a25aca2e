"""Contain, with a record, whom an earlier installation left under a kept deny. Shell.

`python -m stacksets` keeps containments over the end of a stack by policies and a group that no
stack owns. Reconciliation contains each holder who is no administrator as if it had been
contained here, and told of once; the kept deny stays, since the revoker may touch none but its own.
An administrator who bears the whole deny stays free of ours: else whoever may attach that policy
could use us against her. The deny of sessions is for administrators, whose keys stay good: it is
taken over where the policy is older than this installation. The stack's own roles stay free. A role
that RoleCallers spares is told of and not renewed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from handler.model.cloudtrail import CallerKind
from handler.model.deny_policy import still_denies
from handler.model.names import (
    KEPT_GROUP,
    KEPT_POLICY,
    KEPT_SESSION_GROUP,
    KEPT_SESSION_POLICY,
    MEMBER_ROLES,
    RESPONDER_ROLE,
    iam_arn,
    kept_arn,
)
from handler.model.principal import DenyMethod, Target
from handler.model.settings import Answer
from handler.revoker.deny.contain import Containment
from handler.revoker.deny.methods import boundary_of
from handler.revoker.judge.membership import administrator_at
from handler.revoker.reconcile.repair import put_on, send_from_here
from handler.revoker.reconcile.repair_reports import KEPT_REASON, report_kept
from handler.revoker.state.context import Tools, attempt, target_of
from handler.revoker.state.ledger import Baseline, membership, principal_key
from handler.revoker.state.marks import Contained, write_contained
from handler.revoker.state.table import Item

# That somebody was told of whom ours is not on; who bears ours has a record.
KEPT_REPORTED = "kept_reported"
# Which group keeps which deny.
_KEPT_GROUPS = {"contained": KEPT_GROUP, "sessions": KEPT_SESSION_GROUP}


@dataclass(frozen=True)
class Kept:
    """Who bears which kept deny; `mark` is contained or sessions; `group`: by its group."""

    kind: CallerKind
    name: str
    id: str
    mark: str
    arn: str
    group: bool = False


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


def kept_denies(tools: Tools) -> Iterator[tuple[str, str]]:
    """What each kept policy denies, contained or sessions, and its ARN."""
    for mark, policy in (("contained", KEPT_POLICY), ("sessions", KEPT_SESSION_POLICY)):
        here = tools.here
        yield (
            mark,
            kept_arn(partition=here.partition, account=here.account, kind="policy", name=policy),
        )


def _kept_bearers(tools: Tools) -> Iterator[Kept]:
    for mark, arn in kept_denies(tools):
        if not still_denies(_kept_document(tools.iam, arn), sessions_only=mark == "sessions"):
            continue
        for page in tools.iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
            for user in page["PolicyUsers"]:
                yield Kept(CallerKind.USER, user["UserName"], user["UserId"], mark, arn)
            # A user's sessions alone are ever denied: put on by a role's name, that deny would go
            # on the user of the same name.
            for role in page["PolicyRoles"] if mark == "contained" else ():
                yield Kept(CallerKind.ROLE, role["RoleName"], role["RoleId"], mark, arn)
            if _KEPT_GROUPS[mark] in [group["GroupName"] for group in page["PolicyGroups"]]:
                yield from _kept_members(tools.iam, mark, arn)


def _kept_members(iam: Any, mark: str, arn: str) -> Iterator[Kept]:
    for page in iam.get_paginator("get_group").paginate(GroupName=_KEPT_GROUPS[mark]):
        for user in page["Users"]:
            yield Kept(CallerKind.USER, user["UserName"], user["UserId"], mark, arn, group=True)


def _kept_document(iam: Any, arn: str) -> Any:
    """The policy's document; None where there is no such policy, as nearly everywhere."""
    try:
        policy = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    except iam.exceptions.NoSuchEntityException:
        return None
    return version["PolicyVersion"]["Document"]


def _adopt(bearer: Kept, item: Item, baseline: Baseline, tools: Tools) -> None:
    if _is_ours_or_administrator(bearer, item, baseline, tools):
        return
    target = target_of(tools, kind=bearer.kind, name=bearer.name, principal_id=bearer.id)
    bound = bearer.kind is CallerKind.ROLE and boundary_of(tools.iam, bearer.name) == bearer.arn
    done, held_by = _renew(bearer, target, tools, bound=bound)
    if done.gone or (done.method is None and KEPT_REPORTED in item):
        return
    undo = (*done.undo, *_kept_undo(bearer, done, bound=bound))
    # The same in every try of this installation: told first, written down after it, heard once.
    event_id = f"kept-{bearer.mark}-{bearer.id}-{baseline.taken:.0f}"
    report = report_kept(
        done, target, tools.settings, event_id=event_id, undo=undo, held_by=held_by
    )
    send_from_here(report, tools)
    if done.method is None:
        reported = {"kind": bearer.kind.value, "name": bearer.name, KEPT_REPORTED: tools.now}
        tools.table.update(principal_key(bearer.id), reported)
        return
    record = Contained(
        name=done.name,
        kind=bearer.kind.value,
        method=done.method.value,
        at=tools.now,
        event_id=event_id,
        call="kept from an earlier installation",
        call_time="",
        reason=KEPT_REASON,
        undo=undo,
    )
    write_contained(tools.table, bearer.id, record, mark=bearer.mark, unless=bearer.mark)


def _renew(bearer: Kept, target: Target, tools: Tools, *, bound: bool) -> tuple[Containment, str]:
    """Put ours on; and which knob forbids it, empty where none does."""
    if bearer.kind is CallerKind.ROLE and tools.settings.role_callers is not Answer.CONTAIN:
        return Containment(name=bearer.name), "RoleCallers"
    # Ours replaces a kept boundary, whether or not another deny method has room: a kept one
    # would stay for ever, and the end of a keeping need not know which of two is the boundary.
    return put_on(bearer.mark, target, tools, first=DenyMethod.BOUNDARY if bound else None), ""


def _kept_undo(bearer: Kept, done: Containment, *, bound: bool) -> tuple[tuple[str, ...], ...]:
    """What an administrator types to take the kept deny off; nothing where ours took its place."""
    kind = bearer.kind.value
    named = f"--{kind}-name={done.name}"
    if bound:
        ours = done.method is DenyMethod.BOUNDARY
        return () if ours else (("aws", "iam", "delete-role-permissions-boundary", named),)
    if bearer.group:
        group = f"--group-name={_KEPT_GROUPS[bearer.mark]}"
        return (("aws", "iam", "remove-user-from-group", named, group),)
    return (("aws", "iam", f"detach-{kind}-policy", named, f"--policy-arn={bearer.arn}"),)


def _is_ours_or_administrator(bearer: Kept, item: Item, baseline: Baseline, tools: Tools) -> bool:
    if bearer.kind is CallerKind.USER:
        if not administrator_at(membership(baseline, bearer.id, item), tools.now):
            return False
        return bearer.mark == "contained" or _is_younger(bearer.arn, baseline, tools)
    arn = str(tools.iam.get_role(RoleName=bearer.name)["Role"]["Arn"])
    here = tools.here
    ours = [
        iam_arn(partition=here.partition, account=here.account, kind="role", name=name)
        for name in (*MEMBER_ROLES, RESPONDER_ROLE)
    ]
    today = datetime.fromtimestamp(tools.now, UTC).date()
    return arn in ours or any(
        one.matches(role_arn=arn, on=today) for one in tools.settings.admin_roles
    )


def _is_younger(arn: str, baseline: Baseline, tools: Tools) -> bool:
    """Whether a kept policy was made under this installation: then nobody was kept by it."""
    made = tools.iam.get_policy(PolicyArn=arn)["Policy"]["CreateDate"].timestamp()
    return bool(made >= baseline.taken)
