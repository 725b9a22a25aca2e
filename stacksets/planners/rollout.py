"""Compute the steps of a rollout from what is wanted and what was observed. Pure: no AWS, no clock.

The order is that of the whole rollout: trust, buckets, central account, its mails, guardrail,
the rings one after another, the management account.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from stacksets.config.model import CENTRAL_STACK, MANAGEMENT_STACK
from stacksets.containments.hand_over import going, left_over_steps, moved_steps, not_taken_over
from stacksets.containments.repair import keeping_steps, left_kept, unmendable
from stacksets.observed.model import Stack
from stacksets.scp.findings import control_findings
from stacksets.steps.buckets import bucket_steps
from stacksets.steps.guardrail import guardrail_steps, many
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan, Step, StepKind, Unreached, Until, Wait
from stacksets.steps.preconditions import refusals, trust_steps
from stacksets.steps.recipients import recipient_notes, recipient_refusals
from stacksets.steps.ring_calls import operation_wait
from stacksets.steps.rings import idle_units, leaving_accounts, leaving_steps, ring_steps
from stacksets.steps.stacks import central_steps, management_steps
from stacksets.steps.template_diff import state_at_risk
from stacksets.steps.unmanaged import unmanaged

# What becomes of such a stack is for a person to say.
STUCK = {
    "DELETE_FAILED": "end its deletion (python -m stacksets remove, or CloudFormation's console)",
    "UPDATE_ROLLBACK_FAILED": "end its rollback (aws cloudformation continue-update-rollback)",
}


def plan(given: Given) -> Plan:
    """The steps that are left to do, and what none of them reaches; neither where everything is as
    wanted."""
    stops = [
        *refusals(given),
        *_stuck(given),
        *_state_lost(given),
        *recipient_refusals(given),
        *unmendable(given, going(given)),
    ]
    more = (*unmanaged(given), *not_taken_over(given))
    notes = [
        *more,
        *_notes(given),
        *recipient_notes(given),
        *left_kept(given, going(given)),
    ]
    for surely, sentence in control_findings(given):
        (stops if surely else notes).append(sentence)
    if busy := tuple(_under_way(given)):
        return Plan(busy, tuple(stops), tuple(notes), unfinished=True)
    return Plan(
        tuple(_steps(given)),
        tuple(stops),
        tuple(notes),
        unreached=tuple(_unreached(given)),
        unmanaged=bool(more),
    )


def _steps(given: Given) -> Iterator[Step]:
    yield from trust_steps(given)
    central = given.wanted.central.account
    uploaded = {central: (given.central,)}
    uploaded[given.deploying] = (*uploaded.get(given.deploying, ()), given.member)
    rest = [
        *central_steps(given),
        *guardrail_steps(given),
        *keeping_steps(going(given)),
        *(step for ring in given.wanted.rings for step in leaving_steps(given, ring)),
        *(step for ring in given.wanted.rings for step in ring_steps(given, ring)),
        *moved_steps(given),
        *management_steps(given),
        *left_over_steps(given),
    ]
    used = {call.arguments.get("TemplateURL") for step in rest for call in step.calls}
    for account, templates in uploaded.items():
        wanted = tuple(one for one in templates if given.template_url(one, account) in used)
        yield from bucket_steps(given, account, wanted)
    yield from rest


def _under_way(given: Given) -> Iterator[Step]:
    """Whatever of ours is still moving: what comes next depends on how it ends."""
    rings = {ring.stack_set: ring.name for ring in given.wanted.rings}
    for name, seen in given.observed.stack_sets.items():
        for operation in seen.under_way:
            yield Step(
                kind=StepKind.WAIT,
                says=f"Wait until {name} has ended its {operation.action} ({operation.status})",
                target_text=many(len(seen.instances), "account"),
                wait=operation_wait(given, name, operation.id),
                ring=rings.get(name, ""),
                accounts=tuple(sorted(seen.instances)),
            )
    for stack in _stacks(given):
        if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
            yield Step(
                kind=StepKind.WAIT,
                says=f"Wait until the stack {stack.name} has ended ({stack.status})",
                target_text=f"account {stack.account}",
                wait=Wait(Until.STACK, stack.account, stack.name),
            )


def _stuck(given: Given) -> Iterator[str]:
    """Stacks that have the right template and are not whole all the same."""
    for stack in _stacks(given):
        if todo := STUCK.get(stack.status):
            yield (
                f"The stack {stack.name} in {stack.account} is {stack.status}, not whole, and "
                f"takes no updates: {todo}, then run apply."
            )


def _state_lost(given: Given) -> Iterator[str]:
    """Nothing that remembers is ever replaced or removed by an upgrade."""
    pairs = [
        *((stack.name, stack.template, given.central) for stack in _stacks(given, CENTRAL_STACK)),
        *((stack.name, stack.template, given.member) for stack in _stacks(given, MANAGEMENT_STACK)),
        *((name, seen.template, given.member) for name, seen in given.observed.stack_sets.items()),
    ]
    for name, before, after in pairs:
        if lost := state_at_risk(before, after.document):
            yield (
                f"{name}: this template would replace or remove {', '.join(lost)}, and what it "
                "remembers with it. Take templates that keep it, as every release's do."
            )


def _stacks(given: Given, *names: str) -> Iterator[Stack]:
    for stack in (given.observed.central, given.observed.management_stack):
        if stack is not None and (not names or stack.name in names):
            yield stack


def _unreached(given: Given) -> Iterator[Unreached]:
    """A stack that could not be deleted is left out of updates (CloudFormation User Guide, "Stack
    instance status codes"), and no second one can stand beside it."""
    for ring in given.wanted.rings:
        seen = given.observed.stack_sets.get(ring.stack_set)
        broken = sorted(
            account
            for account, one in (seen.instances if seen else {}).items()
            if one.status == "INOPERABLE"
            and account in given.ring_accounts(ring)
            and account not in leaving_accounts(given, ring)
        )
        if broken:
            yield Unreached(
                ring.name,
                tuple(broken),
                f"{ring.stack_set}: {many(len(broken), 'stack')} could not be deleted (INOPERABLE) "
                f"and takes no updates: {_some(broken)}.",
                "Write each under [[excluded]] and run apply, which deletes the rest of the stack "
                "and keeps whoever is contained there; then take it out again and run apply.",
            )


def _notes(given: Given) -> Iterator[str]:
    wanted, observed = given.wanted, given.observed
    rings = {ring.stack_set: ring for ring in wanted.rings}
    covered = {account for ring in wanted.rings for account in given.ring_accounts(ring)}
    covered |= {observed.organization.management, *(one.account for one in wanted.excluded)}
    yield from _in_no_ring(given, covered)
    if given.not_looked:
        yield given.not_looked
    for name, ring in rings.items():
        seen = observed.stack_sets.get(name)
        if seen and (strays := sorted(seen.instances.keys() - observed.organization.accounts)):
            yield f"{ring.name}: stacks of accounts that have left: {_some(strays)}."
        if idle := idle_units(given, ring):
            yield (
                f"{ring.name}: {', '.join(map(given.unit_name, idle))}: no account to install in, "
                f"and StackSets list no such target of {name}. An account that joins there may get "
                "no stack before apply runs again; status calls it not reached until then."
            )
    if wanted.delegated and wanted.management.install:
        yield (
            "The management account's own stack is not seen from here: its person deploys "
            "templates/member.yaml there as an ordinary stack (docs/rollout.md)."
        )


def _in_no_ring(given: Given, covered: Set[str]) -> Iterator[str]:
    """Accounts of which the file says nothing: no fault of the plan, and the status counts them."""
    organization = given.observed.organization
    left = sorted(
        one.id
        for one in organization.accounts.values()
        if one.status == "ACTIVE" and one.id not in covered
    )
    # A ring of the root would hold the units of the others.
    loose = [one for one in left if organization.accounts[one].unit == organization.root]
    if others := [one for one in left if one not in loose]:
        yield (
            f"{many(len(others), 'account')} in no ring's units: {_some(others)}. Add the units to "
            "a ring, or the accounts to [[excluded]] with the reason."
        )
    if loose:
        yield (
            f"{many(len(loose), 'account')} right below the root, in no ring's units: "
            f"{_some(loose)}. Move each into a unit of a ring (aws organizations move-account), or "
            "add it to [[excluded]] with the reason."
        )


def _some(accounts: list[str]) -> str:
    shown = ", ".join(accounts[:10])
    return shown if len(accounts) <= 10 else f"{shown} and {len(accounts) - 10:,} more"
