"""How a plan is shown: a table for people, JSON for programs, commands for who does it by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from handler.model.cloudtrail import arn_field
from handler.notifier.messages.notice import visible
from stacksets.cli.render_script import as_commands, refused, unfinished
from stacksets.steps.guardrail import many
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan, Step

# Lines of difference shown for a step; --json has them all.
SHOWN = 12


def show_plan(
    given: Given,
    plan: Plan,
    *,
    for_program: bool,
    by_hand: bool,
    profile: str | None = None,
    templates: Path | None = None,
) -> None:
    """Print a plan in the shape that was asked for; a table by default. Neither JSON nor a script
    has a last line for people, so that what no step reaches is told beside them. `profile` and
    `templates` are the operator's, for the script."""
    if for_program:
        print(as_json(plan))
    elif by_hand:
        for sentence in plan.refusals:
            print(f"refused: {visible(sentence)}", file=sys.stderr)
        print("\n".join(as_script(given, plan, profile=profile, templates=templates)))
    else:
        print_plan(Console(highlight=False), plan)
        return
    report_unreached(plan)


def report_unreached(plan: Plan) -> None:
    """A line on the standard error for each thing that the file wants and no step reaches."""
    for one in plan.unreached:
        print(f"not reached: {visible(one.said)}", file=sys.stderr)


def as_script(
    given: Given, plan: Plan, *, profile: str | None = None, templates: Path | None = None
) -> Iterator[str]:
    """The lines of a shell script, with what no step reaches as comments; of a refused plan, only
    why, and a failure. One that only waits for what is under way fails at its end, too."""
    if plan.refusals:
        yield from refused(plan.refusals)
        return
    yield from as_commands(
        plan.steps,
        profiles=given.wanted.access.profiles,
        own=arn_field(given.observed.caller, 4),
        region=given.wanted.region,
        profile=profile,
        templates=templates,
    )
    yield from (f"# not reached: {visible(one.said)}" for one in plan.unreached)
    if plan.unfinished:
        yield from unfinished()


def print_plan(console: Console, plan: Plan) -> None:
    """The refusals, the steps with what each changes, the notes, and what no step reaches."""
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
    for one in plan.unreached:
        said = Text("not reached: ", style="bold red")
        console.print(said.append(visible(one.said), style="not bold"))
    console.print(summary(plan), highlight=False)


def summary(plan: Plan) -> str:
    """The last line: how much there is to do."""
    if plan.refusals:
        count = len(plan.refusals)
        return f"Nothing will be done until {'that is' if count == 1 else 'these are'} settled."
    if plan.empty and plan.unmanaged:
        return "Nothing to do, but more stands than the file asks for: the notes say what."
    if plan.empty:
        return "Nothing to do: everything is as the file says."
    steps = many(len(plan.steps), "step")
    if plan.unfinished:
        return f"{steps} to wait for; the rest is planned when they have ended."
    accounts = many(len({account for step in plan.steps for account in step.accounts}), "account")
    missed = sum(len(one.accounts) for one in plan.unreached)
    done = f"{steps}, {accounts}" if plan.steps else "No step is left"
    return f"{done}; {many(missed, 'account')} that no step reaches." if missed else f"{done}."


def as_json(plan: Plan) -> str:
    """The whole plan: steps with their calls, refusals, notes, and what no step reaches."""
    content = {
        "steps": [_plain(step) for step in plan.steps],
        "refusals": list(plan.refusals),
        "notes": list(plan.notes),
        "unreached": [_plain(one) for one in plan.unreached],
        "unfinished": plan.unfinished,
        "unmanaged": plan.unmanaged,
    }
    return json.dumps(content, indent=2)


def _table(steps: Iterable[Step]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for name, style in (("#", "dim"), ("Part", ""), ("What", ""), ("To whom", "")):
        table.add_column(name, style=style, justify="right" if name == "#" else "left")
    for number, step in enumerate(steps, start=1):
        part = f"ring {step.ring}" if step.ring else step.kind.value
        what = Group(Text(visible(step.says)), *_differences(step))
        table.add_row(str(number), part, what, Text(visible(step.target_text)))
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
