"""Service control policies judged as AWS judges them, and MAYBE where only AWS can."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacksets.scp.evaluator import Refusal, Request, parse, refusal

ROLE = "arn:aws:iam::777788889991:role/stacksets-exec-0123"
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def asked(**changes: str) -> Request:
    given = {
        "principal": ROLE,
        "account": "777788889991",
        "action": "lambda:CreateFunction",
        "resource": "arn:aws:lambda:us-east-1:777788889991:function:iam-org-revoker",
        "region": "us-east-1",
        "organization": "o-exampleorgid",
    }
    return Request(**{**given, **changes})


def judged(statement: dict[str, Any], **changes: str) -> Refusal | None:
    denies = parse("p", json.dumps({"Statement": {"Effect": "Deny", **statement}}))
    full = parse("FullAWSAccess", json.dumps({"Statement": [ALLOW]}))
    return refusal([[full, denies], [full]], asked(**changes))


EVERYTHING = {"Action": "*", "Resource": "*"}
SURE: dict[str, dict[str, Any]] = {
    "everything": EVERYTHING,
    "the action in other letters": {"Action": "LAMBDA:createfunction", "Resource": "*"},
    "a wildcard inside": {"Action": "lambda:*Function", "Resource": "*"},
    "all but others": {"NotAction": ["iam:*"], "Resource": "*"},
    "the resource": {"Action": "lambda:*", "Resource": "arn:aws:lambda:*:*:function:iam-*"},
    "all other resources": {"Action": "*", "NotResource": "arn:aws:s3:::*"},
    "every other region": {
        **EVERYTHING,
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
    },
    "this region by a pattern": {
        **EVERYTHING,
        "Condition": {"StringLike": {"aws:RequestedRegion": "us-*"}},
    },
    "all but another role": {
        **EVERYTHING,
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin*"}},
    },
    "a look-alike of our exemption": {
        **EVERYTHING,
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/stacksets-exec"}},
    },
    "accounts of the organization": {
        **EVERYTHING,
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}},
    },
}
PASSES: dict[str, dict[str, Any]] = {
    "another service": {"Action": "s3:*", "Resource": "*"},
    "another resource": {"Action": "*", "Resource": "arn:aws:lambda:*:*:function:other"},
    "this region allowed": {
        **EVERYTHING,
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}},
    },
    "this role exempt": {
        **EVERYTHING,
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/stacksets-exec-*"}},
    },
    "resources of another Organization, by a variable": {
        **EVERYTHING,
        "Condition": {"StringNotEqualsIfExists": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}},
    },
    "an unknown key beside one that fails": {
        **EVERYTHING,
        "Condition": {
            "StringEquals": {"aws:RequestedRegion": "eu-west-1", "aws:SourceVpc": "vpc-1"}
        },
    },
}


@pytest.mark.parametrize("case", SURE)
def test_a_deny_is_found(case: str) -> None:
    found = judged(SURE[case])
    assert found is not None
    assert (found.policy, found.surely) == ("p", True)


@pytest.mark.parametrize("case", PASSES)
def test_a_deny_of_something_else_is_none(case: str) -> None:
    assert judged(PASSES[case]) is None


def test_a_condition_on_a_key_that_only_aws_knows_is_a_maybe() -> None:
    found = judged({**EVERYTHING, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}})
    assert found is not None
    assert not found.surely


def test_a_variable_that_only_aws_knows_is_a_maybe() -> None:
    tagged = {"StringNotEquals": {"aws:PrincipalAccount": "${aws:PrincipalTag/home}"}}
    found = judged({**EVERYTHING, "Condition": tagged})
    assert found is not None
    assert not found.surely


def test_a_principal_that_is_not_known_is_a_maybe() -> None:
    condition = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin*"}}
    found = judged({**EVERYTHING, "Condition": condition}, principal="")
    assert found is not None
    assert not found.surely


def test_every_level_must_allow() -> None:
    full = parse("FullAWSAccess", json.dumps({"Statement": [ALLOW]}))
    some = parse("some", json.dumps({"Statement": [{**ALLOW, "Action": "s3:*"}]}))
    assert refusal([[full], [full, some]], asked()) is None
    found = refusal([[full], [some]], asked())
    assert found is not None
    assert (found.effect, found.surely) == ("Allow", True)
