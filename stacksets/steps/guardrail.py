"""Steps that make and attach the guardrail, the canary unit first. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from stacksets.config.model import Reach
from stacksets.observed.model import ControlPolicy
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Saved, Step, StepKind, Until, Wait

KIND = "SERVICE_CONTROL_POLICY"
POLICY_ID = "GUARDRAIL"
SAYS = "Keeps the deny of IAM Org Revoker on"


def guardrail_steps(given: Given) -> Iterator[Step]:
    """Enable the policy type, make or renew the policy, attach it where the file wants it."""
    if given.wanted.guardrail.attach is Reach.NOWHERE:
        return
    steps = _steps(given)
    yield from (step.for_management() for step in steps) if given.wanted.delegated else steps


def guardrail_policy(given: Given) -> ControlPolicy | None:
    """The policy as it is now."""
    name = given.wanted.guardrail.policy_name
    return next((one for one in given.observed.control_policies if one.name == name), None)


def guarded_units(given: Given, *, after: bool) -> frozenset[str]:
    """The roots, units and accounts that hold the guardrail: now, or `after` this plan."""
    policy = guardrail_policy(given)
    now = policy.targets if policy and _same(policy.content, given.guardrail) else ()
    return frozenset([*now, *(wanted_targets(given) if after else ())])


def is_guarded(given: Given, unit: str, guarded: frozenset[str]) -> bool:
    """Whether a unit holds the guardrail, or lies below one that does."""
    return bool(guarded & {unit, *given.observed.organization.above(unit)})


def _steps(given: Given) -> Iterator[Step]:
    management, root = given.observed.organization.management, given.observed.organization.root
    policy = guardrail_policy(given)
    if not given.observed.control_policies_enabled:
        yield Step(
            kind=StepKind.GUARDRAIL,
            says="Switch service control policies on",
            target_text="the whole Organization (what it may do today does not change)",
            calls=(
                Call(
                    management,
                    "organizations",
                    "EnablePolicyType",
                    {"RootId": root, "PolicyType": KIND},
                ),
            ),
            # Organizations answers at once and works in the background (API Reference).
            wait=Wait(Until.ENABLED, management, root),
        )
    if policy is None:
        yield _make(given)
    elif not _same(policy.content, given.guardrail):
        arguments = {"PolicyId": policy.id, "Content": given.guardrail}
        yield Step(
            kind=StepKind.GUARDRAIL,
            says=f"Renew the guardrail, policy {policy.name}",
            target_text=_units(given, policy.targets) or "attached nowhere yet",
            calls=(Call(management, "organizations", "UpdatePolicy", arguments),),
        )
    attached = frozenset(policy.targets if policy else ())
    for target in wanted_targets(given):
        if is_guarded(given, target, attached):
            continue
        attached |= {target}
        yield _attach(given, target, policy.id if policy else Saved(POLICY_ID))


def wanted_targets(given: Given) -> Iterator[str]:
    """The canary unit, then the rings' units."""
    wanted = given.wanted
    if wanted.guardrail.attach is Reach.NOWHERE:
        return
    if canary := given.unit_id(wanted.guardrail.canary):
        yield canary
    if wanted.guardrail.attach is Reach.RINGS:
        for ring in wanted.rings:
            yield from given.ring_units(ring)


def _make(given: Given) -> Step:
    arguments = {
        "Name": given.wanted.guardrail.policy_name,
        "Description": SAYS,
        "Type": KIND,
        "Content": given.guardrail,
    }
    return Step(
        kind=StepKind.GUARDRAIL,
        says=f"Make the guardrail, policy {given.wanted.guardrail.policy_name}",
        target_text="nobody yet",
        calls=(
            Call(
                given.observed.organization.management,
                "organizations",
                "CreatePolicy",
                arguments,
                saves=(POLICY_ID, "Policy.PolicySummary.Id"),
            ),
        ),
    )


def _attach(given: Given, target: str, policy: str | Saved) -> Step:
    organization = given.observed.organization
    accounts = organization.below(target)
    first = target == given.unit_id(given.wanted.guardrail.canary)
    return Step(
        kind=StepKind.GUARDRAIL,
        says="Attach the guardrail" + (", canary first" if first else ""),
        target_text=f"{given.unit_name(target)}: {many(len(accounts), 'account')}",
        calls=(
            Call(
                organization.management,
                "organizations",
                "AttachPolicy",
                {"PolicyId": policy, "TargetId": target},
            ),
        ),
        accounts=tuple(account.id for account in accounts),
    )


def many(count: int, noun: str) -> str:
    """`1 account`, `2 accounts`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _same(one: str, other: str) -> bool:
    return bool(json.loads(one) == json.loads(other))


def _units(given: Given, targets: Iterable[str]) -> str:
    return ", ".join(given.unit_name(target) for target in targets)
