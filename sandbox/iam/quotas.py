"""IAM's refusals that the emulator lacks: quotas, protected roles, names taken, policies missing.

Figures: IAM User Guide, "IAM and AWS STS quotas" (defaults); names: API Reference, CreatePolicy.
The sandbox's own quiet calls pass.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.core import patches
from sandbox.core.calls import quiet

IAM = "ministack.services.iam"
POLICIES = {"User": 10, "Role": 20, "Group": 10}
GROUPS_OF_A_USER = 10
KEYS_OF_A_USER = 2
INLINE_SIZES = {"User": 2048, "Role": 10240, "Group": 5120}
PROTECTED_PATHS = ("/aws-service-role/", "/aws-reserved/")
ROLE_CHANGES = [
    "AttachRolePolicy",
    "DetachRolePolicy",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "UpdateAssumeRolePolicy",
    "PutRolePermissionsBoundary",
    "DeleteRolePermissionsBoundary",
    "DeleteRole",
    "UpdateRole",
    "TagRole",
    "UntagRole",
]

Params = Mapping[str, Any]
Answer = Any
Check = Callable[[Params], Answer | None]


def install() -> None:
    """Put a check in front of IAM's handlers; the first that answers refuses the call."""
    for kind in ("User", "Role", "Group"):
        _before(f"Attach{kind}Policy", functools.partial(_attach, kind))
        _before(f"Put{kind}Policy", functools.partial(_inline, kind))
    _before("AddUserToGroup", _join)
    _before("CreateAccessKey", _key)
    for action in ("UpdateAccessKey", "DeleteAccessKey"):
        _before(action, _whose_key)
    _before("DeleteGroup", _delete_group)
    _before("CreatePolicy", _name)
    # The last one put in front asks first: a protected role is refused before any quota.
    for action in ROLE_CHANGES:
        _before(action, _protected)


def _before(action: str, check: Check) -> None:
    def handler(params: Params) -> Answer:
        refused = None if quiet.get() else check(params)
        return refused or original(params)

    original = patches.replace_entry(IAM, "_IAM_HANDLERS", action, handler)


def _attach(kind: str, params: Params) -> Answer | None:
    name, policy = _value(params, f"{kind}Name"), _value(params, "PolicyArn")
    entity = _entity(kind, name)
    if entity is None:
        return None
    if patches.get(IAM, "_lookup_policy")(policy) is None:
        return _error(404, "NoSuchEntity", f"Policy {policy} does not exist or is not attachable.")
    attached = entity.get("AttachedPolicies", [])
    if policy not in attached and len(attached) >= POLICIES[kind]:
        limit = f"Cannot exceed quota for PoliciesPer{kind}: {POLICIES[kind]}"
        return _error(409, "LimitExceeded", limit)
    return None


def _inline(kind: str, params: Params) -> Answer | None:
    name, policy = _value(params, f"{kind}Name"), _value(params, "PolicyName")
    entity = _entity(kind, name)
    if entity is None:
        return None
    if kind == "Role":
        there = entity.get("InlinePolicies") or {}
    else:
        there = patches.get(IAM, f"_{kind.lower()}_inline_policies").get(name) or {}
    after = {**there, policy: _value(params, "PolicyDocument")}
    # White space does not count.
    if sum(len("".join(str(text).split())) for text in after.values()) > INLINE_SIZES[kind]:
        size = (
            f"Maximum policy size of {INLINE_SIZES[kind]} bytes exceeded for {kind.lower()} {name}"
        )
        return _error(409, "LimitExceeded", size)
    return None


def _join(params: Params) -> Answer | None:
    user, group = _value(params, "UserName"), _value(params, "GroupName")
    groups = patches.get(IAM, "_groups")
    joined = [name for name, one in groups.items() if user in one["Users"]]
    if group not in joined and len(joined) >= GROUPS_OF_A_USER:
        return _error(
            409, "LimitExceeded", f"Cannot exceed quota for GroupsPerUser: {GROUPS_OF_A_USER}"
        )
    return None


def _key(params: Params) -> Answer | None:
    user = _value(params, "UserName")
    keys = [one for one in patches.get(IAM, "_access_keys").values() if one["UserName"] == user]
    if user and len(keys) >= KEYS_OF_A_USER:
        return _error(
            409, "LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {KEYS_OF_A_USER}"
        )
    return None


def _whose_key(params: Params) -> Answer | None:
    user, key = _value(params, "UserName"), _value(params, "AccessKeyId")
    found = patches.get(IAM, "_access_keys").get(key)
    if user and found is not None and found["UserName"] != user:
        return _error(404, "NoSuchEntity", f"The Access Key with id {key} cannot be found.")
    return None


def _delete_group(params: Params) -> Answer | None:
    name = _value(params, "GroupName")
    group = _entity("Group", name)
    if group is None:
        return None
    inline = patches.get(IAM, "_group_inline_policies").get(name)
    reasons = {
        "must remove users from group first.": group["Users"],
        "must detach all policies first.": group.get("AttachedPolicies"),
        "must delete policies first.": inline,
    }
    for reason, there in reasons.items():
        if there:
            return _error(409, "DeleteConflict", f"Cannot delete entity, {reason}")
    return None


def _name(params: Params) -> Answer | None:
    """A policy's name is there once in an account, whatever its path and its case."""
    name = _value(params, "PolicyName")
    names = [one["PolicyName"].casefold() for one in patches.get(IAM, "_policies").values()]
    if name.casefold() in names:
        return _error(409, "EntityAlreadyExists", f"A policy called {name} already exists.")
    return None


def _protected(params: Params) -> Answer | None:
    name = _value(params, "RoleName")
    role = _entity("Role", name)
    if role is None or not role.get("Path", "/").startswith(PROTECTED_PATHS):
        return None
    return _error(
        400,
        "UnmodifiableEntity",
        f"Cannot perform the operation on the protected role '{name}' - "
        "this role is only modifiable by AWS",
    )


def _entity(kind: str, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = patches.get(IAM, f"_{kind.lower()}s").get(name)
    return found


def _value(params: Params, name: str) -> str:
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value or "")


def _error(status: int, code: str, message: str) -> Answer:
    return patches.get(IAM, "_error")(status, code, message, ns="iam")
