"""Small templates and waits that the tests of stacks and StackSets share."""

from __future__ import annotations

import json
from typing import Any

from sandbox.box import Box
from sandbox.cloudformation.stackset_model import BUSY
from tests.waiting import wait_until

DENY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
WAITING = {
    "Type": "AWS::CloudFormation::WaitCondition",
    "CreationPolicy": {"ResourceSignal": {"Timeout": "PT1M"}},
}
NAMED = ["CAPABILITY_NAMED_IAM"]


def template(parameters: dict[str, Any] | None = None, **resources: Any) -> str:
    return json.dumps({"Parameters": parameters or {}, "Resources": resources})


def resource(kind: str, depends: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    more = {"DependsOn": depends} if depends else {}
    return {"Type": kind, "Properties": properties, **more}


def deny_policy(**properties: Any) -> dict[str, Any]:
    given = {"ManagedPolicyName": "parts-deny", "Path": "/parts/", "PolicyDocument": DENY}
    return resource("AWS::IAM::ManagedPolicy", **{**given, **properties})


def queue_named(name: Any) -> str:
    return template(Queue=resource("AWS::SQS::Queue", QueueName=name))


def deploy(box: Box, account: str, name: str, body: str, **options: Any) -> dict[str, Any]:
    """Create or update a stack as the account's root, and answer it when it has settled."""
    cloudformation = box.client("cloudformation", account)
    wanted = {"StackName": name, "TemplateBody": body, "Capabilities": NAMED, **options}
    known = [one["StackName"] for one in cloudformation.describe_stacks()["Stacks"]]
    ask = cloudformation.update_stack if name in known else cloudformation.create_stack
    return settled_stack(box, account, ask(**wanted)["StackId"])


def delete(box: Box, account: str, name: str) -> dict[str, Any]:
    """Delete a stack, and answer it when it has settled."""
    cloudformation = box.client("cloudformation", account)
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    cloudformation.delete_stack(StackName=name)

    def deleted() -> dict[str, Any] | None:
        found = settled_stack(box, account, stack["StackId"])
        return found if found["StackStatus"].startswith("DELETE") else None

    return wait_until(deleted, f"{name} was not deleted")


def settled_stack(box: Box, account: str, stack_id: str) -> dict[str, Any]:
    cloudformation = box.client("cloudformation", account)

    def settled() -> dict[str, Any] | None:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
        return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

    return wait_until(settled, f"{stack_id} does not settle")


def failures(box: Box, account: str, stack_id: str) -> dict[str, str]:
    """Why which resource of a stack failed."""
    events = box.client("cloudformation", account).describe_stack_events(StackName=stack_id)
    return {
        one["LogicalResourceId"]: one["ResourceStatusReason"]
        for one in events["StackEvents"]
        if one["ResourceStatus"].endswith("_FAILED") and not one["ResourceType"].endswith("::Stack")
    }


def ended(box: Box, stack_set: str, operation: str, account: str = "") -> dict[str, Any]:
    """Wait for a StackSet operation, and answer it."""
    cloudformation = box.client("cloudformation", account or box.management)
    call_as = "DELEGATED_ADMIN" if account else "SELF"

    def answered() -> dict[str, Any] | None:
        answer: dict[str, Any] = cloudformation.describe_stack_set_operation(
            StackSetName=stack_set, OperationId=operation, CallAs=call_as
        )["StackSetOperation"]
        return None if answer["Status"] in BUSY else answer

    return wait_until(answered, f"operation {operation} of {stack_set} does not end")
