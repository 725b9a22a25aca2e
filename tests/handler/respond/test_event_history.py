"""Members without a row in the ledger: waited for, proven from the event history, or contained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.reasons import Action, Reason
from handler.revoker.respond.event_history import HISTORY_PAGES, Deferred
from handler.revoker.respond.respond import answer
from tests.doubles.account import NOON, World, a_user
from tests.handler.memberships import (
    ADMINISTRATORS,
    adds,
    at,
    creates,
    ignored,
    standing_admin,
)


def test_a_member_whose_addition_is_on_its_way_is_waited_for_and_not_contained() -> None:
    world = World().installed()
    id = world.iam.add_user("bob")
    addition = adds(world, standing_admin(world), "bob", second=0, event="a")
    with pytest.raises(Deferred):
        answer(creates(a_user("bob", id), second=1), world.tools())
    answer(addition, world.tools())
    world.now += 60
    assert ignored(answer(creates(a_user("bob", id), second=1), world.tools()))
    assert not world.iam.holds("bob")


def test_a_lost_addition_is_proven_from_the_event_history() -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    world.iam.groups[ADMINISTRATORS].members.add("bob")
    world.trail.records.append(_history_of_addition(world, "bob", second=-3_000))
    assert ignored(answer(creates(a_user("bob", bob), second=0), world.tools()))
    # Renames, additions and removals.
    assert world.trail.looked == 3


def test_whose_addition_was_lost_is_not_thrown_out_for_an_offenders_adding_her_again() -> None:
    world = World().installed()
    bob, mallory = world.iam.add_user("bob"), world.iam.add_user("mallory")
    world.iam.groups[ADMINISTRATORS].members.add("bob")
    world.trail.records.append(_history_of_addition(world, "bob", second=-3_000))
    attack = adds(world, a_user("mallory", mallory), "bob", second=0, event="again")
    assert answer(attack, world.tools()).action is Action.CONTAIN
    assert "bob" in world.iam.groups[ADMINISTRATORS].members
    assert ignored(answer(creates(a_user("bob", bob), second=1), world.tools()))


def test_an_addition_that_only_an_offender_made_proves_nothing() -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    world.iam.groups[ADMINISTRATORS].members.add("bob")
    record = _history_of_addition(world, "bob", second=-3_000)
    record["userIdentity"] = a_user("mallory", "AIDAEXAMPLEMALLORY")
    world.trail.records.append(record)
    with pytest.raises(Deferred):
        answer(creates(a_user("bob", bob), second=0), world.tools())


def test_without_a_proof_the_third_try_contains_and_the_report_says_why() -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    world.iam.groups[ADMINISTRATORS].members.add("bob")
    for minutes in (0, 1):
        world.now += 60 * minutes
        with pytest.raises(Deferred):
            answer(creates(a_user("bob", bob), second=0), world.tools())
    world.now += 120
    verdict = answer(creates(a_user("bob", bob), second=0), world.tools())
    assert (verdict.action, verdict.reason) == (Action.CONTAIN, Reason.UNPROVEN_MEMBER)
    assert world.bus.reports()[0].reason == "unproven-member"


def test_a_try_that_died_before_it_was_written_down_is_taken_back_when_the_proof_comes() -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    world.iam.groups[ADMINISTRATORS].members.add("bob")
    offence = creates(a_user("bob", bob), second=0)
    with pytest.raises(Deferred):
        answer(offence, world.tools())
    world.now += 180
    world.iam.fail["get_user"] = ["Throttling"]
    with pytest.raises(ClientError, match="Throttling"):
        answer(offence, world.tools())
    assert world.iam.holds("bob")
    world.trail.records.append(_history_of_addition(world, "bob", second=-3_000))
    assert ignored(answer(offence, world.tools()))
    assert not world.iam.holds("bob")
    assert not {"trying", "contained"} & world.item(f"principal#{bob}").keys()
    assert world.bus.reports() == []


def test_only_the_event_historys_own_refusal_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    world.iam.groups[ADMINISTRATORS].members.add("bob")
    offence = creates(a_user("bob", bob), second=0)
    with pytest.raises(Deferred):
        answer(offence, world.tools())
    world.now += 180
    for operation, outcome in (("Scan", ClientError), ("LookupEvents", None)):
        refused = ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)
        monkeypatch.setattr(world.trail, "get_paginator", _raising(refused))
        if outcome is None:
            assert answer(offence, world.tools()).reason is Reason.UNPROVEN_MEMBER
        else:
            with pytest.raises(outcome):
                answer(offence, world.tools())


def _raising(error: Exception) -> Callable[[str], Any]:
    def refuse_it(_operation: str) -> Any:
        raise error

    return refuse_it


def test_the_history_of_a_name_does_not_help_a_user_made_later_under_it() -> None:
    world = World().installed()
    world.trail.records.append(_history_of_addition(world, "alice", second=-50_000))
    world.iam.now = NOON - 100
    new = world.iam.add_user("alice")
    world.iam.groups[ADMINISTRATORS].members.add("alice")
    with pytest.raises(Deferred):
        answer(creates(a_user("alice", new), second=0), world.tools())


def test_a_table_restored_from_a_backup_proves_its_members_from_the_history() -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    addition = adds(world, standing_admin(world), "bob", second=0, event="a")
    before = dict(world.dynamo.rows)
    answer(addition, world.tools())
    world.dynamo.rows = before
    world.met.clear()
    world.trail.records.append(_history_of_addition(world, "bob", second=0))
    assert ignored(answer(creates(a_user("bob", bob), second=1), world.tools()))


@pytest.mark.parametrize("hidden", ["throttled", "flooded"])
def test_an_addition_proves_nobody_while_younger_removals_may_be_hidden(
    monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    world.iam.groups[ADMINISTRATORS].members.add("bob")
    world.trail.records += [
        _history_of_addition(world, "bob", second=-3_000),
        _history_of_removal(world, "bob", second=-2_000),
    ]
    if hidden == "throttled":
        paginate = world.trail.paginate

        def throttled(**asked: Any) -> Any:
            if asked["LookupAttributes"][0]["AttributeValue"] == "RemoveUserFromGroup":
                error = {"Error": {"Code": "ThrottlingException", "Message": "slowly"}}
                raise ClientError(error, "LookupEvents")
            return paginate(**asked)

        monkeypatch.setattr(world.trail, "paginate", throttled)
    else:
        flood = HISTORY_PAGES * 50
        world.trail.records += [
            _history_of_removal(world, f"nobody-{number}", second=-1_000) for number in range(flood)
        ]
    with pytest.raises(Deferred):
        answer(creates(a_user("bob", bob), second=0), world.tools())


def _history_of_removal(world: World, user: str, *, second: float) -> dict[str, Any]:
    record = _history_of_addition(world, user, second=second)
    return {**record, "eventName": "RemoveUserFromGroup", "eventID": f"removal-{user}-{second}"}


def _history_of_addition(world: World, user: str, *, second: float) -> dict[str, Any]:
    return {
        "eventID": f"history-{user}-{second}",
        "eventName": "AddUserToGroup",
        "eventSource": "iam.amazonaws.com",
        "eventTime": at(second),
        "recipientAccountId": "111122223333",
        "requestParameters": {"groupName": ADMINISTRATORS, "userName": user},
        "userIdentity": standing_admin(world),
    }
