"""The calls and steps of which a ring is made: targets, preferences, the set itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stacksets.config.model import Ring
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Step, StepKind, Until, Wait
from stacksets.steps.stacks import CAPABILITIES, parameter_list

DESCRIPTION = "Takes IAM away from whoever calls it without being an IAM administrator"


def but_excluded(given: Given, units: list[str]) -> dict[str, Any]:
    """DeploymentTargets: whole units, but for the accounts in them that are excluded by choice."""
    below = {one.id for unit in units for one in given.observed.organization.below(unit)}
    excluded = sorted(one.account for one in given.wanted.excluded if one.account in below)
    targets: dict[str, Any] = {"OrganizationalUnitIds": units}
    return targets | ({"Accounts": excluded, "AccountFilterType": "DIFFERENCE"} if excluded else {})


def named_accounts(units: list[str], accounts: list[str]) -> dict[str, Any]:
    """DeploymentTargets: these accounts alone, and the units in which they are."""
    return {
        "OrganizationalUnitIds": units,
        "Accounts": sorted(accounts),
        "AccountFilterType": "INTERSECTION",
    }


def instances_call(
    given: Given, ring: Ring, operation: str, targets: dict[str, Any], **more: Any
) -> Call:
    """Create-, Update- or DeleteStackInstances."""
    arguments = {
        "StackSetName": ring.stack_set,
        "DeploymentTargets": targets,
        "Regions": [given.wanted.region],
        "OperationPreferences": preferences(ring),
        "CallAs": given.wanted.call_as,
        **more,
    }
    return ring_call(given, operation, arguments)


def preferences(ring: Ring) -> dict[str, Any]:
    """OperationPreferences: one region only, so concurrency is over accounts; SOFT keeps it while
    some fail."""
    return {
        "MaxConcurrentPercentage": ring.concurrent_percent,
        "FailureTolerancePercentage": ring.tolerance_percent,
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    }


def whole_set(given: Given, ring: Ring) -> dict[str, Any]:
    """What CreateStackSet and UpdateStackSet both take."""
    return {
        "StackSetName": ring.stack_set,
        "Description": DESCRIPTION,
        "TemplateURL": given.template_url(given.member, given.deploying),
        "Parameters": parameter_list(given.parameters(ring)),
        "Capabilities": CAPABILITIES,
        "CallAs": given.wanted.call_as,
    }


def managed_execution(*, is_on: bool) -> dict[str, Any]:
    """ManagedExecution, by which operations wait for each other and are not refused, where it
    changes: AWS lets nobody modify it "while there are running or queued operations" (API
    Reference, ManagedExecution), and does not say whether the same value counts."""
    return {} if is_on else {"ManagedExecution": {"Active": True}}


def following(ring: Ring, *, enabled: bool) -> dict[str, bool]:
    """AutoDeployment. AWS refuses the second value while the first is false."""
    if not enabled:
        return {"Enabled": False}
    return {"Enabled": True, "RetainStacksOnAccountRemoval": ring.retain_on_leave}


def ring_call(given: Given, operation: str, arguments: dict[str, Any]) -> Call:
    """A call where the StackSets are."""
    return Call(given.deploying, "cloudformation", operation, arguments)


def operation_wait(given: Given, name: str, operation: str = "") -> Wait:
    """Until an operation of a set has ended; without an id, the one that the step begins. What AWS
    says of a closed account in its results is prose, so Organizations is believed instead."""
    return Wait(
        Until.OPERATION,
        given.deploying,
        name,
        call_as=given.wanted.call_as,
        operation=operation,
        closed=given.observed.organization.closed,
    )


def ring_step(
    given: Given,
    ring: Ring,
    *,
    says: str,
    target_text: str,
    call: Call,
    accounts: Iterable[str] = (),
    shows: tuple[str, ...] = (),
    waits: bool = True,
) -> Step:
    """A step of a ring, which by default waits for the operation that its call begins."""
    return Step(
        kind=StepKind.RING,
        says=says,
        target_text=target_text,
        calls=(call,),
        wait=operation_wait(given, ring.stack_set) if waits else None,
        ring=ring.name,
        accounts=tuple(accounts),
        shows=shows,
    )
