"""What the operator may do, and no more: least privilege for each account, as data with reasons.

Only his own calls. What CloudFormation makes on his behalf it makes with a service role
(`service_role`), or else with his own rights; that role's policy stands here too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from handler.names import (
    HEALTH_TOPIC,
    IAM_PATH,
    INCIDENT_TABLE,
    INCIDENT_TOPIC,
    LISTED_INDEX,
    PRODUCT,
)
from stacksets import taking_back
from stacksets.observe import bucket_name
from stacksets.permission import Permission
from stacksets.proposals import POWERFUL
from stacksets.wanted import CENTRAL_STACK, MANAGEMENT_STACK


class Place(Enum):
    """The accounts in which the operator needs rights."""

    FIRST = "first"
    DEPLOYING = "deploying"
    GUARDRAIL = "guardrail"
    MANAGEMENT = "management"
    CENTRAL = "central"
    SERVICE_ROLE = "service-role"
    SEEING = "seeing"
    SEEING_CENTRAL = "seeing-central"
    TAKING_BACK = "taking-back"
    TAKING_BACK_CENTRAL = "taking-back-central"
    TAKING_BACK_MEMBERS = "taking-back-members"


_TAKES_AWAY = "and for an `apply` that takes stacks away,"
TITLES = {
    Place.FIRST: "For `init`, in the account that it is run from",
    Place.DEPLOYING: "Where the StackSets are: the management account, or the delegated one",
    Place.GUARDRAIL: "The management account, for trust and the guardrail",
    Place.MANAGEMENT: "The management account, for its own stack",
    Place.CENTRAL: "The security account",
    Place.SERVICE_ROLE: "The role that CloudFormation takes for the two ordinary stacks: not tried",
    Place.SEEING: "For `status` alone, where the StackSets are and in the management account",
    Place.SEEING_CENTRAL: "For `status` alone, in the security account",
    Place.TAKING_BACK: "For `drift` and `remove` besides, where the StackSets are",
    Place.TAKING_BACK_CENTRAL: (
        f"For `drift` and `remove` besides, {_TAKES_AWAY} in the security account"
    ),
    Place.TAKING_BACK_MEMBERS: (
        f"For `drift` and `remove`, {_TAKES_AWAY} in every account that is looked into, "
        "management too"
    ),
}


# Also a set of the bare name, made by hand and gone on with by `takes_over`.
_SET = f"cloudformation:*:*:stackset/{PRODUCT}*"
_TARGET = f"cloudformation:*:*:stackset-target/{PRODUCT}*"
_LOOK, _DO = "to see what is there", "to do the steps of the plan"


def permissions(place: Place) -> tuple[Permission, ...]:
    """Everything that is needed at a place."""
    match place:
        case Place.FIRST:
            return tuple(_first())
        case Place.DEPLOYING:
            return (*_sets(), *_organization(), *_bucket())
        case Place.GUARDRAIL:
            return tuple(_guardrail())
        case Place.MANAGEMENT:
            return tuple(_stack(MANAGEMENT_STACK))
        case Place.CENTRAL:
            topics = (INCIDENT_TOPIC, HEALTH_TOPIC)
            confirmed = (
                Permission("sns:ListSubscriptionsByTopic", f"sns:*:*:{topic}", "who confirmed")
                for topic in topics
            )
            return (*_stack(CENTRAL_STACK), *_bucket(), *confirmed)
        case Place.SERVICE_ROLE:
            return tuple(_made_by_cloudformation())
        case Place.TAKING_BACK:
            return (*taking_back.WHERE_THE_SETS_ARE, *taking_back.GUARDRAIL)
        case Place.TAKING_BACK_CENTRAL:
            return taking_back.CENTRAL
        case Place.TAKING_BACK_MEMBERS:
            return taking_back.MEMBERS
        case Place.SEEING:
            return tuple(_seeing())
        case Place.SEEING_CENTRAL:
            table = f"dynamodb:*:*:table/{INCIDENT_TABLE}"
            return (
                Permission("dynamodb:Scan", f"{table}/index/{LISTED_INDEX}", "heartbeats"),
                Permission("dynamodb:GetItem", table, "whether the centre itself is behind"),
            )


def document(place: Place, *, partition: str = "aws", without: str = "") -> dict[str, Any]:
    """The policy of a place; `without` leaves one action out, for a test of what is then said."""
    alike: dict[tuple[str, str, tuple[str, ...]], list[Permission]] = {}
    for one in permissions(place):
        if one.action != without:
            alike.setdefault((one.resource, one.key, one.only), []).append(one)
    return {
        "Version": "2012-10-17",
        "Statement": [_statement(rows, partition) for rows in alike.values()],
    }


def _statement(rows: list[Permission], partition: str) -> dict[str, Any]:
    """One statement of permissions on the same, under the same condition."""
    resource, condition = rows[0].resource, rows[0].condition(partition)
    return {
        "Effect": "Allow",
        "Action": sorted({one.action for one in rows}),
        "Resource": "*" if resource == "*" else f"arn:{partition}:{resource}",
        **({"Condition": condition} if condition else {}),
    }


def markdown() -> str:
    """The tables and documents of docs/operator-permissions.md."""
    parts = []
    for place in Place:
        rows = "\n".join(f"| `{one.action}` | {one.on} | {one.why} |" for one in permissions(place))
        policy = json.dumps(document(place), indent=2)
        parts.append(
            f"## {TITLES[place]}\n\n| Action | On (after `arn:aws:`) | For what |\n|---|---|---|\n"
            f"{rows}\n\n```json\n{policy}\n```\n"
        )
    return "\n".join(parts)


def _sets() -> Iterator[Permission]:
    for name in ("ListStackSets", "DescribeOrganizationsAccess"):
        yield Permission(f"cloudformation:{name}", "*", _LOOK)
    for name in (
        *("DescribeStackSet", "ListStackInstances", "ListStackSetOperations"),
        *("DescribeStackSetOperation", "ListStackSetOperationResults"),
    ):
        yield Permission(f"cloudformation:{name}", _SET, _LOOK)
    yield Permission("cloudformation:CreateStackSet", "*", f"{_DO}; AWS names no resource for it")
    for name in (
        *("UpdateStackSet", "CreateStackInstances"),
        *("UpdateStackInstances", "DeleteStackInstances"),
    ):
        yield Permission(f"cloudformation:{name}", _SET, _DO)
    instances = ("CreateStackInstances", "UpdateStackInstances", "DeleteStackInstances")
    for name in ("UpdateStackSet", *instances):
        # AWS asks for the set and for each target besides (Service Authorization Reference).
        yield Permission(f"cloudformation:{name}", _TARGET, "the accounts of a set")


def _organization() -> Iterator[Permission]:
    for name in (
        *_TREE,
        *("ListDelegatedAdministrators", "ListPolicies"),
        *("DescribePolicy", "ListTargetsForPolicy"),
    ):
        yield Permission(f"organizations:{name}", "*", _LOOK)
    for name in ("DescribeTrails", "GetTrailStatus"):
        yield Permission(f"cloudtrail:{name}", "*", 'with trail = "organization"')


_TREE = (
    *("DescribeOrganization", "ListRoots", "ListOrganizationalUnitsForParent"),
    "ListAccountsForParent",
)


def _first() -> Iterator[Permission]:
    for name in _TREE:
        yield Permission(f"organizations:{name}", "*", "the accounts and their units")
    for name in ("DescribeTrails", "GetTrailStatus"):
        yield Permission(f"cloudtrail:{name}", "*", "whether one trail of the Organization logs")
    # sso is the prefix of Identity Center's own calls (Service Authorization Reference).
    for name in ("ListInstances", "ListPermissionSets", "DescribePermissionSet"):
        yield Permission(f"sso:{name}", "*", "who looks like an administrator; else not proposed")
    yield Permission("sso:ListManagedPoliciesInPermissionSet", "*", "the same")
    for policy in POWERFUL:
        yield Permission("iam:ListEntitiesForPolicy", f"iam::aws:policy/{policy}", "the same")
    yield Permission("iam:GetRole", "iam::*:role/*", "the path of such a role")


def _seeing() -> Iterator[Permission]:
    for name in _TREE:
        yield Permission(f"organizations:{name}", "*", _LOOK)
    yield Permission("cloudformation:ListStackSets", "*", _LOOK)
    for name in ("DescribeStackSet", "ListStackInstances", "ListStackSetOperations"):
        yield Permission(f"cloudformation:{name}", _SET, _LOOK)
    for name in ("DescribeStacks", "GetTemplate"):
        yield Permission(
            f"cloudformation:{name}",
            f"cloudformation:*:*:stack/{MANAGEMENT_STACK}/*",
            "the management account's own stack",
        )


def _guardrail() -> Iterator[Permission]:
    yield Permission(
        "cloudformation:ActivateOrganizationsAccess", "*", "once, for StackSets to work at all"
    )
    yield Permission("organizations:EnableAWSServiceAccess", "*", "AWS asks for it besides")
    yield Permission(
        "iam:CreateServiceLinkedRole",
        "iam::*:role/aws-service-role/stacksets.cloudformation.amazonaws.com/*",
        "AWS asks for it besides",
    )
    for name in ("EnablePolicyType", "CreatePolicy", "UpdatePolicy", "AttachPolicy"):
        yield Permission(f"organizations:{name}", "*", "the guardrail")


def _bucket() -> Iterator[Permission]:
    bucket = f"s3:::{bucket_name('*')}"
    for name in ("ListBucket", "GetBucketPublicAccessBlock", "GetEncryptionConfiguration"):
        yield Permission(f"s3:{name}", bucket, _LOOK)
    for name in ("CreateBucket", "PutBucketPublicAccessBlock", "PutEncryptionConfiguration"):
        yield Permission(f"s3:{name}", bucket, "to make the bucket for templates")
    yield Permission("s3:PutObject", f"{bucket}/*", "to carry a template there")
    yield Permission("s3:GetObject", f"{bucket}/*", "CloudFormation reads with these rights")


def _stack(name: str) -> Iterator[Permission]:
    stack = f"cloudformation:*:*:stack/{name}/*"
    for look in ("DescribeStacks", "GetTemplate", "DescribeStackEvents"):
        yield Permission(f"cloudformation:{look}", stack, _LOOK)
    for change in ("CreateStack", "UpdateStack", "DeleteStack"):
        yield Permission(f"cloudformation:{change}", stack, _DO)


# Service -> the resources of the two templates there.
_OURS: Mapping[str, tuple[str, ...]] = {
    "cloudtrail": (f"*:*:trail/{PRODUCT}",),
    "cloudwatch": (f"*:*:alarm:{PRODUCT}-*",),
    "dynamodb": (f"*:*:table/{PRODUCT}-*",),
    "events": (f"*:*:rule/{PRODUCT}-*", f"*:*:rule/{PRODUCT}/*", f"*:*:event-bus/{PRODUCT}"),
    "iam": tuple(f":*:{kind}{IAM_PATH}*" for kind in ("role", "policy", "group")),
    "lambda": (f"*:*:function:{PRODUCT}*",),
    "logs": (f"*:*:log-group:/aws/*/{PRODUCT}*",),
    "scheduler": (f"*:*:schedule/default/{PRODUCT}-*",),
    "sns": (f"*:*:{PRODUCT}-*",),
    "sqs": (f"*:*:{PRODUCT}-*",),
}


def _made_by_cloudformation() -> Iterator[Permission]:
    for service, resources in _OURS.items():
        for resource in resources:
            yield Permission(f"{service}:*", f"{service}:{resource}", "what the templates hold")
    for action, why in (
        ("kms:*", "the key of the health topic, which has no name"),
        ("lambda:CreateEventSourceMapping", "queue to notifier; it has no name"),
        ("lambda:UpdateEventSourceMapping", "the same"),
        ("lambda:DeleteEventSourceMapping", "the same"),
        ("lambda:GetEventSourceMapping", "the same"),
        ("lambda:TagResource", "the same"),
        ("logs:DescribeLogGroups", "CloudFormation looks before it makes"),
    ):
        yield Permission(action, "*", why)
    yield Permission("s3:GetObject", f"s3:::{bucket_name('*')}/*", "the template itself")
