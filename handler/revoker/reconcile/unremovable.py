"""What a release could not take off: told until it is seen gone. Shell; takes nothing off itself.

A permissions boundary is an administrator's to remove, and while observing every deny is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from handler.model.cloudtrail import CallerKind
from handler.model.principal import Target
from handler.revoker.deny.contain import current_name
from handler.revoker.deny.methods import (
    ROLE_METHOD_CALLS,
    SESSION_METHOD_CALLS,
    USER_METHOD_CALLS,
    MethodCalls,
)
from handler.revoker.state.context import Tools, attempt, target_of
from handler.revoker.state.table import Item

# On a principal that was released: a list of {"method", "command", "left"}, as JSON.
LEFT = "left"


def method_calls_of(kind: CallerKind) -> tuple[MethodCalls, ...]:
    """Every step that a deny of ours may be on by."""
    return (
        (*USER_METHOD_CALLS, *SESSION_METHOD_CALLS)
        if kind is CallerKind.USER
        else ROLE_METHOD_CALLS
    )


def is_there(step: MethodCalls, target: Target, tools: Tools) -> bool:
    """Whether the step's deny is on, whatever the records say."""
    try:
        return step.there(tools.iam, target)
    except tools.iam.exceptions.NoSuchEntityException:
        return False


def left_mark(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The attribute that keeps what is still on, of a release's steps; none when all is off."""
    kept = [
        {key: row[key] for key in ("method", "command", "left")}
        for row in rows
        if row["there"] and row["left"]
    ]
    return {LEFT: json.dumps(kept)} if kept else {}


def left_rows(item: Item) -> list[dict[str, Any]]:
    """What is still on a released principal, in JSON types."""
    text = item.get(LEFT)
    rows: list[dict[str, Any]] = json.loads(text) if isinstance(text, str) else []
    return rows


def look_at_left(items: Sequence[Item], tools: Tools, troubles: list[Exception]) -> None:
    """Drop the mark of each released principal that has lost the rest, or is gone."""
    for item in items:
        if LEFT in item and "gone" not in item:
            attempt(partial(_look_at_left, item, tools), tools, troubles)


def _look_at_left(item: Item, tools: Tools) -> None:
    written = target_of(
        tools,
        kind=CallerKind(str(item["kind"])),
        name=str(item["name"]),
        principal_id=str(item["pk"]).removeprefix("principal#"),
    )
    name = current_name(tools.iam, written)
    methods = [row["method"] for row in left_rows(item)]
    steps = [step for step in method_calls_of(written.kind) if step.method.value in methods]
    if not name or not any(is_there(step, replace(written, name=name), tools) for step in steps):
        tools.table.update(str(item["pk"]), {}, remove=[LEFT])
