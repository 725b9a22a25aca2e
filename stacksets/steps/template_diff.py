"""What an upgrade changes: parameters, resources, and what CloudFormation would replace. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Properties that CloudFormation cannot change in place, for the types of our templates: of those
# the ones that a stack sets itself (AWS CloudFormation resource reference, "Update requires").
CREATE_ONLY: Mapping[str, tuple[str, ...]] = {
    "AWS::CloudTrail::Trail": ("TrailName",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::DynamoDB::Table": ("TableName", "KeySchema", "ImportSourceSpecification"),
    "AWS::Events::EventBus": ("Name",),
    "AWS::Events::EventBusPolicy": ("EventBusName", "StatementId"),
    "AWS::Events::Rule": ("Name", "EventBusName"),
    "AWS::IAM::Group": ("GroupName",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "Path", "Description"),
    "AWS::IAM::Role": ("RoleName", "Path"),
    "AWS::KMS::Key": (),
    "AWS::Lambda::EventInvokeConfig": ("FunctionName", "Qualifier"),
    "AWS::Lambda::EventSourceMapping": ("EventSourceArn", "StartingPosition"),
    "AWS::Lambda::Function": ("FunctionName", "PackageType"),
    "AWS::Lambda::Permission": (
        *("Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"),
        *("PrincipalOrgID", "EventSourceToken", "FunctionUrlAuthType"),
    ),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::SNS::Subscription": ("TopicArn", "Protocol", "Endpoint"),
    "AWS::SNS::Topic": ("TopicName", "FifoTopic"),
    "AWS::SNS::TopicPolicy": (),
    "AWS::SQS::Queue": ("QueueName", "FifoQueue"),
    "AWS::SQS::QueuePolicy": (),
    "AWS::Scheduler::Schedule": ("Name",),
}
# Types that remember: the ledger, incidents, dead letters, logs, keys, and what holds a deny on.
STATE = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::IAM::Group",
        "AWS::IAM::ManagedPolicy",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    }
)


def parameter_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """One line for each parameter whose value changes; "(none)" for what is new or gone."""
    return tuple(
        f"{name}: {before.get(name, '(none)') or '(empty)'} -> "
        f"{after.get(name, '(none)') or '(empty)'}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def template_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """One line for each resource that is added, removed, changed or replaced."""
    return tuple(line for line, _ in _changes(before, after))


def state_at_risk(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The resources that remember, and that the new template would remove or replace."""
    return tuple(name for _, name in _changes(before, after) if name)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(line, the resource if state would be lost, else "")."""
    old, new = before.get("Resources", {}), after.get("Resources", {})
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"+ {name} ({new[name]['Type']})", ""
        elif name not in new:
            kind = old[name]["Type"]
            yield f"- {name} ({kind})", name if kind in STATE else ""
        elif old[name] != new[name]:
            yield _changed(name, old[name], new[name])
    for part in ("Parameters", "Conditions", "Mappings", "Rules", "Outputs"):
        if before.get(part) != after.get(part):
            yield f"~ {part}", ""


def _changed(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, str]:
    kind = old["Type"]
    if kind != new["Type"]:
        return f"! {name} is replaced: {kind} -> {new['Type']}", name if kind in STATE else ""
    before, after = old.get("Properties", {}), new.get("Properties", {})
    differing = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    fixed = [key for key in CREATE_ONLY.get(kind, ()) if key in differing]
    if fixed:
        return f"! {name} ({kind}) is replaced: {', '.join(fixed)}", name if kind in STATE else ""
    what = ", ".join(differing) or "other than properties"
    return f"~ {name} ({kind}): {what}", ""
