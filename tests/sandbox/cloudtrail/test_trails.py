"""A trail is made only where CloudTrail could write its logs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.cloudformation.templates import delete, deploy, failures, resource, template

REGION = "us-east-1"


def bucket_policy(account: str, bucket: str, *, trail: str = "management") -> dict[str, Any]:
    source = f"arn:aws:cloudtrail:{REGION}:{account}:trail/{trail}"
    writer = {"Service": "cloudtrail.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": writer,
                "Action": "s3:GetBucketAcl",
                "Resource": f"arn:aws:s3:::{bucket}",
                "Condition": {"StringEquals": {"aws:SourceArn": source}},
            },
            {
                "Effect": "Allow",
                "Principal": writer,
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/logs/AWSLogs/{account}/*",
                "Condition": {
                    "StringEquals": {
                        "aws:SourceArn": source,
                        "s3:x-amz-acl": "bucket-owner-full-control",
                    }
                },
            },
        ],
    }


def trail_template(bucket: str, **properties: Any) -> str:
    given = {
        "TrailName": "management",
        "S3BucketName": bucket,
        "S3KeyPrefix": "logs",
        "IsLogging": True,
        "EnableLogFileValidation": True,
        "IncludeGlobalServiceEvents": True,
        "EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}],
    }
    return template(Trail=resource("AWS::CloudTrail::Trail", **{**given, **properties}))


def make_bucket(box: Box, owner: str, bucket: str, policy: dict[str, Any]) -> None:
    s3 = box.client("s3", owner)
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def test_a_trail_logs_into_a_bucket_of_another_account(box: Box, account: str) -> None:
    bucket = f"trail-{account}"
    make_bucket(box, box.security, bucket, bucket_policy(account, bucket))
    deploy(box, account, "trail", trail_template(bucket))
    cloudtrail = box.client("cloudtrail", account)
    made = cloudtrail.get_trail(Name="management")["Trail"]
    assert made["TrailARN"] == f"arn:aws:cloudtrail:{REGION}:{account}:trail/management"
    assert (made["S3BucketName"], made["LogFileValidationEnabled"]) == (bucket, True)
    assert cloudtrail.get_trail_status(Name="management")["IsLogging"] is True
    selectors = cloudtrail.get_event_selectors(TrailName="management")["EventSelectors"]
    assert selectors[0]["ReadWriteType"] == "WriteOnly"
    deploy(box, account, "trail", trail_template(bucket, IsLogging=False))
    assert cloudtrail.get_trail_status(Name="management")["IsLogging"] is False
    assert delete(box, account, "trail")["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="TrailNotFoundException"):
        cloudtrail.get_trail(Name="management")


@pytest.mark.parametrize(
    "flaw", ["none", "another trail's", "another prefix", "an ACL asked of a reader"]
)
def test_a_trail_is_refused_by_an_insufficient_bucket_policy(
    box: Box, account: str, flaw: str
) -> None:
    bucket = f"trail-{account}"
    policy = bucket_policy(account, bucket, trail="other" if "trail" in flaw else "management")
    if flaw == "none":
        policy["Statement"] = policy["Statement"][:1]
    if flaw == "an ACL asked of a reader":
        # Only what is written has an access control list with it.
        policy["Statement"][0]["Condition"] = policy["Statement"][1]["Condition"]
    make_bucket(box, account, bucket, policy)
    prefix = "elsewhere" if flaw == "another prefix" else "logs"
    stack = deploy(box, account, "trail", trail_template(bucket, S3KeyPrefix=prefix))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = failures(box, account, stack["StackId"])["Trail"]
    assert "InsufficientS3BucketPolicyException" in reason


def test_a_trail_into_a_bucket_that_is_not_there_is_refused(box: Box, account: str) -> None:
    stack = deploy(box, account, "trail", trail_template(f"nowhere-{account}"))
    reason = failures(box, account, stack["StackId"])["Trail"]
    assert "S3BucketDoesNotExistException" in reason


def test_the_api_refuses_what_the_template_may_not_have(box: Box, account: str) -> None:
    with pytest.raises(ClientError, match="S3BucketDoesNotExistException"):
        box.client("cloudtrail", account).create_trail(Name="t", S3BucketName=f"no-{account}")


def test_a_log_group_is_named_with_its_ending_and_a_role(box: Box, account: str) -> None:
    bucket = f"trail-{account}"
    make_bucket(box, account, bucket, bucket_policy(account, bucket))
    group = f"arn:aws:logs:{REGION}:{account}:log-group:trail"
    role = f"arn:aws:iam::{account}:role/trail"
    for arn, expected in ((group, "LogGroupArn"), (f"{group}:*", "LogsRoleArn")):
        given = {"CloudWatchLogsLogGroupArn": arn}
        given |= {"CloudWatchLogsRoleArn": role} if expected == "LogGroupArn" else {}
        stack = deploy(box, account, f"no-{expected}", trail_template(bucket, **given))
        assert expected in failures(box, account, stack["StackId"])["Trail"]
    given = {"CloudWatchLogsLogGroupArn": f"{group}:*", "CloudWatchLogsRoleArn": role}
    deploy(box, account, "trail", trail_template(bucket, **given))
    made = box.client("cloudtrail", account).get_trail(Name="management")["Trail"]
    assert made["CloudWatchLogsLogGroupArn"] == f"{group}:*"
