"""The calls that fail are all that the roles may make; and the doubles are what is deployed."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore import xform_name
from cfn_flip import load_yaml

from generator.central.policies import NOTIFIER_ALWAYS
from generator.central.template import NOTIFIER_SECONDS
from generator.member.revoker_role import REVOKER_ALWAYS, REVOKER_ENFORCING, REVOKER_INLINE
from generator.policy.statements import Statement
from tests.faults import central, queues
from tests.faults.client_faults import Fault
from tests.faults.count import DOCUMENT, total, with_tables
from tests.faults.scenarios import FUNCTIONS, plans, steps

TEMPLATE = Path(__file__).parents[2] / "templates" / "central.yaml"
ROLES: dict[str, tuple[Statement, ...]] = {
    "revoker": (*REVOKER_ALWAYS, *REVOKER_ENFORCING, *REVOKER_INLINE),
    "notifier": NOTIFIER_ALWAYS,
}
# Calls that AWS makes with the role, and none of ours.
NOT_OURS = {
    "revoker": {
        "sqs:SendMessage": "Lambda leaves an event with the dead letters",
        "logs:CreateLogStream": "Lambda writes the function's log",
        "logs:PutLogEvents": "Lambda writes the function's log",
    },
    "notifier": {
        "sqs:ReceiveMessage": "Lambda reads the queue",
        "sqs:DeleteMessage": "Lambda reads the queue",
        "sqs:GetQueueAttributes": "Lambda reads the queue",
        "dynamodb:PutItem": "a part of TransactWriteItems",
        "logs:CreateLogStream": "Lambda writes the function's log",
        "logs:PutLogEvents": "Lambda writes the function's log",
    },
}
# Calls that IAM names after their parts.
BY_PARTS = {"dynamodb:TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem"}}


def allowed(function: str) -> set[str]:
    return {action for statement in ROLES[function] for action in statement.actions}


def made(function: str) -> set[tuple[str, str]]:
    return {(step.service, step.operation) for one in FUNCTIONS[function] for step in steps(one)}


def as_call(action: str) -> tuple[str, str]:
    service, _, operation = action.partition(":")
    return service, xform_name(operation)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_operation_of_the_role_is_let_fail_or_is_not_the_functions_own(function: str) -> None:
    ours = allowed(function) - NOT_OURS[function].keys()
    assert {as_call(action) for action in ours} - made(function) == set()
    assert NOT_OURS[function].keys() <= allowed(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_is_called_that_the_role_may_not(function: str) -> None:
    known = {as_call(action) for action in allowed(function)}
    known |= {as_call(call) for call, parts in BY_PARTS.items() if parts <= allowed(function)}
    assert made(function) - known == set()


def test_the_enumeration_is_not_trivial_and_has_every_fault_for_both_functions() -> None:
    assert total() > 5_000
    for scenarios in FUNCTIONS.values():
        played = {plan.fault for one in scenarios for plan in plans(one)}
        assert played == set(Fault)


def test_a_scenario_is_the_same_each_time_it_is_played() -> None:
    for scenarios in FUNCTIONS.values():
        again = [steps.__wrapped__(one) for one in scenarios]
        assert again == [steps(one) for one in scenarios]


def test_the_document_shows_the_cases_that_are_played() -> None:
    text = DOCUMENT.read_text()
    assert with_tables(text) == text, "run python -m tests.faults.count"


def test_the_queue_in_memory_is_the_one_of_the_template() -> None:
    resources = load_yaml(TEMPLATE.read_text())["Resources"]
    queue = resources["Reports"]["Properties"]
    assert queue["VisibilityTimeout"] == queues.VISIBILITY_SECONDS == 6 * NOTIFIER_SECONDS
    assert queue["RedrivePolicy"]["maxReceiveCount"] == queues.MOST_RECEIVES
    assert resources["ReportsToNotifier"]["Properties"]["BatchSize"] == queues.BATCH


def test_the_alarms_that_tell_of_what_lasts_are_in_the_template() -> None:
    resources = load_yaml(TEMPLATE.read_text())["Resources"]
    for alarm in (
        central.NOTIFIER_FAILS,
        central.REPORTS_DEAD,
        central.REPORTS_LATE,
        central.MAILS_DUE,
    ):
        assert resources[alarm]["Type"] == "AWS::CloudWatch::Alarm"
    for late in (central.REPORTS_LATE, central.MAILS_DUE):
        assert resources[late]["Properties"]["Threshold"] == central.LATE_SECONDS
