"""docs/attacks.md shows the rows that are played, and nothing else."""

from __future__ import annotations

import re

from tests.attacks.scenarios.all import ROWS
from tests.attacks.table import DOCUMENT, counted, printed, with_table


def test_the_document_shows_every_row_as_it_is_played() -> None:
    text = DOCUMENT.read_text()
    assert with_table(text) == text, "run python -m tests.attacks.table"
    assert printed().count("\n| ") == len(ROWS)


def test_a_row_that_ends_otherwise_is_another_table() -> None:
    assert printed(ROWS[1:]) not in DOCUMENT.read_text()


def test_every_row_is_counted_once_and_the_readme_says_the_numbers() -> None:
    rows, _, *ends = map(int, re.findall(r"\d+", counted()))
    assert rows == len(ROWS) == sum(ends)
    assert counted() in (DOCUMENT.parents[1] / "README.md").read_text()
