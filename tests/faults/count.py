"""How many cases there are, by scenario and by fault, counted by playing each scenario once.

`python -m tests.faults.count` writes the tables into docs/faults.md and prints them.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests.faults.client_faults import Fault
from tests.faults.scenarios import FUNCTIONS, plans, steps

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
_TABLES = re.compile(r"(<!-- cases -->\n).*(<!-- end -->)", re.DOTALL)


def printed() -> str:
    """Both tables in Markdown."""
    return "\n".join([*_by_fault(), "", *_by_scenario()]) + "\n"


def with_tables(text: str) -> str:
    return _TABLES.sub(lambda found: f"{found[1]}\n{printed()}\n{found[2]}", text)


def total() -> int:
    return sum(len(plans(one)) for scenarios in FUNCTIONS.values() for one in scenarios)


def _by_fault() -> list[str]:
    counts = {
        function: Counter((plan.fault, plan.lasting) for one in scenarios for plan in plans(one))
        for function, scenarios in FUNCTIONS.items()
    }
    rows = [
        [f"{fault.value}{', and goes on' if lasting else ''}"]
        + [str(count[fault, lasting]) for count in counts.values()]
        for lasting in (False, True)
        for fault in Fault
        if any(count[fault, lasting] for count in counts.values())
    ]
    sums = [str(sum(count.values())) for count in counts.values()]
    return _table(["What becomes of the call", *FUNCTIONS], [*rows, ["all", *sums]])


def _by_scenario() -> list[str]:
    rows = [
        [function, one.name, str(len(steps(one))), str(len(plans(one)))]
        for function, scenarios in FUNCTIONS.items()
        for one in scenarios
    ]
    return _table(["Function", "Scenario", "Calls", "Cases"], rows)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def main() -> None:
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
    print(f"{printed()}\n{total()} cases in all")


if __name__ == "__main__":
    main()
