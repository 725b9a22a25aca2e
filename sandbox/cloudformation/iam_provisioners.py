"""IAM resources of CloudFormation stacks, each made by the sequence of IAM calls that AWS makes.

So a name that exists, a policy that is still attached or a group with members fails the stack as
on AWS, and each call is told as a record. Creation order and rollback are the emulator's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sandbox.cloudformation.iam_policy_provisioners import (
    Call,
    Made,
    Props,
    as_text,
    create_inline,
    create_policy,
    delete_inline,
    delete_policy,
    given,
    named,
    update_inline,
    update_policy,
)
from sandbox.core import patches
from sandbox.core.state import State
from sandbox.iam.calls_on_behalf import IamRefusal, iam_call, reported_iam_call


@dataclass(frozen=True)
class ResourceKind:
    """A resource type: the property that names it, the longest name, and what is done with it."""

    name: str
    longest: int
    create: Callable[[Call, str, Props], Made]
    update: Callable[[Call, str, Props, Props], Made]
    delete: Callable[[Call, str, Props], None]


def iam_handlers(state: State) -> dict[str, dict[str, Any]]:
    """The resource handlers by type, as the emulator's table has them."""
    call = partial(reported_iam_call, state)
    return {name: _bound(call, kind) for name, kind in KINDS.items()}


def _bound(call: Call, kind: ResourceKind) -> dict[str, Any]:
    def create(logical_id: str, props: Props, stack: str) -> Made:
        name = props.get(kind.name) or _made_up_name(stack, logical_id, kind.longest)
        return kind.create(call, name, props)

    def update(made: str, old: Props, new: Props, stack: str, logical_id: str = "") -> Made:
        if old.get(kind.name) != new.get(kind.name):
            # A new name is a new resource; the emulator deletes the old one after the update.
            return create(logical_id, new, stack)
        return kind.update(call, made, old, new)

    def delete(made: str, props: Props) -> None:
        try:
            kind.delete(call, made, props)
        except IamRefusal as refusal:
            # What somebody else deleted already is deleted.
            if refusal.code != "NoSuchEntity":
                raise

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _create_role(call: Call, name: str, props: Props) -> Made:
    wanted = {
        "RoleName": name,
        "AssumeRolePolicyDocument": as_text(props["AssumeRolePolicyDocument"]),
        **given(props, "Path", "Description", "PermissionsBoundary", "Tags"),
    }
    if "MaxSessionDuration" in props:
        wanted["MaxSessionDuration"] = int(props["MaxSessionDuration"])
    role = call("CreateRole", **wanted)["Role"]
    _settle_or_undo(call, "Role", name, props)
    return name, {"Arn": role["Arn"], "RoleId": role["RoleId"]}


def _update_role(call: Call, made: str, old: Props, new: Props) -> Made:
    trust = new["AssumeRolePolicyDocument"]
    if trust != old.get("AssumeRolePolicyDocument"):
        call("UpdateAssumeRolePolicy", RoleName=made, PolicyDocument=as_text(trust))
    if given(old, "Description", "MaxSessionDuration") != given(
        new, "Description", "MaxSessionDuration"
    ):
        duration = int(new.get("MaxSessionDuration", 3600))
        description = new.get("Description", "")
        call("UpdateRole", RoleName=made, Description=description, MaxSessionDuration=duration)
    _settle_boundary(call, "Role", made, old, new)
    _settle_tags(call, "Role", made, old, new)
    _settle(call, "Role", made, old, new)
    role = iam_call("GetRole", RoleName=made)["Role"]
    return made, {"Arn": role["Arn"], "RoleId": role["RoleId"]}


def _delete_role(call: Call, made: str, props: Props) -> None:
    _settle(call, "Role", made, props, {})
    call("DeleteRole", RoleName=made)


def _create_user(call: Call, name: str, props: Props) -> Made:
    user = call("CreateUser", UserName=name, **given(props, "Path", "PermissionsBoundary", "Tags"))
    _settle_or_undo(call, "User", name, props)
    _settle_groups(call, name, {}, props)
    if "LoginProfile" in props:
        call("CreateLoginProfile", UserName=name, **props["LoginProfile"])
    return name, {"Arn": user["User"]["Arn"]}


def _update_user(call: Call, made: str, old: Props, new: Props) -> Made:
    _settle_boundary(call, "User", made, old, new)
    _settle_tags(call, "User", made, old, new)
    _settle(call, "User", made, old, new)
    _settle_groups(call, made, old, new)
    return made, {"Arn": iam_call("GetUser", UserName=made)["User"]["Arn"]}


def _delete_user(call: Call, made: str, props: Props) -> None:
    _settle_groups(call, made, props, {})
    if "LoginProfile" in props:
        call("DeleteLoginProfile", UserName=made)
    _settle(call, "User", made, props, {})
    call("DeleteUser", UserName=made)


def _create_group(call: Call, name: str, props: Props) -> Made:
    group = call("CreateGroup", GroupName=name, **given(props, "Path"))["Group"]
    _settle_or_undo(call, "Group", name, props)
    return name, {"Arn": group["Arn"]}


def _update_group(call: Call, made: str, old: Props, new: Props) -> Made:
    _settle(call, "Group", made, old, new)
    return made, {"Arn": iam_call("GetGroup", GroupName=made)["Group"]["Arn"]}


def _delete_group(call: Call, made: str, props: Props) -> None:
    group = iam_call("GetGroup", GroupName=made)
    if group["Users"]:
        # The emulator's DeleteGroup lets a group with members go; IAM does not.
        message = "Cannot delete entity, must remove users from group first."
        raise IamRefusal("DeleteConflict", message, 409)
    _settle(call, "Group", made, props, {})
    call("DeleteGroup", GroupName=made)


def _create_profile(call: Call, name: str, props: Props) -> Made:
    made = call("CreateInstanceProfile", InstanceProfileName=name, **given(props, "Path"))
    _settle_profile(call, name, {}, props)
    return name, {"Arn": made["InstanceProfile"]["Arn"]}


def _update_profile(call: Call, made: str, old: Props, new: Props) -> Made:
    _settle_profile(call, made, old, new)
    profile = iam_call("GetInstanceProfile", InstanceProfileName=made)["InstanceProfile"]
    return made, {"Arn": profile["Arn"]}


def _delete_profile(call: Call, made: str, props: Props) -> None:
    _settle_profile(call, made, props, {})
    call("DeleteInstanceProfile", InstanceProfileName=made)


def _settle_profile(call: Call, name: str, old: Props, new: Props) -> None:
    had, wants = set(old.get("Roles", [])), set(new.get("Roles", []))
    for role in sorted(had - wants):
        call("RemoveRoleFromInstanceProfile", InstanceProfileName=name, RoleName=role)
    for role in sorted(wants - had):
        call("AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=role)


def _settle_or_undo(call: Call, kind: str, name: str, props: Props) -> None:
    """What CloudFormation made of a resource whose creation fails, it takes away again."""
    try:
        _settle(call, kind, name, {}, props)
    except IamRefusal:
        for arn in iam_call(f"ListAttached{kind}Policies", **named(kind, name))["AttachedPolicies"]:
            call(f"Detach{kind}Policy", **named(kind, name), PolicyArn=arn["PolicyArn"])
        for policy in iam_call(f"List{kind}Policies", **named(kind, name))["PolicyNames"]:
            call(f"Delete{kind}Policy", **named(kind, name), PolicyName=policy)
        call(f"Delete{kind}", **named(kind, name))
        raise


def _settle(call: Call, kind: str, name: str, old: Props, new: Props) -> None:
    """Attached and inline policies of a role, user or group, from the old template to the new."""
    had, wants = set(old.get("ManagedPolicyArns", [])), set(new.get("ManagedPolicyArns", []))
    for arn in sorted(had - wants):
        call(f"Detach{kind}Policy", **named(kind, name), PolicyArn=arn)
    for arn in sorted(wants - had):
        call(f"Attach{kind}Policy", **named(kind, name), PolicyArn=arn)
    before, after = _inline(old), _inline(new)
    for policy in sorted(before.keys() - after.keys()):
        call(f"Delete{kind}Policy", **named(kind, name), PolicyName=policy)
    for policy, document in after.items():
        if before.get(policy) != document:
            of = named(kind, name)
            call(f"Put{kind}Policy", **of, PolicyName=policy, PolicyDocument=document)


def _settle_boundary(call: Call, kind: str, name: str, old: Props, new: Props) -> None:
    before, after = old.get("PermissionsBoundary"), new.get("PermissionsBoundary")
    if after and after != before:
        call(f"Put{kind}PermissionsBoundary", **named(kind, name), PermissionsBoundary=after)
    elif before and not after:
        call(f"Delete{kind}PermissionsBoundary", **named(kind, name))


def _settle_tags(call: Call, kind: str, name: str, old: Props, new: Props) -> None:
    before = {one["Key"]: one["Value"] for one in old.get("Tags", [])}
    after = {one["Key"]: one["Value"] for one in new.get("Tags", [])}
    if gone := sorted(before.keys() - after.keys()):
        call(f"Untag{kind}", **named(kind, name), TagKeys=gone)
    if changed := [k for k in sorted(after) if after[k] != before.get(k)]:
        tags = [{"Key": key, "Value": after[key]} for key in changed]
        call(f"Tag{kind}", **named(kind, name), Tags=tags)


def _settle_groups(call: Call, user: str, old: Props, new: Props) -> None:
    had, wants = set(old.get("Groups", [])), set(new.get("Groups", []))
    for group in sorted(had - wants):
        call("RemoveUserFromGroup", GroupName=group, UserName=user)
    for group in sorted(wants - had):
        call("AddUserToGroup", GroupName=group, UserName=user)


def _inline(props: Props) -> dict[str, str]:
    return {one["PolicyName"]: as_text(one["PolicyDocument"]) for one in props.get("Policies", [])}


def _made_up_name(stack: str, logical_id: str, longest: int) -> str:
    make = patches.get("ministack.services.cloudformation.provisioners", "_physical_name")
    return str(make(stack, logical_id, max_len=longest))


KINDS = {
    "AWS::IAM::Role": ResourceKind("RoleName", 64, _create_role, _update_role, _delete_role),
    "AWS::IAM::User": ResourceKind("UserName", 64, _create_user, _update_user, _delete_user),
    "AWS::IAM::Group": ResourceKind("GroupName", 128, _create_group, _update_group, _delete_group),
    "AWS::IAM::ManagedPolicy": ResourceKind(
        "ManagedPolicyName", 128, create_policy, update_policy, delete_policy
    ),
    "AWS::IAM::InstanceProfile": ResourceKind(
        "InstanceProfileName", 128, _create_profile, _update_profile, _delete_profile
    ),
    # An inline policy is not known by its PolicyName: Ref answers an id of its own.
    "AWS::IAM::Policy": ResourceKind("", 128, create_inline, update_inline, delete_inline),
}
