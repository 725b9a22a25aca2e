"""The deny methods: what carries the deny, each effect beside its undo and its check.

Every effect is idempotent, and none of them grants: each puts on our own deny and nothing else.
Quotas that make a deny method refuse: IAM User Guide, "IAM and AWS STS quotas".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handler.model.deny_policy import deny_document, still_denies
from handler.model.names import DENY_GROUP, INLINE_DENY, SESSION_DENY_GROUP
from handler.model.principal import DenyMethod, Target


@dataclass(frozen=True)
class MethodCalls:
    """One deny method for one kind of principal: do, undo, the undo as a command, and two checks.

    `there` says whether it is on, `intact` whether what it puts on is still ours. Without `undo`
    only an administrator can undo it, by the command.
    """

    method: DenyMethod
    do: Callable[[Any, Target], None]
    undo: Callable[[Any, Target], None] | None
    there: Callable[[Any, Target], bool]
    command: Callable[[Target], tuple[str, ...]]
    intact: Callable[[Any, Target], bool]


# ---- deny method 1: the managed policy


def _attach_to_user(iam: Any, target: Target) -> None:
    iam.attach_user_policy(UserName=target.name, PolicyArn=target.deny_arn)


def _detach_from_user(iam: Any, target: Target) -> None:
    iam.detach_user_policy(UserName=target.name, PolicyArn=target.deny_arn)


def _attach_to_role(iam: Any, target: Target) -> None:
    iam.attach_role_policy(RoleName=target.name, PolicyArn=target.deny_arn)


def _detach_from_role(iam: Any, target: Target) -> None:
    iam.detach_role_policy(RoleName=target.name, PolicyArn=target.deny_arn)


def _on_user(iam: Any, target: Target) -> bool:
    return _lists(iam.list_attached_user_policies(UserName=target.name), target.deny_arn)


def _on_role(iam: Any, target: Target) -> bool:
    return _lists(iam.list_attached_role_policies(RoleName=target.name), target.deny_arn)


def _lists(answer: Any, arn: str) -> bool:
    # No principal has more policies than one page holds: 20 for users, 25 for roles at most.
    return any(policy["PolicyArn"] == arn for policy in answer["AttachedPolicies"])


def _policy_is_ours(iam: Any, target: Target) -> bool:
    """Judged by content: a caller that may write a policy version can make a deny allow all."""
    return still_denies(_document(iam, target.deny_arn))


def _document(iam: Any, arn: str) -> Any:
    try:
        policy = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    except iam.exceptions.NoSuchEntityException:
        return None
    return version["PolicyVersion"]["Document"]


# ---- sessions only: a user whose password or device an offender set, not the user's own keys


def _attach_session_deny(iam: Any, target: Target) -> None:
    iam.attach_user_policy(UserName=target.name, PolicyArn=target.session_deny_arn)


def _detach_session_deny(iam: Any, target: Target) -> None:
    iam.detach_user_policy(UserName=target.name, PolicyArn=target.session_deny_arn)


def _session_deny_on_user(iam: Any, target: Target) -> bool:
    answer = iam.list_attached_user_policies(UserName=target.name)
    return _lists(answer, target.session_deny_arn)


def _session_deny_is_ours(iam: Any, target: Target) -> bool:
    return still_denies(_document(iam, target.session_deny_arn), sessions_only=True)


# ---- deny method 2: a deny group for users, a boundary for roles that have none


@dataclass(frozen=True)
class DenyGroup:
    """A group of ours, by its name: which deny it carries, and what says that the deny is ours."""

    name: str
    arn: Callable[[Target], str]
    denies: Callable[[Any, Target], bool]

    def add(self, iam: Any, target: Target) -> None:
        iam.add_user_to_group(GroupName=self.name, UserName=target.name)

    def remove(self, iam: Any, target: Target) -> None:
        iam.remove_user_from_group(GroupName=self.name, UserName=target.name)

    def has(self, iam: Any, target: Target) -> bool:
        groups = iam.list_groups_for_user(UserName=target.name)["Groups"]
        return any(group["GroupName"] == self.name for group in groups)

    def is_ours(self, iam: Any, target: Target) -> bool:
        """The group carries its deny and nothing else, and the deny is ours."""
        attached = iam.list_attached_group_policies(GroupName=self.name)["AttachedPolicies"]
        inline = iam.list_group_policies(GroupName=self.name)["PolicyNames"]
        return (
            [policy["PolicyArn"] for policy in attached] == [self.arn(target)]
            and not inline
            and self.denies(iam, target)
        )


_DENIED = DenyGroup(DENY_GROUP, lambda target: target.deny_arn, _policy_is_ours)
_SESSIONS_DENIED = DenyGroup(
    SESSION_DENY_GROUP, lambda target: target.session_deny_arn, _session_deny_is_ours
)


class BoundaryTaken(Exception):
    """The role has a permissions boundary that we do not replace: its owner's."""


def _bound(iam: Any, target: Target) -> None:
    """One call, also where the kept deny is the boundary: the role is denied before and after.

    That one is put where no boundary was, as ours is, so the undo stays the same: none.
    """
    arn = boundary_of(iam, target.name)
    if arn not in ("", target.deny_arn, target.kept_deny_arn):
        raise BoundaryTaken(f"the role has the boundary {arn}")
    if arn == target.kept_deny_arn and not _policy_is_ours(iam, target):
        raise BoundaryTaken(f"the role has the boundary {arn}, and our own deny was rewritten")
    iam.put_role_permissions_boundary(RoleName=target.name, PermissionsBoundary=target.deny_arn)


def _is_bound(iam: Any, target: Target) -> bool:
    return boundary_of(iam, target.name) == target.deny_arn


def boundary_of(iam: Any, role: str) -> str:
    """ARN of a role's permissions boundary, empty where it has none."""
    found = iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary", {})
    return str(found.get("PermissionsBoundaryArn", ""))


# ---- deny method 3: an inline deny, only where a parameter allows it


def _put_user_inline(iam: Any, target: Target) -> None:
    iam.put_user_policy(
        UserName=target.name, PolicyName=INLINE_DENY, PolicyDocument=_compact_deny(target)
    )


def _delete_user_inline(iam: Any, target: Target) -> None:
    iam.delete_user_policy(UserName=target.name, PolicyName=INLINE_DENY)


def _put_role_inline(iam: Any, target: Target) -> None:
    iam.put_role_policy(
        RoleName=target.name, PolicyName=INLINE_DENY, PolicyDocument=_compact_deny(target)
    )


def _delete_role_inline(iam: Any, target: Target) -> None:
    iam.delete_role_policy(RoleName=target.name, PolicyName=INLINE_DENY)


def _user_inline_is_ours(iam: Any, target: Target) -> bool:
    return _inline_is_ours(
        iam, lambda: iam.get_user_policy(UserName=target.name, PolicyName=INLINE_DENY)
    )


def _role_inline_is_ours(iam: Any, target: Target) -> bool:
    return _inline_is_ours(
        iam, lambda: iam.get_role_policy(RoleName=target.name, PolicyName=INLINE_DENY)
    )


def _inline_is_ours(iam: Any, get: Callable[[], Any]) -> bool:
    try:
        document = get()["PolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        return False
    return still_denies(document)


def _compact_deny(target: Target) -> str:
    return json.dumps(deny_document(everything=target.everything), separators=(",", ":"))


# ---- the undo, as the commands that a person types


def _command(verb: str, flag: str, *rest: str) -> Callable[[Target], tuple[str, ...]]:
    """`flag=value` in one word, because IAM names may begin with a dash."""

    def build(target: Target) -> tuple[str, ...]:
        arns = {"deny": target.deny_arn, "session_deny": target.session_deny_arn}
        filled = (part.format(**arns) for part in rest)
        return ("aws", "iam", verb, f"{flag}={target.name}", *filled)

    return build


USER_METHOD_CALLS = (
    MethodCalls(
        method=DenyMethod.MANAGED_POLICY,
        do=_attach_to_user,
        undo=_detach_from_user,
        there=_on_user,
        intact=_policy_is_ours,
        command=_command("detach-user-policy", "--user-name", "--policy-arn={deny}"),
    ),
    MethodCalls(
        method=DenyMethod.DENY_GROUP,
        do=_DENIED.add,
        undo=_DENIED.remove,
        there=_DENIED.has,
        intact=_DENIED.is_ours,
        command=_command("remove-user-from-group", "--user-name", f"--group-name={DENY_GROUP}"),
    ),
    MethodCalls(
        method=DenyMethod.INLINE_POLICY,
        do=_put_user_inline,
        undo=_delete_user_inline,
        there=_user_inline_is_ours,
        intact=_user_inline_is_ours,
        command=_command("delete-user-policy", "--user-name", f"--policy-name={INLINE_DENY}"),
    ),
)
ROLE_METHOD_CALLS = (
    MethodCalls(
        method=DenyMethod.MANAGED_POLICY,
        do=_attach_to_role,
        undo=_detach_from_role,
        there=_on_role,
        intact=_policy_is_ours,
        command=_command("detach-role-policy", "--role-name", "--policy-arn={deny}"),
    ),
    # No undo by the function: a role that may put a boundary over the owner's and take it off
    # again could widen somebody, and none of our permissions may.
    MethodCalls(
        method=DenyMethod.BOUNDARY,
        do=_bound,
        undo=None,
        there=_is_bound,
        intact=_policy_is_ours,
        command=_command("delete-role-permissions-boundary", "--role-name"),
    ),
    MethodCalls(
        method=DenyMethod.INLINE_POLICY,
        do=_put_role_inline,
        undo=_delete_role_inline,
        there=_role_inline_is_ours,
        intact=_role_inline_is_ours,
        command=_command("delete-role-policy", "--role-name", f"--policy-name={INLINE_DENY}"),
    ),
)
SESSION_METHOD_CALLS = (
    MethodCalls(
        method=DenyMethod.SESSION_POLICY,
        do=_attach_session_deny,
        undo=_detach_session_deny,
        there=_session_deny_on_user,
        intact=_session_deny_is_ours,
        command=_command("detach-user-policy", "--user-name", "--policy-arn={session_deny}"),
    ),
    MethodCalls(
        method=DenyMethod.SESSION_GROUP,
        do=_SESSIONS_DENIED.add,
        undo=_SESSIONS_DENIED.remove,
        there=_SESSIONS_DENIED.has,
        intact=_SESSIONS_DENIED.is_ours,
        command=_command(
            "remove-user-from-group", "--user-name", f"--group-name={SESSION_DENY_GROUP}"
        ),
    ),
)
