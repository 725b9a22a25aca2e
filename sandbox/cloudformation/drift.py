"""What drift detection reads of the resources that the emulator does not compare, or by half.

Readers for the emulator's own detection: policies, groups, roles, rules and schedules. Which
property of which type AWS compares: CloudFormation User Guide, "Resource type support for imports
and drift detection". The code of a function is not compared, there as here: AWS cannot read it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from sandbox.core import patches
from sandbox.iam.calls_on_behalf import IamRefusal, iam_call

Props = dict[str, Any]
Reader = Callable[[str, Props], Props | None]

MODULE = "ministack.services.cloudformation.drift"
TABLE = "_DRIFT_READERS"
EVENTS = "ministack.services.eventbridge"
SCHEDULER = "ministack.services.scheduler"


def install_drift() -> None:
    """Put the readers into the emulator's table, until the hooks are restored."""
    role, properties = patches.get(MODULE, TABLE)["AWS::IAM::Role"]
    more = {"Policies", "ManagedPolicyArns", "PermissionsBoundary"}
    added: dict[str, tuple[Reader, frozenset[str]]] = {
        "AWS::IAM::ManagedPolicy": (
            _policy,
            frozenset({"ManagedPolicyName", "Path", "Description", "PolicyDocument"}),
        ),
        "AWS::IAM::Group": (
            _group,
            frozenset({"GroupName", "Path", "Policies", "ManagedPolicyArns"}),
        ),
        "AWS::IAM::Role": (_role(role), frozenset({*properties, *more})),
        "AWS::Events::Rule": (_rule, frozenset({*_OF_RULES, "Targets"})),
        "AWS::Scheduler::Schedule": (_schedule, frozenset({"State", "ScheduleExpression"})),
    }
    for kind, reader in added.items():
        patches.replace_entry(MODULE, TABLE, kind, reader)


_OF_RULES = ("Name", "Description", "State", "EventPattern", "ScheduleExpression", "RoleArn")


def _policy(arn: str, _props: Props) -> Props | None:
    try:
        policy = iam_call("GetPolicy", PolicyArn=arn)["Policy"]
    except IamRefusal as refusal:
        if refusal.code == "NoSuchEntity":
            return None
        raise
    version = iam_call("GetPolicyVersion", PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    return {
        "ManagedPolicyName": policy["PolicyName"],
        "Path": policy["Path"],
        "Description": policy.get("Description", ""),
        "PolicyDocument": _document(version["PolicyVersion"]["Document"]),
    }


def _group(name: str, _props: Props) -> Props | None:
    try:
        group = iam_call("GetGroup", GroupName=name)["Group"]
    except IamRefusal as refusal:
        if refusal.code == "NoSuchEntity":
            return None
        raise
    return {"GroupName": name, "Path": group["Path"], **_powers("Group", name)}


def _role(plain: Reader) -> Reader:
    def read(name: str, props: Props) -> Props | None:
        found = plain(name, props)
        if found is None:
            return None
        role = iam_call("GetRole", RoleName=name)["Role"]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        bound = {"PermissionsBoundary": boundary} if boundary else {}
        return {**found, **bound, **_powers("Role", name)}

    return read


def _powers(kind: str, name: str) -> Props:
    """The managed and inline policies of a role or group, in the shape of a template."""
    of = {f"{kind}Name": name}
    attached = iam_call(f"ListAttached{kind}Policies", **of)["AttachedPolicies"]
    inline = iam_call(f"List{kind}Policies", **of)["PolicyNames"]
    documents = {one: iam_call(f"Get{kind}Policy", **of, PolicyName=one) for one in inline}
    return {
        "ManagedPolicyArns": [one["PolicyArn"] for one in attached],
        "Policies": [
            {"PolicyName": one, "PolicyDocument": _document(reported["PolicyDocument"])}
            for one, reported in documents.items()
        ],
    }


def _rule(name: str, props: Props) -> Props | None:
    key = patches.get(EVENTS, "_rule_key")(name, props.get("EventBusName") or "default")
    rule = patches.get(EVENTS, "_rules").get(key)
    if rule is None:
        return None
    found = {one: rule[one] for one in _OF_RULES if rule.get(one)}
    if "EventPattern" in found:
        found["EventPattern"] = json.loads(found["EventPattern"])
    return {**found, "Targets": list(patches.get(EVENTS, "_targets").get(key) or [])}


def _schedule(name: str, props: Props) -> Props | None:
    group = props.get("GroupName", "default")
    found: Props | None = patches.get(SCHEDULER, "_schedules").get(f"{group}/{name}")
    return found


def _document(document: Any) -> Any:
    # IAM's own answers are quoted for URLs; boto3 would have undone that.
    return json.loads(unquote(document)) if isinstance(document, str) else document
