"""Silence the credentials that an offender made or touched, and taint what they began. Shell."""

from __future__ import annotations

from handler.model.cloudtrail import Call
from handler.revoker.impacts.model import Impact
from handler.revoker.remediate.context import Scene, bearer_named, item_of, may_be_named, no_answer
from handler.revoker.remediate.outcomes import GONE_ALREADY, LOGIN_DELETED, SET_INACTIVE
from handler.revoker.state.context import Tools
from handler.revoker.state.ledger import (
    Member,
    ask_again,
    credential_key,
    forget_elsewhere,
    gone_bearers,
)
from handler.revoker.state.marks import is_vouched_for, mark_credential, mark_minting, mark_sessions
from handler.revoker.state.name_history import has_moved

SESSIONS_TAINTED = "console sessions begun after this change are treated as unauthorized"
# A key that was set inactive may still be taken for some seconds (IAM User Guide, "eventual
# consistency").
NOT_REPORTING_AFTER_SECONDS = 10.0
# Ids of long-term keys; those of sessions begin with ASIA (IAM User Guide, "IAM identifiers").
LONG_TERM = "AKIA"


def silence(impact: Impact, call: Call, scene: Scene) -> str:
    key = credential_key(impact.credential)
    if is_vouched_for(scene.table.read([key]).get(key, {}), call, now=scene.now):
        return "released since; left alone"
    owner = bearer_named(impact, call, scene)
    _ask_for_uses(impact, call, scene)
    mark_credential(
        scene.table, credential_id=impact.credential, owner=impact.name, call=call, now=scene.now
    )
    said = GONE_ALREADY
    others = [user.name for user in may_be_named(impact, call, scene)]
    for user in dict.fromkeys([owner.name if owner else impact.name, *others]):
        said = _set_inactive(impact, user, scene)
        if said == SET_INACTIVE:
            break
    if owner is not None and said == SET_INACTIVE and impact.credential_kind == "access-key":
        # Sessions that the key began in the meantime outlive it by up to 36 hours.
        mark_minting(
            scene.table,
            principal_id=owner.id,
            call=call,
            until=scene.now + NOT_REPORTING_AFTER_SECONDS,
        )
    return said


def _set_inactive(impact: Impact, user: str, scene: Scene) -> str:
    iam, credential = scene.iam, impact.credential
    try:
        match impact.credential_kind:
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
                return "calls made with it are treated as unauthorized"
    except iam.exceptions.ClientError as error:
        return no_answer(error)
    return SET_INACTIVE


def silence_used_key(call: Call, owner: str, tools: Tools) -> None:
    """Set the long-term key inactive that a call of an offender's was made with, and taint it.

    The deny of sessions does not bind it, and when it was made its owner's name may have moved.
    """
    key = call.caller.access_key
    mark_credential(tools.table, credential_id=key, owner=owner, call=call, now=tools.now)
    if not key.startswith(LONG_TERM):
        return
    try:
        tools.iam.update_access_key(UserName=owner, AccessKeyId=key, Status="Inactive")
    except tools.iam.exceptions.NoSuchEntityException:
        # Deleted since, which is as good.
        return


def delete_login(impact: Impact, call: Call, scene: Scene) -> str:
    """Delete the password of the offender's own created principal; taint anybody else's only."""
    owner = bearer_named(impact, call, scene)
    if owner is None:
        return GONE_ALREADY
    if not _is_created(owner, scene):
        said = taint_sessions(impact, call, scene)
        # Write first, read after: the containment of a created principal at the same time does so,
        # and one of the two sees the other's mark.
        if not _is_created(owner, scene):
            return said
    try:
        scene.iam.delete_login_profile(UserName=owner.name)
    except scene.iam.exceptions.ClientError as error:
        return no_answer(error)
    mark_sessions(scene.table, principal_id=owner.id, name=owner.name, call=call, good=False)
    return LOGIN_DELETED


def _is_created(owner: Member, scene: Scene) -> bool:
    return bool({"tainted", "contained"} & item_of(owner.id, scene).keys())


def taint_sessions(impact: Impact, call: Call, scene: Scene) -> str:
    owner = bearer_named(impact, call, scene)
    if owner is not None:
        mark = f"pwbad#{call.event_id}"
        if mark in item_of(owner.id, scene) or not _is_on_another(mark, impact, call, scene):
            _mark_sessions_of(owner, call, scene)
        return SESSIONS_TAINTED
    perhaps = may_be_named(impact, call, scene)
    for user in perhaps or gone_bearers(scene.iam, scene.table, impact.name):
        _mark_sessions_of(user, call, scene)
    return SESSIONS_TAINTED if perhaps else GONE_ALREADY


def _mark_sessions_of(owner: Member, call: Call, scene: Scene) -> None:
    if f"pwbad#{call.event_id}" not in item_of(owner.id, scene) and call.time is not None:
        # Self-service is the user's own, and not an offender's in its name.
        ask_again(scene.table, principal_id=owner.id, name=owner.name, since=call.time)
    mark_sessions(scene.table, principal_id=owner.id, name=owner.name, call=call, good=False)


def _is_on_another(mark: str, impact: Impact, call: Call, scene: Scene) -> bool:
    """Whether the mark stands on another rightly; one that a name has led astray is taken off.

    Until a rename arrives, the present holder of the name has no better right to it.
    """
    if call.time is not None and has_moved(scene.table, impact.name, call.time):
        forget_elsewhere(scene.table, mark, keep="")
        return False
    return any(mark in item for item in scene.table.items("principal#"))


def _ask_for_uses(impact: Impact, call: Call, scene: Scene) -> None:
    """Calls with this key may have been taken for its owner's own, self-service among them."""
    if impact.credential_kind != "access-key" or call.time is None:
        return
    key = credential_key(impact.credential)
    if f"since#{call.event_id}" not in scene.table.read([key]).get(key, {}):
        ask_again(scene.table, by="AccessKeyId", name=impact.credential, since=call.time)
