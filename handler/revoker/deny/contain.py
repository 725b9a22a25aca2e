"""Contain one principal: try the deny methods until one holds, then check whom it holds.

The deny goes first. What only checks it (whose name this is, whether the deny is still ours) comes
after, because each call before it is time for the offender. IAM acts on names and callers can
rename themselves and others, so the id behind the name is compared at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from handler.model.cloudtrail import CallerKind
from handler.model.principal import METHOD_ATTEMPTS, DenyMethod, Target
from handler.revoker.deny.methods import (
    ROLE_METHOD_CALLS,
    SESSION_METHOD_CALLS,
    USER_METHOD_CALLS,
    BoundaryTaken,
    MethodCalls,
)

# A caller that renames itself between our calls wins a few of them, not the next event as well.
NAMES_TRIED = 4
REWRITTEN = "somebody rewrote its content"


@dataclass(frozen=True)
class Containment:
    """What was done: the deny method that holds (None: none does), on which name, and its undo.

    `undo` is one argument list per AWS CLI command; `notes` are sentences for the security team.
    """

    name: str
    method: DenyMethod | None = None
    undo: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    gone: bool = False


class NoSuchPrincipal(Exception):
    """The name is nobody's (any more)."""


def contain(
    iam: Any,
    target: Target,
    *,
    inline: bool,
    is_contained: Callable[[str], bool],
    first: DenyMethod | None = None,
) -> Containment:
    """Deny `target`, find it by id where the name moved, and check what holds.

    `first` is a deny method to be tried before the others.
    `is_contained` says of an id whether we contained it before: such a one keeps its deny when the
    name that we were given turns out to be its name by now.
    Raises botocore's ClientError for what has no answer here (throttling, service failure), so that
    Lambda retries; quota, protection, refusal and absence are answers.
    """
    steps = sorted(_steps(target.kind, inline=inline), key=lambda one: one.method is not first)
    return _on_the_right_one(iam, target, is_contained, partial(_climb, iam, steps))


def contain_sessions(
    iam: Any, target: Target, *, is_contained: Callable[[str], bool]
) -> Containment:
    """Deny the temporary sessions of a user and leave its long-term keys alone.

    As `contain`; `is_contained` says whose sessions were denied before.
    """
    return _on_the_right_one(iam, target, is_contained, partial(_climb, iam, SESSION_METHOD_CALLS))


def _on_the_right_one(
    iam: Any,
    target: Target,
    is_contained: Callable[[str], bool],
    put_on: Callable[[Target], Containment],
) -> Containment:
    name = target.name or _name_by_id(iam, target)
    notes: tuple[str, ...] = ()
    for _ in range(NAMES_TRIED):
        if not name:
            gone = "No principal with this id exists any more."
            return Containment(name=target.name, gone=True, notes=(*notes, gone))
        try:
            done = put_on(replace(target, name=name))
            owner = _id_by_name(iam, replace(target, name=name))
        except NoSuchPrincipal:
            notes += (f"The name {name!r} is no longer used in this account.",)
        else:
            if not target.id or owner == target.id:
                return replace(done, notes=(*notes, *done.notes))
            notes += (_mistaken(name, owner),)
            if not is_contained(owner):
                notes += _remediate_one(iam, replace(target, name=name), done)
        name = _name_by_id(iam, target)
        notes += (f"Found by id under the name {name!r}.",) if name else ()
    return Containment(name=name, notes=(*notes, "It was renamed at each attempt: no deny holds."))


def holds(iam: Any, target: Target, method: DenyMethod) -> bool:
    """Return whether this method's deny is on the target and ours; NoSuchPrincipal if gone."""
    step = _step(target.kind, method)
    try:
        return step.there(iam, target) and step.intact(iam, target)
    except iam.exceptions.NoSuchEntityException as error:
        if _exists(iam, target):
            return False
        raise NoSuchPrincipal(target.name) from error


def take_off(iam: Any, target: Target, method: DenyMethod) -> str:
    """Undo one deny method. Return why it cannot be undone here, "" when it is off."""
    step = _step(target.kind, method)
    if step.undo is None:
        return f"only an administrator may: {' '.join(step.command(target))}"
    try:
        step.undo(iam, target)
    except iam.exceptions.NoSuchEntityException:
        # Taken off by hand before, or the principal is gone: what a release wants.
        return ""
    return ""


def take_all_off(iam: Any, target: Target, *, inline: bool, sessions: bool = False) -> None:
    """Undo each deny method that a containment may have used, with `sessions` those too that deny a
    user's sessions; nothing happens where none is on."""
    for step in (*_steps(target.kind, inline=inline), *(SESSION_METHOD_CALLS if sessions else ())):
        take_off(iam, target, step.method)


def current_name(iam: Any, target: Target) -> str:
    """Today's name of the principal with the target's id, mostly its own; empty when deleted."""
    try:
        if _id_by_name(iam, target) == target.id:
            return target.name
    except NoSuchPrincipal:
        # Renamed or deleted: only the list of all tells.
        return _name_by_id(iam, target)
    return _name_by_id(iam, target)


def _mistaken(name: str, owner: str) -> str:
    return f"The name {name!r} now belongs to another principal ({owner}), which was left alone."


def _climb(iam: Any, steps: Sequence[MethodCalls], target: Target) -> Containment:
    """Try one deny method after the other. NoSuchPrincipal when nobody has the name."""
    notes: list[str] = []
    for step in steps:
        refusal = _try(iam, step, target)
        if not refusal and step.intact(iam, target):
            return Containment(
                name=target.name,
                method=step.method,
                undo=(step.command(target),),
                notes=tuple(notes),
            )
        if not refusal:
            # A deny that was rewritten may allow: it must not stay on anybody.
            left = take_off(iam, target, step.method)
            refusal = f"{REWRITTEN}; {left}" if left else REWRITTEN
        notes.append(f"Could not {METHOD_ATTEMPTS[step.method]}: {refusal}.")
    return Containment(name=target.name, notes=tuple(notes))


def _try(iam: Any, step: MethodCalls, target: Target) -> str:
    """Empty when the step took, else why AWS refused it."""
    try:
        step.do(iam, target)
    except BoundaryTaken as error:
        return f"refused, {error}"
    except iam.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchEntity" and not _exists(iam, target):
            raise NoSuchPrincipal(target.name) from error
        if code in ("LimitExceeded", "UnmodifiableEntity", "NoSuchEntity", "AccessDenied"):
            return f"{code}, {error.response['Error'].get('Message', 'no message')}"
        raise
    return ""


def _remediate_one(iam: Any, target: Target, done: Containment) -> tuple[str, ...]:
    left = take_off(iam, target, done.method) if done.method else ""
    return (f"The deny is still on {target.name!r}: {left}",) if left else ()


def _steps(kind: CallerKind, *, inline: bool) -> tuple[MethodCalls, ...]:
    steps = USER_METHOD_CALLS if kind is CallerKind.USER else ROLE_METHOD_CALLS
    return steps if inline else tuple(s for s in steps if s.method is not DenyMethod.INLINE_POLICY)


def _step(kind: CallerKind, method: DenyMethod) -> MethodCalls:
    steps = (*_steps(kind, inline=True), *SESSION_METHOD_CALLS)
    return next(one for one in steps if one.method is method)


# ---- whose name is this


def _id_by_name(iam: Any, target: Target) -> str:
    try:
        if target.kind is CallerKind.USER:
            return str(iam.get_user(UserName=target.name)["User"]["UserId"])
        return str(iam.get_role(RoleName=target.name)["Role"]["RoleId"])
    except iam.exceptions.NoSuchEntityException as error:
        raise NoSuchPrincipal(target.name) from error


def _exists(iam: Any, target: Target) -> bool:
    try:
        _id_by_name(iam, target)
    except NoSuchPrincipal:
        return False
    return True


def _name_by_id(iam: Any, target: Target) -> str:
    """Today's name of the principal with this id; empty when there is none."""
    if target.kind is CallerKind.USER:
        pages = iam.get_paginator("list_users").paginate()
        found = (u["UserName"] for p in pages for u in p["Users"] if u["UserId"] == target.id)
    else:
        pages = iam.get_paginator("list_roles").paginate()
        found = (r["RoleName"] for p in pages for r in p["Roles"] if r["RoleId"] == target.id)
    return str(next(found, ""))
