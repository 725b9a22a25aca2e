"""The resource types that the sandbox adds do what AWS's do, and say no where AWS does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.cloudformation.templates import (
    TRUST,
    delete,
    deny_policy,
    deploy,
    failures,
    resource,
    template,
)

REGION = "us-east-1"
ROLE = resource("AWS::IAM::Role", RoleName="worker", AssumeRolePolicyDocument=TRUST)


def bus_arn(account: str, bus: str) -> str:
    return f"arn:aws:events:{REGION}:{account}:event-bus/{bus}"


def statement(account: str, bus: str, organization: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": bus_arn(account, bus),
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}},
    }


def bus_template(account: str, organization: str, sid: str = "AllowReports") -> str:
    return template(
        Bus=resource("AWS::Events::EventBus", Name="reports"),
        Allow=resource(
            "AWS::Events::EventBusPolicy",
            EventBusName={"Ref": "Bus"},
            StatementId=sid,
            Statement=statement(account, "reports", organization),
        ),
    )


def test_a_bus_policy_keeps_its_condition_and_follows_updates(box: Box, account: str) -> None:
    arn = bus_arn(account, "reports")
    deploy(box, account, "central", bus_template(account, "o-exampleorgid"))
    expected = {"Sid": "AllowReports", **statement(account, "reports", "o-exampleorgid")}
    assert box.state.bus_policies[arn]["Statement"] == [expected]
    shown = box.client("events", account).describe_event_bus(Name="reports")["Policy"]
    assert json.loads(shown)["Statement"] == [expected]
    deploy(box, account, "central", bus_template(account, "o-otherorgid0", sid="AllowOthers"))
    expected = {"Sid": "AllowOthers", **statement(account, "reports", "o-otherorgid0")}
    assert box.state.bus_policies[arn]["Statement"] == [expected]
    assert delete(box, account, "central")["StackStatus"] == "DELETE_COMPLETE"
    assert arn not in box.state.bus_policies


def test_a_bus_policy_for_a_bus_that_is_not_there_fails(box: Box, account: str) -> None:
    body = template(
        Allow=resource(
            "AWS::Events::EventBusPolicy",
            EventBusName="nowhere",
            StatementId="s",
            Statement=statement(account, "nowhere", "o-exampleorgid"),
        )
    )
    stack = deploy(box, account, "lost", body)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Event bus nowhere does not exist." in failures(box, account, stack["StackId"])["Allow"]


@pytest.mark.parametrize("stack", ["second", "first"])
def test_a_statement_id_is_taken_once_in_an_account_over_all_buses(
    box: Box, account: str, stack: str
) -> None:
    made = json.loads(bus_template(account, "o-exampleorgid"))
    assert deploy(box, account, "first", json.dumps(made))["StackStatus"] == "CREATE_COMPLETE"
    other = json.loads(json.dumps(made).replace('"reports"', '"other"'))["Resources"]
    other = {"OtherBus": other["Bus"], "OtherAllow": other["Allow"]}
    other["OtherAllow"]["Properties"]["EventBusName"] = {"Ref": "OtherBus"}
    both = {**made["Resources"], **other} if stack == "first" else other
    refused = deploy(box, account, stack, json.dumps({"Resources": both}))
    assert refused["StackStatus"].endswith("ROLLBACK_COMPLETE")
    why = failures(box, account, refused["StackId"])["OtherAllow"]
    assert "AllowReports already exists in stack" in why


def test_the_policy_of_a_bus_itself_is_kept(box: Box, account: str) -> None:
    policy = {"Version": "2012-10-17", "Statement": [statement(account, "own", "o-exampleorgid")]}
    deploy(
        box,
        account,
        "own",
        template(Bus=resource("AWS::Events::EventBus", Name="own", Policy=policy)),
    )
    kept = box.state.bus_policies[bus_arn(account, "own")]["Statement"]
    assert kept == [{"Sid": "statement-0", **statement(account, "own", "o-exampleorgid")}]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(template(One=deny_policy()), id="managed policy"),
        pytest.param(template(One=ROLE), id="role"),
        pytest.param(template(One=resource("AWS::IAM::Group", GroupName="g")), id="group"),
        pytest.param(template(One=resource("AWS::IAM::User", UserName="u")), id="user"),
        pytest.param(template(One=resource("AWS::SQS::Queue", QueueName="q")), id="queue"),
        pytest.param(
            template(
                One=resource("AWS::Events::Rule", Name="r", EventPattern={"source": ["aws.iam"]})
            ),
            id="rule",
        ),
        pytest.param(
            template(
                One=resource(
                    "AWS::Lambda::Function",
                    FunctionName="f",
                    Runtime="python3.13",
                    Handler="index.handler",
                    Role={"Fn::GetAtt": ["Role", "Arn"]},
                    Code={"ZipFile": "def handler(event, context): pass"},
                ),
                Role=resource("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST),
            ),
            id="function",
        ),
    ],
)
def test_a_second_stack_with_the_same_fixed_name_fails(box: Box, account: str, body: str) -> None:
    assert deploy(box, account, "first", body)["StackStatus"] == "CREATE_COMPLETE"
    second = deploy(box, account, "second", body)
    assert second["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "already exists" in failures(box, account, second["StackId"])["One"]
    assert deploy(box, account, "first", body.replace("}}}", '}, "Metadata": {"x": "y"}}}', 1))[
        "StackStatus"
    ].endswith("_COMPLETE")


def table(**properties: Any) -> str:
    return template(
        Table=resource(
            "AWS::DynamoDB::Table",
            TableName="incidents",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            **properties,
        )
    )


def test_a_table_has_ttl_recovery_encryption_and_its_policy(box: Box, account: str) -> None:
    arn = f"arn:aws:dynamodb:{REGION}:{account}:table/incidents"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:DeleteTable", "Resource": arn}
        ],
    }
    deploy(
        box,
        account,
        "table",
        table(
            TimeToLiveSpecification={"AttributeName": "expires", "Enabled": True},
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            SSESpecification={"SSEEnabled": True},
            ResourcePolicy={"PolicyDocument": policy},
        ),
    )
    dynamodb = box.client("dynamodb", account)
    ttl = dynamodb.describe_time_to_live(TableName="incidents")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    backups = dynamodb.describe_continuous_backups(TableName="incidents")
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    described = dynamodb.describe_table(TableName="incidents")["Table"]
    assert described["SSEDescription"]["Status"] == "ENABLED"
    assert json.loads(dynamodb.get_resource_policy(ResourceArn=arn)["Policy"]) == policy
    deploy(
        box,
        account,
        "table",
        table(TimeToLiveSpecification={"AttributeName": "gone", "Enabled": True}),
    )
    ttl = dynamodb.describe_time_to_live(TableName="incidents")["TimeToLiveDescription"]
    assert ttl["AttributeName"] == "gone"
    with pytest.raises(ClientError, match="PolicyNotFoundException"):
        dynamodb.get_resource_policy(ResourceArn=arn)


def test_a_tables_policy_that_was_taken_off_comes_back_only_with_another_policy(
    box: Box, account: str
) -> None:
    """DynamoDB Developer Guide, "DynamoDB resource-based policy considerations"."""
    arn = f"arn:aws:dynamodb:{REGION}:{account}:table/incidents"
    dynamodb = box.client("dynamodb", account)

    def policy(action: str) -> dict[str, Any]:
        denied = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": arn}
        return {"PolicyDocument": {"Version": "2012-10-17", "Statement": [denied]}}

    same = policy("dynamodb:DeleteTable")
    deploy(box, account, "table", table(ResourcePolicy=same))
    dynamodb.delete_resource_policy(ResourceArn=arn)
    expires = {"AttributeName": "expires", "Enabled": True}
    deploy(box, account, "table", table(ResourcePolicy=same, TimeToLiveSpecification=expires))
    with pytest.raises(ClientError, match="PolicyNotFoundException"):
        dynamodb.get_resource_policy(ResourceArn=arn)
    other = policy("dynamodb:PutItem")
    deploy(box, account, "table", table(ResourcePolicy=other, TimeToLiveSpecification=expires))
    found = dynamodb.get_resource_policy(ResourceArn=arn)["Policy"]
    assert json.loads(found) == other["PolicyDocument"]


def test_an_alarm_on_metric_math_is_made(box: Box, account: str) -> None:
    metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage"}
    queries = [
        {"Id": "age", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}},
        {"Id": "minutes", "Expression": "age / 60"},
    ]
    body = template(
        Alarm=resource(
            "AWS::CloudWatch::Alarm",
            AlarmName="old",
            Metrics=queries,
            Threshold=5,
            EvaluationPeriods=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    )
    assert deploy(box, account, "alarm", body)["StackStatus"] == "CREATE_COMPLETE"
    alarms = box.client("cloudwatch", account).describe_alarms(AlarmNames=["old"])["MetricAlarms"]
    assert [one["Threshold"] for one in alarms] == [5.0]
