"""Every policy of both templates: a name for each statement, and whom roles trust."""

from __future__ import annotations

from typing import Any

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


def test_every_statement_has_a_sid_of_its_own(rendered: dict[str, Rendered]) -> None:
    for filling in fillings(rendered).values():
        for name, document in documents(filling):
            sids = [statement["Sid"] for statement in document["Statement"]]
            assert all(sid.isalnum() for sid in sids), name
            assert len(sids) == len(set(sids)), name


def test_each_role_trusts_one_aws_service_but_the_responder_and_the_canary_nobody(
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
        "ReconcileRole": _trusted({"Service": "scheduler.amazonaws.com"}, in_this_account),
        "TrailRole": _trusted({"Service": "cloudtrail.amazonaws.com"}),
        "NotifierRole": _trusted({"Service": "lambda.amazonaws.com"}),
        "CanaryRole": {"Effect": "Deny", "Principal": {"AWS": "*"}},
        "ResponderRole": _trusted(
            {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            {"ArnLike": {"aws:PrincipalArn": ["arn:*:iam::*:*"]}},
        ),
    }


def _trusted(principal: Document, condition: Document | None = None) -> Document:
    more = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Principal": principal, **more}


def test_the_canary_may_do_nothing_and_the_responder_asks_revokers_of_this_organization_alone(
    rendered: dict[str, Rendered],
) -> None:
    assert (
        "Policies"
        not in fill_member(rendered["member"].tree).resources()["CanaryRole"]["Properties"]
    )

    def ask(side: str) -> Document:
        asked, read = statements(fillings(rendered)[side], "ResponderRole")
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
    assert filling.resources()["ResponderMayInvoke"]["Properties"] == {
        "FunctionName": "Revoker",
        "Action": "lambda:InvokeFunction",
        "Principal": "arn:aws-cn:iam::444455556666:role/iam-org-revoker/iam-org-revoker-responder",
    }
