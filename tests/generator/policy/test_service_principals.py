"""A service that sends no such key is refused by a policy that asks for it, and often silently.

So each condition on an AWS service names a key that a page of AWS's says the service sends there.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from generator.render import Rendered
from tests.generator.documents import documents, fillings, listed, trusts
from tests.generator.filling import ACCOUNT, Filling
from tests.generator.filling import central as fill_central
from tests.generator.filling import member as fill_member

ARN, OWNER = "aws:SourceArn", "aws:SourceAccount"
EVENTBRIDGE = "EventBridge User Guide, "

# (who asks, of what kind of resource) -> the keys that come along, and where AWS says so.
SENT: dict[tuple[str, str], tuple[set[str], str]] = {
    ("events.amazonaws.com", "AWS::Lambda::Permission"): (
        {ARN},
        EVENTBRIDGE + "Troubleshooting Amazon EventBridge: no SourceAccount",
    ),
    ("events.amazonaws.com", "AWS::SQS::QueuePolicy"): (
        {ARN},
        EVENTBRIDGE + "Using resource-based policies, Amazon SQS permissions; dead-letter queues",
    ),
    ("events.amazonaws.com", "AWS::IAM::Role"): (
        {ARN, OWNER},
        EVENTBRIDGE + "Cross-service confused deputy prevention",
    ),
    ("scheduler.amazonaws.com", "AWS::IAM::Role"): (
        {ARN, OWNER},
        "EventBridge Scheduler User Guide, Confused deputy prevention",
    ),
    ("cloudwatch.amazonaws.com", "AWS::SNS::TopicPolicy"): (
        {ARN, OWNER},
        "CloudWatch User Guide, Notifying users on alarm changes",
    ),
    ("cloudwatch.amazonaws.com", "AWS::KMS::Key"): (
        set(),
        "SNS Developer Guide, Managing encryption keys: refers to CloudWatch's, which names none",
    ),
    ("lambda.amazonaws.com", "AWS::IAM::Role"): (
        set(),
        "Lambda Developer Guide, Defining permissions with an execution role: names none",
    ),
    ("cloudtrail.amazonaws.com", "AWS::IAM::Role"): (
        set(),
        "CloudTrail User Guide, Sending events to CloudWatch Logs: names none",
    ),
}
# A permission is a statement too: AddPermission makes a condition of each of these properties.
OF_PERMISSION = {"SourceArn": ARN, "SourceAccount": OWNER, "PrincipalOrgID": "aws:PrincipalOrgID"}

# What a request to put events carries in the policy of a bus: by a role's own PutEvents, and by a
# rule that uses a role (EventBridge User Guide, "Using IAM policy conditions" and the example
# policies of event buses). Keys of the principal come with each.
PRINCIPAL = {"aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalAccount"}
BY_ROLE = PRINCIPAL | {"events:source", "events:detail-type"}
BY_RULE = PRINCIPAL | {ARN, OWNER, "events:eventBusInvocation"}

Asked = tuple[str, str, str, set[str]]


def asked_of_services(filling: Filling) -> Iterator[Asked]:
    """Each statement about a service: the service, the resource's type and name, the keys."""
    kinds = {name: body["Type"] for name, body in filling.resources().items()}
    for name, body in filling.resources().items():
        given = body["Properties"]
        if body["Type"] == "AWS::Lambda::Permission" and given["Principal"].endswith(".com"):
            keys = {key for one, key in OF_PERMISSION.items() if one in given}
            yield given["Principal"], body["Type"], name, keys
    for name, document in [*documents(filling), *trusts(filling).items()]:
        for statement in document["Statement"]:
            principal = statement.get("Principal", "*")
            for service in listed(principal.get("Service", [])) if principal != "*" else ():
                keys = {key for keys in statement.get("Condition", {}).values() for key in keys}
                yield service, kinds[name], name, keys


def not_sent(filling: Filling) -> list[str]:
    """What a policy asks of a service that no page says it sends, in words."""
    return [
        f"{name}: no page says that {service} sends {key} to {kind}"
        for service, kind, name, keys in asked_of_services(filling)
        for key in sorted(keys - SENT[service, kind][0])
    ]


def demanded(statement: dict[str, Any]) -> set[str]:
    """The keys without which an Allow does not match."""
    return {
        key
        for operator, keys in statement["Condition"].items()
        if not operator.startswith("ForAllValues:") and not operator.endswith("IfExists")
        for key in keys
    }


def test_no_service_is_asked_for_a_key_that_it_may_not_send(
    rendered: dict[str, Rendered],
) -> None:
    met = set()
    for filling in fillings(rendered).values():
        assert not_sent(filling) == []
        met |= {(service, kind) for service, kind, _, _ in asked_of_services(filling)}
    assert met == SENT.keys()


def _account_of_the_rule(resources: dict[str, Any]) -> str:
    resources["CallsMayInvoke"]["Properties"]["SourceAccount"] = ACCOUNT
    return "CallsMayInvoke: no page says that events.amazonaws.com sends aws:SourceAccount"


def _account_of_the_letter(resources: dict[str, Any]) -> str:
    (allow, _) = resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allow["Condition"]["StringEquals"] = {OWNER: ACCOUNT}
    return "DeadLettersPolicy: no page says that events.amazonaws.com sends aws:SourceAccount"


def _account_of_the_sweep(resources: dict[str, Any]) -> str:
    resources["SweepMayWake"]["Properties"]["SourceAccount"] = ACCOUNT
    return "SweepMayWake: no page says that events.amazonaws.com sends aws:SourceAccount"


def _account_of_the_alarm(resources: dict[str, Any]) -> str:
    (_, alarms) = resources["TopicKey"]["Properties"]["KeyPolicy"]["Statement"]
    alarms["Condition"] = {"StringEquals": {OWNER: ACCOUNT}}
    return "TopicKey: no page says that cloudwatch.amazonaws.com sends aws:SourceAccount"


@pytest.mark.parametrize(
    ("template", "ask"),
    [
        ("member", _account_of_the_rule),
        ("member", _account_of_the_letter),
        ("central", _account_of_the_sweep),
        ("central", _account_of_the_alarm),
    ],
)
def test_a_condition_that_would_shut_a_service_out_is_named(
    rendered: dict[str, Rendered], template: str, ask: Any
) -> None:
    tree = copy.deepcopy(rendered[template].tree)
    expected = ask(tree["Resources"])
    filling = fill_member(tree) if template == "member" else fill_central(tree)
    (found,) = not_sent(filling)
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("resource", "uploaded"), [("BusAllowReports", BY_ROLE), ("BusAllowForwards", BY_RULE)]
)
def test_the_bus_demands_only_what_comes_along(
    central: Rendered, resource: str, uploaded: set[str]
) -> None:
    statement = fill_central(central.tree).resources()[resource]["Properties"]["Statement"]
    assert demanded(statement) <= uploaded


def test_a_bus_that_wants_the_source_of_a_forwarded_event_is_named(central: Rendered) -> None:
    made = fill_central(central.tree).resources()["BusAllowForwards"]["Properties"]["Statement"]
    asking = {**made, "Condition": {**made["Condition"], "Null": {"events:source": "false"}}}
    assert demanded(asking) - BY_RULE == {"events:source"}


def test_a_source_of_events_is_compared_as_a_set(central: Rendered) -> None:
    """The Service Authorization Reference types both keys of PutEvents ArrayOfString."""
    many = {"events:source", "events:detail-type"}
    for _, document in documents(fill_central(central.tree)):
        for statement in document["Statement"]:
            for operator, keys in statement.get("Condition", {}).items():
                as_set = operator.startswith(("ForAllValues:", "ForAnyValue:"))
                assert as_set or operator == "Null" or not keys.keys() & many
