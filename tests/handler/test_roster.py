"""An administrator as of the call: the ledger against those who talk their way into the group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.answer import answer
from handler.names import DENY_POLICY
from handler.proof import Deferred
from handler.reasons import Action, Reason, Verdict
from handler.report import Disposition
from tests.doubles.account import NOON, World, a_session, a_user, call
from tests.doubles.iam import Group

ADMINISTRATORS = "Administrators"


def at(seconds: float) -> str:
    """CloudTrail's text for noon plus some seconds."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(NOON + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def adds(
    world: World, who: dict[str, Any], user: str, *, second: float, event: str, live: bool = True
) -> Any:
    """The record of an addition; `live`: IAM has carried it out."""
    if live:
        world.iam.groups[ADMINISTRATORS].members.add(user)
    return call(
        who,
        "AddUserToGroup",
        eventID=event,
        eventTime=at(second),
        requestParameters={"groupName": ADMINISTRATORS, "userName": user},
        responseElements=None,
    )


def removes(world: World, who: dict[str, Any], user: str, *, second: float, event: str) -> Any:
    world.iam.groups[ADMINISTRATORS].members.discard(user)
    return call(
        who,
        "RemoveUserFromGroup",
        eventID=event,
        eventTime=at(second),
        requestParameters={"groupName": ADMINISTRATORS, "userName": user},
        responseElements=None,
    )


def creates(who: dict[str, Any], *, second: float, event: str = "create") -> Any:
    return call(who, "CreateUser", eventID=event, eventTime=at(second))


def standing_admin(world: World) -> dict[str, Any]:
    return a_user("standing", world.iam.users["standing"].id, key="AKIASTANDING")


def ignored(verdict: Verdict) -> bool:
    return (verdict.action, verdict.reason) == (Action.IGNORE, Reason.ADMINISTRATOR_USER)


def test_the_baseline_is_taken_by_the_first_invocation_and_once() -> None:
    world = World()
    assert ignored(answer(creates(standing_admin(world), second=0), world.tools()))
    late = world.iam.add_user("late", groups=(ADMINISTRATORS,))
    assert late not in str(world.item("baseline")["members"])
    assert world.item("baseline")["group"] == ADMINISTRATORS


def test_an_administrator_whom_this_process_knows_costs_one_table_read_and_nothing_else() -> None:
    world = World().installed()
    answer(creates(standing_admin(world), second=0, event="one"), world.tools())
    world.iam.calls.clear()
    world.dynamo.reads = world.dynamo.writes = 0
    assert ignored(answer(creates(standing_admin(world), second=1, event="two"), world.tools()))
    assert (world.dynamo.reads, world.dynamo.writes, world.iam.calls) == (1, 0, [])


def test_who_adds_herself_is_contained_and_taken_out_again() -> None:
    world = World().installed()
    id = world.iam.add_user("mallory")
    verdict = answer(
        adds(world, a_user("mallory", id), "mallory", second=0, event="a"), world.tools()
    )
    assert verdict.action is Action.CONTAIN
    assert world.iam.holds("mallory")
    assert world.iam.groups[ADMINISTRATORS].members == {"standing"}


def test_the_very_first_event_may_be_the_attack() -> None:
    world = World()
    id = world.iam.add_user("mallory")
    verdict = answer(
        adds(world, a_user("mallory", id), "mallory", second=0, event="a"), world.tools()
    )
    assert verdict.action is Action.CONTAIN
    assert id not in str(world.item("baseline")["members"])


def test_an_attack_whose_second_call_arrives_first_is_struck_from_the_baseline() -> None:
    world = World()
    id = world.iam.add_user("mallory")
    who = a_user("mallory", id)
    first = adds(world, who, "mallory", second=0, event="a")
    assert ignored(answer(creates(who, second=1), world.tools()))
    assert answer(first, world.tools()).action is Action.CONTAIN
    again = answer(creates(who, second=2, event="c"), world.tools())
    assert again.action is Action.CONTAIN
    assert world.item(f"recheck#{id}")["since"] == NOON


def test_a_member_added_by_an_administrator_is_one_from_that_second_on() -> None:
    world = World().installed()
    id = world.iam.add_user("bob")
    answer(adds(world, standing_admin(world), "bob", second=5, event="a"), world.tools())
    assert ignored(answer(creates(a_user("bob", id), second=6), world.tools()))


def test_a_member_added_by_root_or_an_administrator_role_is_one() -> None:
    for number, who in enumerate(
        (
            {"type": "Root", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:root"},
            a_session("rescue", "AROAEXAMPLERESCUE", path="/iam-administrators/"),
        )
    ):
        world = World().installed()
        id = world.iam.add_user("bob")
        answer(adds(world, who, "bob", second=0, event=f"add-{number}"), world.tools())
        assert world.iam.groups[ADMINISTRATORS].members == {"bob", "standing"}
        assert ignored(answer(creates(a_user("bob", id), second=1), world.tools()))


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


def test_repeated_and_disordered_additions_and_removals_end_alike() -> None:
    world = World().installed()
    id = world.iam.add_user("bob")
    admin = standing_admin(world)
    first = adds(world, admin, "bob", second=0, event="a")
    answer(first, world.tools())
    removal = removes(world, admin, "bob", second=10, event="r")
    again = adds(world, admin, "bob", second=20, event="b")
    for one in (again, first, again, removal, first):
        answer(one, world.tools())
    world.met.clear()
    assert ignored(answer(creates(a_user("bob", id), second=25, event="x"), world.tools()))
    assert ignored(answer(creates(a_user("bob", id), second=5, event="y"), world.tools()))


def test_an_administrator_removed_a_second_before_her_call_is_contained() -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    answer(adds(world, standing_admin(world), "bob", second=0, event="a"), world.tools())
    answer(removes(world, standing_admin(world), "bob", second=10, event="r"), world.tools())
    verdict = answer(creates(a_user("bob", bob), second=11), world.tools())
    assert verdict.action is Action.CONTAIN
    spared = answer(creates(a_user("bob", bob), second=10, event="same-second"), world.tools())
    assert ignored(spared)


def test_a_removal_is_looked_at_again_by_the_patrol() -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    answer(adds(world, standing_admin(world), "bob", second=0, event="a"), world.tools())
    answer(removes(world, standing_admin(world), "bob", second=10, event="r"), world.tools())
    assert world.item(f"recheck#{bob}") == {
        "pk": f"recheck#{bob}",
        "id": bob,
        "name": "bob",
        "since": NOON + 10,
    }


def test_a_removal_by_an_offender_unseats_nobody() -> None:
    world = World().installed()
    mallory = world.iam.add_user("mallory")
    attack = removes(world, a_user("mallory", mallory), "standing", second=0, event="r")
    assert answer(attack, world.tools()).action is Action.CONTAIN
    assert ignored(answer(creates(standing_admin(world), second=1), world.tools()))


def test_a_puppet_that_adds_its_maker_helps_nobody() -> None:
    world = World().installed()
    mallory = world.iam.add_user("mallory")
    puppet = world.iam.add_user("puppet")
    made = call(
        a_user("mallory", mallory),
        "CreateUser",
        eventID="make",
        responseElements={"user": {"userName": "puppet", "userId": puppet}},
    )
    answer(made, world.tools())
    assert world.iam.holds("puppet")
    addition = adds(world, a_user("puppet", puppet), "mallory", second=1, event="a")
    answer(addition, world.tools())
    answer(creates(a_user("mallory", mallory), second=2, event="c"), world.tools())
    assert world.iam.holds("mallory")
    assert world.iam.groups[ADMINISTRATORS].members == {"standing"}


def test_two_who_add_each_other_are_both_contained() -> None:
    world = World().installed()
    xena, yves = world.iam.add_user("xena"), world.iam.add_user("yves")
    one = adds(world, a_user("xena", xena), "yves", second=0, event="x")
    two = adds(world, a_user("yves", yves), "xena", second=0, event="y")
    for event in (one, two):
        with pytest.raises(Deferred):
            answer(event, world.tools())
    world.now += 180
    for event in (one, two):
        assert answer(event, world.tools()).action is Action.CONTAIN
    assert world.iam.holds("xena")
    assert world.iam.holds("yves")


def test_a_lost_addition_is_proven_from_the_event_history() -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    world.iam.groups[ADMINISTRATORS].members.add("bob")
    world.trail.records.append(_history_of_addition(world, "bob", second=-3_000))
    assert ignored(answer(creates(a_user("bob", bob), second=0), world.tools()))
    # Renames, and what names him.
    assert world.trail.looked == 2


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


def test_a_user_made_anew_under_an_administrators_name_is_none() -> None:
    world = World().installed()
    del world.iam.users["standing"]
    world.iam.groups[ADMINISTRATORS].members.clear()
    new = world.iam.add_user("standing")
    assert (
        answer(creates(a_user("standing", new), second=0), world.tools()).action is Action.CONTAIN
    )


def test_a_renamed_administrator_stays_one() -> None:
    world = World().installed()
    user = world.iam.users.pop("standing")
    world.iam.users["renamed"] = user
    world.iam.groups[ADMINISTRATORS].members = {"renamed"}
    assert ignored(answer(creates(a_user("renamed", user.id), second=0), world.tools()))


@pytest.mark.parametrize("harm", ["emptied", "deleted", "renamed"])
def test_what_happens_to_the_group_later_stops_nothing(harm: str) -> None:
    world = World().installed()
    group = world.iam.groups.pop(ADMINISTRATORS)
    if harm == "emptied":
        world.iam.groups[ADMINISTRATORS] = Group()
    if harm == "renamed":
        world.iam.groups["Other"] = group
    assert ignored(answer(creates(standing_admin(world), second=0), world.tools()))
    mallory = world.iam.add_user("mallory")
    offence = creates(a_user("mallory", mallory), second=1, event="m")
    assert answer(offence, world.tools()).action is Action.CONTAIN


@pytest.mark.parametrize("missing", [True, False])
def test_a_group_missing_at_the_baseline_is_told_and_contains_only_when_decided(
    missing: bool,
) -> None:
    for knob, disposition in (
        ("undecided", Disposition.CANNOT_CONTAIN),
        ("nobody", Disposition.CONTAINED),
    ):
        world = World()
        world.iam.groups[ADMINISTRATORS].members.clear()
        if missing:
            del world.iam.groups[ADMINISTRATORS]
        bob = world.iam.add_user("bob")
        answer(creates(a_user("bob", bob), second=0), world.tools(MISSING_GROUP=knob))
        assert world.bus.reports()[0].disposition is disposition
        assert world.iam.holds("bob") is (knob == "nobody")


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


def test_a_table_restored_empty_takes_its_baseline_anew_without_whom_the_event_adds() -> None:
    world = World().installed()
    world.dynamo.rows.clear()
    mallory = world.iam.add_user("mallory")
    attack = adds(world, a_user("mallory", mallory), "mallory", second=0, event="a")
    assert answer(attack, world.tools()).action is Action.CONTAIN
    assert ignored(answer(creates(standing_admin(world), second=1), world.tools()))


def test_a_planted_release_in_the_future_counts_for_nothing() -> None:
    world = World().installed()
    mallory = world.iam.add_user("mallory")
    world.table.update(f"principal#{mallory}", {"released": NOON + 10**9})
    offence = creates(a_user("mallory", mallory), second=0)
    assert answer(offence, world.tools()).action is Action.CONTAIN


def test_a_call_made_before_the_release_does_not_contain_again() -> None:
    world = World().installed()
    mallory = world.iam.add_user("mallory")
    world.table.update(f"principal#{mallory}", {"released": NOON + 5})
    old = answer(creates(a_user("mallory", mallory), second=4), world.tools())
    assert (old.action, old.reason) == (Action.IGNORE, Reason.RELEASED)
    new = answer(creates(a_user("mallory", mallory), second=5, event="new"), world.tools())
    assert new.action is Action.CONTAIN


def test_a_contained_callers_denied_call_is_only_counted() -> None:
    world = World().installed()
    mallory = world.iam.add_user("mallory")
    answer(creates(a_user("mallory", mallory), second=0), world.tools())
    world.iam.calls.clear()
    denied = call(a_user("mallory", mallory), eventID="d", errorCode="AccessDenied")
    verdict = answer(denied, world.tools())
    assert (verdict.action, verdict.reason) == (Action.COUNT, Reason.CONTAINED_ALREADY)
    assert not [name for name in world.iam.calls if name.startswith(("attach", "add", "put"))]
    assert world.bus.reports()[1].disposition is Disposition.CONTAINED


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


def test_the_deny_policy_is_named_as_the_bus_policy_and_the_guardrail_expect() -> None:
    assert DENY_POLICY == "iam-org-revoker-deny"


@pytest.mark.parametrize("heard", ["first", "later"])
def test_whom_an_offender_took_out_before_the_first_look_stays_an_administrator(heard: str) -> None:
    world = World()
    alice, mallory = world.iam.add_user("alice"), world.iam.add_user("mallory")
    removal = call(
        a_user("mallory", mallory),
        "RemoveUserFromGroup",
        eventID="removal",
        requestParameters={"groupName": "Administrators", "userName": "alice"},
        responseElements=None,
    )
    if heard == "later":
        answer(creates(a_user("mallory", mallory), second=1, event="other"), world.tools())
    assert answer(removal, world.tools()).action is Action.CONTAIN
    works = creates(a_user("alice", alice), second=5, event="work")
    assert answer(works, world.tools()).reason is Reason.ADMINISTRATOR_USER


def test_an_offenders_removal_after_the_first_look_makes_nobody_an_administrator() -> None:
    world = World().installed()
    puppet, mallory = world.iam.add_user("puppet"), world.iam.add_user("mallory")
    removal = call(
        a_user("mallory", mallory),
        "RemoveUserFromGroup",
        eventID="removal",
        requestParameters={"groupName": "Administrators", "userName": "puppet"},
        responseElements=None,
    )
    answer(removal, world.tools())
    works = creates(a_user("puppet", puppet), second=5, event="work")
    assert answer(works, world.tools()).action is Action.CONTAIN


def test_who_takes_herself_out_before_the_first_look_proves_nothing() -> None:
    world = World()
    mallory = world.iam.add_user("mallory")
    removal = call(
        a_user("mallory", mallory),
        "RemoveUserFromGroup",
        eventID="removal",
        requestParameters={"groupName": "Administrators", "userName": "mallory"},
        responseElements=None,
    )
    assert answer(removal, world.tools()).action is Action.CONTAIN
    works = creates(a_user("mallory", mallory), second=5, event="work")
    assert answer(works, world.tools()).action is Action.CONTAIN
