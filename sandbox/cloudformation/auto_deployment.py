"""Automatic deployments of service-managed StackSets follow accounts that come, move or leave.

Decides which sets delete and create; what an operation does is `stackset_operations`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sandbox.cloudformation.stackset_model import Operation, StackSet
from sandbox.cloudformation.stackset_operations import start_operation
from sandbox.organizations.organization import Organization, parents_of

EVERYTHING = {"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100}


def follow_move(
    organization: Organization, stack_sets: Sequence[StackSet], account: str, now: str | None
) -> None:
    """Auto-deployment: an account that came under a target OU gets the set, one that left loses
    it. Overrides, account filters and preferences do not apply to it. One that moves between the
    targets of two sets is deleted from by the one, and the other's creation is queued
    (docs: "Enable or disable automatic deployments")."""
    if account == organization.state.management:
        return
    above = list(parents_of(organization, account)) if now else []
    target = {
        stack_set.name: next((one for one in above if one in stack_set.ous), None)
        for stack_set in stack_sets
        if stack_set.deployment.get("Enabled")
    }
    following = [one for one in stack_sets if one.name in target]
    leaving = [one for one in following if target[one.name] is None]
    deletions = [op for one in leaving for op in _leave(organization, one, account)]
    for stack_set in following:
        if ou := target[stack_set.name]:
            _join(organization, stack_set, account, ou, deletions)


def _leave(organization: Organization, stack_set: StackSet, account: str) -> Iterator[Operation]:
    here = [place for place in stack_set.instances if place[0] == account]
    if here:
        yield start_operation(
            organization,
            stack_set,
            action="DELETE",
            targets=[(*place, stack_set.instances[place].ou) for place in here],
            retain=bool(stack_set.deployment.get("RetainStacksOnAccountRemoval")),
            preferences=EVERYTHING,
            automatic=True,
        )


def _join(
    organization: Organization,
    stack_set: StackSet,
    account: str,
    ou: str,
    deletions: Sequence[Operation],
) -> None:
    here = [place for place in stack_set.instances if place[0] == account]
    for place in here:
        stack_set.instances[place].ou = ou
    fresh = [(account, region, ou) for region in stack_set.ous[ou] if (account, region) not in here]
    if fresh:
        start_operation(
            organization,
            stack_set,
            action="CREATE",
            targets=fresh,
            preferences=EVERYTHING,
            automatic=True,
            after=deletions,
        )
