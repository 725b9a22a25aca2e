"""Who is an administrator as of the call, when events come late, twice, shuffled or never.

Calls over HTTP; an unproven member is waited for three minutes, which pass at once here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from handler.model.names import STATE_TABLE
from handler.revoker.state.context import WAIT_SECONDS
from sandbox.demo.product_setup import ADMINISTRATORS, late_events
from tests.attacks.conftest import NewPlay
from tests.attacks.play import Play, document

# CloudTrail's event history shows a call within about 15 minutes.
LAG = 900.0


@contextmanager
def slow_history(play: Play, seconds: float = LAG) -> Iterator[None]:
    play.box.history_lag = seconds
    try:
        yield
    finally:
        play.box.history_lag = 0.0


@contextmanager
def lost(play: Play, call: str) -> Iterator[None]:
    """EventBridge never gets the events of a call."""
    play.box.lose(lambda record: record["eventName"] == call)
    try:
        yield
    finally:
        play.box.lose(None)


@contextmanager
def disorder(play: Play, seed: int) -> Iterator[None]:
    play.box.disorder(seed)
    try:
        yield
    finally:
        play.box.disorder(None)


@pytest.fixture(params=[True, False], ids=["users are found", "users are not found"])
def either_history(play: Play, request: pytest.FixtureRequest) -> Iterator[None]:
    """Both answers of the event history to whether it finds calls by the user that they name."""
    before = play.box.state.unknowns
    play.box.state.unknowns = replace(before, history_finds_users=request.param)
    yield
    play.box.state.unknowns = before


def add(play: Play, user: str) -> None:
    """By alice, an administrator."""
    play.alice.add_user_to_group(GroupName=ADMINISTRATORS, UserName=play[user])


def work(play: Play, user: str) -> None:
    play.iam(user).create_group(GroupName=play.name(f"group-of-{user}"))


def wait_and_reconcile(play: Play) -> None:
    play.hear()
    play.reconcile(after=WAIT_SECONDS + 1)
    play.hear()


@pytest.fixture
def play(new_play: NewPlay) -> Play:
    return new_play("watched")


@pytest.fixture
def newcomer(play: Play) -> Play:
    """A user with rights, who is about to become an administrator."""
    play.user("newcomer", "iam:*")
    return play


@pytest.mark.usefixtures("either_history")
def test_an_addition_heard_of_after_the_call_is_found_in_the_event_history(
    newcomer: Play,
) -> None:
    play = newcomer
    with late_events(play.box) as records:
        add(play, "newcomer")
        work(play, "newcomer")
        records.reverse()
    wait_and_reconcile(play)
    assert not play.is_held("newcomer")
    assert not play.refused("newcomer")


def test_a_late_addition_that_the_history_does_not_show_yet_is_waited_for(newcomer: Play) -> None:
    play = newcomer
    with slow_history(play):
        with late_events(play.box) as addition:
            add(play, "newcomer")
            kept, addition[:] = list(addition), []
        work(play, "newcomer")
        play.box.settle()
        assert not play.is_held("newcomer"), "nothing is proven yet, and nothing disproven"
        play.box.emit(kept[0])
        wait_and_reconcile(play)
    assert not play.is_held("newcomer")
    assert not play.refused("newcomer")


@pytest.mark.usefixtures("either_history")
def test_a_lost_addition_is_found_in_the_event_history(newcomer: Play) -> None:
    play = newcomer
    with lost(play, "AddUserToGroup"):
        add(play, "newcomer")
    work(play, "newcomer")
    wait_and_reconcile(play)
    assert [record["eventName"] for record in play.box.lost[-1:]] == ["AddUserToGroup"]
    assert not play.is_held("newcomer")
    assert not play.refused("newcomer")


@pytest.mark.usefixtures("either_history")
def test_a_call_on_a_name_that_moved_before_it_was_heard_of_is_answered_by_the_reconciliation(
    play: Play,
) -> None:
    gina, renamed = play.user("gina"), play.name("gina-by-another-name")
    play.user("mallory", "iam:*")
    mallory = play.iam("mallory")
    with late_events(play.box) as records:
        mallory.add_user_to_group(GroupName=ADMINISTRATORS, UserName=gina)
        mallory.update_user(UserName=gina, NewUserName=renamed)
        rename = records.pop()
    play.box.settle()
    assert play.is_held("mallory")
    assert renamed in play.members(), "nobody is called gina any more"
    play.box.emit(rename)
    wait_and_reconcile(play)
    assert renamed not in play.members()


@pytest.mark.usefixtures("either_history")
def test_the_one_who_may_be_contained_wrongly_was_added_within_15_minutes_by_a_lost_event(
    newcomer: Play,
) -> None:
    play = newcomer
    play.user("other", "iam:*")
    with slow_history(play):
        with lost(play, "AddUserToGroup"):
            add(play, "other")
        play.box.advance(LAG - WAIT_SECONDS - 60)
        with lost(play, "AddUserToGroup"):
            add(play, "newcomer")
        play.box.advance(WAIT_SECONDS + 61)
        # Reconciliation is due, and could take the letters of the calls out before ours looks.
        play.box.tick()
        play.box.settle()
        # 15 minutes and a second after the one, four minutes after the other.
        work(play, "other")
        work(play, "newcomer")
        wait_and_reconcile(play)
        assert not play.is_held("other")
        assert play.is_held("newcomer")
    assert not play.refused("other")
    assert play.refused("newcomer")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_the_order_the_administrators_stay_and_the_attacker_goes(
    newcomer: Play, seed: int
) -> None:
    play = newcomer
    play.user("mallory", "iam:*")
    with disorder(play, seed):
        add(play, "newcomer")
        work(play, "newcomer")
        play.iam("mallory").add_user_to_group(GroupName=ADMINISTRATORS, UserName=play["mallory"])
        play.iam("mallory").create_user(UserName=play.name("accomplice"))
        play.iam("newcomer").create_user(UserName=play.name("colleague"))
        wait_and_reconcile(play)
    assert play.is_held("mallory")
    assert play.is_held("accomplice")
    assert play.refused("mallory")
    assert play["mallory"] not in play.members()
    assert not play.is_held("newcomer")
    assert not play.is_held("colleague")
    assert not play.refused("newcomer")


def test_whoever_was_removed_a_second_before_her_call_is_contained_in_any_order(
    play: Play,
) -> None:
    play.colleague("dana")
    with late_events(play.box) as records:
        play.alice.remove_user_from_group(GroupName=ADMINISTRATORS, UserName=play["dana"])
        play.box.advance(2)
        work(play, "dana")
        # Her call is heard of first, and judged as an administrator's.
        records.reverse()
    wait_and_reconcile(play)
    assert play.is_held("dana")
    assert play.refused("dana")


def test_a_call_before_the_removal_is_an_administrators_however_late_it_comes(play: Play) -> None:
    play.colleague("dana")
    with late_events(play.box) as records:
        work(play, "dana")
        play.box.advance(2)
        play.alice.remove_user_from_group(GroupName=ADMINISTRATORS, UserName=play["dana"])
        records.reverse()
    wait_and_reconcile(play)
    assert not play.is_held("dana")
    assert not play.refused("dana")


def test_another_user_under_an_administrators_name_is_none(play: Play) -> None:
    """erin leaves and is deleted by an administrator; the offender makes an erin of her own."""
    play.colleague("erin")
    play.user("mallory", "iam:*")
    root, erin = play.quiet, play["erin"]
    play.alice.remove_user_from_group(GroupName=ADMINISTRATORS, UserName=erin)
    for policy in root.list_user_policies(UserName=erin)["PolicyNames"]:
        root.delete_user_policy(UserName=erin, PolicyName=policy)
    root.delete_access_key(UserName=erin, AccessKeyId=play["erins-key"])
    play.alice.delete_user(UserName=erin)
    play.box.settle()
    mallory = play.iam("mallory")
    with late_events(play.box) as records:
        mallory.create_user(UserName=erin)
        root.put_user_policy(UserName=erin, PolicyName="all", PolicyDocument=document("iam:*"))
        play.keep_key("erin", mallory.create_access_key(UserName=erin)["AccessKey"])
        work(play, "erin")
        records.reverse()
    wait_and_reconcile(play)
    assert play.is_held("erin")
    assert play.refused("erin")
    assert play.is_held("mallory")


@pytest.mark.usefixtures("either_history")
def test_an_addition_that_a_restored_table_has_not_heard_of_is_proven_again(play: Play) -> None:
    play.colleague("frida")
    (user,) = [u for u in play.quiet.list_users()["Users"] if u["UserName"] == play["frida"]]
    table = play.box.client("dynamodb", play.account)
    table.delete_item(TableName=STATE_TABLE, Key={"pk": {"S": f"principal#{user['UserId']}"}})
    play.box.cool_down(play.account)
    work(play, "frida")
    wait_and_reconcile(play)
    assert not play.is_held("frida")
    assert not play.refused("frida")
