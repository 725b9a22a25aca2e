"""A status as people read it in a terminal: by OU, what is amiss first in colour. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from handler.notifier.messages.notice import visible
from stacksets.status.coverage import Coverage, Covered, Timing
from stacksets.status.states import LEFT_OUT, State

# Above so many accounts only those that are amiss have a line of their own.
MOST_ROWS = 100
MOST_AMISS = 200
NO_BREAK = "\u00a0"

# A sign beside each colour: not everybody sees colours, and files have none.
SIGNS = {
    State.SUSPENDED: ("=", "bright_black"),
    State.EXCLUDED: ("-", "bright_black"),
    State.NOT_REACHED: ("o", "magenta"),
    State.FAILED: ("x", "bold red"),
    State.NOT_REPORTING: ("?", "bold red"),
    State.UNHEALTHY: ("!", "bold red"),
    State.DRIFTED: ("~", "yellow"),
    State.OUTDATED: ("^", "yellow"),
    State.NOT_ENFORCING: (".", "cyan"),
    State.COVERED: ("*", "green"),
}


def status_table(found: Coverage, *, organization: str) -> Iterator[RenderableType]:
    """What to print, part by part."""
    rows = [row for row in found.rows if len(found.rows) <= MOST_ROWS or row.amiss]
    for unit, part in groupby(rows[:MOST_AMISS], key=lambda row: row.unit):
        yield Text(f"\n{unit_name(unit)}", style="bold")
        yield _accounts(list(part))
    if len(rows) > MOST_AMISS:
        yield Text(f"\n... and {len(rows) - MOST_AMISS:,} more accounts: see --json or --page.")
    if len(found.rows) > MOST_ROWS:
        yield _units(found.rows)
    yield Text()
    yield Text.assemble((f"{organization}: {_said(found)}", "bold"))
    yield _counts(found)
    yield Text(_times("Time to contain", found.contained))
    yield Text(_times("Time until the event", found.seen))
    for note in found.notes:
        yield Text(f"Note: {note}", style="yellow")


def unit_name(path: Sequence[str]) -> str:
    return " / ".join(shown(name) for name in path) or "(root)"


def shown(text: str) -> str:
    """A name from outside, with whatever could move a cursor or turn text round written out."""
    return "".join(one if one.isprintable() else visible(one) for one in text)


def _accounts(rows: Sequence[Covered]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, show_header=False)
    table.add_column(width=15, no_wrap=True)
    table.add_column(width=12, no_wrap=True)
    table.add_column(width=20, overflow="ellipsis", no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for row in rows:
        sign, style = SIGNS[row.state]
        table.add_row(
            Text(f"{sign} {row.state.value}", style=style),
            row.account.id,
            Text(shown(row.account.name)),
            _why(row),
        )
    return table


def _why(row: Covered) -> RenderableType:
    if row.state is State.COVERED and not row.also:
        return Text(_tested(row), style="bright_black")
    parts = []
    for one in (row.finding, *row.also):
        parts.append(Text(shown(one.why)))
        if one.todo:
            parts.append(Text(shown(one.todo), style="bright_black"))
    return Group(*parts)


def _tested(row: Covered) -> str:
    test = row.beat.self_test if row.beat else None
    return f"contained its canary in {test.deny_seconds:.1f} s" if test else ""


def _units(rows: Sequence[Covered]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, title_justify="left")
    table.add_column("\nunit", overflow="fold")
    for heading in ("accounts", "as wanted", "amiss"):
        table.add_column(f"\n{heading}", justify="right")
    wanted, amiss = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for row in rows:
        (amiss if row.amiss else wanted)[row.unit] += 1
    for unit in sorted({*wanted, *amiss}):
        unhealthy = Text(f"{amiss[unit]:,}", style="bold red" if amiss[unit] else "")
        total = wanted[unit] + amiss[unit]
        table.add_row(unit_name(unit), f"{total:,}", f"{wanted[unit]:,}", unhealthy)
    return table


def _counts(found: Coverage) -> Text:
    text = Text()
    for state in reversed(State):
        if count := found.counts.get(state, 0):
            sign, style = SIGNS[state]
            # Held together where the line breaks.
            text.append(f"{sign} {state.value} {count:,}".replace(" ", NO_BREAK), style=style)
            text.append("   ")
    return text


def _said(found: Coverage) -> str:
    """The answer in one sentence."""
    asked = [row for row in found.rows if row.state not in LEFT_OUT]
    amiss = sum(row.amiss for row in found.rows)
    covered = sum(row.state is State.COVERED for row in asked)
    said = f"{covered:,} of {len(asked):,} accounts are covered"
    if amiss:
        return f"{said}; {amiss:,} are not as the file wants them."
    return f"{said}; all are as the file wants them."


def _times(what: str, timing: Timing | None) -> str:
    if timing is None:
        return f"{what}: not measured yet."
    return (
        f"{what}: median {timing.median:.1f} s, 99th percentile {timing.p99:.1f} s "
        f"({timing.accounts:,} self-tests)."
    )
