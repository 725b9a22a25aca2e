"""Small parts that the sandbox's tests put together: functions, queues, rules, policies."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from sandbox.box import Box
from sandbox.core.keys import Key

REGION = "us-east-1"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str = "*", **conditions: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": conditions} if conditions else {})


def to_service(action: str, resource: str, *, service: str, source: str) -> dict[str, Any]:
    return allow(action, resource, ArnEquals={"aws:SourceArn": source}) | {
        "Principal": {"Service": service}
    }


def role(box: Box, account: str, name: str, *statements: dict[str, Any], service: str) -> str:
    """Make a role for a service under the path /parts/; answer its ARN."""
    iam = box.client("iam", account)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    made = iam.create_role(RoleName=name, Path="/parts/", AssumeRolePolicyDocument=document(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
    return str(made["Role"]["Arn"])


def function(
    box: Box, account: str, name: str, code: str, *statements: dict[str, Any], **env: str
) -> str:
    """Make a function whose handler is index.handler, with a role of its own; answer its ARN."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code)
    made = box.client("lambda", account).create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role(box, account, f"{name}-role", *statements, service="lambda.amazonaws.com"),
        Handler="index.handler",
        Timeout=20,
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": env},
    )
    return str(made["FunctionArn"])


def queue(box: Box, account: str, name: str, *statements: dict[str, Any]) -> str:
    """Make a queue; answer its ARN."""
    sqs = box.client("sqs", account)
    attributes = {"Policy": document(*statements)} if statements else {}
    sqs.create_queue(QueueName=name, Attributes=attributes)
    return f"arn:aws:sqs:{REGION}:{account}:{name}"


def open_queue(box: Box, account: str, name: str) -> str:
    """Make a queue that EventBridge may send to for any rule; answer its ARN."""
    arn = f"arn:aws:sqs:{REGION}:{account}:{name}"
    anybody = allow("sqs:SendMessage", arn) | {"Principal": {"Service": "events.amazonaws.com"}}
    return queue(box, account, name, anybody)


def messages(box: Box, queue_arn: str) -> list[dict[str, Any]]:
    """Receive what is in a queue, with attributes."""
    account, name = queue_arn.split(":")[4:6]
    sqs = box.client("sqs", account)
    answer = sqs.receive_message(
        QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"],
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))


def bodies(box: Box, queue_arn: str) -> list[Any]:
    return [json.loads(message["Body"]) for message in messages(box, queue_arn)]


def attributes_of(message: dict[str, Any]) -> dict[str, str]:
    return {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}


def rule(
    box: Box,
    account: str,
    pattern: dict[str, Any],
    *targets: dict[str, Any],
    bus: str = "default",
    name: str = "watch",
    state: str = "ENABLED",
) -> str:
    """Make a rule with targets; answer its ARN."""
    events = box.client("events", account)
    made = events.put_rule(
        Name=name, EventBusName=bus, EventPattern=json.dumps(pattern), State=state
    )
    numbered = [{"Id": str(number), **target} for number, target in enumerate(targets)]
    events.put_targets(Rule=name, EventBusName=bus, Targets=numbered)
    return str(made["RuleArn"])


def put(box: Box, key: Key, bus: str, source: str = "parts", **detail: Any) -> dict[str, Any]:
    """Put one event with somebody's key; answer its entry of the result."""
    entry = {
        "Source": source,
        "DetailType": "Part",
        "Detail": json.dumps(detail),
        "EventBusName": bus,
    }
    answer = box.client("events", key=key).put_events(Entries=[entry])
    return dict(answer["Entries"][0])
