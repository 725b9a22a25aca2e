"""Managed and inline policies of CloudFormation stacks, as the IAM calls that AWS makes of them.

Each function does one stack operation on one resource; who calls and what is told is the
business of `call`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.iam.calls_on_behalf import IamRefusal, iam_call

Props = dict[str, Any]
Made = tuple[str, dict[str, Any]]
Call = Callable[..., dict[str, Any]]

MAX_VERSIONS = 5
ATTACHED = {"Roles": "Role", "Users": "User", "Groups": "Group"}


def create_policy(call: Call, name: str, props: Props) -> Made:
    document = as_text(props["PolicyDocument"])
    more = given(props, "Path", "Description")
    policy = call("CreatePolicy", PolicyName=name, PolicyDocument=document, **more)["Policy"]
    arn = str(policy["Arn"])
    try:
        _settle_attachments(call, arn, {}, props)
    except IamRefusal:
        delete_policy(call, arn, props)
        raise
    return arn, _policy_attributes(arn)


def update_policy(call: Call, made: str, old: Props, new: Props) -> Made:
    if new["PolicyDocument"] != old.get("PolicyDocument"):
        spare = [one for one in _versions(made) if not one["IsDefaultVersion"]]
        if len(spare) >= MAX_VERSIONS - 1:
            oldest = min(spare, key=lambda one: int(one["VersionId"][1:]))
            call("DeletePolicyVersion", PolicyArn=made, VersionId=oldest["VersionId"])
        document = as_text(new["PolicyDocument"])
        call("CreatePolicyVersion", PolicyArn=made, PolicyDocument=document, SetAsDefault=True)
    _settle_attachments(call, made, old, new)
    return made, _policy_attributes(made)


def delete_policy(call: Call, made: str, props: Props) -> None:
    _settle_attachments(call, made, props, {})
    if not _in_use(made):
        for one in _versions(made):
            if not one["IsDefaultVersion"]:
                call("DeletePolicyVersion", PolicyArn=made, VersionId=one["VersionId"])
    call("DeletePolicy", PolicyArn=made)


def create_inline(call: Call, name: str, props: Props) -> Made:
    _settle_inline(call, {}, props)
    return name, {"Id": name}


def update_inline(call: Call, made: str, old: Props, new: Props) -> Made:
    _settle_inline(call, old, new)
    return made, {"Id": made}


def delete_inline(call: Call, _made: str, props: Props) -> None:
    _settle_inline(call, props, {})


def _settle_attachments(call: Call, arn: str, old: Props, new: Props) -> None:
    for prop, kind in ATTACHED.items():
        had, wants = set(old.get(prop, [])), set(new.get(prop, []))
        for name in sorted(had - wants):
            call(f"Detach{kind}Policy", **named(kind, name), PolicyArn=arn)
        for name in sorted(wants - had):
            call(f"Attach{kind}Policy", **named(kind, name), PolicyArn=arn)


def _settle_inline(call: Call, old: Props, new: Props) -> None:
    before, after = old.get("PolicyName", ""), new.get("PolicyName", "")
    for prop, kind in ATTACHED.items():
        keeps = set(new.get(prop, [])) if before == after else set()
        for name in sorted(set(old.get(prop, [])) - keeps):
            call(f"Delete{kind}Policy", **named(kind, name), PolicyName=before)
        for name in new.get(prop, []):
            document = as_text(new["PolicyDocument"])
            of = named(kind, name)
            call(f"Put{kind}Policy", **of, PolicyName=after, PolicyDocument=document)


def _versions(arn: str) -> list[dict[str, Any]]:
    versions: list[dict[str, Any]] = iam_call("ListPolicyVersions", PolicyArn=arn)["Versions"]
    return versions


def _in_use(arn: str) -> bool:
    policy = iam_call("GetPolicy", PolicyArn=arn)["Policy"]
    return bool(policy.get("AttachmentCount") or policy.get("PermissionsBoundaryUsageCount"))


def _policy_attributes(arn: str) -> dict[str, Any]:
    policy = iam_call("GetPolicy", PolicyArn=arn)["Policy"]
    names = ("PolicyId", "AttachmentCount", "DefaultVersionId", "IsAttachable")
    return {"PolicyArn": arn, **{name: policy[name] for name in names}}


def named(kind: str, name: str) -> dict[str, str]:
    return {f"{kind}Name": name}


def given(props: Props, *names: str) -> Props:
    return {name: props[name] for name in names if props.get(name)}


def as_text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)
