"""What AWS checks and the emulator never does: what Lambda itself does under a function's role.

The documents are those of the deployed roles, the evaluator is the emulator's.
"""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.names import (
    FORWARDER,
    NOTIFIER,
    RECONCILE_SCHEDULE,
    REVOKER,
    TAMPER_RULE,
    TAMPER_STORES_RULE,
)
from sandbox.box import Box
from sandbox.core import service_client
from sandbox.core.keys import REGION
from sandbox.demo.product_setup import Stage

READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
WRITES_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")
USES_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


def role_of(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/iam-org-revoker/{name}"


def allowed(role: str, actions: tuple[str, ...], resource: str) -> list[bool]:
    key = service_client.role_credentials(role, "permissions")
    return [service_client.may(key, action, resource, region=REGION) for action in actions]


def function(box: Box, account: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = box.client("lambda", account).get_function_configuration(
        FunctionName=name
    )
    assert found["Role"] == role_of(account, name)
    return found


def test_the_event_source_mapping_may_read_its_queue_and_no_other(enforcing: Stage) -> None:
    box = enforcing.box
    role = function(box, box.security, NOTIFIER)["Role"]
    (mapping,) = box.client("lambda", box.security).list_event_source_mappings(
        FunctionName=NOTIFIER
    )["EventSourceMappings"]
    queue = mapping["EventSourceArn"]
    assert allowed(role, READS, queue) == [True] * 3
    assert allowed(role, READS, f"{queue}-dead-letters") == [False] * 3
    assert allowed(role, ("sqs:SendMessage", "sqs:PurgeQueue"), queue) == [False] * 2


@pytest.mark.parametrize("name", [REVOKER, NOTIFIER])
def test_a_function_may_write_the_log_group_that_it_is_configured_with_and_no_other(
    enforcing: Stage, name: str
) -> None:
    box = enforcing.box
    account = box.security if name == NOTIFIER else box.members[0]
    config = function(box, account, name)
    group = config["LoggingConfig"]["LogGroup"]
    found = box.client("logs", account).describe_log_groups(logGroupNamePrefix=group)
    assert [one["logGroupName"] for one in found["logGroups"]] == [group]
    logs = f"arn:aws:logs:{REGION}:{account}:log-group"
    stream = "log-stream:2026/03/02/[$LATEST]0123456789abcdef"
    assert allowed(config["Role"], WRITES_LOG, f"{logs}:{group}:{stream}") == [True] * 2
    assert allowed(config["Role"], WRITES_LOG, f"{logs}:{group}-evil:{stream}") == [False] * 2
    assert allowed(config["Role"], ("logs:CreateLogGroup",), f"{logs}:{group}") == [False]


def test_the_revoker_may_send_to_its_failure_destination_and_to_no_other_queue(
    enforcing: Stage,
) -> None:
    box = enforcing.box
    account = box.members[0]
    role = function(box, account, REVOKER)["Role"]
    config = box.client("lambda", account).get_function_event_invoke_config(
        FunctionName=REVOKER, Qualifier="$LATEST"
    )
    queue = config["DestinationConfig"]["OnFailure"]["Destination"]
    assert allowed(role, ("sqs:SendMessage",), queue) == [True]
    assert allowed(role, ("sqs:SendMessage",), f"{queue}-evil") == [False]
    assert allowed(role, READS, queue) == [True] * 3
    assert allowed(role, READS, f"{queue}-evil") == [False] * 3
    assert allowed(role, ("sqs:PurgeQueue",), queue) == [False]


def test_the_schedules_role_may_wake_the_revoker_and_keep_what_failed(enforcing: Stage) -> None:
    box = enforcing.box
    account = box.members[0]
    schedule = box.client("scheduler", account).get_schedule(Name=RECONCILE_SCHEDULE)
    role, woken = schedule["Target"]["RoleArn"], schedule["Target"]["Arn"]
    kept = schedule["Target"]["DeadLetterConfig"]["Arn"]
    assert woken == function(box, account, REVOKER)["FunctionArn"]
    group = f"arn:aws:scheduler:{REGION}:{account}:schedule-group/default"
    assert service_client.trusts(role, "scheduler.amazonaws.com", arn=group, account=account)
    other = group.replace(account, box.security)
    assert not service_client.trusts(
        role, "scheduler.amazonaws.com", arn=other, account=box.security
    )
    assert allowed(role, ("lambda:InvokeFunction", "lambda:UpdateFunctionCode"), woken) == [
        True,
        False,
    ]
    assert allowed(role, ("lambda:InvokeFunction",), f"{woken}-evil") == [False]
    assert allowed(role, ("sqs:SendMessage", "sqs:ReceiveMessage"), kept) == [True, False]


def test_the_notifier_may_use_the_key_of_its_topic_and_no_other(enforcing: Stage) -> None:
    box = enforcing.box
    role = function(box, box.security, NOTIFIER)["Role"]
    stack = box.client("cloudformation", box.security).describe_stack_resource(
        StackName="iam-org-revoker-central", LogicalResourceId="TopicKey"
    )
    key = stack["StackResourceDetail"]["PhysicalResourceId"]
    arn = f"arn:aws:kms:{REGION}:{box.security}:key/{key}"
    assert allowed(role, USES_KEY, arn) == [True] * 2
    assert allowed(role, USES_KEY, arn.replace(key, "another")) == [False] * 2


def test_nobody_of_ours_passes_a_role_and_no_target_but_the_bus_needs_one(
    enforcing: Stage,
) -> None:
    box = enforcing.box
    member, central = box.members[0], box.security
    ours = [role_of(member, REVOKER), role_of(member, FORWARDER), role_of(central, NOTIFIER)]
    for role in ours:
        assert [allowed(role, ("iam:PassRole",), other) for other in ours] == [[False]] * 3
    for account in (member, central):
        events = box.client("events", account)
        for bus in ("default", "iam-org-revoker")[: 2 if account == central else 1]:
            for rule in events.list_rules(EventBusName=bus, NamePrefix=REVOKER)["Rules"]:
                (target,) = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)[
                    "Targets"
                ]
                forwarded = rule["Name"] in (TAMPER_RULE, TAMPER_STORES_RULE)
                expected = role_of(member, FORWARDER) if forwarded else None
                assert target.get("RoleArn") == expected
    rule = f"arn:aws:events:{REGION}:{member}:rule"
    for name, trusted in ((TAMPER_RULE, True), (TAMPER_STORES_RULE, True), ("another", False)):
        source = {"arn": f"{rule}/{name}", "account": member}
        forwarder = role_of(member, FORWARDER)
        assert service_client.trusts(forwarder, "events.amazonaws.com", **source) is trusted
    assert service_client.trusts(role_of(member, REVOKER), "lambda.amazonaws.com")
    assert service_client.trusts(role_of(central, NOTIFIER), "lambda.amazonaws.com")
