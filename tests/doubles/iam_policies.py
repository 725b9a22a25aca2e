"""Policies on users and roles, and boundaries, as IAM's own operations name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.doubles.iam_entities import (
    ROLE_QUOTA,
    USER_QUOTA,
    Principal,
    attached_rows,
    date,
    inline_row,
    refuse,
)

if TYPE_CHECKING:
    from tests.doubles.iam import MemoryIam


def attach_user_policy(iam: MemoryIam, *, UserName: str, PolicyArn: str) -> None:
    user = iam.user(UserName, "AttachUserPolicy")
    _attach(iam, user, PolicyArn, USER_QUOTA, "AttachUserPolicy")


def detach_user_policy(iam: MemoryIam, *, UserName: str, PolicyArn: str) -> None:
    _take(iam.user(UserName, "DetachUserPolicy"), PolicyArn, "DetachUserPolicy")


def attach_role_policy(iam: MemoryIam, *, RoleName: str, PolicyArn: str) -> None:
    role = iam.role(RoleName, "AttachRolePolicy", write=True)
    _attach(iam, role, PolicyArn, ROLE_QUOTA, "AttachRolePolicy")


def detach_role_policy(iam: MemoryIam, *, RoleName: str, PolicyArn: str) -> None:
    _take(iam.role(RoleName, "DetachRolePolicy", write=True), PolicyArn, "DetachRolePolicy")


def put_role_permissions_boundary(
    iam: MemoryIam, *, RoleName: str, PermissionsBoundary: str
) -> None:
    role = iam.role(RoleName, "PutRolePermissionsBoundary", write=True)
    role.boundary = PermissionsBoundary


def delete_role_permissions_boundary(iam: MemoryIam, *, RoleName: str) -> None:
    operation = "DeleteRolePermissionsBoundary"
    role = iam.role(RoleName, operation, write=True)
    if not role.boundary:
        raise refuse("NoSuchEntity", operation, "no boundary")
    role.boundary = ""


def put_user_policy(iam: MemoryIam, *, UserName: str, PolicyName: str, PolicyDocument: str) -> None:
    user = iam.user(UserName, "PutUserPolicy")
    _put(user, PolicyName, PolicyDocument, 2_048, "PutUserPolicy")


def put_role_policy(iam: MemoryIam, *, RoleName: str, PolicyName: str, PolicyDocument: str) -> None:
    role = iam.role(RoleName, "PutRolePolicy", write=True)
    _put(role, PolicyName, PolicyDocument, 10_240, "PutRolePolicy")


def delete_user_policy(iam: MemoryIam, *, UserName: str, PolicyName: str) -> None:
    _drop(iam.user(UserName, "DeleteUserPolicy"), PolicyName, "DeleteUserPolicy")


def delete_role_policy(iam: MemoryIam, *, RoleName: str, PolicyName: str) -> None:
    role = iam.role(RoleName, "DeleteRolePolicy", write=True)
    _drop(role, PolicyName, "DeleteRolePolicy")


def get_policy(iam: MemoryIam, *, PolicyArn: str) -> dict[str, Any]:
    if PolicyArn not in iam.documents:
        raise refuse("NoSuchEntity", "GetPolicy", f"policy {PolicyArn}")
    made = date(iam.policies_made.get(PolicyArn, 0.0))
    return {"Policy": {"Arn": PolicyArn, "DefaultVersionId": "v1", "CreateDate": made}}


def get_policy_version(iam: MemoryIam, *, PolicyArn: str, VersionId: str) -> dict[str, Any]:
    return {"PolicyVersion": {"VersionId": VersionId, "Document": iam.documents[PolicyArn]}}


def list_attached_user_policies(iam: MemoryIam, *, UserName: str) -> dict[str, Any]:
    return attached_rows(iam.user(UserName, "ListAttachedUserPolicies").attached)


def list_attached_role_policies(iam: MemoryIam, *, RoleName: str) -> dict[str, Any]:
    return attached_rows(iam.role(RoleName, "ListAttachedRolePolicies").attached)


def get_user_policy(iam: MemoryIam, *, UserName: str, PolicyName: str) -> dict[str, Any]:
    return inline_row(iam.user(UserName, "GetUserPolicy"), PolicyName, "GetUserPolicy")


def get_role_policy(iam: MemoryIam, *, RoleName: str, PolicyName: str) -> dict[str, Any]:
    return inline_row(iam.role(RoleName, "GetRolePolicy"), PolicyName, "GetRolePolicy")


def entities(iam: MemoryIam, arn: str) -> dict[str, Any]:
    """ListEntitiesForPolicy, on one page."""
    users = {n: u for n, u in iam.users.items() if arn in (*u.attached, u.boundary)}
    roles = {n: r for n, r in iam.roles.items() if arn in (*r.attached, r.boundary)}
    groups = [name for name, group in iam.groups.items() if arn in group.attached]
    return {
        "PolicyUsers": [{"UserName": n, "UserId": u.id} for n, u in users.items()],
        "PolicyRoles": [{"RoleName": n, "RoleId": r.id} for n, r in roles.items()],
        "PolicyGroups": [{"GroupName": name} for name in groups],
    }


def _attach(iam: MemoryIam, principal: Principal, arn: str, quota: int, operation: str) -> None:
    # Policies of AWS's own exist everywhere.
    if arn not in iam.documents and not arn.startswith("arn:aws:iam::aws:"):
        raise refuse("NoSuchEntity", operation, f"policy {arn}")
    if arn not in principal.attached and len(principal.attached) >= quota:
        raise refuse("LimitExceeded", operation, f"quota {quota}")
    principal.attached.add(arn)


def _take(principal: Principal, arn: str, operation: str) -> None:
    if arn not in principal.attached:
        raise refuse("NoSuchEntity", operation, f"policy {arn} is not attached")
    principal.attached.remove(arn)


def _put(principal: Principal, name: str, document: str, limit: int, operation: str) -> None:
    others = sum(len(text) for key, text in principal.inline.items() if key != name)
    if others + len(document) > limit:
        raise refuse("LimitExceeded", operation, f"inline limit {limit}")
    principal.inline[name] = document


def _drop(principal: Principal, name: str, operation: str) -> None:
    if name not in principal.inline:
        raise refuse("NoSuchEntity", operation, f"policy {name}")
    del principal.inline[name]


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        attach_user_policy,
        detach_user_policy,
        attach_role_policy,
        detach_role_policy,
        put_role_permissions_boundary,
        delete_role_permissions_boundary,
        put_user_policy,
        put_role_policy,
        delete_user_policy,
        delete_role_policy,
        get_policy,
        get_policy_version,
        list_attached_user_policies,
        list_attached_role_policies,
        get_user_policy,
        get_role_policy,
    )
}
