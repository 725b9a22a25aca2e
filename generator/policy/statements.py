"""What an IAM statement of ours is: its permission and its reason. Knows no resource of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """One statement. Strings may hold ${...}, which the template fills in; `why` goes to the docs.

    `principal` is given in policies of resources only; `conditions` is operator -> key -> value.
    `not_actions` instead of `actions` means every action but these.
    """

    sid: str
    why: str
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    conditions: Mapping[str, Any] = field(default_factory=dict)
    principal: Any = None
    effect: str = "Allow"
    not_actions: tuple[str, ...] = ()


def element(statement: Statement) -> dict[str, Any]:
    """The statement as IAM reads it; single values stand bare, since AWS stores them so."""
    said: dict[str, Any] = {"Sid": statement.sid, "Effect": statement.effect}
    if statement.principal is not None:
        said["Principal"] = statement.principal
    if statement.not_actions:
        said["NotAction"] = _bare(statement.not_actions)
    else:
        said["Action"] = _bare(statement.actions)
    if statement.resources:
        said["Resource"] = _bare(statement.resources)
    if statement.conditions:
        said["Condition"] = dict(statement.conditions)
    return said


def document(statements: Iterable[Statement]) -> Document:
    """The policy document of those statements, in their order."""
    return {"Version": "2012-10-17", "Statement": [element(one) for one in statements]}


def trust(service: str, *, sid: str, conditions: Mapping[str, Any] | None = None) -> Document:
    """The trust policy that lets one AWS service assume a role."""
    statement = Statement(
        sid=sid,
        why=f"{service} runs with this role",
        actions=("sts:AssumeRole",),
        principal={"Service": service},
        conditions=conditions or {},
    )
    return document([statement])


def _bare(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
