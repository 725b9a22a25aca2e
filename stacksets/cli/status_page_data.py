"""What the page's script draws from: accounts, their findings and facts, incidents by day. Pure.

Texts that many accounts share stand once, in `words`, and are named by number there, so that the
page of ten thousand accounts stays small. templates/page/page.js is the reader.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import gmtime, strftime
from typing import Any

from handler.notifier.messages.notice import CRITICAL_KINDS, NoticeKind
from stacksets.status.coverage import Coverage, Covered
from stacksets.status.findings import ago
from stacksets.status.inputs import StatusInputs
from stacksets.status.states import STATES, State

DAYS = 30
DAY_SECONDS = 86_400
# Rows of incidents; the accounts with the most come first.
MOST_ROWS = 1_000
CRITICAL = frozenset(kind.value for kind in CRITICAL_KINDS)
# How an account is stands in the grid.
NO_INCIDENT = NoticeKind.UNHEALTHY.value

SIGNS = {
    State.COVERED: "\u2713",
    State.NOT_ENFORCING: "\u25d0",
    State.OUTDATED: "\u2191",
    State.DRIFTED: "\u2260",
    State.UNHEALTHY: "!",
    State.NOT_REPORTING: "\u2026",
    State.FAILED: "\u2715",
    State.NOT_REACHED: "\u25cb",
    State.EXCLUDED: "\u2013",
    State.SUSPENDED: "=",
}


@dataclass
class _Words:
    """Each text once, by number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def page_data(found: Coverage, inputs: StatusInputs) -> dict[str, Any]:
    """The JSON of the page."""
    words, states = _Words(), list(SIGNS)
    units = {" / ".join(row.unit) or "(root)": 0 for row in found.rows}
    numbers = {unit: number for number, unit in enumerate(units)}
    accounts = [
        [
            row.account.id,
            row.account.name,
            numbers[" / ".join(row.unit) or "(root)"],
            words.number(row.ring),
            states.index(row.state),
            int(row.amiss),
            [
                [states.index(one.state), words.number(one.why), words.number(one.todo)]
                for one in (row.finding, *row.also)
            ],
            [[words.number(name), words.number(text)] for name, text in _facts(row, inputs.now)],
        ]
        for row in found.rows
    ]
    last = int(inputs.now) // DAY_SECONDS
    days = range(last - DAYS + 1, last + 1)
    incidents = _incidents(inputs, days)
    return {
        "states": [
            {"key": _key(state), "label": state.value, "sign": sign, "says": STATES[state]}
            for state, sign in SIGNS.items()
        ],
        "units": list(units),
        "words": list(words.numbers),
        "accounts": accounts,
        "days": [strftime("%Y-%m-%d", gmtime(day * DAY_SECONDS)) for day in days],
        "trend": _trend(inputs, days),
        "incidents": incidents[:MOST_ROWS],
        "incidents_left": max(0, len(incidents) - MOST_ROWS),
    }


def _key(state: State) -> str:
    return state.value.replace(" ", "-")


def _facts(row: Covered, now: float) -> Iterator[tuple[str, str]]:
    """Name and text of what the last heartbeat said."""
    if not row.last_heartbeat_at:
        return
    yield "Last heartbeat", ago(now - row.last_heartbeat_at)
    beat = row.beat
    if beat is None:
        return
    yield "Mode", beat.mode
    yield "Version", beat.product_version
    yield "Last event", ago(now - beat.last_event_at) if beat.last_event_at else "none yet"
    test = beat.self_test
    if test.at:
        yield "Self-test", f"{'passed' if test.ok else 'failed'} {ago(now - test.at)}"
    if test.event_seconds:
        yield "Event after", f"{test.event_seconds:.1f} s"
    if test.deny_seconds:
        yield "Deny after", f"{test.deny_seconds:.1f} s"
    yield "Contained now", str(beat.contained)
    if beat.dead_letters:
        yield "Dead letters", str(beat.dead_letters)
    if beat.redriven:
        yield "Late events", str(beat.redriven)
    for difference in beat.ledger_differences:
        yield "Ledger", difference


def _trend(inputs: StatusInputs, days: range) -> list[list[int]]:
    """Incidents of each day, and how many of them were critical."""
    total, critical = Counter[int](), Counter[int]()
    for one, count in inputs.kept.opened.items():
        if one.kind != NO_INCIDENT:
            total[one.day] += count
            critical[one.day] += count * (one.kind in CRITICAL)
    return [[total[day], critical[day]] for day in days]


def _incidents(inputs: StatusInputs, days: range) -> list[list[Any]]:
    """By account: its id, all incidents, and [day, incidents, critical ones] of each day with any.

    Whoever had critical ones comes first.
    """
    by_day: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for one, count in inputs.kept.opened.items():
        if one.day in days and one.kind != NO_INCIDENT:
            counts = by_day[one.account][days.index(one.day)]
            counts[0] += count
            counts[1] += count * (one.kind in CRITICAL)
    rows: list[tuple[int, int, str, list[list[int]]]] = []
    for account, found in by_day.items():
        cells = [[day, *counts] for day, counts in sorted(found.items())]
        total, critical = (sum(cell[which] for cell in cells) for which in (1, 2))
        rows.append((-critical, -total, account, cells))
    return [[account, -total, cells] for _, total, account, cells in sorted(rows)]
