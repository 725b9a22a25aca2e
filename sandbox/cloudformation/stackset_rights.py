"""Whether a caller may do with a StackSet what its targets and its template hold, as AWS asks it.

CloudFormation User Guide, "Restrict stack set operations based on Region and resource types": an
operation fails if the policy does not name each OU or account and each type of the template. The
Service Authorization Reference lists these resources for four actions. Types of AWS's own have
ARNs without an account; a set's targets are the management account's.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.cloudformation.stackset_model import StackSet, StackSetRefused
from sandbox.cloudformation.stackset_requests import Request, parse_template
from sandbox.iam.dependent_actions import refused_dependent_action


def check_rights(action: str, stack_set: StackSet, request: Request, template: str = "") -> None:
    """Raise AccessDenied unless the caller may do the action on each target and on each resource
    type of the template, the set's own where none is given."""
    for resource in (*_targets(stack_set, request), *_types(stack_set, template)):
        if refused := refused_dependent_action(f"cloudformation:{action}", resource):
            raise StackSetRefused("AccessDenied", refused, 403)


def _targets(stack_set: StackSet, request: Request) -> Iterator[str]:
    given = request.get("DeploymentTargets") or {"OrganizationalUnitIds": [*stack_set.ous]}
    for names in (given.get("OrganizationalUnitIds"), given.get("Accounts")):
        for name in names or ():
            owner = f"arn:aws:cloudformation::{stack_set.management}"
            yield f"{owner}:stackset-target/{stack_set.id}/{name}"


def _types(stack_set: StackSet, template: str) -> Iterator[str]:
    resources = parse_template(template or stack_set.template)["Resources"].values()
    for kind in sorted({str(one["Type"]) for one in resources}):
        named = kind.replace("::", "-")
        yield f"arn:aws:cloudformation:{stack_set.region}::type/resource/{named}"
