"""One stack of a StackSet in one member account, by the emulator's own CloudFormation.

Works as the account's stacksets-exec role, to which the stack's IAM calls are attributed; knows
nothing of operations, tolerance or order.
"""

from __future__ import annotations

import asyncio
import hashlib
import html
import re
import time
import uuid
from typing import Any

from sandbox.cloudformation.stackset_model import Instance, StackSet
from sandbox.core import patches
from sandbox.core.request_context import CALLER, account_now, refused_to_caller, region_now, scope
from sandbox.core.state import State
from sandbox.organizations.organization import make_role

CLOUDFORMATION = "ministack.services.cloudformation"
HELPERS = f"{CLOUDFORMATION}.helpers"
GONE = ("DELETE_COMPLETE", "ROLLBACK_COMPLETE")
# A StackSet hands on templates of up to 1 MB by itself; a stack takes 51,200 bytes inline.
MAX_TEMPLATE = 1_000_000
LONGEST = 300.0


class StackFailed(Exception):
    """The stack did not come to the state that was asked for; the text is the StatusReason."""


def execution_role(management: str, account: str) -> str:
    """The name of the account's execution role, `stacksets-exec-` and 32 hex digits; made once.

    AWS makes it on the first deployment, with a name of its own; which service principals it
    trusts is not documented."""
    name = f"stacksets-exec-{hashlib.md5(account.encode(), usedforsecurity=False).hexdigest()}"
    admin = (
        f"arn:aws:iam::{management}:role/aws-service-role/stacksets.cloudformation.amazonaws.com/"
        "AWSServiceRoleForCloudFormationStackSetsOrgAdmin"
    )
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": admin}, "Action": "sts:AssumeRole"}],
    }
    make_role(account, name, path="/", trust=trust)
    return name


async def deploy_stack(state: State, stack_set: StackSet, instance: Instance) -> None:
    """Create the instance's stack, or bring it up to the set. Raises StackFailed."""
    with scope(instance.account, instance.region):
        _act_as_execution_role(stack_set, instance)
        stack = _stacks().get(instance.stack_name)
        fresh = stack is None or stack["StackStatus"] in GONE
        seen = 0 if stack is None or fresh else len(_events(stack))
        request = _request(stack_set, instance)
        answer = _ask(state, "CreateStack" if fresh else "UpdateStack", request)
        if isinstance(answer, StackFailed):
            if fresh or "No updates are to be performed" not in str(answer):
                raise answer
            return
        stack = _stacks()[instance.stack_name]
        instance.stack_id = stack["StackId"]
        status = await _settled(stack)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise StackFailed(_first_failure(stack, since=seen))


async def delete_stack(state: State, stack_set: StackSet, instance: Instance) -> None:
    """Delete the instance's stack; one that is gone is no failure. Raises StackFailed."""
    with scope(instance.account, instance.region):
        _act_as_execution_role(stack_set, instance)
        stack = _stacks().get(instance.stack_name)
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            return
        before = len(_events(stack))
        answer = _ask(state, "DeleteStack", {"StackName": instance.stack_name})
        if isinstance(answer, StackFailed):
            raise answer
        stack["StackStatus"] = "DELETE_IN_PROGRESS"
        if await _settled(stack) != "DELETE_COMPLETE":
            raise StackFailed(_first_failure(stack, since=before))


def _act_as_execution_role(stack_set: StackSet, instance: Instance) -> None:
    """What CloudFormation does from here on is the execution role's; the session's name is a
    guess, since no such record is published."""
    account = instance.account
    name = execution_role(stack_set.management, account)
    role = patches.get("ministack.services.iam", "_roles")[name]
    now = str(patches.get("ministack.services.iam", "_now")())
    CALLER.set(
        {
            "type": "AssumedRole",
            "principalId": f"{role['RoleId']}:{stack_set.name}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{stack_set.name}",
            "accountId": account,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": role["RoleId"],
                    "arn": role["Arn"],
                    "accountId": account,
                    "userName": name,
                },
                "attributes": {"creationDate": now, "mfaAuthenticated": "false"},
            },
        }
    )


def _request(stack_set: StackSet, instance: Instance) -> dict[str, str]:
    overrides = {one["ParameterKey"]: one["ParameterValue"] for one in instance.overrides}
    values = {one["ParameterKey"]: one["ParameterValue"] for one in stack_set.parameters}
    request = {"StackName": instance.stack_name, "TemplateBody": stack_set.template}
    for number, (key, value) in enumerate({**values, **overrides}.items(), start=1):
        request[f"Parameters.member.{number}.ParameterKey"] = key
        request[f"Parameters.member.{number}.ParameterValue"] = value
    for number, capability in enumerate(stack_set.capabilities, start=1):
        request[f"Capabilities.member.{number}"] = capability
    for number, tag in enumerate(stack_set.tags, start=1):
        request[f"Tags.member.{number}.Key"] = tag["Key"]
        request[f"Tags.member.{number}.Value"] = tag["Value"]
    return request


def _ask(state: State, action: str, request: dict[str, str]) -> StackFailed | None:
    """Ask the emulator's CloudFormation; it answers at once and works in the background."""
    place = f"arn:aws:cloudformation:{region_now()}:{account_now()}:stack/{request['StackName']}/*"
    if reason := refused_to_caller(state, f"cloudformation:{action}", place):
        return StackFailed(reason)
    handler = patches.get(f"{CLOUDFORMATION}.handlers", "_ACTION_HANDLERS")[action]
    with patches.swapped(HELPERS, "TEMPLATE_BODY_MAX_BYTES", MAX_TEMPLATE):
        status, _, body = handler({"Action": action, **request})
    if status < 300:
        return None
    message = re.search(r"<Message>(.*?)</Message>", body.decode(), re.DOTALL)
    return StackFailed(html.unescape(message[1]) if message else body.decode())


async def _settled(stack: dict[str, Any]) -> str:
    deadline = time.monotonic() + LONGEST
    while stack["StackStatus"].endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise StackFailed(f"The stack stayed {stack['StackStatus']} for {LONGEST:.0f} s.")
        await asyncio.sleep(0.005)
    return str(stack["StackStatus"])


def _first_failure(stack: dict[str, Any], *, since: int) -> str:
    """The reason as StackSets words it: the first resource that failed."""
    for event in _events(stack)[since:]:
        kind = event["ResourceType"]
        if event["ResourceStatus"].endswith("_FAILED") and kind != "AWS::CloudFormation::Stack":
            return (
                f"ResourceLogicalId:{event['LogicalResourceId']}, ResourceType:{kind}, "
                f"ResourceStatusReason:{event['ResourceStatusReason']}."
            )
    return str(stack.get("StackStatusReason") or stack["StackStatus"])


def _stacks() -> Any:
    return patches.get(CLOUDFORMATION, "_stacks")


def _events(stack: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = patches.get(CLOUDFORMATION, "_stack_events")[stack["StackId"]]
    return events


def new_stack_name(stack_set: str) -> str:
    """The name AWS gives to a set's stack in a member: StackSet-, the set's name, a UUID."""
    return f"StackSet-{stack_set}-{uuid.uuid4()}"
