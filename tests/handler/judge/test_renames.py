"""Who bore a name then: renames followed forwards, and today's names followed back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.revoker.judge.renames import Rename, holders_then, names_today, names_touching

# Two users exchange names by a third one, and a moment later two others by the same.
EXCHANGES = (
    Rename(at=110, old="carol", new="between"),
    Rename(at=110, old="mallory", new="carol"),
    Rename(at=110, old="between", new="mallory"),
    Rename(at=112, old="ann", new="between"),
    Rename(at=112, old="bob", new="ann"),
    Rename(at=112, old="between", new="bob"),
)
TODAY = {"mallory": "was-carol", "carol": "was-mallory", "ann": "was-bob", "bob": "was-ann"}
MADE = dict.fromkeys(TODAY.values(), 1.0)
NAMES = ("a", "b", "c", "d", "between")


def test_names_alone_leave_it_open_and_todays_holders_decide() -> None:
    assert names_today(EXCHANGES, "carol", 106) > {"mallory", "ann", "bob"}
    for name in ("carol", "mallory", "ann", "bob"):
        assert holders_then(EXCHANGES, TODAY, MADE, name, 106) == {f"was-{name}"}


def test_within_the_second_of_the_call_it_stays_open() -> None:
    found = holders_then(EXCHANGES, TODAY, MADE, "carol", 110)
    assert found == {"was-carol", "was-mallory"}


def test_a_user_made_since_is_in_nobodys_way() -> None:
    renames = [Rename(at=100, old="bob", new="robert")]
    today, made = {"robert": "first", "bob": "second"}, {"first": 1.0, "second": 105.0}
    assert holders_then(renames, today, made, "bob", 90) == {"first"}


def test_who_is_nowhere_today_is_nobody() -> None:
    renames = [Rename(at=100, old="bob", new="robert"), Rename(at=101, old="carol", new="bob")]
    today, made = {"bob": "was-carol"}, {"was-carol": 1.0}
    assert holders_then(renames, today, made, "bob", 90) == frozenset()
    assert holders_then(renames, today, made, "carol", 90) == {"was-carol"}


def test_names_that_contradict_the_renames_answer_nobody() -> None:
    renames = [Rename(at=100, old="bob", new="robert")]
    today, made = {"robert": "one", "bob": "old-hand"}, {"one": 1.0, "old-hand": 1.0}
    assert holders_then(renames, today, made, "bob", 90) == frozenset()


def test_only_connected_names_are_asked_for() -> None:
    apart = [*EXCHANGES[:3], Rename(at=111, old="dora", new="eve")]
    assert names_touching(apart, "CAROL", 106) == {"carol", "between", "mallory"}
    assert names_touching(EXCHANGES, "carol", 111) == {"carol"}


def test_more_states_than_can_be_followed_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert holders_then(EXCHANGES, TODAY, MADE, "carol", 106)
    monkeypatch.setattr("handler.revoker.judge.renames.STATES_AT_ONCE", 0)
    assert holders_then(EXCHANGES, TODAY, MADE, "carol", 106) == frozenset()


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from((0, 0, 1))),
        max_size=6,
    ),
    st.sampled_from(NAMES),
    st.randoms(use_true_random=False),
)
def test_the_true_bearer_is_always_among_them(
    tried: list[tuple[str, str, int]], name: str, shuffle: object
) -> None:
    """`tried`: renames in their true order, with the seconds in between; what IAM refuses is not
    done. The first of them is in a later second than the call."""
    holders = {one: f"user-{one}" for one in NAMES[:4]}
    first, second, done = dict(holders), 101, []
    for old, new, later in tried:
        second += later
        if old in holders and new not in holders and (second, old, new) not in done:
            done.append((second, old, new))
            holders[new] = holders.pop(old)
    renames = [Rename(at=at, old=old, new=new) for at, old, new in done]
    shuffle.shuffle(renames)  # type: ignore[attr-defined]
    made = dict.fromkeys(first.values(), 1.0)
    found = holders_then(renames, holders, made, name, 100)
    assert first.get(name, "nobody") in (found or {"nobody"})
