"""Impacts by users, roles, trust and instance profiles: rows 16-18, 25, 44, 48 and 49. Pure.

A principal that the offender made is contained; what existed before is told.
"""

from __future__ import annotations

from handler.model.cloudtrail import CallerKind
from handler.revoker.impacts.model import (
    Impact,
    ImpactOf,
    Offence,
    Remediation,
    answered,
    asked,
    aws_iam,
    is_protected_role,
    own_id,
    sentences,
    shown,
)
from handler.revoker.impacts.trust_policy import trusted

NO_ID = "The record does not carry its id."
EMPTY_FIRST = "To delete it, first detach everything that was attached to it since, then run:"


def _user_made(offence: Offence) -> Impact | None:
    name = answered(offence, "user", "userName") or asked(offence, "userName")
    user_id = answered(offence, "user", "userId")
    if not name and not user_id:
        return None
    return Impact(
        row=18,
        what=f"a new user {shown(name or user_id)}",
        remediation=Remediation.CONTAIN,
        kind=CallerKind.USER,
        name=name,
        id=user_id,
        undo=aws_iam("delete-user", user_name=name),
        missing=sentences(
            "" if user_id else NO_ID,
            EMPTY_FIRST if name else "The record does not carry its name.",
        ),
        # By its name alone: the wrong one is contained where the name has moved since.
        critical=not user_id,
    )


def _role_made(offence: Offence) -> Impact | None:
    name = answered(offence, "role", "roleName") or asked(offence, "roleName")
    role_id = answered(offence, "role", "roleId")
    if not name and not role_id:
        return None
    # A name that exempts or is ours: the creation is the offence.
    forged = is_protected_role(offence, _new_role_arn(offence, name))
    document = asked(offence, "assumeRolePolicyDocument") or answered(
        offence, "role", "assumeRolePolicyDocument"
    )
    trust = trusted(document, account=offence.call.account)
    return Impact(
        row=48 if forged else 17,
        what=f"a new role {shown(name or role_id)} that trusts {trust or 'unknown principals'}",
        remediation=Remediation.CONTAIN,
        kind=CallerKind.ROLE,
        name=name,
        id=role_id,
        undo=aws_iam("delete-role", role_name=name),
        missing=sentences(
            "" if role_id else NO_ID,
            "" if trust else "Its trust policy cannot be read.",
            EMPTY_FIRST if name else "The record does not carry its name.",
        ),
        critical=forged or not role_id,
    )


def _new_role_arn(offence: Offence, name: str) -> str:
    call = offence.call
    path = asked(offence, "path") or "/"
    return answered(offence, "role", "arn") or (
        f"arn:{call.caller.partition}:iam::{call.account}:role{path}{name}"
    )


def _trust_changed(offence: Offence) -> Impact | None:
    role, document = asked(offence, "roleName"), asked(offence, "policyDocument")
    if not role or not document:
        return None
    trust = trusted(document, account=offence.call.account)
    return Impact(
        row=49 if offence.rescue(role) else 16,
        what=f"the trust policy of role {shown(role)}, now trusting "
        f"{trust or 'unknown principals'}",
        remediation=Remediation.REPORT,
        kind=CallerKind.ROLE,
        name=role,
        missing=sentences(
            "The record does not carry the old trust policy: see CloudTrail or your IaC for it.",
            "" if trust else "The new one cannot be read.",
        ),
        critical=is_protected_role(offence, role),
    )


def _user_renamed(offence: Offence) -> Impact | None:
    user, name = asked(offence, "userName"), asked(offence, "newUserName")
    path = asked(offence, "newPath")
    if not user or not (name or path):
        return None
    return Impact(
        row=44,
        what=f"the user {shown(user)}, now {shown(f'{path}{name or user}')}",
        remediation=Remediation.REPORT,
        kind=CallerKind.USER,
        name=name or user,
        id=own_id(offence, user),
        undo=aws_iam("update-user", user_name=name, new_user_name=user) if name else (),
        missing="The record does not carry the old path." if path else "",
    )


def _role_changed(offence: Offence) -> Impact | None:
    role = asked(offence, "roleName")
    if not role:
        return None
    return Impact(
        row=0,
        what=f"the description or session length of the role {shown(role)}, changed",
        remediation=Remediation.REPORT,
        kind=CallerKind.ROLE,
        name=role,
        missing="The record does not carry the old values.",
        critical=is_protected_role(offence, role),
    )


def _user_deleted(offence: Offence) -> Impact | None:
    user = asked(offence, "userName")
    if not user:
        return None
    return Impact(
        row=0,
        what=f"the user {shown(user)}, deleted",
        remediation=Remediation.REPORT,
        kind=CallerKind.USER,
        name=user,
        missing="A deleted user cannot be restored: a new one of this name is another user.",
    )


def _role_deleted(offence: Offence) -> Impact | None:
    role = asked(offence, "roleName")
    if not role:
        return None
    return Impact(
        row=0,
        what=f"the role {shown(role)}, deleted",
        remediation=Remediation.REPORT,
        kind=CallerKind.ROLE,
        name=role,
        missing="The record does not carry its trust and policies; a new one is another role.",
        critical=is_protected_role(offence, role),
    )


def _profile_filled(offence: Offence) -> Impact | None:
    return _profile_impact(
        offence,
        row=25,
        what="the role {role} for every instance with the profile {profile}",
        verb="remove-role-from-instance-profile",
    )


def _profile_emptied(offence: Offence) -> Impact | None:
    return _profile_impact(
        offence,
        row=25,
        what="the role {role}, removed from the instance profile {profile}",
        verb="add-role-to-instance-profile",
    )


def _profile_impact(offence: Offence, *, row: int, what: str, verb: str) -> Impact | None:
    role, profile = asked(offence, "roleName"), asked(offence, "instanceProfileName")
    if not role or not profile:
        return None
    return Impact(
        row=row,
        what=what.format(role=shown(role), profile=shown(profile)),
        remediation=Remediation.REPORT,
        kind=CallerKind.ROLE,
        name=role,
        undo=aws_iam(verb, instance_profile_name=profile, role_name=role),
        critical=is_protected_role(offence, role),
    )


PRINCIPAL_IMPACTS: dict[str, ImpactOf] = {
    "CreateUser": _user_made,
    "UpdateUser": _user_renamed,
    "DeleteUser": _user_deleted,
    "CreateRole": _role_made,
    # A role from a template: the answer alone names it.
    "AcquireRole": _role_made,
    "UpdateAssumeRolePolicy": _trust_changed,
    "UpdateRole": _role_changed,
    "UpdateRoleDescription": _role_changed,
    "DeleteRole": _role_deleted,
    "DeleteServiceLinkedRole": _role_deleted,
    "AddRoleToInstanceProfile": _profile_filled,
    "RemoveRoleFromInstanceProfile": _profile_emptied,
}
