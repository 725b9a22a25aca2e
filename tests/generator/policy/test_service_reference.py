"""Every policy that we deploy or print, against AWS's own list of actions, resources and keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.render import Rendered
from sandbox.iam.resourceless import RESOURCELESS
from stacksets.permissions.operator import Place, document
from tests.generator.documents import Document, documents, fillings, listed, trusts
from tests.generator.policy.service_reference import expand, findings, types

GUARDRAIL = Path(__file__).parents[3] / "templates" / "guardrail.json"
# Where, and how the finding begins -> why we leave it so.
EXCEPTIONS = {
    ("TopicKey", "on * for no reason: kms:"): "in a key's own policy, * is that key and nothing "
    "else (KMS Developer Guide, Key policies)",
    ("operator guardrail", "on * for no reason: organizations:"): "the ARN of a policy, a root or "
    "an account holds an id, and no name by which ours could be told from others",
    ("operator removal", "on * for no reason: organizations:"): "the same",
    ("RevokerRole.always", "dynamodb:GetResourcePolicy without its stream"): "the call names a "
    "table or a stream, and our table has none (DynamoDB API Reference, GetResourcePolicy)",
}


def everything(rendered: dict[str, Rendered]) -> Iterator[tuple[str, Document]]:
    """Every document of both templates, the guardrail, and what operators are told to allow."""
    for filling in fillings(rendered).values():
        yield from documents(filling)
        yield from trusts(filling).items()
        for name, body in filling.resources().items():
            if body["Type"] == "AWS::Lambda::Permission":
                statement = {"Effect": "Allow", "Action": body["Properties"]["Action"]}
                yield name, {"Version": "2012-10-17", "Statement": [statement]}
    yield "guardrail", json.loads(GUARDRAIL.read_text())
    for place in Place:
        yield f"operator {place.value}", document(place)


def test_the_reference_knows_every_statement_but_for_the_written_exceptions(
    rendered: dict[str, Rendered],
) -> None:
    seen = set()
    for name, one in everything(rendered):
        assert one["Version"] == "2012-10-17", name
        for finding in findings(one):
            excused = {
                (where, begins)
                for where, begins in EXCEPTIONS
                if where == name and finding.startswith(begins)
            }
            assert excused, (name, finding)
            seen |= excused
    assert seen == EXCEPTIONS.keys()


TOPIC = "arn:aws:sns:*:*:iam-org-revoker-incidents"
BUS = "arn:aws:events:us-east-1:111122223333:event-bus/iam-org-revoker"
SOURCE = {"events:source": "iam-org-revoker"}


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ({"Action": "iam:AttachUsrPolicy"}, "no action: iam:AttachUsrPolicy"),
        ({"Action": "iam:Atach*"}, "no action: iam:Atach*"),
        ({"Action": "imm:GetUser"}, "no action: imm:GetUser"),
        ({"NotAction": "iam:Lst*", "Resource": BUS}, "no action: iam:Lst*"),
        # As the service role, the drift of stacks and the responder had them, or could have.
        (
            {"Action": ["events:PutPermission", "events:DescribeEventBus"], "Resource": BUS},
            f"no resource of events:PutPermission: {BUS}",
        ),
        (
            {"Action": ["sns:Subscribe", "sns:GetSubscriptionAttributes"], "Resource": TOPIC},
            f"no resource of sns:GetSubscriptionAttributes: {TOPIC}",
        ),
        (
            {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::amzn-s3-demo-bucket/*"},
            "no resource of s3:ListBucket: arn:aws:s3:::amzn-s3-demo-bucket/*",
        ),
        (
            {"Action": "iam:GetRole", "Resource": ["arn:aws:iam::*:role/x", "arn:aws:iam::role/x"]},
            "no resource of these actions: arn:aws:iam::role/x",
        ),
        (
            {"NotAction": "sqs:Get*", "Resource": "arn:aws:sqs:us-east-1:queue"},
            "no resource of any other: arn:aws:sqs:us-east-1:queue",
        ),
        (
            {"Action": "sso:DescribePermissionSet", "Resource": "arn:aws:sso:::instance/*"},
            "sso:DescribePermissionSet without its PermissionSet",
        ),
        ({"Action": "sns:Publish", "Resource": "*"}, "on * for no reason: sns:Publish"),
        (
            {"Action": "iam:DeleteUser", "Condition": {"ArnEquals": {"iam:PolicyARN": "arn"}}},
            "no key of iam:DeleteUser: iam:PolicyARN",
        ),
        (
            {"Action": "sqs:SendMessage", "Condition": {"ArnEquals": {"aws:SourceArm": "arn"}}},
            "no key of sqs:SendMessage: aws:SourceArm",
        ),
        (
            {"Action": "events:PutEvents", "Condition": {"StringLike": SOURCE}},
            "no operator for ArrayOfString: StringLike of events:source",
        ),
        (
            {"Action": "sqs:SendMessage", "Condition": {"StringLike": {"aws:SourceArn": "arn"}}},
            "no operator for ARN: StringLike of aws:SourceArn",
        ),
        (
            {"Action": "sqs:SendMessage", "Condition": {"ArnLikes": {"aws:SourceArn": "arn"}}},
            "no operator for ARN: ArnLikes of aws:SourceArn",
        ),
        (
            {
                "Action": "sqs:SendMessage",
                "Condition": {"ForAnyValue:ArnLike": {"aws:SourceArn": "arn"}},
            },
            "no operator for ARN: ForAnyValue:ArnLike of aws:SourceArn",
        ),
    ],
)
def test_a_planted_fault_is_found_and_nothing_else(fault: dict[str, Any], found: str) -> None:
    statement = {"Effect": "Allow", **fault}
    assert [*findings({"Statement": [statement]})] == [found]


def test_what_aws_documents_is_no_fault() -> None:
    """The look-alikes of the faults above."""
    statements: list[Document] = [
        {"Action": ["events:PutPermission", "iam:ListPolicies"], "Resource": "*"},
        {"Action": "sns:Subscribe", "Resource": TOPIC},
        {"Action": "iam:Get*", "Resource": ["arn:aws:iam::*:role/x", "arn:aws:iam::*:user/*"]},
        {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::amzn-s3-demo-*"},
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::amzn-s3-demo-bucket/*"},
        {"NotAction": ["sqs:Get*"], "Resource": "arn:aws:sqs:us-east-1:*:queue"},
        {
            "Action": ["sso:DescribePermissionSet"],
            "Resource": ["arn:aws:sso:::instance/*", "arn:aws:sso:::permissionSet/*"],
        },
        {
            "Action": "events:PutEvents",
            "Resource": BUS,
            "Condition": {
                "ForAllValues:StringLike": SOURCE,
                "Null": {"events:source": "false"},
                "StringEquals": {"aws:SourceAccount": "111122223333"},
            },
        },
    ]
    document_ = {"Statement": [{"Effect": "Allow", **one} for one in statements]}
    assert [*findings(document_)] == []


def test_the_sandbox_knows_which_of_our_actions_know_no_resource(
    rendered: dict[str, Rendered],
) -> None:
    named = {
        action
        for _, one in everything(rendered)
        for statement in one["Statement"]
        for action in listed(statement.get("Action", []))
        if expand(action) == [action] and not types(action)
    }
    assert named == RESOURCELESS
