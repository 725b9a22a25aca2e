"""What is shown while AWS is looked at or a plan is walked: bars on a terminal, plain lines
anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

from handler.notifier.messages.notice import visible
from stacksets.execute.executor import Listener
from stacksets.execute.waiters import Counted
from stacksets.steps.model import Step


class Bars:
    """A line for each step that has ended; below them a bar of the steps, and one of the accounts
    of the step that is under way."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._steps = progress.add_task("steps", total=None, status="")
        self._accounts = progress.add_task("accounts", visible=False, status="")
        self._name, self._says, self._total = "", "", 0

    def begins(self, step: Step, number: int, of: int) -> None:
        self._says, self._total = visible(step.says), 0
        self._name = f"{number:>{len(str(of))}}/{of} {self._says}"
        self._progress.update(self._steps, completed=number - 1, total=of)
        self._report("")
        if step.ring and step.accounts:
            self._total = len(step.accounts)
            self._progress.reset(self._accounts, total=self._total, status="")
        self._progress.update(
            self._accounts,
            visible=self._total > 0,
            description=escape(f"ring {step.ring}"),
        )

    def counted(self, counted: Counted) -> None:
        failed = f", {counted.failed:,} failed" if counted.failed else ""
        self._progress.update(self._accounts, completed=counted.done)
        self._report(f"{visible(counted.status).lower()}{failed}")

    def waits(self, why: str) -> None:
        self._report(f"busy, waiting: {visible(why)}")

    def ended(self) -> None:
        accounts = f" ({self._total:,} accounts)" if self._total > 1 else ""
        self._progress.console.print(f"done {escape(self._name)}{accounts}", highlight=False)
        self._progress.advance(self._steps)
        self._progress.update(self._accounts, visible=False)

    def _report(self, status: str) -> None:
        """Beside the bar of the accounts; where there is none, beside that of the steps, which says
        what the step is besides."""
        if self._total:
            self._progress.update(self._accounts, status=escape(status))
            status = ""
        said = f"{status}: {self._says}" if status else self._says
        self._progress.update(self._steps, status=escape(said))


class Lines:
    """One line for each step as it begins and ends, and for each change on the way."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._write, self._clock = write, clock
        self._began, self._total = 0.0, 0
        self._name, self._last = "", ""

    def begins(self, step: Step, number: int, of: int) -> None:
        self._began, self._total = self._clock(), len(step.accounts) if step.ring else 0
        self._name, self._last = f"{number}/{of}", ""
        self._write(f"{self._name} {visible(step.says)}: {visible(step.target_text)}")

    def counted(self, counted: Counted) -> None:
        far = f" {counted.done:,} of {self._total:,}" if self._total else ""
        failed = f", {counted.failed:,} failed" if counted.failed else ""
        self._report(f"{visible(counted.status)}{far}{failed}")

    def waits(self, why: str) -> None:
        self._report(f"busy, waiting: {visible(why)}")

    def ended(self) -> None:
        self._write(f"{self._name} done in {self._clock() - self._began:.0f} s")

    def _report(self, line: str) -> None:
        if line != self._last:
            self._last = line
            self._write(f"{self._name}   {line}")


@contextmanager
def shown(console: Console) -> Iterator[Listener]:
    """The listener that fits where the console writes."""
    if not console.is_terminal:
        yield Lines(lambda line: print(line, file=console.file, flush=True), time.time)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[status]}", table_column=Column(no_wrap=True, ratio=1)),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as progress:
        yield Bars(progress)


@contextmanager
def looking(at: str) -> Iterator[None]:
    """On a terminal, a sign of life while AWS is asked, which takes hundreds of calls for a large
    Organization. On the stream that no program reads."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"Looking at {at} ..."):
        yield
