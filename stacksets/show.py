"""How a plan is shown: a table for people, JSON for programs. Prints nothing of its own accord."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from handler.notice import visible
from stacksets.steps import Plan, Step

# Lines of difference shown for a step; --json has them all.
SHOWN = 12


def print_plan(console: Console, plan: Plan) -> None:
    """The refusals, the steps with what each changes, and the notes."""
    for sentence in plan.refusals:
        console.print(
            Text("refused: ", style="bold red").append(visible(sentence), style="not bold")
        )
    if plan.own:
        console.print(_table(plan.own))
    if plan.of_others:
        console.print(
            "\nFor a person of the management account, since a delegated administrator may not "
            "(--as-cli prints the commands):"
        )
        console.print(_table(plan.of_others))
    for sentence in plan.notes:
        console.print(Text("note: ", style="bold").append(visible(sentence), style="not bold"))
    console.print(summary(plan), highlight=False)


def summary(plan: Plan) -> str:
    """The last line: how much there is to do."""
    if plan.refusals:
        count = len(plan.refusals)
        return f"Nothing will be done until {'that is' if count == 1 else 'these are'} settled."
    if not plan.steps and plan.beyond:
        return "Nothing to do, but more stands than the file asks for: the notes say what."
    if not plan.steps:
        return "Nothing to do: everything is as the file says."
    accounts = {account for step in plan.steps for account in step.accounts}
    steps = f"{len(plan.steps)} step" + ("" if len(plan.steps) == 1 else "s")
    if plan.unfinished:
        return f"{steps} to wait for; the rest is planned when they have ended."
    return f"{steps}, {len(accounts):,} account" + ("" if len(accounts) == 1 else "s") + "."


def as_json(plan: Plan) -> str:
    """The whole plan: steps with their calls, refusals, notes."""
    content = {
        "steps": [_plain(step) for step in plan.steps],
        "refusals": list(plan.refusals),
        "notes": list(plan.notes),
        "unfinished": plan.unfinished,
        "beyond": plan.beyond,
    }
    return json.dumps(content, indent=2)


def _table(steps: Iterable[Step]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for name, style in (("#", "dim"), ("Part", ""), ("What", ""), ("To whom", "")):
        table.add_column(name, style=style, justify="right" if name == "#" else "left")
    for number, step in enumerate(steps, start=1):
        part = f"ring {step.ring}" if step.ring else step.kind.value
        what = Group(Text(visible(step.says)), *_differences(step))
        table.add_row(str(number), part, what, Text(visible(step.whom)))
    return table


def _differences(step: Step) -> Iterator[Text]:
    styles = {"+": "green", "-": "red", "!": "bold red", "~": "yellow"}
    for line in step.shows[:SHOWN]:
        yield Text(f"  {visible(line)}", style=styles.get(line[0], "cyan"))
    if len(step.shows) > SHOWN:
        yield Text(f"  and {len(step.shows) - SHOWN} more (--json)", style="dim")


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
