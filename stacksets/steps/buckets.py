"""Steps that make a private bucket for templates and put them there. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stacksets.observed.model import Bucket
from stacksets.observed.templates import Template
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Content, Step, StepKind

# The one region whose buckets are made without naming it (S3 API Reference, CreateBucket).
NAMELESS_REGION = "us-east-1"


def bucket_steps(given: Given, account: str, templates: tuple[Template, ...]) -> Iterator[Step]:
    """Make the account's bucket private and encrypted where it is not, and carry the templates
    that CloudFormation will read there. No other account ever reads from it."""
    bucket = given.observed.buckets[account]
    calls = tuple(_making(bucket, given.wanted.region))
    if calls:
        says = "Make" if not bucket.exists else "Close"
        yield Step(
            kind=StepKind.BUCKET,
            says=f"{says} the bucket {bucket.name}: private, encrypted, no public access",
            target_text=f"account {account}",
            calls=calls,
            accounts=(account,),
        )
    for template in templates:
        if template.key not in bucket.keys:
            yield Step(
                kind=StepKind.BUCKET,
                says=f"Carry the {template.name} template there, {template.size:,} bytes",
                target_text=f"account {account}",
                calls=(_put(bucket, template),),
                accounts=(account,),
            )


def _making(bucket: Bucket, region: str) -> Iterator[Call]:
    named = {"Bucket": bucket.name}
    owned = {**named, "ExpectedBucketOwner": bucket.account}
    if not bucket.exists:
        where: dict[str, Any] = (
            {}
            if region == NAMELESS_REGION
            else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        yield Call(bucket.account, "s3", "CreateBucket", {**named, **where})
    if not bucket.private:
        blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy")
        closed = dict.fromkeys((*blocks, "RestrictPublicBuckets"), True)
        arguments = {**owned, "PublicAccessBlockConfiguration": closed}
        yield Call(bucket.account, "s3", "PutPublicAccessBlock", arguments)
    if not bucket.encrypted:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        arguments = {**owned, "ServerSideEncryptionConfiguration": {"Rules": [rule]}}
        yield Call(bucket.account, "s3", "PutBucketEncryption", arguments)


def _put(bucket: Bucket, template: Template) -> Call:
    return Call(
        bucket.account,
        "s3",
        "PutObject",
        {
            "Bucket": bucket.name,
            "Key": template.key,
            "Body": Content(template.name, template.key),
            "ExpectedBucketOwner": bucket.account,
        },
    )
