"""Compute the steps that take the product back, in the reverse order of a rollout. Pure.

The management account's stack, the rings from the last to the first, the guardrail, the central
stack, the buckets. What somebody is contained by is moved or taken off before the stack goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from stacksets.containments.keep import free_step, keep_step, stop_step
from stacksets.observed.bearers import Holding
from stacksets.observed.model import Bucket, Stack, StackSet
from stacksets.scp.operator import may_take_off, other_way_in
from stacksets.steps.guardrail import guardrail_policy, many
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Plan, Step, StepKind, Until, Wait
from stacksets.steps.ring_calls import named_accounts, operation_wait


class Choice(Enum):
    """What becomes of whom the product contains."""

    RELEASE = "release-all"
    KEEP = "keep-contained"


@dataclass(frozen=True)
class Removing:
    """What a removal is computed from. `ring` limits it to one StackSet, "" takes everything;
    `choice` None: nobody has said yet what becomes of the contained."""

    given: Given
    held: Mapping[str, Holding]
    choice: Choice | None
    ring: str = ""

    @property
    def sets(self) -> tuple[StackSet, ...]:
        """The StackSets to be removed, the last ring first; such as no ring names before all."""
        seen = self.given.observed.stack_sets
        order = [ring.stack_set for ring in self.given.wanted.rings]
        if self.ring:
            order = [one.stack_set for one in self.given.wanted.rings if one.name == self.ring]
            return tuple(seen[name] for name in order if name in seen)
        others = sorted(seen.keys() - set(order))
        return tuple(seen[name] for name in [*others, *reversed(order)] if name in seen)

    @property
    def contained(self) -> tuple[Holding, ...]:
        """The accounts in which somebody is contained."""
        return tuple(one for _, one in sorted(self.held.items()) if one.contained)

    @property
    def inline(self) -> bool:
        """Whether what goes may have put on inline denies, which hold no stack back."""
        stack = None if self.ring else self.given.observed.management_stack
        gone: list[StackSet | Stack | None] = [*self.sets, stack]
        return any(one.parameters.get("InlineDeny") == "allow" for one in gone if one)


def removal(removing: Removing) -> Plan:
    """The steps of a removal; none where nothing of ours is left."""
    stops = tuple(_refusals(removing))
    steps = tuple(_steps(removing))
    return Plan(steps, stops, tuple(_notes(removing)))


def _steps(removing: Removing) -> Iterator[Step]:
    given = removing.given
    guardrail = [] if removing.ring else list(_guardrail(given))
    yield from _management(removing)
    if not all(may_take_off(given, one) for one in removing.contained):
        # Under the guardrail the operator could not take a deny off: it goes first then.
        yield from guardrail
        guardrail = []
    for stack_set in removing.sets:
        yield from _ring(removing, stack_set)
    yield from guardrail
    if not removing.ring:
        yield from _central(removing)
        for bucket in given.observed.buckets.values():
            yield from _bucket(bucket)


def _management(removing: Removing) -> Iterator[Step]:
    given = removing.given
    stack = given.observed.management_stack
    if stack is None or removing.ring:
        return
    yield from _moving(removing, [stack.account])
    yield _delete_stack(stack, StepKind.MANAGEMENT, "Remove the management account's own stack")


def _central(removing: Removing) -> Iterator[Step]:
    stack = removing.given.observed.central
    if stack is not None:
        says = "Remove the central stack: its incidents and its mails' addresses are gone then"
        yield _delete_stack(stack, StepKind.CENTRAL, says)


def _delete_stack(stack: Stack, kind: StepKind, says: str) -> Step:
    return Step(
        kind=kind,
        says=says,
        target_text=f"account {stack.account}",
        calls=(Call(stack.account, "cloudformation", "DeleteStack", {"StackName": stack.name}),),
        wait=Wait(Until.STACK, stack.account, stack.name),
        accounts=(stack.account,),
    )


def _moving(removing: Removing, accounts: list[str]) -> Iterator[Step]:
    """Free the stacks' own denies: of everybody, in the accounts concerned."""
    held = [removing.held[one] for one in accounts if one in removing.held]
    held = [one for one in held if any(bearer.methods for bearer in one.bearers)]
    if not held or removing.choice is None:
        return
    yield from (stop_step(one) for one in held if one.runs)
    if removing.choice is Choice.KEEP:
        yield from (keep_step(one) for one in held if one.contained)
    yield from (free_step(one, release=removing.choice is Choice.RELEASE) for one in held)


def _ring(removing: Removing, seen: StackSet) -> Iterator[Step]:
    known = removing.given.observed.organization.accounts
    unreachable = sorted(
        account
        for account in seen.instances
        if account not in known or known[account].status != "ACTIVE"
    )
    reachable = sorted(seen.instances.keys() - set(unreachable))
    yield from _moving(removing, reachable)
    if unreachable:
        yield _instances(
            removing.given,
            seen,
            unreachable,
            says=f"Forget, in {seen.name}, the stacks of accounts that were closed or have left",
            retain=True,
        )
    if reachable or seen.units:
        yield _instances(
            removing.given,
            seen,
            reachable,
            says=f"Remove every stack of {seen.name}",
            retain=False,
        )
    call_as = removing.given.wanted.call_as
    arguments = {"StackSetName": seen.name, "CallAs": call_as}
    yield Step(
        kind=StepKind.RING,
        says=f"Delete the StackSet {seen.name}",
        target_text="nobody any more",
        calls=(Call(removing.given.deploying, "cloudformation", "DeleteStackSet", arguments),),
        ring=_ring_name(removing.given, seen),
    )


def _instances(
    given: Given, seen: StackSet, accounts: list[str], *, says: str, retain: bool
) -> Step:
    """One operation over the whole units, or over named accounts alone to forget them."""
    targets: dict[str, Any] = {"OrganizationalUnitIds": list(seen.targets)}
    if retain:
        units = sorted({seen.instances[account].unit for account in accounts})
        targets = named_accounts(units, accounts)
    ring = next((one for one in given.wanted.rings if one.stack_set == seen.name), None)
    arguments = {
        "StackSetName": seen.name,
        "DeploymentTargets": targets,
        "Regions": [given.wanted.region],
        "RetainStacks": retain,
        "OperationPreferences": {
            "MaxConcurrentPercentage": ring.concurrent_percent if ring else 100,
            "FailureTolerancePercentage": 0,
            "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
        },
        "CallAs": given.wanted.call_as,
    }
    return Step(
        kind=StepKind.RING,
        says=says,
        target_text=many(len(accounts), "account"),
        calls=(Call(given.deploying, "cloudformation", "DeleteStackInstances", arguments),),
        wait=operation_wait(given, seen.name),
        ring=ring.name if ring else "",
        accounts=tuple(accounts),
    )


def _guardrail(given: Given) -> Iterator[Step]:
    policy = guardrail_policy(given)
    if policy is None:
        return
    management = given.observed.organization.management
    steps = [
        Step(
            kind=StepKind.GUARDRAIL,
            says="Detach the guardrail",
            target_text=f"{given.unit_name(target)}",
            calls=(
                Call(
                    management,
                    "organizations",
                    "DetachPolicy",
                    {"PolicyId": policy.id, "TargetId": target},
                ),
            ),
        )
        for target in policy.targets
    ]
    delete = Call(management, "organizations", "DeletePolicy", {"PolicyId": policy.id})
    steps.append(
        Step(
            kind=StepKind.GUARDRAIL,
            says=f"Delete the guardrail, policy {policy.name}",
            target_text="attached nowhere any more",
            calls=(delete,),
        )
    )
    yield from (one.for_management() for one in steps) if given.wanted.delegated else steps


def _bucket(bucket: Bucket) -> Iterator[Step]:
    if not bucket.exists:
        return
    named = {"Bucket": bucket.name, "ExpectedBucketOwner": bucket.account}
    # One by one, two for each release: DeleteObjects succeeds also where it may delete none (S3 API
    # Reference), and what is said then is that the bucket is not empty.
    calls = [
        Call(bucket.account, "s3", "DeleteObject", {**named, "Key": key})
        for key in sorted(bucket.keys)
    ]
    yield Step(
        kind=StepKind.BUCKET,
        says=f"Empty and delete the bucket {bucket.name}",
        target_text=f"account {bucket.account}",
        calls=(*calls, Call(bucket.account, "s3", "DeleteBucket", named)),
        accounts=(bucket.account,),
    )


def _refusals(removing: Removing) -> Iterator[str]:
    if removing.contained and removing.choice is None:
        count = sum(len(one.contained) for one in removing.contained)
        yield (
            f"{many(count, 'principal')} {'is' if count == 1 else 'are'} contained: say what "
            "becomes of them, with --release-all or --keep-contained."
        )
    if removing.choice is Choice.KEEP:
        for holding in removing.contained:
            yield from holding.unkeepable()
    for _, holding in sorted(removing.held.items()):
        yield from holding.stuck()
    stopped = [one for one in removing.contained if not may_take_off(removing.given, one)]
    if removing.ring and stopped:
        yield (
            "Under the guardrail only the break-glass role takes a deny off: "
            f"{other_way_in(removing.given, stopped[0].account)}, or remove the whole product, "
            "guardrail first."
        )
    for seen in removing.sets:
        if seen.under_way:
            yield f"{seen.name} has an operation under way: wait until it has ended."


def _notes(removing: Removing) -> Iterator[str]:
    if removing.choice is Choice.KEEP and removing.contained:
        yield (
            "Who is kept contained bears the policy iam-org-revoker-kept, which is yours from now "
            "on; a later installation takes them over (docs/removing.md)."
        )
    if removing.inline:
        yield (
            "Whom only the inline policy iam-org-revoker-deny contains (InlineDeny = allow) is not "
            "seen from here and stays denied: release them first (python -m responder release)."
        )
    if removing.given.wanted.delegated and not removing.ring:
        yield (
            "The management account's own stack is not seen from here: its person deletes the "
            "stack iam-org-revoker there, first of all."
        )
    if not removing.ring:
        yield "Trusted access for StackSets stays on: others may use it."


def _ring_name(given: Given, seen: StackSet) -> str:
    return next((one.name for one in given.wanted.rings if one.stack_set == seen.name), "")
