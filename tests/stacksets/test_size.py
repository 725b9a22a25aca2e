"""A plan makes no call for a single account, and its memory stays small."""

from __future__ import annotations

from benchmarks.rolling_out import measured


def test_a_plan_for_two_thousand_accounts_makes_the_calls_that_listings_force() -> None:
    made, calls, _, peak = measured(2_000, before=None)
    assert made.refusals == ()
    # 84 units: the root, three rings, 80 of 25 accounts each, of which two pages.
    assert calls["list_organizational_units_for_parent"] == 84 + 3
    assert calls["list_accounts_for_parent"] == 84 + 80
    # Each account is a target of the policy that AWS attaches itself; 20 a page.
    assert calls["list_targets_for_policy"] == 105
    assert sum(calls.values()) < 400
    assert peak < 300


def test_the_next_plan_asks_for_a_page_for_each_hundred_stacks() -> None:
    first, before, _, _ = measured(2_000, before=None)
    _, calls, _, _ = measured(2_000, before=first)
    assert calls["list_stack_instances"] == 21
    assert sum(calls.values()) - sum(before.values()) < 30
