"""Who looks like an administrator of IAM: permission sets and roles, each with the reason.

Reads only, and only proposes: what the Organization's people mean to be administrators they say
themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Managed policies whose holders administer IAM.
POWERFUL = ("AdministratorAccess", "IAMFullAccess")
LOOKS_LIKE = re.compile(r"(?i)admin|iam|identity|break.?glass|terraform|deploy|pipeline")


@dataclass(frozen=True)
class Proposal:
    """An entry for AdminRolePatterns, and why it is proposed."""

    pattern: str
    reason: str


def permission_sets(client: Any) -> Iterator[Proposal]:
    """The permission sets of Identity Center that look like administrators'. `client` is
    sso-admin's, in the region where Identity Center lives. Raises ClientError."""
    for page in client.get_paginator("list_instances").paginate():
        for instance in page["Instances"]:
            arn = instance["InstanceArn"]
            sets = client.get_paginator("list_permission_sets").paginate(InstanceArn=arn)
            for one in (one for part in sets for one in part["PermissionSets"]):
                yield from _permission_set(client, {"InstanceArn": arn, "PermissionSetArn": one})


def roles(client: Any, partition: str) -> Iterator[Proposal]:
    """The roles of one account that hold a powerful policy, by their whole ARNs: whoever bears the
    same name in another account may be anybody. Raises ClientError."""
    for policy in POWERFUL:
        arn = f"arn:{partition}:iam::aws:policy/{policy}"
        pages = client.get_paginator("list_entities_for_policy")
        for page in pages.paginate(PolicyArn=arn, EntityFilter="Role"):
            for role in page["PolicyRoles"]:
                found = client.get_role(RoleName=role["RoleName"])["Role"]
                if not found["Path"].startswith(("/aws-service-role/", "/aws-reserved/")):
                    yield Proposal(found["Arn"], f"holds {policy}")


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
        # The path has a region in it, but in us-east-1.
        yield Proposal(f"role/aws-reserved/sso.amazonaws.com/**AWSReservedSSO_{name}_*", reason)
