"""The rungs: what can carry the deny, each effect beside its undo and its check. No choice here.

Every effect is idempotent, and none of them can grant: each puts on our own deny and nothing else.
Quotas that make a rung refuse: IAM User Guide, "IAM and AWS STS quotas".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from handler.deny import deny_document
from handler.names import DENY_GROUP, DENY_POLICY, INLINE_DENY, iam_arn
from handler.trail import Kind


class Rung(Enum):
    MANAGED_POLICY = "managed-policy"
    DENY_GROUP = "deny-group"
    BOUNDARY = "boundary"
    INLINE_POLICY = "inline-policy"


@dataclass(frozen=True)
class Target:
    """Whom to contain. `name` or `id` may be empty, not both; kind is USER or ROLE."""

    kind: Kind
    name: str
    id: str
    account: str
    partition: str

    @property
    def deny_arn(self) -> str:
        return iam_arn(
            partition=self.partition, account=self.account, kind="policy", name=DENY_POLICY
        )


@dataclass(frozen=True)
class Step:
    """One rung for one kind of principal: do, undo, the undo as a command, the check after it."""

    rung: Rung
    do: Callable[[Any, Target], None]
    undo: Callable[[Any, Target], None]
    command: Callable[[Target], tuple[str, ...]]
    intact: Callable[[Any, Target], bool]


# ---- rung 1: the managed policy


def _attach_to_user(iam: Any, target: Target) -> None:
    iam.attach_user_policy(UserName=target.name, PolicyArn=target.deny_arn)


def _detach_from_user(iam: Any, target: Target) -> None:
    iam.detach_user_policy(UserName=target.name, PolicyArn=target.deny_arn)


def _attach_to_role(iam: Any, target: Target) -> None:
    iam.attach_role_policy(RoleName=target.name, PolicyArn=target.deny_arn)


def _detach_from_role(iam: Any, target: Target) -> None:
    iam.detach_role_policy(RoleName=target.name, PolicyArn=target.deny_arn)


def _policy_is_ours(iam: Any, target: Target) -> bool:
    """Judged by content: whoever may write a policy version can make a deny allow everything."""
    try:
        policy = iam.get_policy(PolicyArn=target.deny_arn)["Policy"]
        version = iam.get_policy_version(
            PolicyArn=target.deny_arn, VersionId=policy["DefaultVersionId"]
        )["PolicyVersion"]
    except iam.exceptions.NoSuchEntityException:
        return False
    return bool(version["Document"] == deny_document())


# ---- rung 2: the deny group for users, a boundary for roles that have none


def _add_to_group(iam: Any, target: Target) -> None:
    iam.add_user_to_group(GroupName=DENY_GROUP, UserName=target.name)


def _remove_from_group(iam: Any, target: Target) -> None:
    iam.remove_user_from_group(GroupName=DENY_GROUP, UserName=target.name)


def _group_is_ours(iam: Any, target: Target) -> bool:
    """The group carries the deny and nothing else, and the deny is ours."""
    attached = iam.list_attached_group_policies(GroupName=DENY_GROUP)["AttachedPolicies"]
    inline = iam.list_group_policies(GroupName=DENY_GROUP)["PolicyNames"]
    return (
        [policy["PolicyArn"] for policy in attached] == [target.deny_arn]
        and not inline
        and _policy_is_ours(iam, target)
    )


class BoundaryTaken(Exception):
    """The role has a permissions boundary of its owner's, which we never replace."""


def _bound(iam: Any, target: Target) -> None:
    boundary = iam.get_role(RoleName=target.name)["Role"].get("PermissionsBoundary", {})
    arn = boundary.get("PermissionsBoundaryArn", target.deny_arn)
    if arn != target.deny_arn:
        raise BoundaryTaken(f"the role has the boundary {arn}")
    iam.put_role_permissions_boundary(RoleName=target.name, PermissionsBoundary=target.deny_arn)


def _unbound(iam: Any, target: Target) -> None:
    iam.delete_role_permissions_boundary(RoleName=target.name)


# ---- rung 3: an inline deny, only where a parameter allows it


def _put_user_inline(iam: Any, target: Target) -> None:
    iam.put_user_policy(
        UserName=target.name, PolicyName=INLINE_DENY, PolicyDocument=_compact_deny()
    )


def _delete_user_inline(iam: Any, target: Target) -> None:
    iam.delete_user_policy(UserName=target.name, PolicyName=INLINE_DENY)


def _put_role_inline(iam: Any, target: Target) -> None:
    iam.put_role_policy(
        RoleName=target.name, PolicyName=INLINE_DENY, PolicyDocument=_compact_deny()
    )


def _delete_role_inline(iam: Any, target: Target) -> None:
    iam.delete_role_policy(RoleName=target.name, PolicyName=INLINE_DENY)


def _just_written(iam: Any, target: Target) -> bool:  # noqa: ARG001  # a check like the others
    return True


def _compact_deny() -> str:
    return json.dumps(deny_document(), separators=(",", ":"))


# ---- the undo, as the commands that a person types


def _command(verb: str, flag: str, *rest: str) -> Callable[[Target], tuple[str, ...]]:
    """`flag=value` in one word, because IAM names may begin with a dash."""

    def build(target: Target) -> tuple[str, ...]:
        filled = (part.replace("{deny}", target.deny_arn) for part in rest)
        return ("aws", "iam", verb, f"{flag}={target.name}", *filled)

    return build


USER_STEPS = (
    Step(
        rung=Rung.MANAGED_POLICY,
        do=_attach_to_user,
        undo=_detach_from_user,
        command=_command("detach-user-policy", "--user-name", "--policy-arn={deny}"),
        intact=_policy_is_ours,
    ),
    Step(
        rung=Rung.DENY_GROUP,
        do=_add_to_group,
        undo=_remove_from_group,
        command=_command("remove-user-from-group", "--user-name", f"--group-name={DENY_GROUP}"),
        intact=_group_is_ours,
    ),
    Step(
        rung=Rung.INLINE_POLICY,
        do=_put_user_inline,
        undo=_delete_user_inline,
        command=_command("delete-user-policy", "--user-name", f"--policy-name={INLINE_DENY}"),
        intact=_just_written,
    ),
)
ROLE_STEPS = (
    Step(
        rung=Rung.MANAGED_POLICY,
        do=_attach_to_role,
        undo=_detach_from_role,
        command=_command("detach-role-policy", "--role-name", "--policy-arn={deny}"),
        intact=_policy_is_ours,
    ),
    Step(
        rung=Rung.BOUNDARY,
        do=_bound,
        undo=_unbound,
        command=_command("delete-role-permissions-boundary", "--role-name"),
        intact=_policy_is_ours,
    ),
    Step(
        rung=Rung.INLINE_POLICY,
        do=_put_role_inline,
        undo=_delete_role_inline,
        command=_command("delete-role-policy", "--role-name", f"--policy-name={INLINE_DENY}"),
        intact=_just_written,
    ),
)
