"""The event patterns, against events of every kind of caller: matched by the sandbox's engine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generator.render import Rendered
from sandbox.box import Box
from tests.generator.filling import ACCOUNT, PSEUDO
from tests.generator.filling import central as fill_central
from tests.generator.filling import member as fill_member

RULES = ("CallsRule", "CanaryRule", "TamperRule", "TamperStoresRule")
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
REVOKER = f"{ROLES}/iam-org-revoker/iam-org-revoker"
ROLLOUT = f"{ROLES}/stacksets-exec-0123456789abcdef0123456789abcdef"
DENY = f"arn:aws:iam::{ACCOUNT}:policy/iam-org-revoker/iam-org-revoker-deny"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:iam-org-revoker"
CANARY = "iam-org-revoker-canary"
TABLES = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table"
QUEUE = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/iam-org-revoker-dead-letters"

Record = dict[str, Any]
Pattern = dict[str, Any]


def session(role_arn: str) -> Record:
    issuer = {"type": "Role", "arn": role_arn, "userName": role_arn.rpartition("/")[2]}
    return {"type": "AssumedRole", "sessionContext": {"sessionIssuer": issuer}}


USER = {"type": "IAMUser", "userName": "alice", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice"}
ROOT = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}
SERVICE = {"type": "AWSService", "invokedBy": "eks.amazonaws.com"}
FEDERATED = {
    "type": "FederatedUser",
    "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": USER["arn"]}},
}
CONSOLE = {**USER, "sessionContext": {"attributes": {"mfaAuthenticated": "false"}}}


def pattern(one: Rendered, rule: str, **given: str) -> Pattern:
    fill = fill_member if one.name == "member" else fill_central
    filled = fill(one.tree, **given).resources()[rule]["Properties"]["EventPattern"]
    return dict(filled)


def matches(box: Box, wanted: Pattern, event: dict[str, Any]) -> bool:
    answer = box.client("events", box.members[0]).test_event_pattern(
        EventPattern=json.dumps(wanted), Event=json.dumps(event)
    )
    return bool(answer["Result"])


def event(source: str, detail: Record, kind: str = "AWS API Call via CloudTrail") -> dict[str, Any]:
    return {
        "id": "1",
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "source": source,
        "detail-type": kind,
        "detail": detail,
    }


def call(service: str, name: str, who: Record = USER, /, **parameters: Any) -> dict[str, Any]:
    """A call as CloudTrail records it and EventBridge carries it."""
    detail = {
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "userIdentity": who,
        "requestParameters": parameters or None,
    }
    return event(f"aws.{service}", detail)


@pytest.mark.parametrize(
    "who",
    [
        USER,
        CONSOLE,
        ROOT,
        SERVICE,
        FEDERATED,
        session(ROLLOUT),
        session(f"{ROLES}/deploy"),
        session(f"{REVOKER}-evil"),
        session(f"{ROLES}/iam-org-revoker"),
        session("arn:aws:iam::444455556666:role/iam-org-revoker/iam-org-revoker"),
        {},
    ],
)
def test_a_call_of_iam_by_anybody_else_reaches_the_revoker(
    box: Box, member: Rendered, who: Record
) -> None:
    assert matches(box, pattern(member, "CallsRule"), call("iam", "CreateUser", who))


def test_a_call_whose_record_says_nothing_of_its_caller_reaches_the_revoker(
    box: Box, member: Rendered
) -> None:
    bare = event("aws.iam", {"eventSource": "iam.amazonaws.com"})
    assert matches(box, pattern(member, "CallsRule"), bare)


def test_a_detail_type_as_china_may_spell_it_reaches_the_revoker(
    box: Box, member: Rendered
) -> None:
    detail = call("iam", "CreateUser")["detail"]
    spelt = event("aws.iam", detail, "Amazon API Call via CloudTrail")
    assert matches(box, pattern(member, "CallsRule"), spelt)


@pytest.mark.parametrize(
    "other",
    [
        call("iam", "AttachUserPolicy", session(REVOKER)),
        call("sts", "GetSessionToken"),
        event("my.application", call("iam", "CreateUser")["detail"]),
        event("aws.iam", {"eventSource": "access-analyzer.amazonaws.com"}),
    ],
)
def test_its_own_calls_and_events_of_others_do_not(
    box: Box, member: Rendered, other: dict[str, Any]
) -> None:
    assert not matches(box, pattern(member, "CallsRule"), other)


TAMPERING = [
    call("lambda", "UpdateFunctionCode20150331v2", functionName="iam-org-revoker"),
    call("lambda", "UpdateFunctionConfiguration20150331v2", functionName=FUNCTION),
    call("lambda", "DeleteFunction20150331", functionName=f"{ACCOUNT}:function:iam-org-revoker"),
    call("lambda", "PutFunctionConcurrency20171031", functionName="iam-org-revoker:$LATEST"),
    call("lambda", "AddPermission20150331v2", functionName="iam-org-revoker"),
    call("lambda", "DeleteFunctionEventInvokeConfig", functionName="iam-org-revoker"),
    call("lambda", "DeleteFunction20150331", functionName="iam-org-revoker-notifier"),
    call("lambda", "PutResourcePolicy", resourceArn=FUNCTION),
    call("events", "DisableRule", name="iam-org-revoker-calls"),
    call("events", "PutRule", name="iam-org-revoker-tamper"),
    call("events", "RemoveTargets", rule="iam-org-revoker-calls", ids=["revoker"]),
    call("events", "DeleteRule", name="x", eventBusName="iam-org-revoker"),
    call("iam", "CreatePolicyVersion", policyArn=DENY),
    call("iam", "DetachUserPolicy", userName="mallory", policyArn=DENY),
    call("iam", "DetachUserPolicy", session(f"{ROLES}/deploy"), userName="m", policyArn=DENY),
    call("iam", "PutUserPermissionsBoundary", userName="alice", permissionsBoundary=DENY),
    call("iam", "DeleteUserPolicy", userName="mallory", policyName="iam-org-revoker-deny"),
    call("iam", "RemoveUserFromGroup", groupName="iam-org-revoker-denied", userName="mallory"),
    call("iam", "RemoveUserFromGroup", groupName="iam-org-revoker-denied-sessions", userName="al"),
    call("iam", "PutRolePolicy", roleName="iam-org-revoker", policyName="x"),
    call("iam", "UpdateAssumeRolePolicy", roleName="iam-org-revoker-forward"),
    call("iam", "CreateRole", roleName="x", path="/iam-org-revoker/"),
    call("cloudtrail", "StopLogging", name="management-events"),
    call("cloudtrail", "PutEventSelectors", trailName="management-events"),
    call("sqs", "PurgeQueue", queueUrl=QUEUE),
    call("dynamodb", "DeleteTable", tableName="iam-org-revoker-incidents"),
    call("dynamodb", "UpdateTimeToLive", tableName="iam-org-revoker-state"),
    call("dynamodb", "UpdateTable", tableName=f"{TABLES}/iam-org-revoker-state"),
    call("dynamodb", "DeleteResourcePolicy", resourceArn=f"{TABLES}/iam-org-revoker-state"),
    call("dynamodb", "RestoreTableFromBackup", targetTableName="iam-org-revoker-state"),
    call("scheduler", "UpdateSchedule", name="iam-org-revoker-reconcile", state="DISABLED"),
    call("scheduler", "DeleteSchedule", name="iam-org-revoker-reconcile"),
    call("events", "DeleteRule", name="iam-org-revoker-canary"),
    call("iam", "TagRole", roleName=CANARY),
    call("iam", "DetachUserPolicy", userName="alice", policyArn=f"{DENY}-sessions"),
    call("logs", "DeleteLogGroup", logGroupName="/aws/lambda/iam-org-revoker"),
    call("cloudformation", "DeleteStack", stackName="iam-org-revoker"),
    call("cloudformation", "UpdateStack", stackName=PSEUDO["AWS::StackId"]),
    call("lambda", "DeleteFunction20150331", ROOT, functionName="iam-org-revoker"),
    call(
        "lambda",
        "DeleteFunction20150331",
        session(f"{ROLES}/my-stacksets-exec-0123"),
        functionName="iam-org-revoker",
    ),
    call(
        "lambda",
        "DeleteFunction20150331",
        session("arn:aws:iam::444455556666:role/stacksets-exec-0123"),
        functionName="iam-org-revoker",
    ),
]
ORDINARY = [
    call("lambda", "UpdateFunctionCode20150331v2", session(ROLLOUT), functionName=FUNCTION),
    call("iam", "AttachUserPolicy", session(REVOKER), userName="mallory", policyArn=DENY),
    call("logs", "CreateLogStream", logGroupName="/aws/lambda/iam-org-revoker"),
    call("lambda", "UpdateFunctionCode20150331v2", functionName="shop"),
    call("events", "PutRule", name="nightly"),
    call(
        "iam",
        "AttachUserPolicy",
        userName="bob",
        policyArn="arn:aws:iam::aws:policy/ReadOnlyAccess",
    ),
    call("iam", "CreateRole", roleName="deploy", path="/"),
    call("cloudtrail", "CreateTrail", name="another"),
    call("dynamodb", "DeleteTable", tableName="orders"),
    call("scheduler", "DeleteSchedule", name="nightly"),
    call("iam", "TagRole", session(REVOKER), roleName=CANARY),
    call("sqs", "PurgeQueue", queueUrl=QUEUE.replace("iam-org-revoker-dead-letters", "orders")),
    call("cloudformation", "UpdateStack", stackName="shop"),
    call("s3", "DeleteBucket", bucketName="iam-org-revoker"),
    event("my.application", call("cloudtrail", "StopLogging", name="x")["detail"]),
]


@pytest.mark.parametrize("touched", TAMPERING, ids=lambda one: one["detail"]["eventName"])
def test_whoever_touches_what_is_ours_is_told_of(
    box: Box, member: Rendered, touched: dict[str, Any]
) -> None:
    rules = ("TamperRule", "TamperStoresRule")
    # By one of them alone, or it would be told of twice.
    assert [matches(box, pattern(member, rule), touched) for rule in rules].count(True) == 1


@pytest.mark.parametrize("other", ORDINARY, ids=lambda one: one["detail"]["eventName"])
def test_the_rollout_the_revoker_itself_and_ordinary_work_are_not(
    box: Box, member: Rendered, other: dict[str, Any]
) -> None:
    for rule in ("TamperRule", "TamperStoresRule"):
        assert not matches(box, pattern(member, rule), other)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (call("iam", "TagRole", session(REVOKER), roleName=CANARY), True),
        (call("iam", "UntagRole", session(REVOKER), roleName=CANARY), False),
        (call("iam", "TagRole", session(REVOKER), roleName="deploy"), False),
        (call("iam", "TagRole", session(f"{REVOKER}-evil"), roleName=CANARY), False),
        (call("iam", "TagRole", USER, roleName=CANARY), False),
        (call("sts", "TagRole", session(REVOKER), roleName=CANARY), False),
    ],
)
def test_of_its_own_calls_the_revoker_hears_the_self_tests_and_no_other(
    box: Box, member: Rendered, other: dict[str, Any], expected: bool
) -> None:
    assert matches(box, pattern(member, "CanaryRule"), other) is expected


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("iam-org-revoker", "IAM Org Revoker Report", True),
        ("iam-org-revoker", "a forged kind, which the notifier refuses and tells of", True),
        ("aws.lambda", "AWS API Call via CloudTrail", True),
        ("aws.iam", "AWS API Call via CloudTrail", True),
        ("iam-org-revoker-evil", "IAM Org Revoker Report", False),
        ("my.application", "IAM Org Revoker Report", False),
    ],
)
def test_the_central_account_takes_reports_and_events_of_aws(
    box: Box, central: Rendered, source: str, kind: str, expected: bool
) -> None:
    assert matches(box, pattern(central, "ReportsRule"), event(source, {}, kind)) is expected


def test_every_rule_of_a_member_is_on_and_leave_read_only_calls_to_the_rule_state(
    member: Rendered,
) -> None:
    made = fill_member(member.tree).resources()
    for rule in RULES:
        assert made[rule]["Properties"]["State"] == "ENABLED"
        assert "readOnly" not in json.dumps(made[rule]["Properties"]["EventPattern"])
        assert "detail-type" not in made[rule]["Properties"]["EventPattern"]


def test_every_hop_of_a_member_retries_for_a_day_and_then_keeps_the_event(
    member: Rendered,
) -> None:
    made = fill_member(member.tree).resources()
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:DeadLetters"
    for rule in RULES:
        (target,) = made[rule]["Properties"]["Targets"]
        assert target["RetryPolicy"] == {
            "MaximumEventAgeInSeconds": 86_400,
            "MaximumRetryAttempts": 185,
        }
        assert target["DeadLetterConfig"] == {"Arn": queue}
    assert made["RevokerFailures"]["Properties"] == {
        "FunctionName": "Revoker",
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 21_600,
        "DestinationConfig": {"OnFailure": {"Destination": queue}},
    }
    for rule in ("Calls", "Canary"):
        assert made[f"{rule}MayInvoke"]["Properties"] == {
            "FunctionName": "Revoker",
            "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com",
            "SourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:{rule}Rule",
        }
    schedule = made["ReconcileSchedule"]["Properties"]
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}
    assert schedule["ScheduleExpression"] == "rate(15 minutes)"
    assert schedule["Target"] == {
        "Arn": FUNCTION.replace("function:iam-org-revoker", "Revoker"),
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/ReconcileRole",
        "Input": '{"reconcile": true}',
        "RetryPolicy": {"MaximumEventAgeInSeconds": 900, "MaximumRetryAttempts": 10},
        "DeadLetterConfig": {"Arn": queue},
    }
