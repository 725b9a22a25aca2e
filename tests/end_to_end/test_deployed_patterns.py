"""The rules as deployed, against events of every kind of caller, by the sandbox's engine."""

from __future__ import annotations

import copy
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from handler.model.names import BUS, CALLS_RULE, REPORTS_RULE, TAMPER_RULE, TAMPER_STORES_RULE
from sandbox.box import Box
from sandbox.core.state import Record
from sandbox.demo.product_setup import Stage
from sandbox.events.buses import event_of_record
from tests.end_to_end.coverage import judged, mails

BASES = Path(__file__).parents[1] / "verdicts" / "bases.json"
KINDS = [name for name in json.loads(BASES.read_text()) if name != "common"]
EVERYWHERE = "111122223333"  # the account of the bases

Called = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def member(enforcing: Stage) -> str:
    return enforcing.box.members[0]


def bases(account: str) -> dict[str, Record]:
    """A record of each kind of caller, in this account."""
    read = json.loads(BASES.read_text().replace(EVERYWHERE, account))
    common = read.pop("common")
    return {name: common | own for name, own in read.items()}


def deployed(box: Box, account: str, rule: str, bus: str = "default") -> str:
    found = box.client("events", account).describe_rule(Name=rule, EventBusName=bus)
    assert found["State"] == "ENABLED"
    return str(found["EventPattern"])


def matches(box: Box, account: str, pattern: str, event: dict[str, Any]) -> bool:
    answer = box.client("events", account).test_event_pattern(
        EventPattern=pattern, Event=json.dumps(event)
    )
    return bool(answer["Result"])


def calls_iam(box: Box, member: str, record: Record) -> bool:
    pattern = deployed(box, member, CALLS_RULE)
    return matches(box, member, pattern, event_of_record(record).envelope)


def tampers(box: Box, member: str, record: Record) -> bool:
    """By one of the two rules; by both of them it would be told of twice."""
    event = event_of_record(record).envelope
    found = [
        matches(box, member, deployed(box, member, rule), event)
        for rule in (TAMPER_RULE, TAMPER_STORES_RULE)
    ]
    assert found.count(True) < 2
    return any(found)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_caller_reaches_the_revoker_but_the_revoker_itself(
    enforcing: Stage, member: str, kind: str
) -> None:
    assert calls_iam(enforcing.box, member, bases(member)[kind]) is (kind != "revoker")


@pytest.mark.parametrize(
    "issuer",
    [
        "arn:aws:iam::{}:role/iam-org-revoker/iam-org-revoker-evil",
        "arn:aws:iam::{}:role/iam-org-revoker/evil/iam-org-revoker",
        "arn:aws:iam::{}:role/iam-org-revoker",
        "arn:aws:iam::{}:role/evil/iam-org-revoker/iam-org-revoker",
        "arn:aws:iam::{}:role/iam-org-revoker/IAM-ORG-REVOKER",
        "arn:aws-cn:iam::{}:role/iam-org-revoker/iam-org-revoker",
        "arn:aws:iam::999988887777:role/iam-org-revoker/iam-org-revoker",
    ],
)
def test_a_role_that_looks_like_the_revokers_reaches_it(
    enforcing: Stage, member: str, issuer: str
) -> None:
    record = bases(member)["revoker"]
    assert not calls_iam(enforcing.box, member, record)
    record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = issuer.format(member)
    assert calls_iam(enforcing.box, member, record)


def test_a_read_only_call_wakes_nobody_and_one_that_does_not_say_is_delivered(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    key = box.new_user(account, "mallory", "iam:*")
    box.client("iam", account, key=key).list_users()
    box.client("iam", account, key=key).get_user()
    box.settle()
    reads = [r for r in box.records if r["recipientAccountId"] == account and r["readOnly"]]
    assert {read["eventName"] for read in reads} >= {"ListUsers", "GetUser"}
    ids = {read["eventID"] for read in reads}
    assert [line for line in judged(box, account) if line["eventId"] in ids] == []
    assert mails(enforcing, account) == []
    not_reporting = bases(account)["root"] | {"eventID": str(uuid.uuid4())}
    del not_reporting["readOnly"]
    box.emit(not_reporting)
    box.settle()
    assert not_reporting["eventID"] in [line["eventId"] for line in judged(box, account)]


def call(service: str, name: str, /, **parameters: Any) -> Called:
    return (service, name, parameters)


def making(record: Record, called: Called, account: str) -> Record:
    """The same caller making another call; {} in a parameter stands for the account."""
    service, name, parameters = called
    made = copy.deepcopy(record)
    made["eventSource"], made["eventName"] = f"{service}.amazonaws.com", name
    made["requestParameters"] = json.loads(json.dumps(parameters).replace("{}", account))
    return made


POLICY = "arn:aws:iam::{}:policy/iam-org-revoker/iam-org-revoker-deny"
QUEUES = "https://sqs.us-east-1.amazonaws.com/{}"
FUNCTIONS = "arn:aws:lambda:us-east-1:{}:function"

# What is ours, and the same call on what is not.
PAIRS = [
    (
        call("lambda", "UpdateFunctionCode20150331v2", functionName="iam-org-revoker"),
        call("lambda", "UpdateFunctionCode20150331v2", functionName="my-iam-org-revoker"),
    ),
    (
        call("lambda", "DeleteFunction20150331", functionName=f"{FUNCTIONS}:iam-org-revoker"),
        call("lambda", "DeleteFunction20150331", functionName=f"{FUNCTIONS}:orders"),
    ),
    (
        call("lambda", "AddPermission20150331v2", functionName="iam-org-revoker"),
        call("lambda", "AddPermission20150331v2", functionName="orders"),
    ),
    (
        call("events", "DisableRule", name="iam-org-revoker-calls"),
        call("events", "DisableRule", name="nightly"),
    ),
    (
        call("events", "RemoveTargets", rule="iam-org-revoker-tamper", ids=["central-bus"]),
        call("events", "RemoveTargets", rule="nightly", ids=["central-bus"]),
    ),
    (
        call("iam", "CreatePolicyVersion", policyArn=POLICY),
        call("iam", "CreatePolicyVersion", policyArn="arn:aws:iam::{}:policy/deny"),
    ),
    (
        call("iam", "DetachUserPolicy", userName="mallory", policyArn=POLICY),
        call("iam", "DetachUserPolicy", userName="m", policyArn="arn:aws:iam::{}:policy/x"),
    ),
    (
        call("iam", "RemoveUserFromGroup", userName="m", groupName="iam-org-revoker-denied"),
        call("iam", "RemoveUserFromGroup", userName="m", groupName="developers"),
    ),
    (
        call("iam", "AddUserToGroup", userName="m", groupName="iam-org-revoker-denied-sessions"),
        call("iam", "AddUserToGroup", userName="m", groupName="denied-sessions"),
    ),
    (
        call("iam", "PutRolePolicy", roleName="iam-org-revoker", policyName="p"),
        call("iam", "PutRolePolicy", roleName="deploy", policyName="p"),
    ),
    (
        call("cloudtrail", "StopLogging", name="any-trail"),
        call("cloudtrail", "AddTags", name="any-trail"),
    ),
    (
        call("sqs", "PurgeQueue", queueUrl=f"{QUEUES}/iam-org-revoker-dead-letters"),
        call("sqs", "PurgeQueue", queueUrl=f"{QUEUES}/orders"),
    ),
    (
        call("logs", "DeleteLogGroup", logGroupName="/aws/lambda/iam-org-revoker"),
        call("logs", "DeleteLogGroup", logGroupName="/aws/lambda/orders"),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[f"{p[0][0]} {p[0][1]}" for p in PAIRS])
def test_a_call_on_what_is_ours_is_told_of_and_the_same_on_another_is_not(
    enforcing: Stage, member: str, ours: Called, theirs: Called
) -> None:
    box, who = enforcing.box, bases(member)
    for kind in ("user", "role", "root", "identity-center-role", "federated-user"):
        assert tampers(box, member, making(who[kind], ours, member)), kind
        assert not tampers(box, member, making(who[kind], theirs, member)), kind


@pytest.mark.parametrize("ours", [pair[0] for pair in PAIRS], ids=[p[0][1] for p in PAIRS])
def test_the_rollout_and_the_revoker_touch_what_is_theirs_untold(
    enforcing: Stage, member: str, ours: Called
) -> None:
    who = bases(member)
    for kind in ("stacksets-exec", "revoker"):
        assert not tampers(enforcing.box, member, making(who[kind], ours, member)), kind


def test_the_central_account_takes_our_reports_and_events_of_aws_and_nothing_else(
    enforcing: Stage,
) -> None:
    box = enforcing.box
    pattern = deployed(box, box.security, REPORTS_RULE, BUS)
    reported = event_of_record(bases(box.security)["user"]).envelope
    taken = {
        source: matches(box, box.security, pattern, reported | {"source": source})
        for source in ("iam-org-revoker", "aws.lambda", "iam-org-revoker-evil", "my.application")
    }
    assert taken == {
        "iam-org-revoker": True,
        "aws.lambda": True,
        "iam-org-revoker-evil": False,
        "my.application": False,
    }
