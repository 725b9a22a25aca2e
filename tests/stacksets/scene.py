"""A small made-up Organization, a rollout file for it, and what was seen after a rollout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from stacksets.config.load import read_wanted
from stacksets.config.model import Ring, Wanted
from stacksets.observed.model import (
    AutoDeployment,
    Bucket,
    ControlPolicy,
    Instance,
    Observed,
    Stack,
    StackSet,
    Subscription,
)
from stacksets.observed.organization import Account, Organization, Unit
from stacksets.observed.templates import Template
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan

MANAGEMENT, SECURITY = "111122223333", "444455556666"
ONE, TWO, THREE = "777788889991", "777788889992", "777788889993"
ROOT, SMALL, LARGE, INNER = (
    "r-ab12",
    "ou-ab12-smallsmall",
    "ou-ab12-largelarge",
    "ou-ab12-innerinner",
)
TODAY = date(2026, 11, 22)
ALLOW_ALL = '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'

PARAMETERS: dict[str, Any] = {
    "Mode": {"Type": "String", "Default": "observe", "AllowedValues": ["observe", "enforce"]},
    "CentralBusArn": {"Type": "String", "AllowedPattern": "arn:.*"},
    "MissingGroup": {
        "Type": "String",
        "Default": "undecided",
        "AllowedValues": ["undecided", "treat-as-empty"],
    },
    "AdminRolePatterns": {"Type": "String", "Default": "role/stacksets-exec-*"},
    "RoleCallers": {
        "Type": "String",
        "Default": "contain",
        "AllowedValues": ["contain", "report", "ignore"],
    },
    "TrailDestS3BucketName": {"Type": "String", "Default": "", "AllowedPattern": "[a-z0-9-]*"},
}
CENTRAL_PARAMETERS: dict[str, Any] = {
    "OrganizationId": {"Type": "String", "Default": ""},
    "Email": {"Type": "String", "Default": "", "AllowedPattern": r"([^@\s]+@[^@\s]+)?"},
    "SNSTopicArn": {"Type": "String", "Default": ""},
    "ExtraEmail": {"Type": "String", "Default": ""},
    "ExtraAccounts": {"Type": "String", "Default": ""},
    "MailsPerMinute": {"Type": "Number", "Default": 30, "MinValue": 5, "MaxValue": 240},
}


def rollout_file(rings: Mapping[str, str], *, canary: str, more: str = "") -> str:
    """A rollout file with a ring of each name over that unit; `more` goes on after the last."""
    named = "".join(
        f'[[ring]]\nname = "{name}"\nunits = ["{unit}"]\n' for name, unit in rings.items()
    )
    return f"""
organization = "o-exampleorgid"
trail = "accounts"
[central]
account = "{SECURITY}"
[central.parameters]
Email = "security@example.com"
[guardrail]
attach = "rings"
canary = "{canary}"
{named}{more}"""


FILE = rollout_file(
    {"canary": "Small", "everyone": LARGE},
    canary="Small",
    more="tolerance_percent = 10\n[management]\ninstall = true\n",
)
GUARDRAIL = '{"Statement":[]}'


def template(name: str, parameters: Mapping[str, Any], **resources: Any) -> Template:
    document = {"Parameters": parameters, "Resources": resources or {"Log": log(90)}}
    return Template(name, json.dumps(document))


def log(days: int) -> dict[str, Any]:
    return {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": "/example", "RetentionInDays": days},
    }


MEMBER = template("member", PARAMETERS)
CENTRAL = template("central", CENTRAL_PARAMETERS)


def wanted(text: str = FILE) -> Wanted:
    return read_wanted(text, member=PARAMETERS, central=CENTRAL_PARAMETERS)


def changed(*pairs: tuple[str, str]) -> Wanted:
    """The file with some of its text replaced, each exactly once."""
    text = FILE
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return wanted(text)


def organization() -> Organization:
    units = {
        ROOT: Unit(ROOT, "Root", "", ()),
        SMALL: Unit(SMALL, "Small", ROOT, ("Small",)),
        LARGE: Unit(LARGE, "Large", ROOT, ("Large",)),
        INNER: Unit(INNER, "Inner", LARGE, ("Large", "Inner")),
    }
    placed = {MANAGEMENT: ROOT, SECURITY: SMALL, ONE: SMALL, TWO: LARGE, THREE: INNER}
    return Organization(
        id="o-exampleorgid",
        root=ROOT,
        management=MANAGEMENT,
        all_features=True,
        units=units,
        accounts={
            account: Account(account, f"name-{account[-1]}", "a@example.com", "ACTIVE", unit)
            for account, unit in placed.items()
        },
    )


def untouched() -> Observed:
    """An Organization in which nothing of ours has been done yet."""
    return Observed(
        organization=organization(),
        caller=f"arn:aws:iam::{MANAGEMENT}:user/operator",
        partition="aws",
        stack_sets_trusted=False,
        delegated_administrators=frozenset(),
        control_policies_enabled=True,
        control_policies=(
            ControlPolicy(
                "p-FullAWSAccess",
                "FullAWSAccess",
                ALLOW_ALL,
                (ROOT, SMALL, LARGE, INNER, MANAGEMENT, SECURITY, ONE, TWO, THREE),
            ),
        ),
        trails=(),
        buckets={
            account: Bucket(
                account, f"iam-org-revoker-templates-{account}", False, False, False, frozenset()
            )
            for account in (MANAGEMENT, SECURITY)
        },
        central=None,
        subscriptions=(),
        stack_sets={},
        management_seen=True,
        management_stack=None,
        s3="https://s3.us-east-1.amazonaws.com",
    )


def rolled_out(file: Wanted | None = None) -> Observed:
    """The same Organization right after the whole file was applied."""
    file = file or wanted()
    before = given(file)
    return replace(
        untouched(),
        stack_sets_trusted=True,
        control_policies=(
            *untouched().control_policies,
            ControlPolicy("p-guard", "iam-org-revoker", GUARDRAIL, (SMALL, LARGE)),
        ),
        buckets={
            account: replace(one, exists=True, private=True, encrypted=True)
            for account, one in untouched().buckets.items()
        },
        central=_stack(SECURITY, "iam-org-revoker-central", CENTRAL, file.central.parameters),
        subscriptions=(
            Subscription("iam-org-revoker-incidents", "security@example.com", confirmed=True),
        ),
        stack_sets={ring.stack_set: stack_set(before, ring) for ring in file.rings},
        management_stack=_stack(
            MANAGEMENT, "iam-org-revoker", MEMBER, before.parameters(file.management)
        ),
    )


def stack_set(before: Given, ring: Ring) -> StackSet:
    """A ring's set as it should be."""
    units = before.ring_units(ring)
    return StackSet(
        name=ring.stack_set,
        status="ACTIVE",
        description="",
        parameters=before.parameters(ring),
        template=MEMBER.document,
        digest=MEMBER.digest,
        units=units,
        auto_deployment=AutoDeployment(enabled=True, retain=False),
        instances={account: instance(account, units[0]) for account in before.ring_accounts(ring)},
        operations=(),
    )


def instance(account: str, unit: str, **changes: str) -> Instance:
    good = Instance(
        account, unit, "CURRENT", "SUCCEEDED", "", "NOT_CHECKED", f"arn:stack/{account}"
    )
    return replace(good, **changes)


def given(
    file: Wanted | None = None,
    observed: Observed | None = None,
    *,
    member: Template = MEMBER,
    today: date = TODAY,
) -> Given:
    return Given(
        wanted=file or wanted(),
        observed=observed or untouched(),
        member=member,
        central=CENTRAL,
        guardrail=GUARDRAIL,
        today=today,
    )


def _stack(account: str, name: str, of: Template, parameters: Mapping[str, str]) -> Stack:
    return Stack(
        account=account,
        name=name,
        status="CREATE_COMPLETE",
        reason="",
        parameters=parameters,
        template=of.document,
        digest=of.digest,
        outputs={},
    )


def operations(made: Plan) -> list[str]:
    return [call.operation for call in made.calls()]


def with_ring(name: str, **changes: Any) -> Observed:
    """What was seen after a rollout, with another state of one set."""
    seen = rolled_out()
    stack_set = replace(seen.stack_sets[name], **changes)
    return replace(seen, stack_sets={**seen.stack_sets, name: stack_set})


# A policy of regions, with room for one condition more.
REGION_DENY = (
    '{"Statement":[{"Sid":"OnlyEurope","Effect":"Deny","NotAction":"iam:*","Resource":"*",'
    '"Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}%s}}]}'
)
# The policy of a rollout binds everybody below the root but the central account.
ROOT_BUT_CENTRAL = (ONE, LARGE)


def under(content: str, targets: tuple[str, ...]) -> Observed:
    """Before a rollout, with one service control policy more."""
    policy = ControlPolicy("p-more", "more", content, targets)
    return replace(untouched(), control_policies=(*untouched().control_policies, policy))
