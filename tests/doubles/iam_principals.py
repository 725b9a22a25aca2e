"""Users and roles come, go and change their names, as IAM's own operations do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.doubles.iam_entities import Principal, refuse, role_row, user_row

if TYPE_CHECKING:
    from tests.doubles.iam import MemoryIam


def create_user(iam: MemoryIam, *, UserName: str, Path: str = "/") -> dict[str, Any]:
    if UserName in iam.users:
        raise refuse("EntityAlreadyExists", "CreateUser", f"user {UserName}")
    iam.add_user(UserName)
    iam.users[UserName].path = Path
    return {"User": user_row(UserName, iam.users[UserName])}


def update_user(iam: MemoryIam, *, UserName: str, NewUserName: str) -> None:
    user = iam.user(UserName, "UpdateUser")
    if NewUserName in iam.users and NewUserName != UserName:
        raise refuse("EntityAlreadyExists", "UpdateUser", f"user {NewUserName}")
    del iam.users[UserName]
    iam.users[NewUserName] = user
    for group in iam.groups.values():
        if UserName in group.members:
            group.members.remove(UserName)
            group.members.add(NewUserName)


def delete_user(iam: MemoryIam, *, UserName: str) -> None:
    user = iam.user(UserName, "DeleteUser")
    groups = any(UserName in group.members for group in iam.groups.values())
    if groups or user.attached or user.inline or user.keys or user.password:
        raise refuse("DeleteConflict", "DeleteUser", "must delete what she has first")
    del iam.users[UserName]


def create_role(
    iam: MemoryIam, *, RoleName: str, AssumeRolePolicyDocument: str, Path: str = "/"
) -> dict[str, Any]:
    if RoleName in iam.roles:
        raise refuse("EntityAlreadyExists", "CreateRole", f"role {RoleName}")
    iam.add_role(RoleName, path=Path)
    return {"Role": role_row(RoleName, iam.roles[RoleName])}


def delete_role(iam: MemoryIam, *, RoleName: str) -> None:
    role = iam.role(RoleName, "DeleteRole", write=True)
    if role.attached or role.inline:
        raise refuse("DeleteConflict", "DeleteRole", "must detach all policies first")
    del iam.roles[RoleName]


def tag_role(iam: MemoryIam, *, RoleName: str, Tags: list[dict[str, str]]) -> None:
    role = iam.role(RoleName, "TagRole", write=True)
    role.tags |= {tag["Key"]: tag["Value"] for tag in Tags}


def get_user(iam: MemoryIam, *, UserName: str) -> dict[str, Any]:
    return {"User": user_row(UserName, iam.user(UserName, "GetUser"))}


def get_role(iam: MemoryIam, *, RoleName: str) -> dict[str, Any]:
    role: Principal = iam.role(RoleName, "GetRole")
    bound = {"PermissionsBoundary": {"PermissionsBoundaryArn": role.boundary}}
    return {"Role": role_row(RoleName, role) | (bound if role.boundary else {})}


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        create_user,
        update_user,
        delete_user,
        create_role,
        delete_role,
        tag_role,
        get_user,
        get_role,
    )
}
