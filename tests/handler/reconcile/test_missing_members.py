"""Administrators by the ledger whom the group does not list: removals that the table never had."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.reasons import Action
from handler.revoker.respond.respond import answer
from tests.doubles.account import NOON, a_user, event
from tests.doubles.rounds import Rounds
from tests.handler.memberships import ADMINISTRATORS, at, creates, ignored

DAY = 86_400.0


def removal(who: dict[str, Any], user: str, *, second: float = 0) -> dict[str, Any]:
    """The record of a removal from the administrators' group."""
    named = event(
        who,
        "RemoveUserFromGroup",
        eventID="removal",
        eventTime=at(second),
        requestParameters={"groupName": ADMINISTRATORS, "userName": user},
        responseElements=None,
    )
    record: dict[str, Any] = named["detail"]
    return record


def restored(*, by: str = "standing") -> tuple[Rounds, str]:
    """Dana was taken out of the group at noon; the table is older than that."""
    world = Rounds()
    dana = world.iam.add_user("dana", groups=(ADMINISTRATORS,))
    world.installed()
    if by not in world.iam.users:
        world.iam.add_user(by)
    world.iam.groups[ADMINISTRATORS].members.discard("dana")
    world.trail.records.append(removal(a_user(by, world.iam.users[by].id), "dana"))
    return world.later(DAY), dana


def test_a_removal_that_a_restored_table_has_not_heard_of_is_found_by_the_reconciliation() -> None:
    world, dana = restored()
    [said] = world.reconcile().ledger_differences
    assert "'dana'" in said
    assert "without a recorded event" in said
    assert world.item(f"principal#{dana}")["del#removal"] == NOON
    verdict = answer(creates(a_user("dana", dana), second=DAY + 30), world.tools())
    assert verdict.action is Action.CONTAIN
    assert world.later(900).reconcile().ledger_differences == ()


def test_what_she_did_in_between_is_judged_again() -> None:
    world, dana = restored()
    made = creates(a_user("dana", dana), second=30, event="between")
    assert ignored(answer(made, world.tools()))
    world.trail.records.append(
        event(a_user("dana", dana), eventID="between", eventTime=at(30))["detail"]
    )
    world.reconcile()
    assert world.iam.holds("dana")


def test_a_call_of_the_second_before_her_removal_stays_an_administrators() -> None:
    world, dana = restored()
    world.reconcile()
    for second in (-1, 0):
        call = creates(a_user("dana", dana), second=second, event=f"late{second}")
        assert ignored(answer(call, world.tools()))


def test_an_offender_who_took_her_out_unseats_nobody() -> None:
    world, dana = restored(by="mallory")
    for _ in range(3):
        assert world.later(900).reconcile().ledger_differences
    assert ignored(answer(creates(a_user("dana", dana), second=DAY + 30), world.tools()))


def test_a_removal_older_than_the_first_look_says_nothing() -> None:
    world, dana = restored()
    world.trail.records[:] = [
        removal(a_user("standing", world.iam.users["standing"].id), "dana", second=-7_200)
    ]
    world.reconcile()
    assert ignored(answer(creates(a_user("dana", dana), second=DAY + 30), world.tools()))


def test_the_history_is_asked_for_as_long_as_it_may_lag_and_then_once_a_day() -> None:
    world, _ = restored(by="mallory")
    looks = []
    for _ in range(100):
        before = world.trail.looked
        world.later(900).reconcile()
        looks.append(world.trail.looked > before)
    assert [number for number, looked in enumerate(looks) if looked] == [0, 1, 96, 97]


@pytest.mark.parametrize("back", [True, False])
def test_who_is_back_in_the_group_or_deleted_is_not_looked_for(back: bool) -> None:
    world, _ = restored()
    if back:
        world.iam.groups[ADMINISTRATORS].members.add("dana")
    else:
        del world.iam.users["dana"]
    world.reconcile()
    assert world.trail.looked == 0


def test_a_renamed_one_is_found_by_her_id() -> None:
    world, dana = restored()
    world.iam.users["diana"] = world.iam.users.pop("dana")
    renamed = event(
        a_user("standing", world.iam.users["standing"].id),
        "UpdateUser",
        eventID="rename",
        eventTime=at(60),
        requestParameters={"userName": "dana", "newUserName": "diana"},
        responseElements=None,
    )
    world.trail.records.append(renamed["detail"])
    world.reconcile()
    verdict = answer(creates(a_user("diana", dana), second=DAY + 30), world.tools())
    assert verdict.action is Action.CONTAIN
