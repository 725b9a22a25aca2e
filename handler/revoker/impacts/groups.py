"""Impacts by groups: rows 13, 21 and 47. Pure.

Membership of the administrators' group is undone; the rest existed before and is reported.
"""

from __future__ import annotations

from dataclasses import replace

from handler.model.cloudtrail import CallerKind
from handler.revoker.impacts.model import (
    Impact,
    ImpactOf,
    Offence,
    Remediation,
    asked,
    aws_iam,
    is_protected_group,
    own_id,
    shown,
)


def _member_added(offence: Offence) -> Impact | None:
    group, user = asked(offence, "groupName"), asked(offence, "userName")
    if not group or not user:
        return None
    admin = _is_admin_group(offence, group)
    return _membership(
        offence,
        row=13,
        what=f"membership of the group {shown(group)} for user {shown(user)}",
        remediation=Remediation.REMOVE if admin else Remediation.REPORT,
        verb="remove-user-from-group",
        # Into a deny group of ours: a user that the offender wants out of the way.
        critical=is_protected_group(offence, group) and not admin,
        # Adding a member again succeeds: undoing that would turn a member out.
        missing="The record does not say whether the user was in the group before.",
    )


def _member_removed(offence: Offence) -> Impact | None:
    group, user = asked(offence, "groupName"), asked(offence, "userName")
    if not group or not user:
        return None
    impact = _membership(
        offence,
        row=47 if _is_admin_group(offence, group) else 21,
        what=f"user {shown(user)}, removed from the group {shown(group)}",
        remediation=Remediation.REPORT,
        verb="add-user-to-group",
        critical=is_protected_group(offence, group),
    )
    return replace(impact, deny_removed=impact.critical and not _is_admin_group(offence, group))


def _membership(
    offence: Offence,
    *,
    row: int,
    what: str,
    remediation: Remediation,
    verb: str,
    critical: bool,
    missing: str = "",
) -> Impact:
    group, user = asked(offence, "groupName"), asked(offence, "userName")
    return Impact(
        row=row,
        what=what,
        remediation=remediation,
        kind=CallerKind.USER,
        name=user,
        id=own_id(offence, user),
        group=group,
        undo=aws_iam(verb, group_name=group, user_name=user),
        missing=missing,
        critical=critical,
    )


def _group_made(offence: Offence) -> Impact | None:
    group = asked(offence, "groupName")
    if not group:
        return None
    return _group_impact(
        offence,
        group,
        what=f"a new group {shown(group)}, empty and without rights",
        undo=aws_iam("delete-group", group_name=group),
    )


def _group_deleted(offence: Offence) -> Impact | None:
    group = asked(offence, "groupName")
    if not group:
        return None
    return _group_impact(
        offence,
        group,
        what=f"the group {shown(group)}, deleted",
        missing="The record does not carry its members and policies.",
    )


def _group_renamed(offence: Offence) -> Impact | None:
    group, name = asked(offence, "groupName"), asked(offence, "newGroupName")
    path = asked(offence, "newPath")
    if not group or not (name or path):
        return None
    undo = aws_iam("update-group", group_name=name, new_group_name=group) if name else ()
    impact = _group_impact(
        offence,
        group,
        what=f"the group {shown(group)}, now {shown(f'{path}{name or group}')}",
        undo=undo,
        missing="The record does not carry the old path." if path else "",
    )
    # Another group under the administrators' name.
    forged = name != "" and not impact.critical and _is_admin_group(offence, name)
    return replace(impact, row=47, critical=True) if forged else impact


def _group_impact(
    offence: Offence,
    group: str,
    *,
    what: str,
    undo: tuple[tuple[str, ...], ...] = (),
    missing: str = "",
) -> Impact:
    return Impact(
        row=47 if _is_admin_group(offence, group) else 0,
        what=what,
        remediation=Remediation.REPORT,
        group=group,
        undo=undo,
        missing=missing,
        critical=is_protected_group(offence, group),
    )


def _is_admin_group(offence: Offence, group: str) -> bool:
    return group.casefold() == offence.admin_group.casefold()


GROUP_IMPACTS: dict[str, ImpactOf] = {
    "AddUserToGroup": _member_added,
    "RemoveUserFromGroup": _member_removed,
    "CreateGroup": _group_made,
    "DeleteGroup": _group_deleted,
    "UpdateGroup": _group_renamed,
}
