"""Trails of the landscape: one in an account, or one of the whole Organization.

The sandbox delivers without a trail as well, unless `state.trails_needed`; the product asks whether
there is one, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sandbox.box import Box
from sandbox.core.keys import REGION

TRAIL_NAME = "organization"


def start_trail(box: Box, account: str) -> None:
    """Make the account's trail with its bucket, and start it; quietly, as the landscape's own."""
    bucket = trail_bucket(box, account, {account: TRAIL_NAME})
    trail = box.client("cloudtrail", account)
    trail.create_trail(
        Name=TRAIL_NAME,
        S3BucketName=bucket,
        IncludeGlobalServiceEvents=True,
        IsMultiRegionTrail=True,
    )
    trail.start_logging(Name=TRAIL_NAME)


def start_organization_trail(box: Box) -> str:
    """Make the Organization's trail in the management account, and start it; answers its ARN."""
    organizations = box.client("organizations", box.management)
    organizations.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    trail = box.client("cloudtrail", box.management)
    made = trail.create_trail(
        Name=TRAIL_NAME,
        S3BucketName=trail_bucket(box, box.management, {box.management: TRAIL_NAME}),
        IncludeGlobalServiceEvents=True,
        IsMultiRegionTrail=True,
        IsOrganizationTrail=True,
    )
    trail.start_logging(Name=TRAIL_NAME)
    return str(made["TrailARN"])


def trail_bucket(box: Box, owner: str, trails: Mapping[str, str]) -> str:
    """Make a bucket of `owner` into which trails, by account, may write; answers its name."""
    bucket = f"organization-trail-{owner}"
    s3 = box.client("s3", owner)
    s3.create_bucket(Bucket=bucket)
    statements = [
        statement
        for account, name in trails.items()
        for statement in _statements(account, name, bucket, box.organization_id)
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    return bucket


def _statements(
    account: str, trail: str, bucket: str, organization: str
) -> list[dict[str, object]]:
    source = f"arn:aws:cloudtrail:{REGION}:{account}:trail/{trail}"
    common: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
    }
    ours = {"aws:SourceArn": source}
    written = ours | {"s3:x-amz-acl": "bucket-owner-full-control"}
    arn = f"arn:aws:s3:::{bucket}"
    return [
        common
        | {
            "Action": "s3:GetBucketAcl",
            "Resource": arn,
            "Condition": {"StringEquals": ours},
        },
        common
        | {
            "Action": "s3:PutObject",
            "Resource": [f"{arn}/AWSLogs/{account}/*", f"{arn}/AWSLogs/{organization}/*"],
            "Condition": {"StringEquals": written},
        },
    ]
