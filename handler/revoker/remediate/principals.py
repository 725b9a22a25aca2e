"""Undo what an offender made of principals: contain those created, undo memberships."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handler.model.cloudtrail import Call, CallerKind
from handler.model.principal import METHOD_WORDS, Target
from handler.model.reasons import Reason
from handler.revoker.deny.contain import contain
from handler.revoker.impacts.model import Impact
from handler.revoker.judge.membership import administrator_at
from handler.revoker.remediate.context import (
    Scene,
    ask_if_known,
    bearer_named,
    is_contained,
    item_of,
    no_answer,
)
from handler.revoker.remediate.credentials import delete_login
from handler.revoker.remediate.outcomes import (
    CONTAINED_BY,
    GONE_ALREADY,
    MEMBER_BEFORE,
    NO_MEMBER,
    TAKEN_OUT,
)
from handler.revoker.state.ledger import Member, ask_again, membership, read_group
from handler.revoker.state.marks import mark_contained, mark_tainted

# What a call left behind is younger than the call; clocks of CloudTrail and IAM may differ.
LIST_SLACK_SECONDS = 5.0
LISTED_AT_MOST = 20
# impacts/table.py: a role was made under a name that exempts.
FORGED_ROLE_ROW = 48
CREATIONS = frozenset({"CreateUser", "CreateRole"})


def contain_created_principal(impact: Impact, call: Call, scene: Scene) -> str:
    """Contain a principal that the offender made; the taint stays whatever becomes of the deny."""
    if impact.kind is None or not impact.id:
        return "not contained: the record does not carry its id"
    if _was_released(impact.id, call, scene):
        return "released since; left alone"
    mark_tainted(
        scene.table,
        principal_id=impact.id,
        kind=impact.kind,
        name=impact.name,
        call=call,
        now=scene.now,
    )
    done = _put_deny_on(impact.kind, impact.name, impact.id, call, scene)
    _ask_for_created(impact, call, scene)
    if any(mark.startswith("pwbad#") for mark in item_of(impact.id, scene)):
        # Its password arrived before it was known to be created by an offender.
        return f"{done}; its console password {delete_login(impact, call, scene)}"
    return done


def _ask_for_created(impact: Impact, call: Call, scene: Scene) -> None:
    """What it did before it was known to be created by an offender, where it passed for another."""
    if impact.kind is CallerKind.USER:
        ask_if_known(impact.id, impact.name, item_of(impact.id, scene), call, scene)
    elif impact.row == FORGED_ROLE_ROW and call.time is not None:
        # Sessions are known to the history by names that their users choose.
        source = "iam.amazonaws.com"
        ask_again(
            scene.table, by="EventSource", name=source, principal_id=impact.id, since=call.time
        )


def contain_rescue_role(impact: Impact, call: Call, scene: Scene) -> str:
    """Only where a knob says so: the role is needed to get back in."""
    try:
        role = scene.iam.get_role(RoleName=impact.name)["Role"]
    except scene.iam.exceptions.NoSuchEntityException:
        return GONE_ALREADY
    return _put_deny_on(CallerKind.ROLE, impact.name, str(role["RoleId"]), call, scene)


def _put_deny_on(kind: CallerKind, name: str, principal_id: str, call: Call, scene: Scene) -> str:
    if _was_released(principal_id, call, scene):
        return "released since; left alone"
    target = _target(kind, name, principal_id, scene)
    containment = contain(
        scene.iam,
        target,
        inline=scene.settings.inline_deny,
        is_contained=lambda owner: is_contained(scene.table, owner),
    )
    mark_contained(
        scene.table,
        principal_id=principal_id,
        kind=kind,
        containment=containment,
        call=call,
        reason=Reason.TAINTED.value,
        now=scene.now,
    )
    if containment.gone:
        return GONE_ALREADY
    if containment.method is None:
        return f"NOT contained: {' '.join(containment.notes)}"
    return f"{CONTAINED_BY}{METHOD_WORDS[containment.method]}"


def _was_released(principal_id: str, call: Call, scene: Scene) -> bool:
    """Whether it was released after this call: the event may come twice, or be redriven."""
    released = item_of(principal_id, scene).get("released")
    if not isinstance(released, float) or call.time is None:
        return False
    return call.time < released <= scene.now


def remove_membership(impact: Impact, call: Call, scene: Scene) -> str:
    """Remove again who was no administrator before; adding a member once more changed nothing."""
    owner = bearer_named(impact, call, scene)
    live = scene.live or read_group(scene.iam, scene.settings.admin_group)
    member = live.by_id(owner.id) if owner else None
    if owner is None or member is None:
        return NO_MEMBER
    if not _is_administrator(member, scene):
        # Its addition may be among the lost events: adding it again must not oust it.
        scene.prove(member)
    if _is_administrator(member, scene):
        return MEMBER_BEFORE
    group = scene.settings.admin_group
    try:
        scene.iam.remove_user_from_group(GroupName=group, UserName=owner.name)
    except scene.iam.exceptions.ClientError as error:
        return no_answer(error)
    return TAKEN_OUT


def _is_administrator(member: Member, scene: Scene) -> bool:
    entries = membership(scene.baseline, member.id, item_of(member.id, scene))
    return administrator_at(entries, None)


def list_since(impact: Impact, call: Call, scene: Scene) -> str:
    """What the account shows as made since the call, when the record does not say what it gave.

    A creation whose parameters were padded away is contained by its time: the rest is only told.
    """
    if call.time is None:
        return "the record has no time: nothing can be listed"
    made = _made_since(call.time - LIST_SLACK_SECONDS, scene)
    if not made:
        return "no user or role was created since"
    reported = []
    for created in made[:LISTED_AT_MOST]:
        theirs = call.name in CREATIONS and created.made <= call.time + LIST_SLACK_SECONDS
        done = ""
        if theirs and call.name == f"Create{created.kind.value.title()}":
            named = replace(impact, kind=created.kind, name=created.name, id=created.id)
            done = f", {contain_created_principal(named, call, scene)}"
        reported.append(f"{created.kind.value} {created.name}{done}")
    more = f" and {len(made) - LISTED_AT_MOST} more" if len(made) > LISTED_AT_MOST else ""
    return f"created since: {'; '.join(reported)}{more}"


@dataclass(frozen=True)
class CreatedPrincipal:
    """A user or role that IAM shows; `made` is its creation in epoch seconds."""

    kind: CallerKind
    name: str
    id: str
    made: float


def _made_since(since: float, scene: Scene) -> list[CreatedPrincipal]:
    users = scene.iam.get_paginator("list_users").paginate()
    roles = scene.iam.get_paginator("list_roles").paginate()
    found = [
        CreatedPrincipal(
            CallerKind.USER, row["UserName"], row["UserId"], row["CreateDate"].timestamp()
        )
        for page in users
        for row in page["Users"]
    ] + [
        CreatedPrincipal(
            CallerKind.ROLE, row["RoleName"], row["RoleId"], row["CreateDate"].timestamp()
        )
        for page in roles
        for row in page["Roles"]
    ]
    return [created for created in found if created.made >= since]


def _target(kind: CallerKind, name: str, principal_id: str, scene: Scene) -> Target:
    return Target(
        kind=kind,
        name=name,
        id=principal_id,
        account=scene.account,
        partition=scene.partition,
        everything=scene.settings.everything,
    )
