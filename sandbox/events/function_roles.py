"""Roles and environments of functions, and event source mappings, that Lambda refuses.

Lambda must be let assume a role, a polled queue must be open to it, and the environment holds 4 KB.
Checked when a function or an event source mapping is made or changed, as Lambda does (API
Reference, CreateFunction and CreateEventSourceMapping), and never again afterwards.
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.provisioners import MODULE, TABLE, Props, ResourceRefused
from sandbox.core import patches, service_client

LAMBDA = "ministack.services.lambda_svc"
SERVICE = "lambda.amazonaws.com"
QUEUE_CALLS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
FUNCTION = "AWS::Lambda::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"
# "4 KB, for all environment variables associated with the function, in aggregate" (Lambda Developer
# Guide, "Lambda quotas").
ENVIRONMENT = 4_096

Problem = Callable[[Props], str | None]


def install() -> None:
    """Put the checks in front of Lambda and of stacks, until the hooks are restored."""
    _in_front("_create_function", _function_problem)
    _in_front("_create_esm", _mapping_problem)
    update = patches.get(LAMBDA, "_update_config")
    patches.replace(
        LAMBDA, "_update_config", lambda name, data: _refused(data) or update(name, data)
    )
    for kind, problem in ((FUNCTION, _function_problem), (MAPPING, _mapping_problem)):
        plain = patches.get(MODULE, TABLE)[kind]
        patches.replace_entry(MODULE, TABLE, kind, _checked(plain, problem))


def _in_front(name: str, problem: Problem) -> None:
    plain = patches.get(LAMBDA, name)

    def asked(data: Props) -> Any:
        said = problem(data)
        return _error(said) if said else plain(data)

    patches.replace(LAMBDA, name, asked)


def _refused(data: Props) -> Any:
    said = _function_problem(data)
    return _error(said) if said else None


def _checked(plain: dict[str, Any], problem: Problem) -> dict[str, Any]:
    def create(logical_id: str, props: Props, stack: str) -> Any:
        if said := problem(props):
            raise ResourceRefused(said, "InvalidRequest")
        return plain["create"](logical_id, props, stack)

    def update(made: str, old: Props, new: Props, *more: Any) -> Any:
        changed = any(old.get(name) != new.get(name) for name in ("Role", "Environment"))
        if changed and (said := problem(new)):
            raise ResourceRefused(said, "InvalidRequest")
        return plain["update"](made, old, new, *more)

    return {**plain, "create": create, "update": update}


def _function_problem(props: Props) -> str | None:
    return _role_problem(props) or _environment_problem(props)


def _environment_problem(props: Props) -> str | None:
    """What is measured is the JSON of names and values, as refusals show that people published
    (github.com/github-aws-runners/terraform-aws-github-runner/issues/3594)."""
    variables = (props.get("Environment") or {}).get("Variables") or {}
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) <= ENVIRONMENT:
        return None
    return (
        "Lambda was unable to configure your environment variables because the environment "
        f"variables you have provided exceeded the 4KB limit. String measured: {measured}"
    )


def _role_problem(props: Props) -> str | None:
    role = props.get("Role")
    if not role or service_client.trusts(role, SERVICE):
        return None
    return "The role defined for the function cannot be assumed by Lambda."


def _mapping_problem(props: Props) -> str | None:
    source, name = str(props.get("EventSourceArn", "")), str(props.get("FunctionName", ""))
    if ":sqs:" not in source:
        return None
    named = name.split(":")[6] if name.startswith("arn:") else name.partition(":")[0]
    function = patches.get(LAMBDA, "_functions").get(named)
    if function is None:
        return None
    key = service_client.role_credentials(function["config"]["Role"], "event-source-mapping")
    region = service_client.Arn.parse(source).region
    for call in QUEUE_CALLS:
        # The role asks, not whoever signed the request at hand.
        fresh = contextvars.Context()
        if not fresh.run(service_client.may, key, f"sqs:{call}", source, region=region):
            return f"The function execution role does not have permissions to call {call} on SQS"
    return None


def _error(message: str) -> tuple[int, dict[str, str], bytes]:
    code = "InvalidParameterValueException"
    body = json.dumps({"__type": code, "Type": "User", "message": message}).encode()
    return 400, {"Content-Type": "application/json", "x-amzn-errortype": code}, body
