"""What a person sees while something is waited for."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from stacksets.cli import progress
from stacksets.cli.progress import Bars, Lines, looking
from stacksets.execute.waiters import Counted
from stacksets.observed.model import Operation
from stacksets.planners.rollout import plan
from stacksets.steps.model import Step, StepKind, Until, Wait
from tests.stacksets.scene import ONE, SECURITY, given, rolled_out


def busy_step() -> Step:
    """The first ring's set is still at work."""
    seen = rolled_out()
    name = "iam-org-revoker-canary"
    running = replace(
        seen.stack_sets[name], operations=(Operation("1-2-3", "UPDATE", "RUNNING", ""),)
    )
    sets = {**seen.stack_sets, name: running}
    (step,) = plan(given(observed=replace(seen, stack_sets=sets))).steps
    return step


def seen_on_a_terminal(step: Step, *counted: Counted) -> list[str]:
    """The lines that stand there after it."""
    console = Console(force_terminal=True, file=io.StringIO(), width=100)
    columns = (
        TextColumn("{task.description}"),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("{task.fields[status]}"),
    )
    with Progress(*columns, console=console, auto_refresh=False) as shows:
        bars = Bars(shows)
        bars.begins(step, 1, 3)
        for one in counted:
            bars.counted(one)
        plain = Console(width=100, file=io.StringIO())
        plain.print(shows.make_tasks_table([one for one in shows.tasks if one.visible]))
    assert isinstance(plain.file, io.StringIO)
    return [line.rstrip() for line in plain.file.getvalue().splitlines()]


def test_a_busy_set_is_waited_for_with_its_ring_and_accounts() -> None:
    step = busy_step()
    assert (step.ring, step.accounts) == ("canary", (SECURITY, ONE))
    assert seen_on_a_terminal(step, Counted(1, 0, "RUNNING")) == [
        "steps       0/3 Wait until iam-org-revoker-canary has ended its UPDATE (RUNNING)",
        "ring canary 1/2 running",
    ]
    lines: list[str] = []
    log = Lines(lines.append, lambda: 0.0)
    log.begins(step, 1, 3)
    log.counted(Counted(1, 0, "RUNNING"))
    assert lines[-1] == "1/3   RUNNING 1 of 2"


def test_what_has_no_accounts_is_told_beside_the_steps() -> None:
    wait = Wait(Until.CONFIRMED, SECURITY, "arn:example")
    step = Step(StepKind.CONFIRM, "Wait for the answers to [two] mails", "security", wait=wait)
    assert seen_on_a_terminal(step, Counted(0, 0, "2 not confirmed yet")) == [
        "steps 0/3 2 not confirmed yet: Wait for the answers to [two] mails"
    ]
    assert seen_on_a_terminal(step) == ["steps 0/3 Wait for the answers to [two] mails"]


def test_looking_is_seen_on_a_terminal_and_writes_nothing_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with looking("the Organization"):
        pass
    assert capsys.readouterr() == ("", "")
    terminal = Console(force_terminal=True, file=io.StringIO(), width=100)
    monkeypatch.setattr(progress, "Console", lambda *, stderr: terminal)
    with looking("the Organization"):
        pass
    assert isinstance(terminal.file, io.StringIO)
    assert "Looking at the Organization ..." in terminal.file.getvalue()
