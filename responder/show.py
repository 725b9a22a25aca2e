"""What the responder shows: results as tables for people. Computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from handler.model.reasons import Action
from handler.notifier.messages.notice import visible
from responder.replay import Line, most_called

# Wide enough for an ARN a line, where no terminal says how wide it is.
WIDTH_OF_A_FILE = 180

WORDS = {
    Action.CONTAIN: Text("loses IAM", style="bold red"),
    Action.CRITICAL: Text("critical: cannot be denied", style="bold magenta"),
    Action.WOULD_CONTAIN: Text("would lose IAM", style="yellow"),
    Action.REPORT: Text("told of", style="yellow"),
    Action.IGNORE: Text("nothing", style="green"),
}


def print_replay(
    lines: Sequence[Line], summary: Mapping[str, Any], *, admins_reported: bool
) -> None:
    """The result of a replay: a table by caller and reason, then what it means in sentences."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_OF_A_FILE)
    if lines:
        console.print(_table(lines))
    for sentence in _sentences(summary, admins_reported=admins_reported):
        console.print(Text(sentence))


def _table(lines: Sequence[Line]) -> Table:
    table = Table("What happens", "Reason", title="What the revoker would have done")
    table.add_column("Caller", overflow="fold")
    table.add_column("Calls", justify="right")
    table.add_column("Most frequent", overflow="fold")
    for line in lines:
        # What a record says may hold markup, escape sequences or line breaks: shown, never obeyed.
        table.add_row(
            WORDS[line.action],
            line.reason,
            Text(visible(line.caller)),
            f"{line.total:,}",
            Text(visible(", ".join(most_called(line)))),
        )
    return table


def _sentences(summary: Mapping[str, Any], *, admins_reported: bool) -> list[str]:
    actions = summary["actions"]
    seen = (
        f"{summary['records']:,} records in {summary['files']:,} files: "
        f"{summary['judged']:,} IAM calls judged, {summary['readOnly']:,} read-only IAM calls "
        f"and {summary['otherServices']:,} records of other services left out, "
        "as the revoker's rule leaves them out."
    )
    lost = (
        f"{summary['callersContained']:,} callers would have lost IAM, for "
        f"{actions['contain']:,} calls. Each call is judged alone: once a caller is contained, "
        "its later calls fail."
    )
    sentences = [seen, lost]
    if not admins_reported:
        sentences.append(
            "Records do not say who is in the administrators' group: without --admin NAME "
            "every IAM user counts as no administrator."
        )
    if summary["unreadable"]:
        sentences.append(f"{summary['unreadable']:,} files could not be read whole, see above.")
    return sentences
