"""Who looks like an administrator of IAM: permission sets and roles, each with the reason.

Reads only, and only proposes: what the Organization's people mean to be administrators they say
themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from handler.model.names import IAM_PATH
from stacksets.config.model import POWERFUL

LOOKS_LIKE = re.compile(r"(?i)admin|iam|identity|break.?glass|terraform|deploy|pipeline")
# The role of a permission set: what follows the last underscore differs by account.
OF_PERMISSION_SET = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")

_SSO_PATH = "/aws-reserved/sso.amazonaws.com/"
_OF_AWS = ("/aws-service-role/", "/aws-reserved/")


class NoIdentityCenter(Exception):
    """There is none to be seen: what to do, as the rest of a sentence."""


@dataclass(frozen=True)
class Proposal:
    """An entry for AdminRolePatterns, and why it is proposed."""

    pattern: str
    reason: str


def permission_sets(client: Any) -> Iterator[Proposal]:
    """The permission sets of Identity Center that look like administrators'. `client` is
    sso-admin's, in the region where Identity Center lives. Raises ClientError, and
    NoIdentityCenter."""
    pages = client.get_paginator("list_instances").paginate()
    instances = [one["InstanceArn"] for page in pages for one in page["Instances"]]
    if not instances:
        raise NoIdentityCenter(
            "none that this account may see lives in this region; if there is one, name its "
            "region in --identity-center-region, or stand in the account that administers it"
        )
    for arn in instances:
        sets = client.get_paginator("list_permission_sets").paginate(InstanceArn=arn)
        for one in (one for part in sets for one in part["PermissionSets"]):
            yield from _permission_set(client, {"InstanceArn": arn, "PermissionSetArn": one})


def roles(client: Any, partition: str) -> Iterator[Proposal]:
    """The roles of one account that hold a powerful policy: those of permission sets by the pattern
    that fits all accounts, others by their whole ARNs, since whoever bears the same name in another
    account may be anybody. Raises ClientError."""
    for policy in POWERFUL:
        arn = f"arn:{partition}:iam::aws:policy/{policy}"
        pages = client.get_paginator("list_entities_for_policy")
        for page in pages.paginate(PolicyArn=arn, EntityFilter="Role"):
            for role in page["PolicyRoles"]:
                name = role["RoleName"]
                found = client.get_role(RoleName=name)["Role"]
                named = OF_PERMISSION_SET.fullmatch(name)
                if named and found["Path"].startswith(_SSO_PATH):
                    reason = f"the permission set {named[1]} holds {policy}"
                    yield Proposal(_of_permission_set(named[1]), reason)
                elif not found["Path"].startswith(_OF_AWS):
                    yield Proposal(_plain(found["Arn"]), f"holds {policy}")


def roles_by_name(client: Any) -> Iterator[Proposal]:
    """The roles of one account that are called like administrators of IAM, whatever they hold; not
    AWS's own, nor ours. Raises ClientError."""
    pages = client.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1000})
    for role in (one for page in pages for one in page["Roles"]):
        path, name = role["Path"], role["RoleName"]
        named = OF_PERMISSION_SET.fullmatch(name)
        if named and path.startswith(_SSO_PATH):
            if LOOKS_LIKE.search(named[1]):
                reason = f"the permission set {named[1]} is called so"
                yield Proposal(_of_permission_set(named[1]), reason)
        elif LOOKS_LIKE.search(name) and not path.startswith((*_OF_AWS, IAM_PATH)):
            yield Proposal(_plain(role["Arn"]), "is called so")


def control_tower(client: Any) -> bool:
    """Whether Control Tower is seen to work from an account, which has this role then (Control
    Tower User Guide, "AWSControlTowerAdmin role"). Raises ClientError."""
    try:
        client.get_role(RoleName="AWSControlTowerAdmin")
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchEntity", "AccessDenied"):
            raise
        return False
    return True


def _permission_set(client: Any, named: dict[str, str]) -> Iterator[Proposal]:
    name = client.describe_permission_set(**named)["PermissionSet"]["Name"]
    pages = client.get_paginator("list_managed_policies_in_permission_set").paginate(**named)
    held = [one["Name"] for page in pages for one in page["AttachedManagedPolicies"]]
    powerful = [policy for policy in POWERFUL if policy in held]
    reason = (
        f"the permission set {name} holds {' and '.join(powerful)}"
        if powerful
        else f"the permission set {name} is called so"
    )
    if powerful or LOOKS_LIKE.search(name):
        yield Proposal(_of_permission_set(name), reason)


def _of_permission_set(name: str) -> str:
    """The path has a region in it, but in us-east-1."""
    return f"role/aws-reserved/sso.amazonaws.com/**AWSReservedSSO_{_plain(name)}_*"


def _plain(name: str) -> str:
    """A name or path as a pattern of itself: IAM lets names hold commas, which part patterns, and
    paths stars, quotes and backslashes. A question mark stands for one character of a segment,
    whatever it is."""
    return re.sub(r'[,*"\\]', "?", name)
