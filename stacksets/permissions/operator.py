"""What the operator may do, and no more: least privilege for each account, as data with reasons.

Only his own calls. What CloudFormation makes on his behalf it makes with a service role
(`service_role`), or else with his own rights; that role's policy stands here too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any

from handler.model.names import (
    HEALTH_TOPIC,
    INCIDENT_TABLE,
    INCIDENT_TOPIC,
    LISTED_INDEX,
    PRODUCT,
)
from stacksets.config.model import CENTRAL_STACK, MANAGEMENT_STACK, POWERFUL, bucket_name
from stacksets.permissions import removal
from stacksets.permissions.cloudformation import made_by_cloudformation, read_by_cloudformation
from stacksets.permissions.model import Permission


class Place(Enum):
    """The accounts in which the operator needs rights."""

    DEPLOYING = "deploying"
    GUARDRAIL = "guardrail"
    MANAGEMENT = "management"
    CENTRAL = "central"
    SERVICE_ROLE = "service-role"
    BEGINNING = "beginning"
    SEEING = "seeing"
    SEEING_CENTRAL = "seeing-central"
    REMOVAL = "removal"
    REMOVAL_CENTRAL = "removal-central"
    REMOVAL_MEMBERS = "removal-members"
    COMPARING = "comparing"


_TAKES_AWAY = "and for an `apply` that takes stacks away,"
TITLES = {
    Place.DEPLOYING: "Where the StackSets are: the management account, or the delegated one",
    Place.GUARDRAIL: "The management account, for trust and the guardrail",
    Place.MANAGEMENT: "The management account, for its own stack",
    Place.CENTRAL: "The security account",
    Place.SERVICE_ROLE: "The role that CloudFormation assumes for the two ordinary stacks",
    Place.BEGINNING: "For `init` alone, where you stand; it goes on without `sso` and `iam`",
    Place.SEEING: "For `status` alone, where the StackSets are and in the management account",
    Place.SEEING_CENTRAL: "For `status` alone, in the security account",
    Place.REMOVAL: "For `drift` and `remove` besides, where the StackSets are",
    Place.REMOVAL_CENTRAL: (
        f"For `drift` and `remove` besides, {_TAKES_AWAY} in the security account"
    ),
    Place.REMOVAL_MEMBERS: (
        f"For `drift` and `remove`, {_TAKES_AWAY} in every account that is looked into, "
        "management too"
    ),
    Place.COMPARING: (
        "For `drift` besides, in the security and the management account: what CloudFormation "
        "reads with your rights when it compares their stacks"
    ),
}


# Also a set of the bare name, made by hand and gone on with by `takes_over`.
_SET = f"cloudformation:*:*:stackset/{PRODUCT}*"
_TARGET = f"cloudformation:*:*:stackset-target/{PRODUCT}*"
# Not a list of the template's types: who may deploy AWS::IAM::Role may do everything anyway, and
# the next release would need a list of its own. AWS's policies of StackSets have the wildcard, too.
_TYPES = "cloudformation:*:*:type/resource/*"
_PROPOSE = "to propose administrators"
_LOOK, _DO = "to see what is there", "to do the steps of the plan"


def permissions(place: Place) -> tuple[Permission, ...]:
    """Everything that is needed at a place."""
    match place:
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
            return (*_stack(CENTRAL_STACK), *_bucket(), *confirmed, *_recipients())
        case Place.SERVICE_ROLE:
            return tuple(made_by_cloudformation())
        case Place.COMPARING:
            return tuple(read_by_cloudformation())
        case Place.REMOVAL:
            return (*removal.WHERE_THE_SETS_ARE, *removal.GUARDRAIL)
        case Place.REMOVAL_CENTRAL:
            return removal.CENTRAL
        case Place.REMOVAL_MEMBERS:
            return removal.MEMBERS
        case Place.BEGINNING:
            return (*_reading(), *_trails(), *_proposing())
        case Place.SEEING:
            return tuple(_seeing())
        case Place.SEEING_CENTRAL:
            table = f"dynamodb:*:*:table/{INCIDENT_TABLE}"
            return (
                Permission("dynamodb:Scan", f"{table}/index/{LISTED_INDEX}", "heartbeats"),
                Permission(
                    "dynamodb:GetItem", table, "whether the central account itself is behind"
                ),
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
    # AWS asks for the set, for each target and for each resource type of its template
    # (CloudFormation User Guide, "Restrict stack set operations based on Region and resource
    # types"; the Service Authorization Reference lists the three for these four actions).
    for resource, why in (
        *((_SET, _DO), (_TARGET, "the accounts of a set")),
        (_TYPES, "what the template of a set holds"),
    ):
        for name in (
            *("UpdateStackSet", "CreateStackInstances"),
            *("UpdateStackInstances", "DeleteStackInstances"),
        ):
            yield Permission(f"cloudformation:{name}", resource, why)


def _organization() -> Iterator[Permission]:
    for name in (
        *_TREE,
        *("ListDelegatedAdministrators", "ListPolicies"),
        *("DescribePolicy", "ListTargetsForPolicy"),
    ):
        yield Permission(f"organizations:{name}", "*", _LOOK)
    yield from _trails()


def _trails() -> Iterator[Permission]:
    for name in ("DescribeTrails", "GetTrailStatus", "GetEventSelectors"):
        yield Permission(f"cloudtrail:{name}", "*", 'with trail = "organization"')


_TREE = (
    *("DescribeOrganization", "ListRoots", "ListOrganizationalUnitsForParent"),
    "ListAccountsForParent",
)


def _proposing() -> Iterator[Permission]:
    """Who looks like an administrator: stacksets/init/admin_candidates.py."""
    yield Permission("sso:ListInstances", "*", _PROPOSE)
    yield Permission("sso:ListPermissionSets", "sso:::instance/*", _PROPOSE)
    for name in ("DescribePermissionSet", "ListManagedPoliciesInPermissionSet"):
        # AWS asks for the instance and for the permission set (Service Authorization Reference).
        for resource in ("instance/*", "permissionSet/*"):
            yield Permission(f"sso:{name}", f"sso:::{resource}", _PROPOSE)
    for policy in POWERFUL:
        yield Permission("iam:ListEntitiesForPolicy", f"iam::aws:policy/{policy}", _PROPOSE)
    yield Permission("iam:GetRole", "iam::*:role/*", "the path of a role that is proposed")
    yield Permission("iam:ListRoles", "*", "whose name looks like it; AWS names no resource for it")


def _reading() -> Iterator[Permission]:
    for name in _TREE:
        yield Permission(f"organizations:{name}", "*", _LOOK)


def _recipients() -> Iterator[Permission]:
    """Who hears of a unit's accounts: stacksets/steps/recipients.py."""
    why = "recipients"
    yield Permission("sns:Subscribe", f"sns:*:*:{INCIDENT_TOPIC}", why)
    for name in ("GetSubscriptionAttributes", "SetSubscriptionAttributes", "Unsubscribe"):
        # The Service Authorization Reference has no resource for these.
        yield Permission(f"sns:{name}", "*", f"{why}; AWS names no resource for it")


def _seeing() -> Iterator[Permission]:
    yield from _reading()
    yield Permission("cloudformation:ListStackSets", "*", _LOOK)
    for name in ("DescribeStackSet", "ListStackInstances", "ListStackSetOperations"):
        yield Permission(f"cloudformation:{name}", _SET, _LOOK)
    for name in ("DescribeStacks", "GetTemplate"):
        yield Permission(
            f"cloudformation:{name}",
            f"cloudformation:*:*:stack/{MANAGEMENT_STACK}/*",
            "the management account's own stack",
        )
    yield Permission(
        "cloudformation:DescribeStackEvents",
        f"cloudformation:*:*:stack/{MANAGEMENT_STACK}/*",
        "why it failed, where it did",
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
    yield Permission("organizations:ListRoots", "*", "whether such policies are on yet")


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
