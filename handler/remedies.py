"""Take away what an offending call gave: contain who was made, silence keys, take memberships back.

Shell over IAM and the table; which remedy fits is decided in gains.py. What existed before the call
is only told of. Each remedy may run any number of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handler.containment import contain
from handler.ledger import administrator_at, ever_known
from handler.marks import mark_contained, mark_credential, mark_sessions, mark_tainted
from handler.naming import bearer_of, has_moved
from handler.reasons import Reason
from handler.remedy import Gain, Remedy
from handler.report import GainTold
from handler.roster import (
    Baseline,
    LiveGroup,
    Member,
    ask_again,
    credential_key,
    forget_elsewhere,
    membership,
    principal_key,
    read_group,
)
from handler.settings import Settings
from handler.store import Item, Table
from handler.target import Target
from handler.trail import Call, Kind

# What a call left behind is younger than the call; clocks of CloudTrail and IAM may differ.
LIST_SLACK_SECONDS = 5.0
LISTED_AT_MOST = 20
# gains.py: the trust of a role that rescues the Organization was replaced.
RESCUE_ROW = 49
# And a role was made under a name that exempts.
FORGED_ROLE_ROW = 48
SESSIONS_TAINTED = "console sessions begun after this change count as the offender's"


@dataclass(frozen=True)
class Scene:
    """Where a remedy works: clients, table, and what was read about the call."""

    iam: Any
    table: Table
    settings: Settings
    account: str
    partition: str
    baseline: Baseline
    live: LiveGroup | None
    now: float


def carry_out(gain: Gain, call: Call, scene: Scene) -> GainTold:
    """Carry out one remedy and say what was done; raises ClientError for Lambda to try again."""
    match gain.remedy:
        case Remedy.CONTAIN:
            done = _contain_creature(gain, call, scene)
        case Remedy.SILENCE:
            done = _silence(gain, call, scene)
        case Remedy.DELETE_LOGIN:
            done = _delete_login(gain, call, scene)
        case Remedy.TAINT_SESSIONS:
            done = _taint_sessions(gain, call, scene)
        case Remedy.TAKE_BACK:
            done = _take_membership_back(gain, call, scene)
        case Remedy.LIST_SINCE:
            done = _list_since(call, scene)
        case Remedy.TELL if gain.row == RESCUE_ROW and scene.settings.contain_rescue_roles:
            done = _contain_rescue_role(gain, call, scene)
        case Remedy.TELL:
            done = ""
    return told(gain, done)


def told(gain: Gain, done: str) -> GainTold:
    """The gain as a report carries it."""
    return GainTold(
        what=gain.what,
        remedy=gain.remedy.value,
        done=done,
        undo=gain.undo,
        missing=gain.missing,
        critical=gain.critical,
    )


def _contain_creature(gain: Gain, call: Call, scene: Scene) -> str:
    """Contain a principal that the offender made; the taint stays whatever becomes of the deny."""
    if gain.kind is None or not gain.id:
        return "not contained: the record does not carry its id"
    mark_tainted(
        scene.table, principal_id=gain.id, kind=gain.kind, name=gain.name, call=call, now=scene.now
    )
    done = _put_deny_on(gain.kind, gain.name, gain.id, call, scene)
    _ask_for_creature(gain, call, scene)
    return done


def _ask_for_creature(gain: Gain, call: Call, scene: Scene) -> None:
    """What it did before anybody knew whose creature it is, where it passed for another."""
    if gain.kind is Kind.USER:
        _ask_if_known(gain.id, gain.name, _item_of(gain.id, scene), call, scene)
    elif gain.row == FORGED_ROLE_ROW and call.time is not None:
        # Sessions are known to the history by names that their users choose.
        source = "iam.amazonaws.com"
        ask_again(scene.table, by="EventSource", name=source, principal_id=gain.id, since=call.time)


def _contain_rescue_role(gain: Gain, call: Call, scene: Scene) -> str:
    """Only where a knob says so: the role is needed to get back in."""
    try:
        role = scene.iam.get_role(RoleName=gain.name)["Role"]
    except scene.iam.exceptions.NoSuchEntityException:
        return "gone already"
    return _put_deny_on(Kind.ROLE, gain.name, str(role["RoleId"]), call, scene)


def _put_deny_on(kind: Kind, name: str, principal_id: str, call: Call, scene: Scene) -> str:
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
        return "gone already"
    if containment.rung is None:
        return f"NOT contained: {' '.join(containment.notes)}"
    return f"contained ({containment.rung.value})"


def _silence(gain: Gain, call: Call, scene: Scene) -> str:
    owner = _owner_of(gain, call, scene)
    _ask_for_uses(gain, call, scene)
    mark_credential(
        scene.table, credential_id=gain.credential, owner=gain.name, call=call, now=scene.now
    )
    iam, credential = scene.iam, gain.credential
    user = owner.name if owner else gain.name
    try:
        match gain.credential_kind:
            case "access-key":
                iam.update_access_key(UserName=user, AccessKeyId=credential, Status="Inactive")
            case "service-credential":
                iam.update_service_specific_credential(
                    UserName=user, ServiceSpecificCredentialId=credential, Status="Inactive"
                )
            case "ssh-key":
                iam.update_ssh_public_key(
                    UserName=user, SSHPublicKeyId=credential, Status="Inactive"
                )
            case "certificate":
                iam.update_signing_certificate(
                    UserName=user, CertificateId=credential, Status="Inactive"
                )
            case _:
                return "tainted"
    except iam.exceptions.ClientError as error:
        return _no(error)
    return "set inactive"


def _delete_login(gain: Gain, call: Call, scene: Scene) -> str:
    """A password for the offender's own creature is deleted; anybody else's is only tainted."""
    owner = _owner_of(gain, call, scene)
    if owner is None:
        return "gone already"
    marks = _item_of(owner.id, scene)
    if "tainted" not in marks and "contained" not in marks:
        return _taint_sessions(gain, call, scene)
    try:
        scene.iam.delete_login_profile(UserName=owner.name)
    except scene.iam.exceptions.ClientError as error:
        return _no(error)
    mark_sessions(scene.table, principal_id=owner.id, name=owner.name, call=call, good=False)
    return "deleted"


def _taint_sessions(gain: Gain, call: Call, scene: Scene) -> str:
    owner = _owner_of(gain, call, scene)
    if owner is None:
        return "gone already"
    mark = f"pwbad#{call.event_id}"
    item = _item_of(owner.id, scene)
    if mark not in item:
        if _is_on_another(mark, gain, call, scene):
            return SESSIONS_TAINTED
        if call.time is not None:
            # Whoever she is: self-service is hers, and not an offender's in her name.
            ask_again(scene.table, principal_id=owner.id, name=owner.name, since=call.time)
    mark_sessions(scene.table, principal_id=owner.id, name=owner.name, call=call, good=False)
    return SESSIONS_TAINTED


def _is_on_another(mark: str, gain: Gain, call: Call, scene: Scene) -> bool:
    """Whether the mark stands on another rightly; one that a name has led astray is taken off.

    Until a rename is heard of, whoever has the name now is none the righter for it.
    """
    if call.time is not None and has_moved(scene.table, gain.name, call.time):
        forget_elsewhere(scene.table, mark, keep="")
        return False
    return any(mark in item for item in scene.table.items("principal#"))


def _take_membership_back(gain: Gain, call: Call, scene: Scene) -> str:
    """Remove again who was no administrator before; adding a member once more changed nothing."""
    owner = _owner_of(gain, call, scene)
    live = scene.live or read_group(scene.iam, scene.settings.admin_group)
    member = live.by_id(owner.id) if owner else None
    if owner is None or member is None:
        return "not in the group any more"
    item = _item_of(member.id, scene)
    if administrator_at(membership(scene.baseline, member.id, item), None):
        return "was an administrator before; nothing to take back"
    group = scene.settings.admin_group
    try:
        scene.iam.remove_user_from_group(GroupName=group, UserName=owner.name)
    except scene.iam.exceptions.ClientError as error:
        return _no(error)
    return "taken out of the group again"


def _list_since(call: Call, scene: Scene) -> str:
    """What the account shows as made since the call, when the record does not say what it gave."""
    if call.time is None:
        return "the record has no time, so that nothing can be listed"
    since = call.time - LIST_SLACK_SECONDS
    users = scene.iam.get_paginator("list_users").paginate()
    roles = scene.iam.get_paginator("list_roles").paginate()
    names = [
        f"user {user['UserName']}"
        for page in users
        for user in page["Users"]
        if user["CreateDate"].timestamp() >= since
    ] + [
        f"role {role['RoleName']}"
        for page in roles
        for role in page["Roles"]
        if role["CreateDate"].timestamp() >= since
    ]
    if not names:
        return "no user or role was made since"
    more = f" and {len(names) - LISTED_AT_MOST} more" if len(names) > LISTED_AT_MOST else ""
    return f"made since: {', '.join(names[:LISTED_AT_MOST])}{more}"


def is_contained(table: Table, principal_id: str) -> bool:
    """Whether we contained this principal, by what was written down."""
    key = principal_key(principal_id)
    return "contained" in table.read([key]).get(key, {})


def sessions_are_denied(table: Table, principal_id: str) -> bool:
    """Whether we denied the sessions of this user, by what was written down."""
    key = principal_key(principal_id)
    return "sessions" in table.read([key]).get(key, {})


def _owner_of(gain: Gain, call: Call, scene: Scene) -> Member | None:
    """Whom the record names, under today's name; None when she is gone."""
    at = scene.now if call.time is None else call.time
    return bearer_of(scene.iam, scene.table, gain.name, at).member


def _item_of(principal_id: str, scene: Scene) -> Item:
    key = principal_key(principal_id)
    return scene.table.read([key]).get(key, {})


def _ask_if_known(principal_id: str, name: str, item: Item, call: Call, scene: Scene) -> None:
    """Calls since then may have been taken for an administrator's: only hers can have been."""
    if call.time is not None and ever_known(membership(scene.baseline, principal_id, item)):
        ask_again(scene.table, principal_id=principal_id, name=name, since=call.time)


def _ask_for_uses(gain: Gain, call: Call, scene: Scene) -> None:
    """Calls with this key may have been taken for its owner's own, self-service among them."""
    if gain.credential_kind != "access-key" or call.time is None:
        return
    key = credential_key(gain.credential)
    if f"since#{call.event_id}" not in scene.table.read([key]).get(key, {}):
        ask_again(scene.table, by="AccessKeyId", name=gain.credential, since=call.time)


def _target(kind: Kind, name: str, principal_id: str, scene: Scene) -> Target:
    return Target(
        kind=kind,
        name=name,
        id=principal_id,
        account=scene.account,
        partition=scene.partition,
        everything=scene.settings.everything,
    )


def _no(error: Any) -> str:
    """What AWS refused for good, as words; everything else is raised for another try."""
    code = error.response["Error"]["Code"]
    if code == "NoSuchEntity":
        return "gone already"
    if code in ("AccessDenied", "LimitExceeded", "UnmodifiableEntity"):
        return f"NOT done: {code}"
    raise error
