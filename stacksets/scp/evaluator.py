"""Whether service control policies let a principal make a call. Pure; knows what it cannot tell.

Only what such policies are made of in practice is evaluated: actions, resources, and conditions on
region and principal, with the variables for these. Any other condition key or variable gives MAYBE,
which is told and stops nothing.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

VARIABLE = re.compile(r"\$\{([A-Za-z]+:[A-Za-z]+)\}")


class Truth(Enum):
    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True)
class Request:
    """A call of `principal` (the ARN of a role, not of its session; "" for one that is not known)
    on `resource`."""

    principal: str
    account: str
    action: str
    resource: str
    region: str
    organization: str


@dataclass(frozen=True)
class Document:
    """A policy's name and its statements."""

    name: str
    statements: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Refusal:
    """Which policy refuses a request (`sid` "" where it has none), and whether surely. A refusal
    by silence, since nothing allows the call, has the name of no policy."""

    policy: str
    sid: str
    surely: bool
    effect: str
    statement: Mapping[str, Any]


def parse(name: str, content: str) -> Document:
    """A policy's content, as Organizations keeps it: always valid JSON of IAM's grammar."""
    statements = json.loads(content)["Statement"]
    return Document(name, tuple(_list(statements)))


def refusal(levels: Sequence[Sequence[Document]], request: Request) -> Refusal | None:
    """The first refusal: an explicit deny anywhere, or a level (root, unit, account) on which
    nothing allows the call (Organizations User Guide, "SCP evaluation")."""
    possible: Refusal | None = None
    for document in (one for level in levels for one in level):
        for statement in document.statements:
            if statement["Effect"] != "Deny":
                continue
            truth = _applies(statement, request)
            if truth is not Truth.NO:
                found = _refusal(document, statement, surely=truth is Truth.YES)
                if found.surely:
                    return found
                possible = possible or found
    for level in levels:
        allowed = [
            _applies(statement, request)
            for document in level
            for statement in document.statements
            if statement["Effect"] == "Allow"
        ]
        if Truth.YES not in allowed:
            surely = Truth.MAYBE not in allowed
            return Refusal("", "", surely=surely, effect="Allow", statement={})
    return possible


def _refusal(document: Document, statement: Mapping[str, Any], *, surely: bool) -> Refusal:
    return Refusal(document.name, str(statement.get("Sid", "")), surely, "Deny", statement)


def _applies(statement: Mapping[str, Any], request: Request) -> Truth:
    if not _names(statement, "Action", request.action, fold=True):
        return Truth.NO
    if not _names(statement, "Resource", request.resource, fold=False):
        return Truth.NO
    return _all(
        _condition(operator, key, _list(values), request)
        for operator, pairs in statement.get("Condition", {}).items()
        for key, values in pairs.items()
    )


def _names(statement: Mapping[str, Any], element: str, value: str, *, fold: bool) -> bool:
    """Whether Action/NotAction or Resource/NotResource take a value in."""
    if f"Not{element}" in statement:
        return not _any_like(_list(statement[f"Not{element}"]), value, fold=fold)
    return _any_like(_list(statement.get(element, "*")), value, fold=fold)


def _known(request: Request) -> dict[str, str]:
    """The condition keys that can be told from here; "" for what is not known after all."""
    kind = "User" if ":user/" in request.principal else "AssumedRole"
    return {
        "aws:requestedregion": request.region,
        "aws:principalarn": request.principal,
        "aws:principalaccount": request.account,
        "aws:principalorgid": request.organization,
        "aws:resourceaccount": request.account,
        "aws:resourceorgid": request.organization,
        "aws:principaltype": kind if request.principal else "",
        "aws:principalisawsservice": "false",
    }


def _filled(text: str, known: Mapping[str, str]) -> str:
    """A value with the variables that are known from here in their place (IAM User Guide, "IAM
    policy elements: Variables and tags")."""
    return VARIABLE.sub(lambda found: known.get(found[1].lower()) or found[0], text)


def _condition(operator: str, key: str, values: list[str], request: Request) -> Truth:
    known = _known(request)
    present = known.get(key.lower())
    values = [_filled(str(one), known) for one in values]
    if not present or any("${" in one for one in values):
        return Truth.MAYBE
    match operator.removesuffix("IfExists").rpartition(":")[2].lower():
        case "stringequals":
            found = present in values
        case "stringnotequals":
            found = present not in values
        case "stringequalsignorecase":
            found = present.lower() in [value.lower() for value in values]
        case "stringnotequalsignorecase":
            found = present.lower() not in [value.lower() for value in values]
        case "stringlike" | "arnlike" | "arnequals":
            found = _any_like(values, present, fold=False)
        case "stringnotlike" | "arnnotlike" | "arnnotequals":
            found = not _any_like(values, present, fold=False)
        case "bool":
            found = present in [str(value).lower() for value in values]
        case "null":
            # The key is there.
            found = "false" in [str(value).lower() for value in values]
        case _:
            return Truth.MAYBE
    return Truth.YES if found else Truth.NO


def _all(truths: Iterable[Truth]) -> Truth:
    return min(truths, key=lambda truth: truth.value, default=Truth.YES)


def _any_like(patterns: Iterable[str], value: str, *, fold: bool) -> bool:
    flags = re.IGNORECASE if fold else 0
    return any(re.fullmatch(_expression(str(one)), value, flags) for one in patterns)


@functools.cache
def _expression(pattern: str) -> str:
    wild = {"*": ".*", "?": "."}
    return "".join(wild.get(part, re.escape(part)) for part in re.split(r"([*?])", pattern))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
