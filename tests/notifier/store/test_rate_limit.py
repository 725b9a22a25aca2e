"""The budget: so many mails a minute and a second, fairly; digests always get through."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler.notifier.mail.turns import take_turns
from handler.notifier.store.rate_limit import (
    MAILS_PER_SECOND,
    Grant,
    Limits,
    take_digest,
    take_single,
)
from tests.notifier.central import START, NotifierWorld

THIRTY = Limits(per_minute=30)
MINUTE = START - START % 60


@pytest.mark.parametrize(
    ("per_minute", "singles", "share"), [(30, 27, 6), (240, 216, 54), (5, 4, 1), (10, 9, 2)]
)
def test_a_tenth_is_kept_for_digests_and_no_account_takes_more_than_a_quarter(
    per_minute: int, singles: int, share: int
) -> None:
    limits = Limits(per_minute=per_minute)
    assert (limits.singles, limits.share) == (singles, share)


def take(
    notifier: NotifierWorld, account: str, *, critical: bool = False, limits: Limits = THIRTY
) -> Grant:
    return take_single(notifier.store(), limits, account=account, critical=critical)


def test_an_account_gets_its_share_and_its_last_mail_is_for_a_critical_one(
    notifier: NotifierWorld,
) -> None:
    notifier.now = MINUTE
    assert [take(notifier, "1") for _ in range(7)] == [Grant.GIVEN] * 5 + [Grant.ACCOUNT_SPENT] * 2
    assert [take(notifier, "1", critical=True) for _ in range(2)] == [
        Grant.GIVEN,
        Grant.ACCOUNT_SPENT,
    ]
    assert take(notifier, "2") is Grant.GIVEN


def test_the_minute_ends_for_everybody_but_not_for_digests(notifier: NotifierWorld) -> None:
    notifier.now = MINUTE
    given = [take(notifier, str(account)) for account in range(40)]
    assert Counter(given) == {Grant.GIVEN: 27, Grant.MINUTE_SPENT: 13}
    assert [take_digest(notifier.store(), THIRTY) for _ in range(4)] == [
        *[Grant.GIVEN] * 3,
        Grant.MINUTE_SPENT,
    ]
    notifier.now = MINUTE + 60
    assert take(notifier, "0") is Grant.GIVEN


def test_no_second_gets_more_than_its_few_and_the_next_is_waited_for(
    notifier: NotifierWorld,
) -> None:
    notifier.now = MINUTE + 0.25
    seconds = []
    for account in range(10):
        assert take(notifier, str(account)) is Grant.GIVEN
        seconds.append(int(notifier.now - MINUTE))
    assert Counter(seconds) == {0: MAILS_PER_SECOND, 1: MAILS_PER_SECOND, 2: 2}
    assert notifier.pauses == [0.75, 1.0]


def test_a_second_that_stays_full_is_given_up_and_the_sweep_has_the_mail(
    notifier: NotifierWorld,
) -> None:
    """Others are faster each time: the clock stands, the second stays full."""
    notifier.now = MINUTE
    store = notifier.store()
    for account in range(MAILS_PER_SECOND):
        assert take(notifier, str(account)) is Grant.GIVEN
    object.__setattr__(store, "sleep", lambda seconds: None)
    assert take_single(store, THIRTY, account="9", critical=False) is Grant.MINUTE_SPENT


def test_a_minute_is_one_small_item_that_goes_by_itself(notifier: NotifierWorld) -> None:
    notifier.now = MINUTE
    take(notifier, "111122223333")
    take_digest(notifier.store(), THIRTY)
    key = f"budget#{int(MINUTE) // 60}"
    assert notifier.items() == {
        key: {"pk": key, "taken": 2, "s0": 2, "a111122223333": 1, "expires_at": MINUTE + 3_600}
    }


things = st.lists(st.tuples(st.sampled_from("abcde"), st.booleans(), st.integers()))


@given(things)
def test_turns_leave_nobody_out_and_put_the_first_of_each_before_the_second_of_any(
    given_things: list[tuple[str, bool, int]],
) -> None:
    ordered = take_turns(given_things, account=lambda one: one[0], critical=lambda one: one[1])
    assert Counter(ordered) == Counter(given_things)
    accounts = [one[0] for one in ordered]
    firsts = len(set(accounts))
    assert len(set(accounts[:firsts])) == firsts
    for account in set(accounts):
        critical = [one[1] for one in ordered if one[0] == account]
        assert critical == sorted(critical, reverse=True)


def test_one_of_thousands_hides_nobody() -> None:
    flood = [("a", False, number) for number in range(5_000)]
    ordered = take_turns(
        [*flood, ("b", False, 1), ("c", True, 1)],
        account=lambda one: one[0],
        critical=lambda one: one[1],
    )
    assert ordered[:4] == [("c", True, 1), ("a", False, 0), ("b", False, 1), ("a", False, 1)]
