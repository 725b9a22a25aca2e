"""Events find their rules and targets, with permissions, retries and dead letters as on AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.events.targets import Targets
from tests.sandbox.parts import (
    allow,
    attributes_of,
    bodies,
    function,
    messages,
    open_queue,
    queue,
    rule,
)

IAM_CALLS = {"source": ["aws.iam"]}
FAIL = "def handler(event, context): raise ValueError('on purpose')"
PASS_ON = """
import boto3, json, os
def handler(event, context):
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=os.environ["QUEUE"])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
"""


def permit(box: Box, function_arn: str, rule_arn: str) -> None:
    box.client("lambda", function_arn.split(":")[4]).add_permission(
        FunctionName=function_arn,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule_arn,
    )


def call_iam(box: Box, account: str, name: str = "g") -> None:
    box.client("iam", account, quiet=False).create_group(GroupName=name)


def test_a_call_reaches_a_queue_as_an_event(box: Box, account: str) -> None:
    letters = open_queue(box, account, "letters")
    rule(box, account, IAM_CALLS, {"Arn": letters})
    call_iam(box, account)
    box.settle()
    (event,) = bodies(box, letters)
    detail = event.pop("detail")
    assert detail["requestParameters"] == {"groupName": "g"}
    assert len(event.pop("id")) == 36
    assert event == {
        "version": "0",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.iam",
        "account": account,
        "time": detail["eventTime"],
        "region": "us-east-1",
        "resources": [],
    }


def test_an_enabled_rule_sees_no_reads_and_one_with_all_calls_does(box: Box, account: str) -> None:
    writes, everything = (open_queue(box, account, name) for name in ("writes", "everything"))
    rule(box, account, IAM_CALLS, {"Arn": writes}, name="writes")
    state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    rule(box, account, IAM_CALLS, {"Arn": everything}, name="everything", state=state)
    rule(box, account, IAM_CALLS, {"Arn": writes}, name="off", state="DISABLED")
    box.client("iam", account, quiet=False).list_users()
    call_iam(box, account)
    box.settle()
    assert [event["detail"]["eventName"] for event in bodies(box, writes)] == ["CreateGroup"]
    names = sorted(event["detail"]["eventName"] for event in bodies(box, everything))
    assert names == ["CreateGroup", "ListUsers"]


def test_without_a_trail_calls_are_recorded_and_delivered_nowhere(box: Box, account: str) -> None:
    letters = open_queue(box, account, "letters")
    rule(box, account, IAM_CALLS, {"Arn": letters})
    box.state.trail_enabled = False
    try:
        call_iam(box, account)
    finally:
        box.state.trail_enabled = True
    box.settle()
    assert bodies(box, letters) == []
    assert [r["eventName"] for r in box.records if r["recipientAccountId"] == account] == [
        "CreateGroup"
    ]


def test_an_emitted_record_is_an_event_of_its_own_account_and_region(
    box: Box, account: str
) -> None:
    letters = open_queue(box, account, "letters")
    rule(box, account, {"source": ["aws.signin"]}, {"Arn": letters})
    box.emit(
        {
            "eventSource": "signin.amazonaws.com",
            "eventName": "ConsoleLogin",
            "eventType": "AwsConsoleSignIn",
            "eventTime": "2026-01-01T00:00:00Z",
            "awsRegion": "us-east-1",
            "recipientAccountId": account,
        }
    )
    box.settle()
    (event,) = bodies(box, letters)
    assert event["detail-type"] == "AWS Console Signin via CloudTrail"
    assert event["time"] == "2026-01-01T00:00:00Z"


def test_a_function_needs_to_permit_the_rule(box: Box, account: str) -> None:
    seen, dead = queue(box, account, "seen"), open_queue(box, account, "dead")
    runner = function(
        box, account, "f", PASS_ON, allow("sqs:GetQueueUrl"), allow("sqs:SendMessage"), QUEUE="seen"
    )
    target = {"Arn": runner, "DeadLetterConfig": {"Arn": dead}}
    watch = rule(box, account, IAM_CALLS, target)
    call_iam(box, account)
    box.settle()
    (letter,) = messages(box, dead)
    assert attributes_of(letter) == {
        "RULE_ARN": watch,
        "TARGET_ARN": runner,
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": f"{runner} does not permit the rule to invoke it",
        "RETRY_ATTEMPTS": "0",
    }
    assert json.loads(letter["Body"])["detail"]["eventName"] == "CreateGroup"
    assert messages(box, seen) == []
    permit(box, runner, f"{watch}-another")
    call_iam(box, account, "h")
    box.settle()
    assert [attributes_of(letter)["ERROR_CODE"] for letter in messages(box, dead)] == [
        "NO_PERMISSIONS"
    ]
    box.client("lambda", account).remove_permission(FunctionName="f", StatementId="rule")
    permit(box, runner, watch)
    call_iam(box, account, "i")
    box.settle()
    (event,) = bodies(box, seen)
    assert event["source"] == "aws.iam"


def test_a_missing_queue_or_permission_goes_straight_to_the_dead_letters(
    box: Box, account: str
) -> None:
    dead, closed = open_queue(box, account, "dead"), queue(box, account, "closed")
    missing = closed.replace("closed", "missing")
    letters = {"DeadLetterConfig": {"Arn": dead}}
    rule(box, account, IAM_CALLS, {"Arn": closed, **letters}, {"Arn": missing, **letters})
    call_iam(box, account)
    box.settle()
    found = [attributes_of(letter) for letter in messages(box, dead)]
    assert {(one["TARGET_ARN"], one["ERROR_CODE"], one["RETRY_ATTEMPTS"]) for one in found} == {
        (closed, "NO_PERMISSIONS", "0"),
        (missing, "NO_RESOURCE", "0"),
    }


def test_a_dead_letter_queue_must_permit_the_rule_too(box: Box, account: str) -> None:
    dead, closed = queue(box, account, "dead"), queue(box, account, "closed")
    rule(box, account, IAM_CALLS, {"Arn": closed, "DeadLetterConfig": {"Arn": dead}})
    call_iam(box, account)
    box.settle()
    assert messages(box, dead) == []


def test_a_dead_letter_queue_deleted_at_that_moment_takes_nothing(
    box: Box, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, closed = open_queue(box, account, "dead"), queue(box, account, "closed")
    rule(box, account, IAM_CALLS, {"Arn": closed, "DeadLetterConfig": {"Arn": dead}})
    admits = Targets.queue_admits

    def delete_once_admitted(targets: Targets, queue_arn: str, rule_arn: str) -> bool:
        admitted = admits(targets, queue_arn, rule_arn)
        if admitted:
            sqs = box.client("sqs", account)
            sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="dead")["QueueUrl"])
        return admitted

    monkeypatch.setattr(Targets, "queue_admits", delete_once_admitted)
    call_iam(box, account)
    box.settle()
    with pytest.raises(box.client("sqs", account).exceptions.QueueDoesNotExist):
        messages(box, dead)


@pytest.mark.parametrize(("failures", "arrives"), [(2, True), (3, False)])
def test_a_target_that_fails_is_tried_again_as_often_as_it_says(
    box: Box, account: str, failures: int, arrives: bool
) -> None:
    letters, dead = open_queue(box, account, "letters"), open_queue(box, account, "dead")
    policy = {"MaximumRetryAttempts": 2}
    rule(
        box,
        account,
        IAM_CALLS,
        {"Arn": letters, "RetryPolicy": policy, "DeadLetterConfig": {"Arn": dead}},
    )
    box.fail_next("sqs", "SendMessage", failures, "ServiceUnavailable")
    call_iam(box, account)
    box.settle()
    assert len(messages(box, letters)) == (1 if arrives else 0)
    buried = [attributes_of(letter) for letter in messages(box, dead)]
    assert [(b["RETRY_ATTEMPTS"], b["EXHAUSTED_RETRY_CONDITION"]) for b in buried] == (
        [] if arrives else [("2", "MaximumRetryAttempts")]
    )


def failing(box: Box, account: str, *statements: dict[str, Any], **invoke: Any) -> tuple[str, str]:
    """A function that always fails, its rule, and the queue of its failures."""
    failures = queue(box, account, "failures")
    runner = function(box, account, "f", FAIL, *statements)
    watch = rule(box, account, IAM_CALLS, {"Arn": runner})
    permit(box, runner, watch)
    box.client("lambda", account).put_function_event_invoke_config(
        FunctionName="f",
        Qualifier="$LATEST",
        DestinationConfig={"OnFailure": {"Destination": failures}},
        **invoke,
    )
    return runner, failures


def test_a_failing_function_is_tried_three_times_and_its_failure_kept(
    box: Box, account: str
) -> None:
    runner, failures = failing(box, account, allow("sqs:SendMessage"))
    call_iam(box, account)
    box.settle()
    (failure,) = bodies(box, failures)
    assert failure["version"] == "1.0"
    assert failure["requestContext"]["functionArn"] == f"{runner}:$LATEST"
    assert failure["requestContext"]["condition"] == "RetriesExhausted"
    assert failure["requestContext"]["approximateInvokeCount"] == 3
    assert failure["requestPayload"]["detail"]["eventName"] == "CreateGroup"
    assert failure["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert failure["responsePayload"]["errorMessage"] == "on purpose"


def test_the_number_of_retries_is_the_functions_own(box: Box, account: str) -> None:
    _, failures = failing(box, account, allow("sqs:SendMessage"), MaximumRetryAttempts=0)
    call_iam(box, account)
    box.settle()
    assert [f["requestContext"]["approximateInvokeCount"] for f in bodies(box, failures)] == [1]


def test_the_failure_is_lost_when_the_functions_role_may_not_send_it(
    box: Box, account: str
) -> None:
    _, failures = failing(box, account, MaximumRetryAttempts=0)
    call_iam(box, account)
    box.settle()
    assert messages(box, failures) == []


def test_an_asynchronous_invocation_over_the_api_is_retried_alike(box: Box, account: str) -> None:
    _, failures = failing(box, account, allow("sqs:SendMessage"), MaximumRetryAttempts=1)
    box.client("lambda", account).invoke(
        FunctionName="f", InvocationType="Event", Payload=b'{"asked": "directly"}'
    )
    box.settle()
    (failure,) = bodies(box, failures)
    assert failure["requestPayload"] == {"asked": "directly"}
    assert failure["requestContext"]["approximateInvokeCount"] == 2


def test_a_queue_with_a_mapping_is_settled_when_its_function_has_had_it_all(
    box: Box, account: str
) -> None:
    work, seen = queue(box, account, "work"), queue(box, account, "seen")
    function(box, account, "f", PASS_ON, allow("sqs:*"), QUEUE="seen")
    box.client("lambda", account).create_event_source_mapping(
        FunctionName="f", EventSourceArn=work, BatchSize=1
    )
    sqs = box.client("sqs", account)
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    for number in range(5):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    box.settle()
    assert sorted(event["Records"][0]["body"] for event in bodies(box, seen)) == list("01234")


def test_settling_tells_what_is_left(box: Box, account: str) -> None:
    work = queue(box, account, "work")
    function(box, account, "f", FAIL, allow("sqs:*"))
    mapping = box.client("lambda", account).create_event_source_mapping(
        FunctionName="f", EventSourceArn=work
    )
    sqs = box.client("sqs", account)
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    try:
        with pytest.raises(TimeoutError, match=f"1 messages in work of {account}"):
            box.settle(timeout=1)
        box.settle(ignore_hidden=True)
    finally:
        box.client("lambda", account).delete_event_source_mapping(UUID=mapping["UUID"])


def test_input_and_input_path_shape_what_the_target_gets(box: Box, account: str) -> None:
    letters = open_queue(box, account, "letters")
    rule(
        box,
        account,
        IAM_CALLS,
        {"Arn": letters, "Input": '{"constant": 1}'},
        {"Arn": letters, "InputPath": "$.detail.eventName"},
    )
    call_iam(box, account)
    box.settle()
    assert sorted(map(json.dumps, bodies(box, letters))) == ['"CreateGroup"', '{"constant": 1}']


def test_no_more_than_four_functions_run_at_once_for_events(box: Box, account: str) -> None:
    seen = queue(box, account, "seen")
    code = PASS_ON.replace("json.dumps(event)", 'os.environ["LAMBDA_TASK_ROOT"]')
    function(
        box, account, "f", code, allow("sqs:GetQueueUrl"), allow("sqs:SendMessage"), QUEUE="seen"
    )
    invoke = box.client("lambda", account).invoke
    for _ in range(10):
        invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
    box.settle()
    homes = [message["Body"] for message in messages(box, seen)]
    assert len(homes) == 10
    assert 1 <= len(set(homes)) <= 4
