"""An IAM of one account in memory, with the client's own method names and error codes.

Only what the revoker calls. Quotas: IAM User Guide, "IAM and AWS STS quotas". Every call is written
down in `calls`, in order, so that a test can count what came before the deny.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from handler.deny import deny_document, session_deny_document
from handler.names import DENY_GROUP, DENY_POLICY, SESSION_DENY_POLICY, iam_arn

ACCOUNT = "111122223333"
DENY_ARN = iam_arn(partition="aws", account=ACCOUNT, kind="policy", name=DENY_POLICY)
SESSION_DENY_ARN = iam_arn(
    partition="aws", account=ACCOUNT, kind="policy", name=SESSION_DENY_POLICY
)
USER_QUOTA, ROLE_QUOTA, GROUP_QUOTA = 10, 20, 10


class NoSuchEntityException(ClientError):
    """As botocore raises it."""


class Exceptions:
    ClientError = ClientError
    NoSuchEntityException = NoSuchEntityException


@dataclass
class Principal:
    id: str
    made: float = 0.0
    keys: dict[str, str] = field(default_factory=dict)
    password: bool = False
    attached: set[str] = field(default_factory=set)
    inline: dict[str, str] = field(default_factory=dict)
    boundary: str = ""
    protected: bool = False


@dataclass
class Group:
    members: set[str] = field(default_factory=set)
    attached: set[str] = field(default_factory=set)
    inline: set[str] = field(default_factory=set)


def refuse(code: str, operation: str, message: str = "refused") -> ClientError:
    kind = NoSuchEntityException if code == "NoSuchEntity" else ClientError
    return kind({"Error": {"Code": code, "Message": message}}, operation)


class MemoryIam:
    """One account's IAM; `fail[method]` holds error codes that the next calls of it answer."""

    exceptions = Exceptions

    def __init__(self, *, page: int = 2) -> None:
        self.users: dict[str, Principal] = {}
        self.roles: dict[str, Principal] = {}
        self.groups: dict[str, Group] = {
            "Administrators": Group(),
            DENY_GROUP: Group(attached={DENY_ARN}),
        }
        self.documents: dict[str, Any] = {
            DENY_ARN: deny_document(),
            SESSION_DENY_ARN: session_deny_document(),
        }
        self.now = 0.0
        self.alias = "example-alias"
        self.calls: list[str] = []
        self.fail: dict[str, list[str]] = {}
        self._page = page
        self._numbers = itertools.count(1)

    def add_user(self, name: str, *, groups: tuple[str, ...] = ()) -> str:
        user = Principal(id=f"AIDAEXAMPLE{next(self._numbers):09d}", made=self.now)
        self.users[name] = user
        for group in groups:
            self.groups[group].members.add(name)
        return user.id

    def add_role(self, name: str, **facts: Any) -> str:
        role = Principal(id=f"AROAEXAMPLE{next(self._numbers):09d}", made=self.now, **facts)
        self.roles[name] = role
        return role.id

    def _note(self, operation: str) -> None:
        self.calls.append(operation)
        if self.fail.get(operation):
            raise refuse(self.fail[operation].pop(0), operation)

    def _user(self, name: str, operation: str) -> Principal:
        if name not in self.users:
            raise refuse("NoSuchEntity", operation, f"user {name}")
        return self.users[name]

    def _role(self, name: str, operation: str, *, write: bool = False) -> Principal:
        if name not in self.roles:
            raise refuse("NoSuchEntity", operation, f"role {name}")
        if write and self.roles[name].protected:
            raise refuse("UnmodifiableEntity", operation, "protected role")
        return self.roles[name]

    def _attach(self, principal: Principal, arn: str, quota: int, operation: str) -> None:
        if arn not in self.documents:
            raise refuse("NoSuchEntity", operation, f"policy {arn}")
        if arn not in principal.attached and len(principal.attached) >= quota:
            raise refuse("LimitExceeded", operation, f"quota {quota}")
        principal.attached.add(arn)

    def attach_user_policy(self, *, UserName: str, PolicyArn: str) -> None:
        self._note("attach_user_policy")
        user = self._user(UserName, "AttachUserPolicy")
        self._attach(user, PolicyArn, USER_QUOTA, "AttachUserPolicy")

    def detach_user_policy(self, *, UserName: str, PolicyArn: str) -> None:
        self._note("detach_user_policy")
        _take(self._user(UserName, "DetachUserPolicy"), PolicyArn, "DetachUserPolicy")

    def attach_role_policy(self, *, RoleName: str, PolicyArn: str) -> None:
        self._note("attach_role_policy")
        role = self._role(RoleName, "AttachRolePolicy", write=True)
        self._attach(role, PolicyArn, ROLE_QUOTA, "AttachRolePolicy")

    def detach_role_policy(self, *, RoleName: str, PolicyArn: str) -> None:
        self._note("detach_role_policy")
        _take(self._role(RoleName, "DetachRolePolicy", write=True), PolicyArn, "DetachRolePolicy")

    def add_user_to_group(self, *, GroupName: str, UserName: str) -> None:
        self._note("add_user_to_group")
        self._user(UserName, "AddUserToGroup")
        if GroupName not in self.groups:
            raise refuse("NoSuchEntity", "AddUserToGroup", f"group {GroupName}")
        member_of = [g for g in self.groups.values() if UserName in g.members]
        if UserName not in self.groups[GroupName].members and len(member_of) >= GROUP_QUOTA:
            raise refuse("LimitExceeded", "AddUserToGroup", "quota 10")
        self.groups[GroupName].members.add(UserName)

    def remove_user_from_group(self, *, GroupName: str, UserName: str) -> None:
        self._note("remove_user_from_group")
        self._user(UserName, "RemoveUserFromGroup")
        if UserName not in self.groups[GroupName].members:
            raise refuse("NoSuchEntity", "RemoveUserFromGroup", f"{UserName} is not in it")
        self.groups[GroupName].members.remove(UserName)

    def put_role_permissions_boundary(self, *, RoleName: str, PermissionsBoundary: str) -> None:
        self._note("put_role_permissions_boundary")
        role = self._role(RoleName, "PutRolePermissionsBoundary", write=True)
        role.boundary = PermissionsBoundary

    def delete_role_permissions_boundary(self, *, RoleName: str) -> None:
        self._note("delete_role_permissions_boundary")
        self._role(RoleName, "DeleteRolePermissionsBoundary", write=True).boundary = ""

    def put_user_policy(self, *, UserName: str, PolicyName: str, PolicyDocument: str) -> None:
        self._note("put_user_policy")
        user = self._user(UserName, "PutUserPolicy")
        self._put(user, PolicyName, PolicyDocument, 2_048, "PutUserPolicy")

    def put_role_policy(self, *, RoleName: str, PolicyName: str, PolicyDocument: str) -> None:
        self._note("put_role_policy")
        role = self._role(RoleName, "PutRolePolicy", write=True)
        self._put(role, PolicyName, PolicyDocument, 10_240, "PutRolePolicy")

    def delete_user_policy(self, *, UserName: str, PolicyName: str) -> None:
        self._note("delete_user_policy")
        del self._user(UserName, "DeleteUserPolicy").inline[PolicyName]

    def delete_role_policy(self, *, RoleName: str, PolicyName: str) -> None:
        self._note("delete_role_policy")
        del self._role(RoleName, "DeleteRolePolicy", write=True).inline[PolicyName]

    def _put(
        self, principal: Principal, name: str, document: str, limit: int, operation: str
    ) -> None:
        others = sum(len(text) for key, text in principal.inline.items() if key != name)
        if others + len(document) > limit:
            raise refuse("LimitExceeded", operation, f"inline limit {limit}")
        principal.inline[name] = document

    def get_user(self, *, UserName: str) -> dict[str, Any]:
        self._note("get_user")
        user = self._user(UserName, "GetUser")
        return {"User": _user_row(UserName, user)}

    def get_role(self, *, RoleName: str) -> dict[str, Any]:
        self._note("get_role")
        role = self._role(RoleName, "GetRole")
        bound = {"PermissionsBoundary": {"PermissionsBoundaryArn": role.boundary}}
        return {"Role": _role_row(RoleName, role) | (bound if role.boundary else {})}

    def get_policy(self, *, PolicyArn: str) -> dict[str, Any]:
        self._note("get_policy")
        if PolicyArn not in self.documents:
            raise refuse("NoSuchEntity", "GetPolicy", f"policy {PolicyArn}")
        return {"Policy": {"Arn": PolicyArn, "DefaultVersionId": "v1"}}

    def get_policy_version(self, *, PolicyArn: str, VersionId: str) -> dict[str, Any]:
        self._note("get_policy_version")
        return {"PolicyVersion": {"VersionId": VersionId, "Document": self.documents[PolicyArn]}}

    def list_attached_user_policies(self, *, UserName: str) -> dict[str, Any]:
        self._note("list_attached_user_policies")
        return _attached(self._user(UserName, "ListAttachedUserPolicies").attached)

    def list_attached_role_policies(self, *, RoleName: str) -> dict[str, Any]:
        self._note("list_attached_role_policies")
        return _attached(self._role(RoleName, "ListAttachedRolePolicies").attached)

    def list_groups_for_user(self, *, UserName: str) -> dict[str, Any]:
        self._note("list_groups_for_user")
        self._user(UserName, "ListGroupsForUser")
        names = [name for name, group in self.groups.items() if UserName in group.members]
        return {"Groups": [{"GroupName": name} for name in names]}

    def get_user_policy(self, *, UserName: str, PolicyName: str) -> dict[str, Any]:
        self._note("get_user_policy")
        return _inline(self._user(UserName, "GetUserPolicy"), PolicyName, "GetUserPolicy")

    def get_role_policy(self, *, RoleName: str, PolicyName: str) -> dict[str, Any]:
        self._note("get_role_policy")
        return _inline(self._role(RoleName, "GetRolePolicy"), PolicyName, "GetRolePolicy")

    def update_access_key(self, *, UserName: str, AccessKeyId: str, Status: str) -> None:
        self._note("update_access_key")
        keys = self._user(UserName, "UpdateAccessKey").keys
        if AccessKeyId not in keys:
            raise refuse("NoSuchEntity", "UpdateAccessKey", f"key {AccessKeyId}")
        keys[AccessKeyId] = Status

    def delete_login_profile(self, *, UserName: str) -> None:
        self._note("delete_login_profile")
        user = self._user(UserName, "DeleteLoginProfile")
        if not user.password:
            raise refuse("NoSuchEntity", "DeleteLoginProfile", "no login profile")
        user.password = False

    def list_attached_group_policies(self, *, GroupName: str) -> dict[str, Any]:
        self._note("list_attached_group_policies")
        return _attached(self.groups[GroupName].attached)

    def list_group_policies(self, *, GroupName: str) -> dict[str, Any]:
        self._note("list_group_policies")
        return {"PolicyNames": sorted(self.groups[GroupName].inline)}

    def list_account_aliases(self) -> dict[str, Any]:
        self._note("list_account_aliases")
        return {"AccountAliases": [self.alias] if self.alias else []}

    def get_paginator(self, operation: str) -> Pages:
        return Pages(self, operation)

    def pages(self, operation: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Pages of `page` entries each, as a busy IAM gives them: fewer than there are."""
        match operation:
            case "list_users":
                key, rows = "Users", [_user_row(n, u) for n, u in self.users.items()]
            case "list_roles":
                key = "Roles"
                rows = [_role_row(n, r) for n, r in self.roles.items()]
            case _:
                group = self.groups.get(arguments["GroupName"])
                if group is None:
                    self._note(operation)
                    raise refuse("NoSuchEntity", "GetGroup", "group")
                key = "Users"
                rows = [_user_row(n, u) for n, u in self.users.items() if n in group.members]
        for start in range(0, max(len(rows), 1), self._page):
            self._note(operation)
            yield {key: rows[start : start + self._page]}

    def holds(self, name: str) -> bool:
        """Whether some deny of ours is on this principal."""
        principal = self.users.get(name) or self.roles[name]
        return (
            DENY_ARN in principal.attached
            or principal.boundary == DENY_ARN
            or name in self.groups[DENY_GROUP].members
            or DENY_POLICY in principal.inline
        )


def _take(principal: Principal, arn: str, operation: str) -> None:
    if arn not in principal.attached:
        raise refuse("NoSuchEntity", operation, f"policy {arn} is not attached")
    principal.attached.remove(arn)


def _attached(arns: set[str]) -> dict[str, Any]:
    return {"AttachedPolicies": [{"PolicyArn": arn} for arn in sorted(arns)]}


def _inline(principal: Principal, name: str, operation: str) -> dict[str, Any]:
    if name not in principal.inline:
        raise refuse("NoSuchEntity", operation, f"policy {name}")
    return {"PolicyName": name, "PolicyDocument": json.loads(principal.inline[name])}


@dataclass(frozen=True)
class Pages:
    iam: MemoryIam
    operation: str

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        return self.iam.pages(self.operation, arguments)


def _user_row(name: str, user: Principal) -> dict[str, Any]:
    return {"UserName": name, "UserId": user.id, "CreateDate": _date(user.made)}


def _role_row(name: str, role: Principal) -> dict[str, Any]:
    return {"RoleName": name, "RoleId": role.id, "CreateDate": _date(role.made)}


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
