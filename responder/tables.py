"""What the responder shows of revokers' answers: tables and sentences for people. Asks nobody.

Names may hold markup, escape sequences or line breaks: they are shown, never obeyed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from handler.notifier.messages.notice import visible

WIDTH_OF_A_FILE = 160


def print_list(answers: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """One line for each contained or tainted principal, and a sentence on what was not shown."""
    table = Table("Account", "Who", "Id", "Since", "By", "Holds", title="Contained")
    table.add_column("It gave", overflow="fold")
    for account, answered in answers:
        for row in answered["principals"]:
            _add_row(table, account, row)
    console = _console()
    if table.row_count:
        console.print(table)
    more = sum(answered.get("more", 0) for _, answered in answers)
    if more:
        console.print(Text(f"{more} more are not shown."))
    console.print(Text(f"{table.row_count} principals in {len(answers)} accounts."))


def _add_row(table: Table, account: str, row: Mapping[str, Any]) -> None:
    records = [(mark, row[mark]) for mark in ("contained", "sessions") if mark in row]
    first = records[0][1] if records else row.get("tainted", {})
    left = ", ".join(step["method"] for step in row.get("left", ()))
    holds = ", ".join(record["method"] for _, record in records) or "NOTHING: made by an offender"
    if left and not records and "tainted" not in row:
        holds = f"{left} (RELEASED, still on)"
    if row.get("stripped"):
        holds = f"{holds} (STRIPPED)"
    if "gone" in row:
        holds = "deleted since"
    cells = (
        account,
        f"{row['kind']} {row['name']}",
        row["id"],
        _time(first.get("at", row.get("released", 0))),
        first.get("call", ""),
        holds,
        "; ".join(text for _, record in records for text in record["gave"]),
    )
    table.add_row(*(Text(visible(str(cell))) for cell in cells))


def print_principal(answered: Mapping[str, Any]) -> None:
    """Everything about one principal, as facts and sentences."""
    row = answered["principal"]
    table = Table(show_header=False, title=Text(visible(f"{row['kind']} {row['name']}")))
    facts = [("Account", answered["account"]), ("Id", row["id"])]
    for mark in ("contained", "sessions"):
        if mark in row:
            facts += _record_facts(mark, row[mark])
    if "tainted" in row:
        taint = row["tainted"]
        facts.append(("Tainted", f"{_time(taint['at'])} by {taint['by']} ({taint['call']})"))
    facts += [("Missing now", ", ".join(row["stripped"]))] if row["stripped"] else []
    for step in row.get("left", ()):
        facts.append(("Still on", f"{step['method']}; to undo it: {shlex.join(step['command'])}"))
    facts += [("Deleted", f"seen {_time(row['gone'])}")] if "gone" in row else []
    for past in row["releases"]:
        facts.append(("Released", f"{_time(past['at'])} by {past['by']}: {past['reason']}"))
    _add_facts(table, facts)
    _console().print(table)


def _record_facts(mark: str, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    what = "Contained" if mark == "contained" else "Sessions denied"
    facts = [
        (what, _time(record["at"])),
        ("By the call", f"{record['call']} at {record['call_time']} ({record['event_id']})"),
        ("Reason", record["reason"]),
        ("Holds", record["method"]),
    ]
    facts += [("Put back", _time(record["again"]))] if record["again"] else []
    return facts + [("It gave", text) for text in record["gave"]]


def print_plan(plan: Mapping[str, Any]) -> None:
    """What a release would do, before anybody is asked."""
    who = plan["principal"]
    table = Table("What", "How", "By", title="Release")
    for step in plan["steps"]:
        by = "an administrator" if step["by_administrator"] else "the revoker"
        how = shlex.join(step["command"])
        extra = "" if step["recorded"] else " (not in the record, found all the same)"
        gone = "" if step["there"] else " (not there any more)"
        table.add_row(*(Text(visible(t)) for t in (f"{step['method']}{extra}{gone}", how, by)))
    if plan["tainted"]:
        table.add_row("made by an offender", "forget that", "the revoker")
    for key in plan["keys"]:
        does = "switch on again" if key["enable"] else "stays disabled (--enable-keys)"
        table.add_row(*(Text(visible(t)) for t in (f"access key {key['id']}", does, "the revoker")))
    console = _console()
    console.print(Text(visible(f"{who['kind']} {who['name']} ({who['id']}) in {plan['account']}:")))
    console.print(table)
    if plan["sessions_stay_bad"]:
        console.print(
            Text(
                "Its console password or MFA was changed by an offender: console sessions begun "
                "after that count as the offender's until an administrator sets a new password."
            )
        )


def print_released(done: Mapping[str, Any]) -> None:
    """What a release did, and the commands that are left for others."""
    console = _console()
    who = visible(f"{done['principal']['kind']} {done['principal']['name']}")
    if done.get("already"):
        console.print(Text(f"{who} was released already, at {_time(done['released'])}."))
    else:
        console.print(Text(f"{who} was released at {_time(done['released'])}."))
    for step in done["steps"]:
        if step["left"]:
            console.print(Text(visible(f"Still on: {step['method']}: {step['left']}. To undo it:")))
            console.print(Text(f"  {visible(shlex.join(step['command']))}"), soft_wrap=True)
    for key in () if done.get("already") else done["keys"]:
        if key["left"]:
            console.print(Text(visible(f"Access key {key['id']}: {key['left']}.")))


def print_ledger(answered: Mapping[str, Any]) -> None:
    """The ledger, one line a user, and what differs from the group."""
    table = Table("User", "Id", "Administrator", "In the group", title=answered["group"])
    table.add_column("Why", overflow="fold")
    for entry in answered["entries"]:
        why = ["in the baseline"] if entry["in_baseline"] else []
        why += [f"{f['fact']} {_time(f['at'])} {f['event_id']}" for f in entry["facts"]]
        why += entry["said"]
        flags = (_yes(entry["administrator"]), _yes(entry["in_group"]))
        cells = (entry["name"], entry["id"], *flags, "; ".join(why))
        table.add_row(*(Text(visible(cell)) for cell in cells))
    for member in answered["unknown"]:
        cells = (member["name"], member["id"], "no", "yes", "nothing says who added her")
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console = _console()
    console.print(table)
    console.print(Text(f"Baseline taken at {_time(answered['baseline'])}."))
    for difference in answered["differences"]:
        console.print(Text(visible(difference)))


def print_confirmed(answered: Mapping[str, Any]) -> None:
    """What the ledger holds now."""
    user = answered["user"]
    is_one = "an administrator" if answered["administrator"] else "no administrator"
    where = "in" if answered["in_group"] else "not in"
    text = f"{user['name']} ({user['id']}) is {is_one} from {_time(answered['since'])} on"
    _console().print(Text(visible(f"{text}, and {where} the group now.")))


def self_test_lines(test_run: Mapping[str, Any]) -> list[str]:
    """One line for each thing that happened so far, with its delay in seconds."""
    started = test_run["started"]
    lines = [f"{_time(started)}  the revoker tagged its canary"]
    if test_run["arrived"]:
        lines.append(f"{test_run['arrived'] - started:>8.2f} s  the event arrived at the revoker")
        if not test_run["enforcing"]:
            lines.append("            observe mode: no deny is put on the canary")
    if test_run["denied"]:
        lines.append(
            f"{test_run['denied'] - started:>8.2f} s  the deny was on the canary; it is off"
        )
    if test_run["error"]:
        lines.append(f"FAILED: {visible(test_run['error'])}")
    return lines


def _add_facts(table: Table, facts: Iterable[tuple[str, str]]) -> None:
    for label, value in facts:
        table.add_row(label, Text(visible(str(value)), overflow="fold"))


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_OF_A_FILE)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
