"""Whether the operator may take a deny off under the service control policies in force. Pure."""

from __future__ import annotations

from handler.model.names import DENY_GROUP, iam_arn
from handler.model.settings import read_role_patterns
from stacksets.observed.bearers import Holding
from stacksets.scp.evaluator import Request, parse, refusal
from stacksets.steps.inputs import Given


def operator_role(given: Given, account: str, *, by_profile: str = "") -> str:
    """The ARN by which the operator works in an account; `by_profile` is what STS said of him where
    a profile leads there."""
    if account in given.wanted.access.profiles:
        return by_profile
    if account == given.observed.organization.management or not given.wanted.access.role:
        return given.observed.caller
    return f"arn:{given.observed.partition}:iam::{account}:role/{given.wanted.access.role}"


def other_way_in(given: Given, account: str) -> str:
    """What the operator changes to enter an account by another role, as an advice."""
    if account in given.wanted.access.profiles:
        return "let the account's profile in [access.profiles] be that role's"
    return "name it in --access-role"


def is_exempt(given: Given, holding: Holding) -> bool:
    """Whether the account's revoker, enforcing, lets the operator's role call IAM. Who is no role
    is not judged: root is told of and not stopped, and users' groups are not known here."""
    role = operator_role(given, holding.account, by_profile=holding.operator)
    rings = [one for one in given.wanted.rings if holding.account in given.ring_accounts(one)]
    if ":role/" not in role:
        return True
    return all(
        any(
            pattern.matches(role_arn=role, on=given.today)
            for pattern in read_role_patterns(given.parameters(ring)["AdminRolePatterns"])
        )
        for ring in rings
        if ring.mode == "enforce"
    )


def may_take_off(given: Given, holding: Holding) -> bool:
    """Whether no policy refuses the operator what only the revoker, the rollout and the
    break-glass role may. Asked by the one action whose refusal hangs on nothing but the caller."""
    organization, account = given.observed.organization, holding.account
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
    operator = operator_role(given, account, by_profile=holding.operator)
    asked = Request(
        principal=operator,
        account=account,
        action="iam:RemoveUserFromGroup",
        resource=iam_arn(
            partition=given.observed.partition, account=account, kind="group", name=DENY_GROUP
        ),
        region=given.wanted.region,
        organization=organization.id,
    )
    found = refusal(levels, asked)
    # Who is not known cannot be told from somebody whom it refuses.
    return found is None or bool(operator and not found.surely)
