"""Groups and who is in them, as IAM's own operations name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.doubles.iam_entities import GROUP_QUOTA, attached_rows, refuse

if TYPE_CHECKING:
    from tests.doubles.iam import MemoryIam


def add_user_to_group(iam: MemoryIam, *, GroupName: str, UserName: str) -> None:
    iam.user(UserName, "AddUserToGroup")
    group = iam.group(GroupName, "AddUserToGroup")
    member_of = [g for g in iam.groups.values() if UserName in g.members]
    if UserName not in group.members and len(member_of) >= GROUP_QUOTA:
        raise refuse("LimitExceeded", "AddUserToGroup", f"quota {GROUP_QUOTA}")
    group.members.add(UserName)


def remove_user_from_group(iam: MemoryIam, *, GroupName: str, UserName: str) -> None:
    iam.user(UserName, "RemoveUserFromGroup")
    group = iam.group(GroupName, "RemoveUserFromGroup")
    if UserName not in group.members:
        raise refuse("NoSuchEntity", "RemoveUserFromGroup", f"{UserName} is not in it")
    group.members.remove(UserName)


def list_groups_for_user(iam: MemoryIam, *, UserName: str) -> dict[str, Any]:
    iam.user(UserName, "ListGroupsForUser")
    names = [name for name, group in iam.groups.items() if UserName in group.members]
    return {"Groups": [{"GroupName": name} for name in names]}


def list_attached_group_policies(iam: MemoryIam, *, GroupName: str) -> dict[str, Any]:
    return attached_rows(iam.group(GroupName, "ListAttachedGroupPolicies").attached)


def list_group_policies(iam: MemoryIam, *, GroupName: str) -> dict[str, Any]:
    return {"PolicyNames": sorted(iam.group(GroupName, "ListGroupPolicies").inline)}


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        add_user_to_group,
        remove_user_from_group,
        list_groups_for_user,
        list_attached_group_policies,
        list_group_policies,
    )
}
