"""An administrator as of the call: the ledger against those who talk their way into the group."""

from __future__ import annotations

import pytest

from handler.model.reasons import Action
from handler.model.report import Disposition
from handler.revoker.respond.event_history import Deferred
from handler.revoker.respond.ledger_updates import REPORTING_SECONDS
from handler.revoker.respond.respond import answer
from tests.doubles.account import NOON, World, a_session, a_user, call
from tests.doubles.iam import Group
from tests.handler.memberships import (
    ADMINISTRATORS,
    adds,
    creates,
    ignored,
    removes,
    standing_admin,
)


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
    # Also calls from before: the baseline vouched for them.
    assert (
        world.item(f"reevaluate#{id}")["since"]
        == world.item("baseline")["taken"] - REPORTING_SECONDS
    )


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


def test_a_removal_is_looked_at_again_by_the_reconciliation() -> None:
    world = World().installed()
    bob = world.iam.add_user("bob")
    answer(adds(world, standing_admin(world), "bob", second=0, event="a"), world.tools())
    answer(removes(world, standing_admin(world), "bob", second=10, event="r"), world.tools())
    assert world.item(f"reevaluate#{bob}") == {
        "pk": f"reevaluate#{bob}",
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


def test_a_accomplice_that_adds_its_maker_helps_nobody() -> None:
    world = World().installed()
    mallory = world.iam.add_user("mallory")
    accomplice = world.iam.add_user("accomplice")
    made = call(
        a_user("mallory", mallory),
        "CreateUser",
        eventID="make",
        responseElements={"user": {"userName": "accomplice", "userId": accomplice}},
    )
    answer(made, world.tools())
    assert world.iam.holds("accomplice")
    addition = adds(world, a_user("accomplice", accomplice), "mallory", second=1, event="a")
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
        ("treat-as-empty", Disposition.CONTAINED),
    ):
        world = World()
        world.iam.groups[ADMINISTRATORS].members.clear()
        if missing:
            del world.iam.groups[ADMINISTRATORS]
        bob = world.iam.add_user("bob")
        answer(creates(a_user("bob", bob), second=0), world.tools(MISSING_GROUP=knob))
        assert world.bus.reports()[0].disposition is disposition
        assert world.iam.holds("bob") is (knob == "treat-as-empty")


def test_a_table_restored_empty_takes_its_baseline_anew_without_whom_the_event_adds() -> None:
    world = World().installed()
    world.dynamo.rows.clear()
    mallory = world.iam.add_user("mallory")
    attack = adds(world, a_user("mallory", mallory), "mallory", second=0, event="a")
    assert answer(attack, world.tools()).action is Action.CONTAIN
    assert ignored(answer(creates(standing_admin(world), second=1), world.tools()))
