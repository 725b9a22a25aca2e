"""Buses admit and forward as on AWS: policies, the Organization, one hop, whose event it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.core.keys import Key
from sandbox.core.unknowns import Unknowns
from sandbox.events.buses import bus_arn
from tests.sandbox.parts import (
    allow,
    attributes_of,
    bodies,
    document,
    function,
    messages,
    open_queue,
    put,
    role,
    rule,
    to_service,
)

REVOKER = "arn:aws:iam::*:role/iam-org-revoker/iam-org-revoker"
PUT = "events:PutEvents"
ANYBODY = {"Principal": "*"}


def bus(box: Box, account: str, *statements: dict[str, Any], name: str = "central") -> str:
    """Make a bus with a policy; answer its ARN."""
    events = box.client("events", account)
    arn = str(events.create_event_bus(Name=name)["EventBusArn"])
    if statements:
        events.put_permission(EventBusName=name, Policy=document(*statements))
    return arn


def kept(box: Box, account: str, name: str = "central") -> str:
    """Keep all events of a bus in a queue; answer the queue's ARN."""
    letters = open_queue(box, account, f"kept-{name}")
    rule(box, account, {"account": [{"exists": True}]}, {"Arn": letters}, bus=name, name="keep")
    return letters


def reports_only(box: Box, arn: str) -> list[dict[str, Any]]:
    """The shape of the central bus's policy: our role of our Organization, and nobody else."""
    admitted = {
        "StringEquals": {"aws:PrincipalOrgID": box.organization_id},
        "ArnLike": {"aws:PrincipalArn": REVOKER},
        "ForAllValues:StringLike": {"events:source": "reports"},
        "Null": {"events:source": "false"},
    }
    return [
        allow(PUT, arn, **admitted) | {"Principal": "*"},
        allow(PUT, arn, ArnNotLike={"aws:PrincipalArn": REVOKER})
        | {"Principal": "*", "Effect": "Deny"},
    ]


def revoker(box: Box, account: str) -> Key:
    return box.new_session(account, "iam-org-revoker", PUT, path="/iam-org-revoker/")


def test_a_member_reports_to_the_bus_of_another_account(box: Box, account: str) -> None:
    central = box.new_account("central-reports")
    arn = bus_arn("central", account=central, region="us-east-1")
    bus(box, central, *reports_only(box, arn))
    letters = kept(box, central)
    answer = put(box, revoker(box, account), arn, source="reports", said="hello")
    box.settle()
    (event,) = bodies(box, letters)
    assert set(answer) == {"EventId"}
    assert (event["id"], event["account"]) == (answer["EventId"], account)
    assert event["detail"] == {"said": "hello"}


@pytest.mark.parametrize("who", ["person", "other source", "other organization", "other path"])
def test_nobody_else_puts_a_report(box: Box, account: str, who: str) -> None:
    central = box.new_account(f"central-{who}")
    arn = bus_arn("central", account=central, region="us-east-1")
    bus(box, central, *reports_only(box, arn))
    letters = kept(box, central)
    match who:
        case "person":
            answer = put(box, box.new_user(account, "mallory", PUT), arn, source="reports")
        case "other source":
            answer = put(box, revoker(box, account), arn, source="something")
        case "other organization":
            answer = put(box, revoker(box, "999999999999"), arn, source="reports")
        case _:
            look_alike = box.new_session(account, "iam-org-revoker", PUT, path="/")
            answer = put(box, look_alike, arn, source="reports")
    box.settle()
    assert answer["ErrorCode"] == "AccessDeniedException"
    assert (
        f"not authorized to perform: events:PutEvents on resource: {arn}"
        in (answer["ErrorMessage"])
    )
    assert messages(box, letters) == []


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike"])
def test_a_bus_that_compares_the_source_as_one_value_admits_nobody(
    box: Box, account: str, operator: str
) -> None:
    central = box.new_account(f"central-{operator}")
    arn = bus_arn("central", account=central, region="us-east-1")
    bus(box, central, allow(PUT, arn, **{operator: {"events:source": "reports"}}) | ANYBODY)
    answer = put(box, revoker(box, account), arn, source="reports")
    assert answer["ErrorCode"] == "AccessDeniedException"


def test_a_second_source_beside_the_report_is_refused(box: Box, account: str) -> None:
    central = box.new_account("central-batch")
    arn = bus_arn("central", account=central, region="us-east-1")
    bus(box, central, *reports_only(box, arn))
    entry = {"DetailType": "Part", "Detail": "{}", "EventBusName": arn}
    entries = [{**entry, "Source": name} for name in ("reports", "reports", "something")]
    events = box.client("events", key=revoker(box, account))
    assert events.put_events(Entries=entries[:2])["FailedEntryCount"] == 0
    assert events.put_events(Entries=entries)["FailedEntryCount"] == 3


def test_in_its_own_account_an_allow_keeps_nobody_out_but_a_deny_does(
    box: Box, account: str
) -> None:
    arn = bus_arn("central", account=account, region="us-east-1")
    only_allow, deny = reports_only(box, arn)
    bus(box, account, only_allow)
    letters = kept(box, account)
    person = box.new_user(account, "mallory", PUT)
    assert set(put(box, person, arn, source="reports", from_="mallory")) == {"EventId"}
    box.client("events", account).put_permission(
        EventBusName="central", Policy=document(only_allow, deny)
    )
    refused = put(box, person, arn, source="reports", from_="mallory")
    assert refused["ErrorCode"] == "AccessDeniedException"
    box.settle()
    assert len(bodies(box, letters)) == 1


def test_a_sender_needs_the_permission_of_her_own_account_too(box: Box, account: str) -> None:
    central = box.new_account("central-identity")
    arn = bus_arn("central", account=central, region="us-east-1")
    bus(box, central, allow(PUT, arn) | {"Principal": "*"})
    person = box.client("events", key=box.new_user(account, "mallory", "s3:*"))
    entry = {"Source": "a", "DetailType": "b", "Detail": "{}", "EventBusName": arn}
    with pytest.raises(person.exceptions.ClientError, match="AccessDenied"):
        person.put_events(Entries=[entry])


def test_events_of_aws_cannot_be_forged(box: Box, account: str) -> None:
    person = box.new_user(account, "mallory", PUT)
    assert put(box, person, "default", source="aws.iam") == {
        "ErrorCode": "NotAuthorizedForSourceException",
        "ErrorMessage": "Not authorized for the source.",
    }


def test_entries_are_judged_one_by_one(box: Box, account: str) -> None:
    letters = kept(box, account, "default")
    good = {"Source": "a", "DetailType": "b", "Detail": '{"n": 1}'}
    answer = box.client("events", account).put_events(
        Entries=[good, {**good, "Detail": "no json"}, {**good, "EventBusName": "nowhere"}]
    )
    assert answer["FailedEntryCount"] == 1
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        None,
        "MalformedDetail",
        None,
    ]
    box.settle()
    assert [event["detail"] for event in bodies(box, letters)] == [{"n": 1}]


def test_the_policy_can_be_read_back_and_taken_away(box: Box, account: str) -> None:
    arn = bus(box, account)
    events = box.client("events", account)
    events.put_permission(
        EventBusName="central",
        StatementId="org",
        Action=PUT,
        Principal="*",
        Condition={"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-a"},
    )
    policy = json.loads(events.describe_event_bus(Name="central")["Policy"])
    assert policy["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "events:PutEvents",
            "Resource": arn,
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a"}},
            "Sid": "org",
        }
    ]
    events.remove_permission(EventBusName="central", StatementId="org")
    assert "Policy" not in events.describe_event_bus(Name="central")


def forwarding(box: Box, account: str, arn: str, *statements: dict[str, Any]) -> tuple[str, str]:
    """A rule that forwards IAM's events to a bus; answer the rule and its dead letters."""
    forward = role(box, account, "forward", *statements, service="events.amazonaws.com")
    dead = open_queue(box, account, "dead")
    target = {"Arn": arn, "RoleArn": forward, "DeadLetterConfig": {"Arn": dead}}
    return rule(box, account, {"source": ["aws.iam"]}, target), dead


def call_iam(box: Box, account: str) -> None:
    box.client("iam", account, quiet=False).create_group(GroupName="g")


def test_a_rule_forwards_an_event_of_aws_unchanged(box: Box, account: str) -> None:
    central = box.new_account("central-forward")
    arn = bus_arn("central", account=central, region="us-east-1")
    forwarded = {
        "StringEquals": {"aws:PrincipalOrgID": box.organization_id},
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/parts/forward"},
        "ForAllValues:StringEquals": {"events:source": "aws.iam"},
        "Null": {"events:source": "false"},
        "Bool": {"events:eventBusInvocation": "true"},
        "ArnEquals": {"aws:SourceArn": f"arn:aws:events:us-east-1:{account}:rule/watch"},
    }
    bus(box, central, allow(PUT, arn, **forwarded) | {"Principal": "*"})
    letters = kept(box, central)
    _, dead = forwarding(box, account, arn, allow(PUT, arn))
    here = kept(box, account, "default")
    call_iam(box, account)
    box.settle()
    assert bodies(box, letters) == bodies(box, here)
    assert messages(box, dead) == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("the bus does not admit it", "NO_PERMISSIONS"),
        ("the role may not", "NO_PERMISSIONS"),
        ("there is no bus", "NO_RESOURCE"),
        ("the role trusts another service", "FAILED_TO_ASSUME_ROLE"),
    ],
)
def test_what_cannot_be_forwarded_ends_with_the_dead_letters(
    box: Box, account: str, fault: str, code: str
) -> None:
    central = box.new_account(f"central-{code}-{fault}"[:40])
    arn = bus_arn("central", account=central, region="us-east-1")
    everybody = allow(PUT, arn) | {"Principal": "*"}
    if fault != "there is no bus":
        bus(box, central, *([] if fault == "the bus does not admit it" else [everybody]))
    service = "lambda" if fault == "the role trusts another service" else "events"
    statements = [] if fault == "the role may not" else [allow(PUT, arn)]
    forward = role(box, account, "forward", *statements, service=f"{service}.amazonaws.com")
    dead = open_queue(box, account, "dead")
    target = {"Arn": arn, "RoleArn": forward, "DeadLetterConfig": {"Arn": dead}}
    rule(box, account, {"source": ["aws.iam"]}, target)
    call_iam(box, account)
    box.settle()
    (letter,) = messages(box, dead)
    assert attributes_of(letter)["ERROR_CODE"] == code
    assert attributes_of(letter)["RETRY_ATTEMPTS"] == "0"


@pytest.mark.parametrize(
    ("uploaded", "wanted", "kept_events"),
    [(True, True, 1), (True, False, 1), (False, True, 0), (False, False, 1)],
)
def test_the_source_of_a_forwarded_event_comes_along_or_not(
    box: Box,
    account: str,
    monkeypatch: pytest.MonkeyPatch,
    uploaded: bool,
    wanted: bool,
    kept_events: int,
) -> None:
    """No page of AWS's says which: a bus that does not insist is right either way."""
    monkeypatch.setattr(box.state, "unknowns", Unknowns(forwarded_events_carry_source=uploaded))
    central = box.new_account(f"central-{uploaded}-{wanted}")
    arn = bus_arn("central", account=central, region="us-east-1")
    source: dict[str, Any] = {"ForAllValues:StringLike": {"events:source": "aws.*"}}
    insisting = {"Null": {"events:source": "false"}} if wanted else {}
    bus(box, central, allow(PUT, arn, **source, **insisting) | ANYBODY)
    letters = kept(box, central)
    _, dead = forwarding(box, account, arn, allow(PUT, arn))
    call_iam(box, account)
    box.settle()
    assert len(bodies(box, letters)) == kept_events
    assert len(messages(box, dead)) == 1 - kept_events


@pytest.mark.parametrize(("name", "codes"), [("watch", []), ("another", ["FAILED_TO_ASSUME_ROLE"])])
def test_a_role_is_assumed_for_the_rule_that_its_trust_names(
    box: Box, account: str, name: str, codes: list[str]
) -> None:
    central = box.new_account(f"central-trust-{name}")
    arn = bus_arn("central", account=central, region="us-east-1")
    bus(box, central, allow(PUT, arn) | ANYBODY)
    _, dead = forwarding(box, account, arn, allow(PUT, arn))
    trust = to_service(
        "sts:AssumeRole",
        "",
        service="events.amazonaws.com",
        source=f"arn:aws:events:us-east-1:{account}:rule/{name}",
    )
    del trust["Resource"]
    box.client("iam", account).update_assume_role_policy(
        RoleName="forward", PolicyDocument=document(trust)
    )
    call_iam(box, account)
    box.settle()
    assert [attributes_of(one)["ERROR_CODE"] for one in messages(box, dead)] == codes


def test_an_event_is_forwarded_once_only(box: Box, account: str) -> None:
    first, second = box.new_account("first-hop"), box.new_account("second-hop")
    arns = [bus_arn("default", account=one, region="us-east-1") for one in (first, second)]
    for one, arn in zip((first, second), arns, strict=True):
        policy = document(allow(PUT, arn) | {"Principal": "*"})
        box.client("events", one).put_permission(EventBusName="default", Policy=policy)
    forwarding(box, account, arns[0], allow(PUT))
    _, dead = forwarding(box, first, arns[1], allow(PUT))
    letters = kept(box, second, "default")
    call_iam(box, account)
    box.settle()
    (letter,) = messages(box, dead)
    assert attributes_of(letter)["ERROR_CODE"] == "THIRD_ACCOUNT_HOP_DETECTED"
    assert messages(box, letters) == []


def test_a_function_reports_under_its_own_role(box: Box, account: str) -> None:
    central = box.new_account("central-function")
    arn = bus_arn("central", account=central, region="us-east-1")
    only = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/parts/reporter-role"}}
    bus(box, central, allow(PUT, arn, **only) | {"Principal": "*"})
    letters = kept(box, central)
    code = """
import boto3, os
def handler(event, context):
    entry = {"Source": "a", "DetailType": "b", "Detail": "{}", "EventBusName": os.environ["BUS"]}
    return boto3.client("events").put_events(Entries=[entry])["Entries"][0]
"""
    function(box, account, "reporter", code, allow(PUT, arn), BUS=arn)
    answer = box.client("lambda", account).invoke(FunctionName="reporter")
    assert list(json.loads(answer["Payload"].read())) == ["EventId"]
    box.settle()
    assert [event["account"] for event in bodies(box, letters)] == [account]
