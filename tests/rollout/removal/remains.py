"""What of the product is left in an account, found by looking at everything that the box can list.

It knows no list of what the templates make: whatever carries the product's name is left over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handler.model.names import PRODUCT
from sandbox.box import Box


def remains(box: Box, account: str) -> list[str]:
    """One line for each thing of ours in an account; () where there is none."""
    found = [*_identities(box, account), *_resources(box, account), *_deployed(box, account)]
    return sorted(one for one in found if PRODUCT in one)


def _identities(box: Box, account: str) -> Iterator[str]:
    iam = box.client("iam", account)
    for name, key, field in (
        ("list_roles", "Roles", "Arn"),
        ("list_groups", "Groups", "Arn"),
        ("list_users", "Users", "Arn"),
    ):
        for page in iam.get_paginator(name).paginate():
            yield from (one[field] for one in page[key])
    for page in iam.get_paginator("list_policies").paginate(Scope="Local"):
        yield from (one["Arn"] for one in page["Policies"])


def _resources(box: Box, account: str) -> Iterator[str]:
    yield from (one["FunctionArn"] for one in _all(box, account, "lambda", "list_functions"))
    yield from (one["Arn"] for one in _all(box, account, "events", "list_rules", key="Rules"))
    yield from (f"bus {one['Name']}" for one in _all(box, account, "events", "list_event_buses"))
    yield from (f"table {one}" for one in _all(box, account, "dynamodb", "list_tables"))
    yield from (str(one) for one in _all(box, account, "sqs", "list_queues", key="QueueUrls"))
    yield from (one["TopicArn"] for one in _all(box, account, "sns", "list_topics"))
    yield from (one["SubscriptionArn"] for one in _all(box, account, "sns", "list_subscriptions"))
    yield from (
        f"schedule {one['Name']}" for one in _all(box, account, "scheduler", "list_schedules")
    )
    yield from (
        f"log group {one['logGroupName']}"
        for one in _all(box, account, "logs", "describe_log_groups")
    )
    yield from (
        f"alarm {one['AlarmName']}"
        for one in _all(box, account, "cloudwatch", "describe_alarms", key="MetricAlarms")
    )
    yield from (f"trail {one['Name']}" for one in _all(box, account, "cloudtrail", "list_trails"))
    yield from (f"bucket {one['Name']}" for one in _all(box, account, "s3", "list_buckets"))


def _deployed(box: Box, account: str) -> Iterator[str]:
    cloudformation = box.client("cloudformation", account)
    for stack in cloudformation.describe_stacks()["Stacks"]:
        if stack["StackStatus"] != "DELETE_COMPLETE":
            yield f"stack {stack['StackName']} {stack['StackStatus']}"
    if account != box.management:
        return
    for one in cloudformation.list_stack_sets(Status="ACTIVE")["Summaries"]:
        yield f"stack set {one['StackSetName']}"
    organizations = box.client("organizations", account)
    listed = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    yield from (f"control policy {one['Name']}" for one in listed)


def _all(box: Box, account: str, service: str, operation: str, *, key: str = "") -> list[Any]:
    """The list in an answer; small boxes have one page."""
    answer = getattr(box.client(service, account), operation)()
    lists = {name: value for name, value in answer.items() if isinstance(value, list)}
    found: list[Any] = lists.get(key, []) if key else next(iter(lists.values()), [])
    return found
