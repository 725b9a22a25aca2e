"""docs/attacks.md shows the rows that are played, and nothing else."""

from __future__ import annotations

from tests.attacks.scenarios import ROWS
from tests.attacks.table import DOCUMENT, printed, with_table


def test_the_document_shows_every_row_as_it_is_played() -> None:
    text = DOCUMENT.read_text()
    assert with_table(text) == text, "run python -m tests.attacks.table"
    assert printed().count("\n| ") == len(ROWS)


def test_a_row_that_ends_otherwise_is_another_table() -> None:
    assert printed(ROWS[1:]) not in DOCUMENT.read_text()
