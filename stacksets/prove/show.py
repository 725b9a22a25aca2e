"""A proof as people read it in a terminal: a line for each row, then what it comes to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from handler.notifier.messages.notice import visible
from stacksets.prove.checks import Check
from stacksets.prove.judge import Result
from stacksets.prove.proof import Proof, delays, sentences
from stacksets.steps.guardrail import many

# A sign beside each colour: not everybody sees colours, and files have none.
SIGNS = {True: ("*", "green"), False: ("x", "bold red"), None: ("-", "bright_black")}
# "not contained", and room for a code of AWS in some lines.
SEEN_WIDTH = 15
DELAYS = (
    ("event", "from the caller's call until its incident was written down"),
    ("deny", "until IAM refused the caller's next call"),
    ("mail", "until the mail, or a digest, was published"),
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
    names = [name for name, _ in DELAYS]
    table = _table("Row", "Attack", "Expected", seen=[one.seen for one in results], numbers=names)
    for one in results:
        table.add_row(
            _sign(one.ok, str(one.row)),
            one.title,
            one.expected,
            _seen(one.ok, one.seen),
            *(_seconds(getattr(one, name)) for name in names),
        )
    return table


def _checks(checks: tuple[Check, ...]) -> Table:
    table = _table("Check", "Asked", seen=[one.seen for one in checks], numbers=["seconds"])
    for one in checks:
        seen = _seen(one.ok, one.seen)
        table.add_row(_sign(one.ok, one.name), one.asks, seen, _seconds(one.seconds))
    return table


def _table(name: str, *texts: str, seen: Iterable[str], numbers: Iterable[str]) -> Table:
    """A column of names, some of text, what was seen, and numbers; as wide as the terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", expand=True)
    table.add_column(name, no_wrap=True)
    for place, text in enumerate(texts):
        table.add_column(text, ratio=5 - 2 * place)
    widest = max(map(len, ("Seen", *seen)))
    table.add_column("Seen", width=min(SEEN_WIDTH, widest), overflow="fold")
    for number in numbers:
        table.add_column(number.capitalize(), justify="right", no_wrap=True)
    return table


def _seen(ok: bool | None, said: str) -> Text:
    return Text(visible(said), style="" if ok else SIGNS[ok][1])


def _sign(ok: bool | None, said: str) -> Text:
    sign, style = SIGNS[ok]
    return Text(f"{sign} {said}", style=style)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
