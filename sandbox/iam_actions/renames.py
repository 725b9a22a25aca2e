"""UpdateUser, UpdateGroup and SetDefaultPolicyVersion, which the emulator's IAM lacks.

A renamed user keeps her id, keys, sessions, groups and policies, as on AWS.
"""

from __future__ import annotations

from typing import Any

from sandbox.core import patches
from sandbox.core.request_context import account_now
from sandbox.iam_actions.replies import IAM, IamError, Params, no_such, value

RENAMED_CREDENTIALS = (("_access_keys", "UserName"), ("_mfa_devices", "User"))


def update_user(params: Params) -> dict[str, Any]:
    old, new = value(params, "UserName"), value(params, "NewUserName")
    users = patches.get(IAM, "_users")
    before = users.get(old)
    user = _moved(users, old, new or old, value(params, "NewPath"), kind="user")
    inline = patches.get(IAM, "_user_inline_policies")
    logins = patches.get(IAM, "_login_profiles")
    if new and new != old:
        for store in (inline, logins):
            if old in store:
                store[new] = store.pop(old)
        if new in logins:
            logins[new] = {**logins[new], "UserName": new}
        for group in patches.get(IAM, "_groups").values():
            group["Users"] = [new if name == old else name for name in group["Users"]]
        for name, key in RENAMED_CREDENTIALS:
            for one in patches.get(IAM, name).values():
                if one.get(key) == old:
                    one[key] = new
    _take_sessions_along(before["Arn"], user["Arn"], old, new or old)
    return {}


def update_group(params: Params) -> dict[str, Any]:
    old = value(params, "GroupName")
    new = value(params, "NewGroupName", old)
    _moved(patches.get(IAM, "_groups"), old, new, value(params, "NewPath"), kind="group")
    inline = patches.get(IAM, "_group_inline_policies")
    if new != old and old in inline:
        inline[new] = inline.pop(old)
    return {}


def set_default_policy_version(params: Params) -> dict[str, Any]:
    arn, version = value(params, "PolicyArn"), value(params, "VersionId")
    policy = patches.get(IAM, "_policies").get(arn)
    if policy is None:
        raise IamError(404, "NoSuchEntity", f"Policy {arn} does not exist.")
    if version not in policy["Versions"]:
        message = f"Policy {arn} version {version} does not exist or is not attachable."
        raise IamError(404, "NoSuchEntity", message)
    for one in policy["Versions"].values():
        one["IsDefaultVersion"] = one["VersionId"] == version
    policy["DefaultVersionId"] = version
    return {}


def _moved(store: Any, old: str, new: str, path: str, *, kind: str) -> dict[str, Any]:
    entity = store.get(old)
    if entity is None:
        raise no_such(kind, old)
    if new != old and new in store:
        message = f"{kind.capitalize()} with name {new} already exists."
        raise IamError(409, "EntityAlreadyExists", message)
    path = path or entity["Path"]
    named = {f"{kind.capitalize()}Name": new, "Path": path}
    moved = {**entity, **named, "Arn": f"arn:aws:iam::{account_now()}:{kind}{path}{new}"}
    store.pop(old)
    store[new] = moved
    return moved


def _take_sessions_along(old_arn: str, new_arn: str, old: str, new: str) -> None:
    account = account_now()
    for session in patches.get("ministack.services.sts", "_sessions").values():
        if session.get("AccountId") == account and session.get("PrincipalName") == old:
            session["PrincipalName"] = new
            if session.get("Arn") == old_arn:
                session["Arn"] = new_arn
