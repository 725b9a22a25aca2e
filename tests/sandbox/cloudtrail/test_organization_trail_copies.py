"""An organization trail is the management account's to make, and every member's to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.demo.organization_trail import start_organization_trail, start_trail, trail_bucket

SERVICE = "cloudtrail.amazonaws.com"
ALONE = "666677772222"


@pytest.fixture
def trail(box: Box) -> Iterator[str]:
    yield start_organization_trail(box)
    box.client("cloudtrail", box.management).delete_trail(Name="organization")
    s3 = box.client("s3", box.management)
    s3.delete_bucket_policy(Bucket=f"organization-trail-{box.management}")
    s3.delete_bucket(Bucket=f"organization-trail-{box.management}")


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_a_member_sees_the_copy_and_asks_for_it_by_the_whole_arn(
    box: Box, trail: str, account: str
) -> None:
    cloudtrail = box.client("cloudtrail", account)
    (seen,) = cloudtrail.describe_trails()["trailList"]
    assert (seen["TrailARN"], seen["IsOrganizationTrail"]) == (trail, True)
    assert f":{box.management}:" in trail
    assert cloudtrail.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert cloudtrail.get_trail_status(Name=trail)["IsLogging"] is True
    assert refused(cloudtrail.get_trail_status, Name="organization") == "TrailNotFoundException"
    assert cloudtrail.get_event_selectors(TrailName=trail)["EventSelectors"]
    for change in (cloudtrail.stop_logging, cloudtrail.delete_trail):
        assert refused(change, Name=trail) == "TrailNotFoundException"
    assert box.client("cloudtrail", ALONE).describe_trails()["trailList"] == []
    elsewhere = box.client("cloudtrail", account, region="eu-west-1")
    assert [one["TrailARN"] for one in elsewhere.describe_trails()["trailList"]] == [trail]
    (own,) = box.client("cloudtrail", box.management).describe_trails()["trailList"]
    assert own["TrailARN"] == trail


def test_only_the_management_account_makes_one_and_only_with_trust(box: Box, account: str) -> None:
    asked = {"Name": "all", "S3BucketName": f"none-{account}", "IsOrganizationTrail": True}
    organizations = box.client("organizations", box.management)
    organizations.disable_aws_service_access(ServicePrincipal=SERVICE)
    for owner, code in (
        (account, "NotOrganizationMasterAccountException"),
        (ALONE, "OrganizationsNotInUseException"),
        (box.management, "CloudTrailAccessNotEnabledException"),
    ):
        assert refused(box.client("cloudtrail", owner).create_trail, **asked) == code
    organizations.enable_aws_service_access(ServicePrincipal=SERVICE)
    management = box.client("cloudtrail", box.management)
    assert refused(management.create_trail, **asked) == "S3BucketDoesNotExistException"


def test_its_bucket_takes_the_logs_of_the_members_too(box: Box) -> None:
    box.client("organizations", box.management).enable_aws_service_access(ServicePrincipal=SERVICE)
    bucket = trail_bucket(box, box.management, {box.management: "all"})
    s3 = box.client("s3", box.management)
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    less = policy.replace(f"AWSLogs/{box.organization_id}/", "AWSLogs/elsewhere/")
    s3.put_bucket_policy(Bucket=bucket, Policy=less)
    cloudtrail = box.client("cloudtrail", box.management)
    asked = {"Name": "all", "S3BucketName": bucket}
    code = refused(cloudtrail.create_trail, **asked, IsOrganizationTrail=True)
    assert code == "InsufficientS3BucketPolicyException"
    cloudtrail.create_trail(**asked)
    cloudtrail.delete_trail(Name="all")
    s3.delete_bucket_policy(Bucket=bucket)
    s3.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize(
    ("change", "arrives"),
    [
        ({}, True),
        ({"logging": False}, False),
        ({"update": {"IncludeGlobalServiceEvents": False}}, False),
        ({"select": {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}}, False),
        ({"select": {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}}, True),
        ({"select": {"ReadWriteType": "All", "IncludeManagementEvents": False}}, False),
    ],
)
def test_where_trails_are_needed_a_call_arrives_only_by_one_that_logs_it(
    box: Box, account: str, change: dict[str, Any], arrives: bool
) -> None:
    record = {
        "recipientAccountId": account,
        "awsRegion": "us-east-1",
        "eventSource": "iam.amazonaws.com",
        "readOnly": False,
    }
    assert not box.state.logged(record)
    start_trail(box, account)
    cloudtrail = box.client("cloudtrail", account)
    if "logging" in change:
        cloudtrail.stop_logging(Name="organization")
    if "update" in change:
        cloudtrail.update_trail(Name="organization", **change["update"])
    if "select" in change:
        cloudtrail.put_event_selectors(TrailName="organization", EventSelectors=[change["select"]])
    assert box.state.logged(record) is arrives
