"""Contain one principal: climb the rungs until one holds, then check on whom. Decides nothing.

The deny goes first. What only checks it (whose name this is, whether the deny is still ours) comes
after, because each call before it is time for the offender. IAM acts on names and callers can
rename themselves and others, so the id behind the name is compared at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from handler.rungs import ROLE_STEPS, USER_STEPS, BoundaryTaken, Rung, Step, Target
from handler.trail import Kind


@dataclass(frozen=True)
class Containment:
    """What was done: the rung that holds (None: none does), on which name, and its undo.

    `undo` is one argument list per AWS CLI command; `notes` are sentences for the security team.
    """

    name: str
    rung: Rung | None = None
    undo: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    gone: bool = False


class NoSuchPrincipal(Exception):
    """The name is nobody's (any more)."""


def contain(iam: Any, target: Target, *, inline: bool) -> Containment:
    """Deny `target`, find it by id where the name moved, and check what holds.

    Raises botocore's ClientError for what has no answer here (throttling, service failure), so that
    Lambda retries; quota, protection, refusal and absence are answers.
    """
    name = target.name or _name_by_id(iam, target)
    notes: tuple[str, ...] = ()
    if name:
        try:
            done = _climb(iam, replace(target, name=name), inline=inline)
            owner = _id_by_name(iam, replace(target, name=name))
        except NoSuchPrincipal:
            notes += (f"The name {name!r} is no longer used in this account.",)
        else:
            if not target.id or owner == target.id:
                return done
            _take_back(iam, replace(target, name=name), done)
            notes += (_mistaken(name, owner),)
    moved = _name_by_id(iam, target)
    if not moved:
        return Containment(
            name=name, gone=True, notes=(*notes, "No principal with this id exists any more.")
        )
    done = _climb(iam, replace(target, name=moved), inline=inline)
    return replace(done, notes=(*notes, f"Found by id under the name {moved!r}.", *done.notes))


def _mistaken(name: str, owner: str) -> str:
    return (
        f"The name {name!r} now belongs to another principal ({owner}); what was put on it "
        "was taken off. If that one was contained before, contain it again."
    )


def _climb(iam: Any, target: Target, *, inline: bool) -> Containment:
    """The first rung that takes and is intact; raises NoSuchPrincipal when the name is nobody's."""
    notes: list[str] = []
    for step in _steps(target.kind, inline=inline):
        refusal = _try(iam, step, target)
        if not refusal and step.intact(iam, target):
            return Containment(
                name=target.name, rung=step.rung, undo=(step.command(target),), notes=tuple(notes)
            )
        if not refusal:
            # A deny that was rewritten may allow: it must not stay on anybody.
            step.undo(iam, target)
            refusal = "its content is not ours any more; somebody rewrote it"
        notes.append(f"Rung {step.rung.value}: {refusal}.")
    return Containment(name=target.name, notes=tuple(notes))


def _try(iam: Any, step: Step, target: Target) -> str:
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


def _take_back(iam: Any, target: Target, done: Containment) -> None:
    for step in _steps(target.kind, inline=True):
        if step.rung is done.rung:
            step.undo(iam, target)


def _steps(kind: Kind, *, inline: bool) -> tuple[Step, ...]:
    steps = USER_STEPS if kind is Kind.USER else ROLE_STEPS
    return steps if inline else tuple(s for s in steps if s.rung is not Rung.INLINE_POLICY)


# ---- whose name is this


def _id_by_name(iam: Any, target: Target) -> str:
    try:
        if target.kind is Kind.USER:
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
    if target.kind is Kind.USER:
        pages = iam.get_paginator("list_users").paginate()
        found = (u["UserName"] for p in pages for u in p["Users"] if u["UserId"] == target.id)
    else:
        pages = iam.get_paginator("list_roles").paginate()
        found = (r["RoleName"] for p in pages for r in p["Roles"] if r["RoleId"] == target.id)
    return str(next(found, ""))
