"""Service control policies bind what CloudFormation does for somebody: a table of its calls.

Only those policies: what the caller's own policies allow is not asked (the execution role of a
StackSet may do everything). IAM's resources are checked call by call in iam_calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.cloudformation.provisioners import MODULE, TABLE, Props, ResourceRefused
from sandbox.core import patches
from sandbox.core.request_context import account_now, refused_to_caller, region_now
from sandbox.core.state import State


@dataclass(frozen=True)
class Calls:
    """The calls behind a resource type. `arn` is the resource part, `name` the property in it."""

    service: str
    arn: str
    name: str
    create: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]


_FUNCTION_UPDATE = ("UpdateFunctionCode", "UpdateFunctionConfiguration")
_INVOKE = ("PutFunctionEventInvokeConfig",)
CALLS = {
    "AWS::Lambda::Function": Calls(
        "lambda",
        "function:{}",
        "FunctionName",
        ("CreateFunction",),
        _FUNCTION_UPDATE,
        ("DeleteFunction",),
    ),
    "AWS::Lambda::Permission": Calls(
        "lambda",
        "function:{}",
        "FunctionName",
        ("AddPermission",),
        ("RemovePermission", "AddPermission"),
        ("RemovePermission",),
    ),
    "AWS::Lambda::EventInvokeConfig": Calls(
        "lambda",
        "function:{}",
        "FunctionName",
        _INVOKE,
        _INVOKE,
        ("DeleteFunctionEventInvokeConfig",),
    ),
    "AWS::Events::Rule": Calls(
        "events",
        "rule/{}",
        "Name",
        ("PutRule", "PutTargets"),
        ("PutRule", "PutTargets"),
        ("RemoveTargets", "DeleteRule"),
    ),
    "AWS::SQS::Queue": Calls(
        "sqs", "{}", "QueueName", ("CreateQueue",), ("SetQueueAttributes",), ("DeleteQueue",)
    ),
    "AWS::SNS::Topic": Calls(
        "sns", "{}", "TopicName", ("CreateTopic",), ("SetTopicAttributes",), ("DeleteTopic",)
    ),
    "AWS::Logs::LogGroup": Calls(
        "logs",
        "log-group:{}",
        "LogGroupName",
        ("CreateLogGroup",),
        ("PutRetentionPolicy",),
        ("DeleteLogGroup",),
    ),
    "AWS::DynamoDB::Table": Calls(
        "dynamodb", "table/{}", "TableName", ("CreateTable",), ("UpdateTable",), ("DeleteTable",)
    ),
    "AWS::CloudTrail::Trail": Calls(
        "cloudtrail", "trail/{}", "TrailName", ("CreateTrail",), ("UpdateTrail",), ("DeleteTrail",)
    ),
}


def install(state: State) -> None:
    """Put the checks in front of the emulator's handlers, until the hooks are restored."""
    table: dict[str, dict[str, Any]] = patches.get(MODULE, TABLE)
    for kind, calls in CALLS.items():
        patches.replace_entry(MODULE, TABLE, kind, _checked(state, calls, table[kind]))


def _checked(state: State, calls: Calls, plain: dict[str, Any]) -> dict[str, Any]:
    def create(logical_id: str, props: Props, stack: str) -> Any:
        _ask(state, calls, calls.create, props.get(calls.name) or f"{stack}-{logical_id}")
        return plain["create"](logical_id, props, stack)

    def update(made: str, old: Props, new: Props, *more: Any) -> Any:
        if old != new:
            _ask(state, calls, calls.update, new.get(calls.name) or made)
        return plain["update"](made, old, new, *more)

    def delete(made: str, props: Props, *more: Any) -> Any:
        _ask(state, calls, calls.delete, props.get(calls.name) or made)
        return plain["delete"](made, props, *more)

    own: dict[str, Callable[..., Any]] = {"create": create, "delete": delete}
    if "update" in plain:
        own["update"] = update
    return {**plain, **own}


def _ask(state: State, calls: Calls, actions: tuple[str, ...], name: str) -> None:
    resource = calls.arn.format(name.rpartition(":")[2] if name.startswith("arn:") else name)
    arn = f"arn:aws:{calls.service}:{region_now()}:{account_now()}:{resource}"
    for action in actions:
        reason = refused_to_caller(state, f"{calls.service}:{action}", arn)
        if reason:
            raise ResourceRefused(reason, "AccessDenied")
