"""Gains by groups: rows 13, 21 and 47. Pure.

Membership of the administrators' group is taken back; the rest existed before and is told.
"""

from __future__ import annotations

from dataclasses import replace

from handler.model.cloudtrail import Kind
from handler.revoker.impacts.model import (
    Gain,
    GainOf,
    Offence,
    Remedy,
    asked,
    aws_iam,
    is_dear_group,
    own_id,
    shown,
)


def _member_added(offence: Offence) -> Gain | None:
    group, user = asked(offence, "groupName"), asked(offence, "userName")
    if not group or not user:
        return None
    admin = _is_admin_group(offence, group)
    return _membership(
        offence,
        row=13,
        what=f"membership of the group {shown(group)} for user {shown(user)}",
        remedy=Remedy.TAKE_BACK if admin else Remedy.TELL,
        verb="remove-user-from-group",
        # Into a deny group of ours: somebody whom the offender wants out of the way.
        critical=is_dear_group(offence, group) and not admin,
        # Adding a member again succeeds: undoing that would turn a member out.
        missing="The record does not say whether the user was in the group before.",
    )


def _member_removed(offence: Offence) -> Gain | None:
    group, user = asked(offence, "groupName"), asked(offence, "userName")
    if not group or not user:
        return None
    gain = _membership(
        offence,
        row=47 if _is_admin_group(offence, group) else 21,
        what=f"user {shown(user)}, removed from the group {shown(group)}",
        remedy=Remedy.TELL,
        verb="add-user-to-group",
        critical=is_dear_group(offence, group),
    )
    return replace(gain, deny_removed=gain.critical and not _is_admin_group(offence, group))


def _membership(
    offence: Offence,
    *,
    row: int,
    what: str,
    remedy: Remedy,
    verb: str,
    critical: bool,
    missing: str = "",
) -> Gain:
    group, user = asked(offence, "groupName"), asked(offence, "userName")
    return Gain(
        row=row,
        what=what,
        remedy=remedy,
        kind=Kind.USER,
        name=user,
        id=own_id(offence, user),
        group=group,
        undo=aws_iam(verb, group_name=group, user_name=user),
        missing=missing,
        critical=critical,
    )


def _group_made(offence: Offence) -> Gain | None:
    group = asked(offence, "groupName")
    if not group:
        return None
    return _group_gain(
        offence,
        group,
        what=f"a new group {shown(group)}, empty and without rights",
        undo=aws_iam("delete-group", group_name=group),
    )


def _group_deleted(offence: Offence) -> Gain | None:
    group = asked(offence, "groupName")
    if not group:
        return None
    return _group_gain(
        offence,
        group,
        what=f"the group {shown(group)}, deleted",
        missing="The record does not carry its members and policies.",
    )


def _group_renamed(offence: Offence) -> Gain | None:
    group, name = asked(offence, "groupName"), asked(offence, "newGroupName")
    path = asked(offence, "newPath")
    if not group or not (name or path):
        return None
    undo = aws_iam("update-group", group_name=name, new_group_name=group) if name else ()
    gain = _group_gain(
        offence,
        group,
        what=f"the group {shown(group)}, now {shown(f'{path}{name or group}')}",
        undo=undo,
        missing="The record does not carry the old path." if path else "",
    )
    # Another group under the administrators' name.
    forged = name != "" and not gain.critical and _is_admin_group(offence, name)
    return replace(gain, row=47, critical=True) if forged else gain


def _group_gain(
    offence: Offence,
    group: str,
    *,
    what: str,
    undo: tuple[tuple[str, ...], ...] = (),
    missing: str = "",
) -> Gain:
    return Gain(
        row=47 if _is_admin_group(offence, group) else 0,
        what=what,
        remedy=Remedy.TELL,
        group=group,
        undo=undo,
        missing=missing,
        critical=is_dear_group(offence, group),
    )


def _is_admin_group(offence: Offence, group: str) -> bool:
    return group.casefold() == offence.admin_group.casefold()


GROUP_GAINS: dict[str, GainOf] = {
    "AddUserToGroup": _member_added,
    "RemoveUserFromGroup": _member_removed,
    "CreateGroup": _group_made,
    "DeleteGroup": _group_deleted,
    "UpdateGroup": _group_renamed,
}
