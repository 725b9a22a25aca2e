"""Steps that keep containments without a stack, release them, or end the keeping. Pure.

A stack cannot delete a policy or group that is in use. So each containment is put on once more, by
a policy, group or boundary of the same content that no stack owns, before ours is taken off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from handler.model.deny_policy import deny_document, session_deny_document
from handler.model.names import (
    DENY_GROUP,
    KEPT_GROUP,
    KEPT_PATH,
    KEPT_POLICY,
    KEPT_SESSION_GROUP,
    KEPT_SESSION_POLICY,
    REVOKER,
    SESSION_DENY_GROUP,
)
from handler.model.principal import DenyMethod
from stacksets.observed.bearers import Bearer, Holding, Way
from stacksets.steps.guardrail import many
from stacksets.steps.model import Call, Step, StepKind, Until, Wait


def stop_step(holding: Holding) -> Step:
    """Stop the revoker of an account: it would put back what is taken off. Its events wait."""
    return Step(
        kind=StepKind.CONTAINED,
        says="Stop the revoker, which would put its deny back",
        target_text=f"account {holding.account}",
        calls=(
            Call(
                holding.account,
                "lambda",
                "PutFunctionConcurrency",
                {"FunctionName": REVOKER, "ReservedConcurrentExecutions": 0},
            ),
        ),
        accounts=(holding.account,),
    )


def keep_step(holding: Holding) -> Step:
    """Put the kept deny on everybody who is contained, and wait until IAM applies it everywhere."""
    calls = (*_making(holding), *(c for one in holding.contained for c in _keep(holding, one)))
    return Step(
        kind=StepKind.CONTAINED,
        says="Keep contained, by a deny that no stack owns: " + _names(holding.contained),
        target_text=f"account {holding.account}",
        calls=calls,
        wait=Wait(Until.SETTLED, holding.account, "IAM"),
        accounts=(holding.account,),
    )


def free_step(holding: Holding, *, release: bool) -> Step:
    """Take our own deny off everybody, the canary too. To `release` also the boundaries, in whose
    place the keeping has put others."""
    bearers = tuple(one for one in holding.bearers if one.methods)
    says = "Release" if release else "Take off our own deny"
    calls = [call for one in bearers for call in _free(holding, one)]
    calls += _free_boundaries(holding) if release else ()
    return Step(
        kind=StepKind.CONTAINED,
        says=f"{says}: {_names(bearers)}",
        target_text=f"account {holding.account}",
        calls=tuple(calls),
        accounts=(holding.account,),
    )


def end_step(holding: Holding) -> Step:
    """Take the kept deny off everybody who bears ours again, and delete what kept it."""
    calls = [call for one in holding.left_behind for call in _end(holding, one)]
    for name, arn, there in (
        (KEPT_GROUP, holding.kept, holding.kept_group),
        (KEPT_SESSION_GROUP, holding.kept_sessions, holding.kept_session_group),
    ):
        if there:
            calls.append(_call(holding, "DetachGroupPolicy", GroupName=name, PolicyArn=arn))
            calls.append(_call(holding, "DeleteGroup", GroupName=name))
    calls += [
        Call(holding.account, "iam", "DeletePolicy", {"PolicyArn": arn})
        for arn in sorted(holding.kept_policies)
    ]
    return Step(
        kind=StepKind.CONTAINED,
        says="Take the kept deny off again: " + _names(holding.left_behind),
        target_text=f"account {holding.account}",
        calls=tuple(calls),
        accounts=(holding.account,),
    )


def as_kept(holding: Holding) -> Holding:
    """The account as it is once `keep_step` and `free_step` are done."""
    kept = {one.id: one for one in (*holding.contained, *holding.left_behind)}.values()
    policies = {holding.kept} if any(one.whole or one.kept for one in kept) else set()
    sessions = any(one.sessions or one.kept_sessions for one in kept)
    policies |= {holding.kept_sessions} if sessions else set()
    bearers = tuple(
        Bearer(
            one.kind,
            one.name,
            one.id,
            frozenset(),
            kept=one.kept or (frozenset({one.way}) if one.whole else frozenset()),
            kept_sessions=one.kept_sessions
            or (frozenset({one.sessions_way}) if one.sessions else frozenset()),
        )
        for one in kept
    )
    return Holding(
        holding.account,
        holding.partition,
        bearers,
        runs=holding.runs,
        kept_policies=frozenset(policies) | holding.kept_policies,
        kept_group=holding.kept_group or holding.needs_group,
        kept_session_group=holding.kept_session_group or holding.needs_session_group,
    )


def without_kept_roles(holding: Holding) -> Holding:
    """The account without the roles that bear nothing but a kept deny, and without what they need:
    where RoleCallers spares roles, the revoker does not contain them again."""
    spared = {
        one.id for one in holding.left_behind if one.kind == "role" and one.kept and not one.again
    }
    if not spared:
        return holding
    return replace(
        holding,
        bearers=tuple(one for one in holding.bearers if one.id not in spared),
        kept_policies=holding.kept_policies - {holding.kept},
    )


def _making(holding: Holding) -> Iterator[Call]:
    documents = {
        holding.kept: (KEPT_POLICY, deny_document(everything=holding.deny_everything)),
        holding.kept_sessions: (
            KEPT_SESSION_POLICY,
            session_deny_document(everything=holding.deny_everything),
        ),
    }
    wanted = {holding.kept} if any(one.whole for one in holding.contained) else set()
    wanted |= {holding.kept_sessions} if any(one.sessions for one in holding.contained) else set()
    for arn in sorted(wanted):
        name, document = documents[arn]
        text = json.dumps(document, separators=(",", ":"))
        if arn not in holding.kept_policies:
            yield _call(
                holding, "CreatePolicy", PolicyName=name, Path=KEPT_PATH, PolicyDocument=text
            )
        elif arn in holding.spoilt:
            yield _call(
                holding,
                "CreatePolicyVersion",
                PolicyArn=arn,
                PolicyDocument=text,
                SetAsDefault=True,
            )
    if holding.needs_group:
        yield from _group_of(holding, KEPT_GROUP, holding.kept, there=holding.kept_group)
    if holding.needs_session_group:
        there = holding.kept_session_group
        yield from _group_of(holding, KEPT_SESSION_GROUP, holding.kept_sessions, there=there)


def _group_of(holding: Holding, name: str, arn: str, *, there: bool) -> Iterator[Call]:
    if not there:
        yield _call(holding, "CreateGroup", GroupName=name, Path=KEPT_PATH)
    # Also on a group that is there: a run that was interrupted, or somebody else, made it.
    yield _call(holding, "AttachGroupPolicy", GroupName=name, PolicyArn=arn)


def _keep(holding: Holding, one: Bearer) -> Iterator[Call]:
    if one.whole and not one.kept:
        match one.way:
            case Way.POLICY:
                yield _policy(holding, one, "Attach", holding.kept)
            case Way.GROUP:
                yield _group(holding, one, "AddUserToGroup", KEPT_GROUP)
            case Way.BOUNDARY:
                # In the place of ours, in one call: nobody is free in between.
                yield _call(
                    holding,
                    "PutRolePermissionsBoundary",
                    RoleName=one.name,
                    PermissionsBoundary=holding.kept,
                )
    if one.sessions and not one.kept_sessions:
        if one.sessions_way is Way.GROUP:
            yield _group(holding, one, "AddUserToGroup", KEPT_SESSION_GROUP)
        else:
            yield _policy(holding, one, "Attach", holding.kept_sessions)


def _free(holding: Holding, one: Bearer) -> Iterator[Call]:
    if DenyMethod.MANAGED_POLICY in one.methods:
        yield _policy(holding, one, "Detach", holding.deny)
    if DenyMethod.SESSION_POLICY in one.methods:
        yield _policy(holding, one, "Detach", holding.session_deny)
    if DenyMethod.DENY_GROUP in one.methods:
        yield _group(holding, one, "RemoveUserFromGroup", DENY_GROUP)
    if DenyMethod.SESSION_GROUP in one.methods:
        yield _group(holding, one, "RemoveUserFromGroup", SESSION_DENY_GROUP)


def _free_boundaries(holding: Holding) -> Iterator[Call]:
    for one in holding.bearers:
        if DenyMethod.BOUNDARY in one.methods:
            yield _call(holding, "DeleteRolePermissionsBoundary", RoleName=one.name)


def _end(holding: Holding, one: Bearer) -> Iterator[Call]:
    if Way.POLICY in one.kept:
        yield _policy(holding, one, "Detach", holding.kept)
    if Way.GROUP in one.kept:
        yield _group(holding, one, "RemoveUserFromGroup", KEPT_GROUP)
    # The revoker puts ours in its place, and what is a boundary then must stay. Only where another
    # deny method of ours was seen beside it is it still the kept one.
    if Way.BOUNDARY in one.kept and one.whole:
        yield _call(holding, "DeleteRolePermissionsBoundary", RoleName=one.name)
    if Way.POLICY in one.kept_sessions:
        yield _policy(holding, one, "Detach", holding.kept_sessions)
    if Way.GROUP in one.kept_sessions:
        yield _group(holding, one, "RemoveUserFromGroup", KEPT_SESSION_GROUP)


def _policy(holding: Holding, one: Bearer, verb: str, arn: str) -> Call:
    kind = one.kind.capitalize()
    return _call(holding, f"{verb}{kind}Policy", **{f"{kind}Name": one.name, "PolicyArn": arn})


def _group(holding: Holding, one: Bearer, operation: str, group: str) -> Call:
    return _call(holding, operation, GroupName=group, UserName=one.name)


def _call(holding: Holding, operation: str, **arguments: Any) -> Call:
    return Call(holding.account, "iam", operation, arguments)


def _names(bearers: tuple[Bearer, ...]) -> str:
    if len(bearers) > 5:
        return many(len(bearers), "principal")
    return ", ".join(f"{one.kind} {one.name}" for one in bearers) or "nobody"
