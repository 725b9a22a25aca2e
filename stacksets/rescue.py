"""Whether the operator may take a deny off under the service control policies in force. Pure."""

from __future__ import annotations

from handler.names import DENY_GROUP, iam_arn
from handler.settings import read_role_patterns
from stacksets.control import Request, parse, refusal
from stacksets.given import Given


def operator_role(given: Given, account: str) -> str:
    """The ARN by which the operator works in an account."""
    if account == given.observed.organization.management or not given.wanted.access.role:
        return given.observed.caller
    return f"arn:{given.observed.partition}:iam::{account}:role/{given.wanted.access.role}"


def is_exempt(given: Given, account: str) -> bool:
    """Whether the account's revoker, enforcing, lets the operator's role call IAM. What enters by a
    profile of its own is not known here, and not judged."""
    role = operator_role(given, account)
    rings = [one for one in given.wanted.rings if account in given.ring_accounts(one)]
    if account in given.wanted.access.profiles or ":role/" not in role:
        return True
    return all(
        any(
            pattern.matches(role_arn=role, on=given.today)
            for pattern in read_role_patterns(given.parameters(ring)["AdminRolePatterns"])
        )
        for ring in rings
        if ring.mode == "enforce"
    )


def may_take_off(given: Given, account: str) -> bool:
    """Whether no policy refuses the operator what only the revoker, the rollout and the
    break-glass role may. Asked by the one action whose refusal hangs on nothing but the caller."""
    organization = given.observed.organization
    if account == organization.management:
        return True
    above = (*reversed(organization.above(account)), account)
    levels = [
        [
            parse(one.name, one.content)
            for one in given.observed.control_policies
            if unit in one.targets
        ]
        for unit in above
    ]
    asked = Request(
        principal=operator_role(given, account),
        account=account,
        action="iam:RemoveUserFromGroup",
        resource=iam_arn(
            partition=given.observed.partition, account=account, kind="group", name=DENY_GROUP
        ),
        region=given.wanted.region,
        organization=organization.id,
    )
    found = refusal(levels, asked)
    return found is None or not found.surely
