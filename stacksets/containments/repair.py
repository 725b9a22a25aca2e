"""Steps that make an account's stack anew with its containments kept: for drift, and for accounts
that change their ring. Pure.

An update with the same template changes nothing, so drift is mended by a new stack. The deny that
is in use would hold the deletion back: who is contained is kept by a deny that no stack owns, until
the new revoker has contained her again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from handler.model.names import REVOKER
from stacksets.config.model import Ring
from stacksets.containments.keep import (
    as_kept,
    end_step,
    free_step,
    keep_step,
    stop_step,
    without_kept_roles,
)
from stacksets.observed.bearers import Holding
from stacksets.observed.model import StackSet
from stacksets.scp.operator import is_exempt, may_take_off, operator_role, other_way_in
from stacksets.steps.guardrail import many
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Step, StepKind, Until, Wait
from stacksets.steps.ring_calls import operation_wait, preferences


@dataclass(frozen=True)
class Drift:
    """One resource of an account's stack that is not as its template says: MODIFIED or DELETED;
    `paths` are the properties that differ. `stack` names an ordinary stack, "" for a ring's."""

    account: str
    ring: str
    resource: str
    kind: str
    status: str
    paths: tuple[str, ...] = ()
    stack: str = ""


def keeping_steps(held: Iterable[Holding]) -> Iterator[Step]:
    """What comes before a stack goes: nobody who is contained in it is free for a moment."""
    wanted = [one for one in held if any(bearer.methods for bearer in one.bearers)]
    yield from (stop_step(one) for one in wanted if one.runs)
    yield from (keep_step(one) for one in wanted if one.contained)
    yield from (free_step(one, release=False) for one in wanted)


def taking_over_steps(given: Given, ring: Ring, kept: Holding) -> Iterator[Step]:
    """What comes after a new stack is there: its revoker contains again whoever was kept, and the
    kept deny goes. `kept` is the account as it is when everybody in it is kept."""
    holding = kept if _renews_roles(given, ring) else without_kept_roles(kept)
    bearers = holding.left_behind
    if not holding.keeps:
        return
    if missing := [one for one in bearers if not one.again]:
        yield _reconcile(holding, many(len(missing), "principal"))
    for arn, ids in (
        (holding.deny, [one.id for one in bearers if one.kept]),
        (holding.session_deny, [one.id for one in bearers if one.kept_sessions]),
    ):
        if ids:
            yield Step(
                kind=StepKind.CONTAINED,
                says="See that they are contained again",
                target_text=f"account {holding.account}",
                wait=Wait(Until.CONTAINED, holding.account, ",".join([arn, *ids])),
                accounts=(holding.account,),
            )
    yield end_step(holding)


def repair_steps(
    given: Given, ring: Ring, held: Iterable[Holding], accounts: Iterable[str]
) -> Iterator[Step]:
    """Make the stacks of `accounts` anew; `held` says who is contained in them."""
    held, accounts = list(held), sorted(accounts)
    yield from keeping_steps(one for one in held if one.account in accounts)
    seen = given.observed.stack_sets[ring.stack_set]
    if accounts:
        for operation, says in (
            ("DeleteStackInstances", "Delete what has drifted, in"),
            ("CreateStackInstances", "Make it anew, in"),
        ):
            yield _instances(given, ring, seen, operation, says, accounts)
    if ring.mode == "enforce":
        for one in held:
            kept = as_kept(one) if one.account in accounts else one
            yield from taking_over_steps(given, ring, kept)


def unmendable(given: Given, held: Iterable[Holding]) -> Iterator[str]:
    """A sentence for each account whose stack cannot go as things stand."""
    for one in held:
        yield from one.unkeepable()
        yield from one.stuck()
        if one.contained and not may_take_off(given, one):
            yield (
                f"Somebody is contained in {one.account}, whose stack has to go, and under the "
                "guardrail only the break-glass role takes a deny off: "
                f"{other_way_in(given, one.account)}."
            )
        if one.contained and not is_exempt(given, one):
            yield f"Somebody is contained in {one.account}, and {_no_administrator(given, one)}"


def unendable(given: Given, ring: Ring, held: Iterable[Holding]) -> Iterator[str]:
    """A sentence for each account, not made anew, whose keeping cannot be ended."""
    for one in held:
        if ring.mode != "enforce" or not any(taking_over_steps(given, ring, one)):
            continue
        if not may_take_off(given, one):
            yield (
                f"A kept deny is to go in {one.account}, and under the guardrail only the "
                f"break-glass role takes one off: {other_way_in(given, one.account)}."
            )
        if not is_exempt(given, one):
            yield f"A kept deny is to go in {one.account}, and {_no_administrator(given, one)}"


def _no_administrator(given: Given, one: Holding) -> str:
    role = operator_role(given, one.account, by_profile=one.operator)
    return (
        f"{role} is no administrator there: the revoker would contain it for taking the kept deny "
        "off. Name it in AdminRolePatterns, run apply, and then this again."
    )


def left_kept(given: Given, held: Iterable[Holding]) -> Iterator[str]:
    """A sentence for each account in which nobody contains again who is kept."""
    enforcing = {
        account: ring
        for ring in given.wanted.rings
        if ring.mode == "enforce"
        for account in given.ring_accounts(ring)
    }
    for one in held:
        ring = enforcing.get(one.account)
        roles = [bearer for bearer in one.contained if bearer.kind == "role"]
        if one.contained and ring is None:
            who, why = many(len(one.contained), "principal"), "no ring enforces there"
        elif ring is not None and roles and not _renews_roles(given, ring):
            who, why = many(len(roles), "role"), "RoleCallers spares roles there"
        else:
            continue
        yield (
            f"{who} in {one.account} will be denied by what is kept alone, which no responder "
            f"releases, since {why}: docs/removing.md says how to take it off."
        )


def _renews_roles(given: Given, ring: Ring) -> bool:
    """Whether the ring's revokers contain again a role that was kept."""
    return given.parameters(ring)["RoleCallers"] == "contain"


def _reconcile(holding: Holding, target_text: str) -> Step:
    arguments = {"FunctionName": REVOKER, "Payload": '{"reconcile": true}'}
    return Step(
        kind=StepKind.CONTAINED,
        says="Let the new revoker make its first round",
        target_text=f"account {holding.account}: {target_text}",
        calls=(Call(holding.account, "lambda", "Invoke", arguments),),
        accounts=(holding.account,),
    )


def _instances(
    given: Given, ring: Ring, seen: StackSet, operation: str, says: str, accounts: list[str]
) -> Step:
    arguments: dict[str, Any] = {
        "StackSetName": ring.stack_set,
        "DeploymentTargets": {
            "OrganizationalUnitIds": sorted({seen.instances[one].unit for one in accounts}),
            "Accounts": accounts,
            "AccountFilterType": "INTERSECTION",
        },
        "Regions": [given.wanted.region],
        "OperationPreferences": preferences(ring),
        "CallAs": given.wanted.call_as,
    }
    if operation == "DeleteStackInstances":
        arguments["RetainStacks"] = False
    return Step(
        kind=StepKind.RING,
        says=f"{says} {ring.stack_set}",
        target_text=", ".join(accounts) if len(accounts) <= 10 else many(len(accounts), "account"),
        calls=(Call(given.deploying, "cloudformation", operation, arguments),),
        wait=operation_wait(given, ring.stack_set),
        ring=ring.name,
        accounts=tuple(accounts),
    )
