"""Every policy of both templates: valid IAM, a name for each statement, and whom roles trust."""

from __future__ import annotations

import json
from typing import Any

from parliament import analyze_policy_string

from generator.render import Rendered
from tests.generator.documents import (
    READS,
    Document,
    documents,
    fillings,
    statements,
    trusts,
)
from tests.generator.filling import ACCOUNT
from tests.generator.filling import member as fill_member

# What parliament says of our policies, where (the document), and why we leave it so.
EXCEPTIONS = {
    # A key of every call that Lambda's role credentials sign, on any action; parliament's data
    # knows it for Lambda's own actions only.
    # https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:SourceFunctionArn", "RevokerRole.always"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:SourceFunctionArn", "RevokerRole.enforcing"),
    ("UNKNOWN_CONDITION_FOR_ACTION", "lambda:SourceFunctionArn", "RevokerRole.inline-deny"),
    # parliament calls the key an ARN, IAM's own documentation compares it with StringEquals, and an
    # exact ARN compares alike either way.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    (
        "MISMATCHED_TYPE_BUT_USABLE",
        "StringEquals requires a value of type String but given Arn",
        "RevokerRole.enforcing",
    ),
    # In a key's own policy, * is that key and nothing else.
    # https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
    ("RESOURCE_STAR", "kms:Decrypt", "TopicKey"),
}


def test_parliament_finds_nothing_but_the_written_exceptions(
    rendered: dict[str, Rendered],
) -> None:
    seen = set()
    for filling in fillings(rendered).values():
        for name, document in documents(filling):
            for finding in analyze_policy_string(json.dumps(document)).findings:
                matched = {
                    (issue, detail, where)
                    for issue, detail, where in EXCEPTIONS
                    if (issue, where) == (finding.issue, name) and detail in finding.detail
                }
                assert matched, (name, finding.issue, finding.detail)
                seen |= matched
    assert seen == EXCEPTIONS


def test_parliament_would_find_an_action_that_does_not_exist(member: Rendered) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "iam:AttachUsrPolicy", "Resource": "*"}],
    }
    assert analyze_policy_string(json.dumps(document)).findings


def test_every_statement_has_a_sid_of_its_own(rendered: dict[str, Rendered]) -> None:
    for filling in fillings(rendered).values():
        for name, document in documents(filling):
            sids = [statement["Sid"] for statement in document["Statement"]]
            assert all(sid.isalnum() for sid in sids), name
            assert len(sids) == len(set(sids)), name


def test_each_role_trusts_one_aws_service_but_the_desk_and_the_canary_nobody(
    rendered: dict[str, Rendered],
) -> None:
    found: dict[str, Any] = {}
    for filling in fillings(rendered).values():
        for name, document in trusts(filling).items():
            (statement,) = document["Statement"]
            assert statement["Action"] == "sts:AssumeRole"
            del statement["Sid"], statement["Action"]
            found[name] = statement
    in_this_account = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    rule = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/iam-org-revoker-tamper"
    for_tampering = {"ArnEquals": {"aws:SourceArn": [rule, f"{rule}-stores"]}}
    assert found == {
        "RevokerRole": _trusted({"Service": "lambda.amazonaws.com"}),
        "ForwardRole": _trusted({"Service": "events.amazonaws.com"}, for_tampering),
        "PatrolRole": _trusted({"Service": "scheduler.amazonaws.com"}, in_this_account),
        "TrailRole": _trusted({"Service": "cloudtrail.amazonaws.com"}),
        "NotifierRole": _trusted({"Service": "lambda.amazonaws.com"}),
        "CanaryRole": {"Effect": "Deny", "Principal": {"AWS": "*"}},
        "DeskRole": _trusted(
            {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            {"ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:*"}},
        ),
    }


def _trusted(principal: Document, condition: Document | None = None) -> Document:
    more = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Principal": principal, **more}


def test_the_canary_may_do_nothing_and_the_desk_asks_revokers_of_this_organization_alone(
    rendered: dict[str, Rendered],
) -> None:
    assert (
        "Policies"
        not in fill_member(rendered["member"].tree).resources()["CanaryRole"]["Properties"]
    )

    def ask(side: str) -> Document:
        asked, read = statements(fillings(rendered)[side], "DeskRole")
        assert read["Resource"].endswith(":table/iam-org-revoker-incidents")
        assert all(a.split(":")[1].startswith(READS) for a in read["Action"])
        return asked

    wanted = {
        "Sid": "AskRevokers",
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:*:*:function:iam-org-revoker",
    }
    ours = {"StringEquals": {"aws:ResourceOrgID": "o-exampleorgid"}}
    alone = {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}
    assert ask("organization") == wanted | {"Condition": ours}
    assert ask("alone") == wanted | {"Condition": alone}


def test_the_revoker_admits_one_role_of_the_central_account(member: Rendered) -> None:
    bus = "arn:aws-cn:events:cn-north-1:444455556666:event-bus/iam-org-revoker"
    filling = fill_member(member.tree, CentralBusArn=bus, **{"AWS::Partition": "aws-cn"})
    assert filling.resources()["DeskMayInvoke"]["Properties"] == {
        "FunctionName": "Revoker",
        "Action": "lambda:InvokeFunction",
        "Principal": "arn:aws-cn:iam::444455556666:role/iam-org-revoker/iam-org-revoker-desk",
    }
