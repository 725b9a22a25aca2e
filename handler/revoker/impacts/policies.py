"""Impacts by policies and permissions boundaries: rows 7-12, 14, 15, 19-21 and 50. Pure.

They change what existed before: told, with the undo or with what the record lacks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from handler.model.cloudtrail import CallerKind, arn_field
from handler.model.names import DENY_POLICY, IAM_PATH, INLINE_DENY, SESSION_DENY_POLICY
from handler.revoker.impacts.model import (
    Impact,
    ImpactOf,
    Offence,
    Remediation,
    answered,
    asked,
    aws_iam,
    is_protected_group,
    is_protected_role,
    left_out,
    own_id,
    shown,
)


@dataclass(frozen=True)
class Holder:
    """Who carries a policy: a user, a role or a group (kind None). `dear`: its loss is critical."""

    word: str
    kind: CallerKind | None
    name: str
    text: str
    dear: bool
    id: str = ""


def _is_our_deny(policy_arn: str) -> bool:
    return arn_field(policy_arn, 5) in [
        f"policy{IAM_PATH}{name}" for name in (DENY_POLICY, SESSION_DENY_POLICY)
    ]


def _holder(offence: Offence) -> Holder | None:
    """By the call's own name: AttachUserPolicy, AttachRolePolicy, AttachGroupPolicy."""
    user, role, group = (asked(offence, key) for key in ("userName", "roleName", "groupName"))
    if "User" in offence.call.name and user:
        text = f"user {shown(user)}"
        return Holder("user", CallerKind.USER, user, text, dear=False, id=own_id(offence, user))
    if "Role" in offence.call.name and role:
        text = f"role {shown(role)}"
        return Holder("role", CallerKind.ROLE, role, text, dear=is_protected_role(offence, role))
    if "Group" in offence.call.name and group:
        text = f"every member of the group {shown(group)}"
        return Holder("group", None, group, text, dear=is_protected_group(offence, group))
    return None


def _held(
    holder: Holder,
    *,
    row: int,
    what: str,
    undo: tuple[tuple[str, ...], ...] = (),
    missing: str = "",
    critical: bool = False,
    deny_removed: bool = False,
) -> Impact:
    return Impact(
        row=row,
        what=what,
        remediation=Remediation.REPORT,
        kind=holder.kind,
        name=holder.name if holder.kind else "",
        id=holder.id,
        group="" if holder.kind else holder.name,
        undo=undo,
        missing=missing,
        critical=critical or deny_removed or holder.dear,
        deny_removed=deny_removed and holder.kind is not None,
    )


def _policy_attached(offence: Offence, *, row: int) -> Impact | None:
    holder, policy = _holder(offence), asked(offence, "policyArn")
    if holder is None or not policy:
        return None
    flags = {f"{holder.word}_name": holder.name, "policy_arn": policy}
    return _held(
        holder,
        row=row,
        what=f"the policy {shown(policy)} for {holder.text}",
        undo=aws_iam(f"detach-{holder.word}-policy", **flags),
        # Our own deny, put on a principal that the offender wants out of the way.
        missing="The record does not say whether it was attached before.",
        critical=_is_our_deny(policy),
    )


def _policy_detached(offence: Offence) -> Impact | None:
    holder, policy = _holder(offence), asked(offence, "policyArn")
    if holder is None or not policy:
        return None
    flags = {f"{holder.word}_name": holder.name, "policy_arn": policy}
    return _held(
        holder,
        row=21,
        what=f"the policy {shown(policy)}, detached from {holder.text}",
        undo=aws_iam(f"attach-{holder.word}-policy", **flags),
        deny_removed=_is_our_deny(policy),
    )


def _inline_put(offence: Offence, *, row: int) -> Impact | None:
    holder, policy = _holder(offence), asked(offence, "policyName")
    if holder is None or not policy:
        return None
    flags = {f"{holder.word}_name": holder.name, "policy_name": policy}
    ours = policy == INLINE_DENY
    return _held(
        holder,
        row=50 if ours else row,
        what=f"the inline policy {shown(policy)} for {holder.text}",
        undo=aws_iam(f"delete-{holder.word}-policy", **flags),
        missing="If a policy of this name existed before, the record does not carry its old text.",
        critical=ours,
    )


def _inline_deleted(offence: Offence) -> Impact | None:
    holder, policy = _holder(offence), asked(offence, "policyName")
    if holder is None or not policy:
        return None
    return _held(
        holder,
        row=21,
        what=f"the inline policy {shown(policy)}, deleted from {holder.text}",
        missing="The record does not carry the deleted policy's text.",
        deny_removed=policy == INLINE_DENY,
    )


def _boundary_set(offence: Offence) -> Impact | None:
    holder, boundary = _holder(offence), asked(offence, "permissionsBoundary")
    if holder is None or not boundary:
        return None
    return _held(
        holder,
        row=20,
        what=f"the permissions boundary {shown(boundary)} for {holder.text}",
        missing="The record does not say which boundary was set before.",
        critical=_is_our_deny(boundary),
    )


def _boundary_deleted(offence: Offence) -> Impact | None:
    holder = _holder(offence)
    if holder is None:
        return None
    return _held(
        holder,
        row=19,
        what=f"the permissions boundary of {holder.text}, removed",
        missing="The record does not say which boundary it was.",
    )


def _policy_made(offence: Offence) -> Impact | None:
    policy = answered(offence, "policy", "arn")
    if not policy:
        return None
    return Impact(
        row=0,
        what=f"a new policy {shown(policy)}, not attached yet",
        remediation=Remediation.REPORT,
        undo=aws_iam("delete-policy", policy_arn=policy),
    )


def _version_made(offence: Offence) -> Impact | None:
    policy = asked(offence, "policyArn")
    version = answered(offence, "policyVersion", "versionId")
    if not policy or left_out(offence):
        return None
    answer = offence.call.response.get("policyVersion")
    in_answer = answer.get("isDefaultVersion") if isinstance(answer, Mapping) else None
    # A version that is not surely a spare one counts as the one in force.
    if offence.call.request.get("setAsDefault") is True or in_answer is not False:
        return _new_default(row=14, policy=policy, version=version)
    return Impact(
        row=14,
        what=f"a spare version {shown(version)} of the policy {shown(policy)}, not in force yet",
        remediation=Remediation.REPORT,
        undo=aws_iam("delete-policy-version", policy_arn=policy, version_id=version),
        missing="" if version else "The record does not carry the version's id.",
        critical=_is_our_deny(policy),
    )


def _version_chosen(offence: Offence) -> Impact | None:
    policy, version = asked(offence, "policyArn"), asked(offence, "versionId")
    if not policy or not version:
        return None
    return _new_default(row=15, policy=policy, version=version)


def _new_default(*, row: int, policy: str, version: str) -> Impact:
    named = f"version {shown(version)}" if version else "a new version"
    return Impact(
        row=row,
        what=f"{named} of the policy {shown(policy)}, in force for every user, "
        "group and role that has it as policy or boundary",
        remediation=Remediation.REPORT,
        missing="The record does not say which version was in force before.",
        critical=_is_our_deny(policy),
    )


def _version_deleted(offence: Offence) -> Impact | None:
    policy, version = asked(offence, "policyArn"), asked(offence, "versionId")
    if not policy or not version:
        return None
    return Impact(
        row=0,
        what=f"version {shown(version)} of the policy {shown(policy)}, deleted",
        remediation=Remediation.REPORT,
        missing="The record does not carry the deleted version's text.",
        critical=_is_our_deny(policy),
    )


def _policy_deleted(offence: Offence) -> Impact | None:
    policy = asked(offence, "policyArn")
    if not policy:
        return None
    return Impact(
        row=0,
        what=f"the policy {shown(policy)}, deleted",
        remediation=Remediation.REPORT,
        missing="The record does not carry the deleted policy's text.",
        critical=_is_our_deny(policy),
    )


POLICY_IMPACTS: dict[str, ImpactOf] = {
    "AttachUserPolicy": partial(_policy_attached, row=7),
    "AttachRolePolicy": partial(_policy_attached, row=8),
    "AttachGroupPolicy": partial(_policy_attached, row=9),
    "PutUserPolicy": partial(_inline_put, row=10),
    "PutRolePolicy": partial(_inline_put, row=11),
    "PutGroupPolicy": partial(_inline_put, row=12),
    "CreatePolicyVersion": _version_made,
    "SetDefaultPolicyVersion": _version_chosen,
    "DeleteUserPermissionsBoundary": _boundary_deleted,
    "DeleteRolePermissionsBoundary": _boundary_deleted,
    "PutUserPermissionsBoundary": _boundary_set,
    "PutRolePermissionsBoundary": _boundary_set,
    "DetachUserPolicy": _policy_detached,
    "DetachRolePolicy": _policy_detached,
    "DetachGroupPolicy": _policy_detached,
    "DeleteUserPolicy": _inline_deleted,
    "DeleteRolePolicy": _inline_deleted,
    "DeleteGroupPolicy": _inline_deleted,
    "DeletePolicyVersion": _version_deleted,
    "CreatePolicy": _policy_made,
    "DeletePolicy": _policy_deleted,
}
