"""A proof as people read it in a terminal: a line for each row, then what it comes to. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from handler.notice import visible
from stacksets.guarding import many
from stacksets.prove.checks import Check
from stacksets.prove.judge import Result
from stacksets.prove.proof import Proof, delays, sentences

# A sign beside each colour: not everybody sees colours, and files have none.
SIGNS = {True: ("*", "green"), False: ("x", "bold red"), None: ("-", "bright_black")}
DELAYS = (
    ("event", "until the incident was written down"),
    ("deny", "until IAM refused the caller's next call"),
    ("mail", "until the mail was published"),
)


def proof_table(proof: Proof) -> Iterator[RenderableType]:
    """The rows, the checks, and the answer."""
    if proof.results:
        yield _rows(proof.results)
        yield Text()
    yield _checks(proof.checks)
    yield Text()
    for name, says in DELAYS:
        if found := delays(proof.results, name):
            said = f"median {found['median']:.1f} s, longest {found['longest']:.1f} s"
            yield Text(f"{name}: {said}, {says}.")
    for said in sentences(proof):
        yield Text("points to: ", style="bold red").append(visible(said), style="not bold")
    yield Text(summary(proof), style="bold")


def summary(proof: Proof) -> str:
    """The last line."""
    ended = sum(one.ok is True for one in proof.results)
    left_out = sum(one.ok is None for one in proof.results)
    more = f", {left_out} left out" if left_out else ""
    said = f"{ended} of {many(len(proof.results), 'row')} ended as expected{more}"
    if proof.differences:
        return f"{said}: {many(proof.differences, 'difference')}."
    return f"{said}: no difference."


def _rows(results: tuple[Result, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    table.add_column("Row", no_wrap=True)
    table.add_column("Attack", ratio=5)
    table.add_column("Expected", ratio=4)
    table.add_column("Seen", ratio=2)
    for name, _ in DELAYS:
        table.add_column(f"{name.capitalize()}\ns", justify="right", no_wrap=True)
    for one in results:
        table.add_row(
            _sign(one.ok, str(one.row)),
            one.title,
            one.expected,
            Text(visible(one.seen), style="" if one.ok else SIGNS[one.ok][1]),
            *(_seconds(getattr(one, name)) for name, _ in DELAYS),
        )
    return table


def _checks(checks: tuple[Check, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    table.add_column("Check", no_wrap=True)
    table.add_column("", ratio=3)
    table.add_column("Seen", ratio=2)
    table.add_column("s", justify="right", no_wrap=True)
    for one in checks:
        table.add_row(
            _sign(one.ok, one.name),
            one.asks,
            Text(visible(one.seen), style="" if one.ok else SIGNS[one.ok][1]),
            _seconds(one.seconds),
        )
    return table


def _sign(ok: bool | None, said: str) -> Text:
    sign, style = SIGNS[ok]
    return Text(f"{sign} {said}", style=style)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
