"""A service is let in by the condition keys that it really sends, and by no others."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.box import Box
from sandbox.core import patches
from sandbox.core.unknowns import Unknowns
from tests.sandbox.cloudformation.templates import deploy, resource, template
from tests.sandbox.parts import (
    allow,
    attributes_of,
    bodies,
    function,
    messages,
    open_queue,
    queue,
    role,
    rule,
    to_service,
)

INVOKE = "lambda:InvokeFunction"
SEND = "sqs:SendMessage"
IAM_CALLS = {"source": ["aws.iam"]}
PASS_ON = """
import boto3, json
def handler(event, context):
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="seen")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
"""


@pytest.fixture
def seen(box: Box, account: str) -> str:
    """The queue of what the function was invoked with."""
    return queue(box, account, "seen")


@pytest.fixture
def runner(box: Box, account: str, seen: str) -> str:
    return function(box, account, "f", PASS_ON, allow("sqs:GetQueueUrl"), allow(SEND, seen))


def permit(box: Box, account: str, service: str, **given: str) -> None:
    box.client("lambda", account).add_permission(
        FunctionName="f", StatementId="s", Action=INVOKE, Principal=service, **given
    )


def call_iam(box: Box, account: str) -> None:
    box.client("iam", account, quiet=False).create_group(GroupName="g")
    box.settle()


@pytest.mark.parametrize("with_account", [False, True])
def test_a_rule_invokes_by_its_arn_and_never_where_its_account_is_asked_for(
    box: Box, account: str, seen: str, runner: str, with_account: bool
) -> None:
    dead = open_queue(box, account, "dead")
    watch = rule(box, account, IAM_CALLS, {"Arn": runner, "DeadLetterConfig": {"Arn": dead}})
    more = {"SourceAccount": account} if with_account else {}
    permit(box, account, "events.amazonaws.com", SourceArn=watch, **more)
    call_iam(box, account)
    refused = [attributes_of(one)["ERROR_CODE"] for one in messages(box, dead)]
    assert refused == (["NO_PERMISSIONS"] if with_account else [])
    assert len(bodies(box, seen)) == 1 - len(refused)


@pytest.mark.parametrize("with_account", [False, True])
def test_a_rule_sends_by_its_arn_and_never_where_its_account_is_asked_for(
    box: Box, account: str, with_account: bool
) -> None:
    watch = f"arn:aws:events:us-east-1:{account}:rule/watch"
    letters = f"arn:aws:sqs:us-east-1:{account}:letters"
    statement = to_service(SEND, letters, service="events.amazonaws.com", source=watch)
    if with_account:
        statement["Condition"]["StringEquals"] = {"aws:SourceAccount": account}
    queue(box, account, "letters", statement)
    rule(box, account, IAM_CALLS, {"Arn": letters})
    call_iam(box, account)
    assert len(bodies(box, letters)) == (0 if with_account else 1)


def test_a_statement_id_is_taken_once_in_the_policy_of_a_function(
    box: Box, account: str, runner: str
) -> None:
    permit(box, account, "events.amazonaws.com")
    functions = box.client("lambda", account)
    with pytest.raises(functions.exceptions.ResourceConflictException):
        permit(box, account, "sns.amazonaws.com")
    assert runner


def scheduled(box: Box, account: str, target: str, **trusting: Any) -> None:
    """A schedule fires at a target, by a role that Scheduler may assume so."""
    may = role(box, account, "r", allow(INVOKE), service="scheduler.amazonaws.com")
    if trusting:
        statement = allow("sts:AssumeRole", **trusting)
        del statement["Resource"]
        statement["Principal"] = {"Service": "scheduler.amazonaws.com"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        patches.get("ministack.services.iam", "_roles").get_scoped(account, None, "r")[
            "AssumeRolePolicyDocument"
        ] = document
    box.client("scheduler", account).create_schedule(
        Name="s",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": may, "Input": "{}"},
    )
    box.advance(3601)
    box.tick()
    box.settle()


def test_a_schedule_needs_no_leave_of_the_function_but_a_deny_counts(
    box: Box, account: str, seen: str, runner: str
) -> None:
    scheduled(box, account, runner)
    assert len(bodies(box, seen)) == 1
    functions = patches.get("ministack.services.lambda_svc", "_functions")
    shut = allow(INVOKE, runner) | {"Effect": "Deny", "Principal": "*", "Sid": "shut"}
    functions.get_scoped(account, "us-east-1", "f")["policy"]["Statement"].append(shut)
    box.unhide(seen)
    box.advance(3601)
    box.tick()
    box.settle()
    assert len(bodies(box, seen)) == 1


@pytest.mark.parametrize(
    ("named", "runs"), [("schedule-group/default", 1), ("schedule/default/s", 0)]
)
def test_scheduler_assumes_a_role_for_the_group_of_the_schedule(
    box: Box, account: str, seen: str, runner: str, named: str, runs: int
) -> None:
    source = f"arn:aws:scheduler:us-east-1:{account}:{named}"
    scheduled(
        box,
        account,
        runner,
        ArnEquals={"aws:SourceArn": source},
        StringEquals={"aws:SourceAccount": account},
    )
    assert len(bodies(box, seen)) == runs


@pytest.mark.parametrize("given", ["the topic", "another topic", "the account", "nothing"])
def test_a_topic_invokes_by_its_arn(
    box: Box, account: str, seen: str, runner: str, given: str
) -> None:
    sns = box.client("sns", account)
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=runner)
    match given:
        case "the topic":
            permit(box, account, "sns.amazonaws.com", SourceArn=topic)
        case "another topic":
            permit(box, account, "sns.amazonaws.com", SourceArn=f"{topic}-2")
        case "the account":
            permit(box, account, "sns.amazonaws.com", SourceArn=topic, SourceAccount=account)
    sns.publish(TopicArn=topic, Message="hello")
    box.settle()
    assert len(bodies(box, seen)) == (1 if given == "the topic" else 0)


def alarm_template(key: dict[str, Any], topic: dict[str, Any]) -> str:
    """An alarm on an encrypted topic, with these conditions in the policies of both."""
    use = allow("kms:*", **key) | {"Principal": {"Service": "cloudwatch.amazonaws.com"}}
    say = allow("sns:Publish", **topic) | {"Principal": {"Service": "cloudwatch.amazonaws.com"}}
    wrapped = {"Version": "2012-10-17"}
    return template(
        Key=resource("AWS::KMS::Key", KeyPolicy={**wrapped, "Statement": [use]}),
        Topic=resource("AWS::SNS::Topic", TopicName="health", KmsMasterKeyId={"Ref": "Key"}),
        Policy=resource(
            "AWS::SNS::TopicPolicy",
            Topics=[{"Ref": "Topic"}],
            PolicyDocument={**wrapped, "Statement": [say]},
        ),
        Mail=resource(
            "AWS::SNS::Subscription",
            TopicArn={"Ref": "Topic"},
            Protocol="email",
            Endpoint="team@example.com",
        ),
        Alarm=resource(
            "AWS::CloudWatch::Alarm",
            AlarmName="ill",
            Namespace="Parts",
            MetricName="Ill",
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[{"Ref": "Topic"}],
        ),
    )


ACCOUNT_OF_THE_ALARM = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
ANOTHER_ALARM = {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:*:alarm:another"}}


@pytest.mark.parametrize(
    ("key", "topic", "sent", "mails"),
    [
        ({}, ACCOUNT_OF_THE_ALARM, False, 1),
        (ACCOUNT_OF_THE_ALARM, {}, True, 1),
        (ACCOUNT_OF_THE_ALARM, {}, False, 0),
        ({}, ANOTHER_ALARM, True, 0),
    ],
)
def test_an_alarm_reaches_its_topic_as_the_key_and_the_topic_let_cloudwatch(
    box: Box,
    account: str,
    monkeypatch: pytest.MonkeyPatch,
    key: dict[str, Any],
    topic: dict[str, Any],
    sent: bool,
    mails: int,
) -> None:
    """No page of AWS's says whether CloudWatch sends aws:SourceAccount to KMS."""
    monkeypatch.setattr(box.state, "unknowns", Unknowns(alarms_send_source_account=sent))
    deploy(box, account, "health", alarm_template(key, topic))
    cloudwatch = box.client("cloudwatch", account)
    cloudwatch.set_alarm_state(AlarmName="ill", StateValue="ALARM", StateReason="a test")
    arn = f"arn:aws:sns:us-east-1:{account}:health"
    assert len(box.outbox.of(arn)) == mails
    reported = cloudwatch.describe_alarm_history(AlarmName="ill", HistoryItemType="Action")
    said = "Successfully executed" if mails else "Failed to execute"
    (action,) = reported["AlarmHistoryItems"]
    assert action["HistorySummary"] == f"{said} action {arn}"
