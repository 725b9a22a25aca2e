"""Two sequential steps to the deny: measured on the calls made, and the measure tells three."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.containing import shown_steps, steps_before_the_deny
from benchmarks.steps import Steps
from handler.revoker import main
from handler.revoker.deny.contain import contain
from handler.revoker.respond import contain_caller
from tests.doubles.account import in_turn

USER = [["batch_get_item", "get_group"], ["attach_user_policy", "update_item"]]
ROLE = [["batch_get_item"], ["attach_role_policy"]]


def sorted_rows(rows: list[list[str]]) -> list[list[str]]:
    return [sorted(row) for row in rows]


def test_the_deny_lands_after_two_sequential_steps() -> None:
    found = steps_before_the_deny()
    assert {kind: sorted_rows(rows) for kind, rows in found.items()} == {
        "IAM user": USER,
        "role session": ROLE,
    }
    assert shown_steps(found["IAM user"]) == (
        "2 (batch_get_item beside get_group, then attach_user_policy beside update_item)"
    )


def test_three_more_calls_in_a_row_would_be_three_more_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slower(iam: Any, target: Any, **rest: Any) -> Any:
        for _ in range(3):
            iam.list_account_aliases()
        return contain(iam, target, **rest)

    monkeypatch.setattr(contain_caller, "contain", slower)
    more = [["list_account_aliases"]] * 3
    beside_the_mark = [["list_account_aliases", "update_item"], *more[1:], ["attach_user_policy"]]
    assert {kind: sorted_rows(rows) for kind, rows in steps_before_the_deny().items()} == {
        "IAM user": [*USER[:1], *beside_the_mark],
        "role session": [*ROLE[:1], *more, *ROLE[1:]],
    }


def test_readings_that_are_handed_over_together_but_made_in_turn_are_two_steps() -> None:
    steps = Steps()
    both = steps.beside(in_turn, patience=0.05)
    both(lambda: steps.call("one"), lambda: steps.call("other"))
    steps.call("then")
    assert steps.rows() == [["one"], ["other"], ["then"]]


def test_of_two_side_by_side_the_longer_one_counts() -> None:
    steps = Steps()

    def calls(*names: str) -> Callable[[], None]:
        def run() -> None:
            for name in names:
                steps.call(name)

        return run

    steps.beside(main._together)(calls("a"), calls("b", "c"))
    steps.call("then")
    assert sorted_rows(steps.rows()) == [["a", "b"], ["c"], ["then"]]
