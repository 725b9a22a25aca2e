"""A trail in an account, as an organization's trail shows there: without one nothing is delivered.

The sandbox delivers without a trail as well; the product asks whether there is one, and says so.
"""

from __future__ import annotations

import json

from sandbox.box import Box
from sandbox.keys import REGION

TRAIL_NAME = "organization"


def start_trail(box: Box, account: str) -> None:
    """Make the account's trail with its bucket, and start it; quietly, as the landscape's own."""
    bucket = f"organization-trail-{account}"
    s3 = box.client("s3", account)
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_policy(account, bucket)))
    trail = box.client("cloudtrail", account)
    trail.create_trail(
        Name=TRAIL_NAME,
        S3BucketName=bucket,
        IncludeGlobalServiceEvents=True,
        IsMultiRegionTrail=True,
    )
    trail.start_logging(Name=TRAIL_NAME)


def _policy(account: str, bucket: str) -> dict[str, object]:
    source = f"arn:aws:cloudtrail:{REGION}:{account}:trail/{TRAIL_NAME}"
    common = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    ours = {"aws:SourceArn": source}
    written = ours | {"s3:x-amz-acl": "bucket-owner-full-control"}
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            common
            | {
                "Action": "s3:GetBucketAcl",
                "Resource": arn,
                "Condition": {"StringEquals": ours},
            },
            common
            | {
                "Action": "s3:PutObject",
                "Resource": f"{arn}/AWSLogs/{account}/*",
                "Condition": {"StringEquals": written},
            },
        ],
    }
