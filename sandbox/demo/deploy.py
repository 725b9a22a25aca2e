"""Carry a template into one account as a stack, or bring a StackSet to another one.

For the sandbox, whose scenes want one stack or one call; a rollout walks a plan instead. Clients
and sleep are arguments. Every failure ends as RolloutFailed with the accounts and AWS's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
POLL_SECONDS = 2.0

Sleep = Callable[[float], None]


class RolloutFailed(Exception):
    """A stack or an operation did not succeed; the message names account and reason."""


def deploy_stack(
    cloudformation: Any,
    *,
    name: str,
    template: Mapping[str, str],
    parameters: Mapping[str, str],
    sleep: Sleep,
) -> dict[str, str]:
    """Create or update one stack, wait for it, and return its outputs."""
    arguments = {
        "StackName": name,
        "Parameters": _parameters(parameters),
        "Capabilities": CAPABILITIES,
        **template,
    }
    errors = cloudformation.exceptions
    try:
        cloudformation.create_stack(**arguments)
    except errors.AlreadyExistsException:
        try:
            cloudformation.update_stack(**arguments)
        except errors.ClientError as error:
            # CloudFormation has no code of its own for "nothing to do".
            if "No updates are to be performed" not in str(error):
                raise
    return _wait_for_stack(cloudformation, name=name, sleep=sleep)


def update_stack_set(
    cloudformation: Any,
    *,
    name: str,
    template: Mapping[str, str],
    parameters: Mapping[str, str],
    call_as: str,
    sleep: Sleep,
) -> None:
    """Bring every instance of a StackSet to a template and parameters, and wait."""
    operation = cloudformation.update_stack_set(
        StackSetName=name,
        Capabilities=CAPABILITIES,
        Parameters=_parameters(parameters),
        OperationPreferences=_all_at_once(),
        CallAs=call_as,
        **template,
    )["OperationId"]
    _wait_for_operation(cloudformation, name, operation, call_as=call_as, sleep=sleep)


def _all_at_once() -> dict[str, Any]:
    # One region only, so concurrency is over accounts; SOFT keeps it while some fail.
    return {
        "MaxConcurrentPercentage": 100,
        "FailureTolerancePercentage": 0,
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    }


def _parameters(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": text} for key, text in values.items()]


def _wait_for_stack(cloudformation: Any, *, name: str, sleep: Sleep) -> dict[str, str]:
    while True:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        status = stack["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return {row["OutputKey"]: row["OutputValue"] for row in stack.get("Outputs", [])}
        if not status.endswith("_IN_PROGRESS"):
            raise RolloutFailed(f"stack {name} ended as {status}: {_why(cloudformation, name)}")
        sleep(POLL_SECONDS)


def _why(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("_FAILED")]
    if not failed:
        return "CloudFormation names no failed resource"
    # Events come newest first; the oldest failure is the cause of the others.
    first = failed[-1]
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason given')}"


def _wait_for_operation(
    cloudformation: Any, name: str, operation: str, *, call_as: str, sleep: Sleep
) -> None:
    arguments = {"StackSetName": name, "OperationId": operation, "CallAs": call_as}
    while True:
        answer = cloudformation.describe_stack_set_operation(**arguments)
        status = answer["StackSetOperation"]["Status"]
        if status == "SUCCEEDED":
            return
        if status in ("FAILED", "STOPPED"):
            raise RolloutFailed(
                f"StackSet {name} ended as {status}: {_failures(cloudformation, arguments)}"
            )
        sleep(POLL_SECONDS)


def _failures(cloudformation: Any, arguments: Mapping[str, str]) -> str:
    pages = cloudformation.get_paginator("list_stack_set_operation_results").paginate(**arguments)
    return "; ".join(
        f"account {row['Account']}: {row['Status']}, {row.get('StatusReason', 'no reason given')}"
        for page in pages
        for row in page["Summaries"]
        if row["Status"] != "SUCCEEDED"
    )
