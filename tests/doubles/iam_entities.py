"""What an account's IAM consists of in memory, and its refusals; acts on nothing by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from handler.model.names import DENY_POLICY, SESSION_DENY_POLICY, iam_arn

ACCOUNT = "111122223333"
DENY_ARN = iam_arn(partition="aws", account=ACCOUNT, kind="policy", name=DENY_POLICY)
SESSION_DENY_ARN = iam_arn(
    partition="aws", account=ACCOUNT, kind="policy", name=SESSION_DENY_POLICY
)
# IAM User Guide, "IAM and AWS STS quotas".
USER_QUOTA, ROLE_QUOTA, GROUP_QUOTA, KEY_QUOTA = 10, 20, 10, 2


class NoSuchEntityException(ClientError):
    """As botocore raises it."""


class Exceptions:
    ClientError = ClientError
    NoSuchEntityException = NoSuchEntityException


@dataclass
class Principal:
    id: str
    made: float = 0.0
    path: str = "/"
    keys: dict[str, str] = field(default_factory=dict)
    password: bool = False
    attached: set[str] = field(default_factory=set)
    inline: dict[str, str] = field(default_factory=dict)
    boundary: str = ""
    protected: bool = False
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Group:
    members: set[str] = field(default_factory=set)
    attached: set[str] = field(default_factory=set)
    inline: set[str] = field(default_factory=set)


def refuse(code: str, operation: str, message: str = "refused") -> ClientError:
    kind = NoSuchEntityException if code == "NoSuchEntity" else ClientError
    return kind({"Error": {"Code": code, "Message": message}}, operation)


def user_row(name: str, user: Principal) -> dict[str, Any]:
    return {"UserName": name, "UserId": user.id, "Path": user.path, "CreateDate": date(user.made)}


def role_row(name: str, role: Principal) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:role{role.path}{name}"
    return {
        "RoleName": name,
        "RoleId": role.id,
        "Path": role.path,
        "Arn": arn,
        "CreateDate": date(role.made),
    }


def attached_rows(arns: set[str]) -> dict[str, Any]:
    return {"AttachedPolicies": [{"PolicyArn": arn} for arn in sorted(arns)]}


def inline_row(principal: Principal, name: str, operation: str) -> dict[str, Any]:
    if name not in principal.inline:
        raise refuse("NoSuchEntity", operation, f"policy {name}")
    return {"PolicyName": name, "PolicyDocument": json.loads(principal.inline[name])}


def date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
