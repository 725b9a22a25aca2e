"""Membership as of a moment: the latest fact decides, to the second, in whatever order it came."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.revoker.judge.membership import CLOCK_SLACK, Membership, administrator_at, ever_known

# Few seconds, so that facts and calls fall together.
SECONDS = st.integers(min_value=0, max_value=12).map(float)
FACTS = st.lists(SECONDS, max_size=4).map(tuple)
MEMBERSHIPS = st.builds(
    Membership, baseline=st.none() | SECONDS, adds=FACTS, removes=FACTS, strikes=FACTS
)
TIMES = st.none() | SECONDS


def test_of_whom_nothing_is_known_is_no_administrator_and_unproven() -> None:
    nobody = Membership()
    assert not ever_known(nobody)
    assert not administrator_at(nobody, 100.0)
    assert not administrator_at(nobody, None)


def test_a_removal_alone_proves_no_membership_before_it() -> None:
    removed = Membership(removes=(100.0,))
    assert not ever_known(removed)
    assert not administrator_at(removed, 50.0)
    assert not administrator_at(removed, 150.0)


def test_a_member_of_the_baseline_is_one_from_ever() -> None:
    member = Membership(baseline=1000.0)
    assert ever_known(member)
    assert administrator_at(member, 1.0)
    assert administrator_at(member, 1000.0)
    assert administrator_at(member, 9000.0)
    assert administrator_at(member, None)


@pytest.mark.parametrize(
    ("time", "administrator"),
    [(99.0, False), (100.0, True), (150.0, True), (200.0, True), (201.0, False), (None, False)],
)
def test_an_interval_is_inclusive_on_both_ends(time: float | None, administrator: bool) -> None:
    member = Membership(adds=(100.0,), removes=(200.0,))
    assert administrator_at(member, time) is administrator


@pytest.mark.parametrize(
    ("time", "administrator"),
    [(99.0, False), (250.0, False), (300.0, True), (400.0, True), (None, True)],
)
def test_whoever_is_added_again_is_an_administrator_again(
    time: float | None, administrator: bool
) -> None:
    member = Membership(adds=(100.0, 300.0), removes=(200.0,))
    assert administrator_at(member, time) is administrator


def test_removed_and_added_in_one_second_she_is_one_in_it_and_none_after_it() -> None:
    member = Membership(adds=(100.0,), removes=(100.0,))
    assert administrator_at(member, 100.0)
    assert not administrator_at(member, 101.0)


def test_a_removal_a_second_before_the_call_closes_the_baseline() -> None:
    member = Membership(baseline=50.0, removes=(199.0,))
    assert administrator_at(member, 199.0)
    assert not administrator_at(member, 200.0)


def test_a_late_removal_from_before_the_baseline_closes_it_too() -> None:
    """IAM may show a member for some seconds after it removed her."""
    member = Membership(baseline=50.0, removes=(48.0,))
    assert administrator_at(member, 48.0)
    assert not administrator_at(member, 60.0)


def test_a_strike_voids_the_baseline_before_it_and_after_it() -> None:
    struck = Membership(baseline=1000.0, strikes=(990.0,))
    assert [administrator_at(struck, time) for time in (1.0, 989.0, 990.0, 1000.0, 2000.0)] == [
        False
    ] * 5
    assert not administrator_at(struck, None)
    assert ever_known(struck)


def test_a_strike_leaves_what_administrators_did_standing() -> None:
    struck = Membership(baseline=1000.0, adds=(1500.0,), strikes=(990.0,))
    assert not administrator_at(struck, 1499.0)
    assert administrator_at(struck, 1500.0)


def test_an_offender_who_adds_a_member_again_later_unseats_nobody() -> None:
    """Adding a member again succeeds: as a weapon it would turn every administrator out."""
    assert administrator_at(Membership(baseline=1000.0, strikes=(2000.0,)), 3000.0)
    assert administrator_at(Membership(baseline=1000.0, strikes=(1000.0 + CLOCK_SLACK + 1,)), 1.0)


def test_an_add_dated_within_the_clocks_slack_of_the_baseline_explains_it() -> None:
    assert not administrator_at(Membership(baseline=1000.0, strikes=(1000.0 + CLOCK_SLACK,)), None)


@given(membership=MEMBERSHIPS, time=TIMES, seed=st.randoms(use_true_random=False))
def test_order_and_repetition_of_the_facts_do_not_matter(
    membership: Membership, time: float | None, seed: random.Random
) -> None:
    def disordered(facts: tuple[float, ...]) -> tuple[float, ...]:
        twice = [*facts, *facts]
        seed.shuffle(twice)
        return tuple(twice)

    other = Membership(
        baseline=membership.baseline,
        adds=disordered(membership.adds),
        removes=disordered(membership.removes),
        strikes=disordered(membership.strikes),
    )
    assert administrator_at(other, time) is administrator_at(membership, time)
    assert ever_known(other) is ever_known(membership)


@given(membership=MEMBERSHIPS, time=SECONDS)
def test_the_rule_is_a_walk_through_the_seconds(membership: Membership, time: float) -> None:
    """The same by another road: second by second, an add opens now, a removal closes the next."""
    explained = any(s <= (membership.baseline or 0) + CLOCK_SLACK for s in membership.strikes)
    inside = membership.baseline is not None and not explained
    for second in range(13):
        inside = inside or second in membership.adds
        if second == time:
            break
        inside = inside and second not in membership.removes
    assert administrator_at(membership, time) is inside


@given(membership=MEMBERSHIPS, time=TIMES)
def test_facts_of_offenders_never_make_an_administrator(
    membership: Membership, time: float | None
) -> None:
    unstruck = Membership(
        baseline=membership.baseline, adds=membership.adds, removes=membership.removes
    )
    assert administrator_at(unstruck, time) or not administrator_at(membership, time)


@given(membership=MEMBERSHIPS, time=SECONDS, fact=SECONDS)
def test_what_happens_after_a_call_changes_nothing_about_it(
    membership: Membership, time: float, fact: float
) -> None:
    later = Membership(
        baseline=membership.baseline,
        adds=(*membership.adds, time + fact + 1),
        removes=(*membership.removes, time + fact),
        strikes=membership.strikes,
    )
    assert administrator_at(later, time) is administrator_at(membership, time)
    assert administrator_at(membership, None) is administrator_at(membership, 1e12)
