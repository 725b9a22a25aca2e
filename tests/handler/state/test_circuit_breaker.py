"""The circuit breaker: when it is armed, what it counts, and whom it never spares."""

from __future__ import annotations

import pytest

from handler.model.reasons import Action
from handler.model.report import Disposition
from handler.revoker.respond.respond import answer
from tests.doubles.account import World, a_user, call
from tests.handler.memberships import creates
from tests.handler.offences import makes_user, mallory


@pytest.fixture
def world() -> World:
    return World().installed()


def test_the_breaker_opens_after_its_limit_and_tells_critically(world: World) -> None:
    held = []
    for number in range(4):
        id = world.iam.add_user(f"user-{number}")
        offence = creates(a_user(f"user-{number}", id), second=number, event=f"e{number}")
        held.append(answer(offence, world.tools(BREAKER_LIMIT="3")).held_by)
    assert held == ["", "", "", "CircuitBreaker"]
    assert world.bus.reports()[3].disposition is Disposition.CANNOT_CONTAIN
    assert not world.iam.holds("user-3")


def test_the_breaker_is_armed_for_hours_after_a_change_only(world: World) -> None:
    world.tools(BREAKER_LIMIT="1")
    for number, hours in enumerate((0, 5)):
        world.now += hours * 3_600
        id = world.iam.add_user(f"user-{number}")
        offence = creates(a_user(f"user-{number}", id), second=number, event=f"e{number}")
        assert answer(offence, world.tools(BREAKER_LIMIT="1")).action is Action.CONTAIN
    fresh = world.iam.add_user("user-9")
    offence = creates(a_user("user-9", fresh), second=9, event="e9")
    assert answer(offence, world.tools(BREAKER_LIMIT="1")).action is Action.CONTAIN


def test_accomplices_and_denied_calls_cannot_trip_the_breaker(world: World) -> None:
    who = mallory(world)
    for number in range(3):
        answer(
            makes_user(world, who, f"p{number}", event=f"m{number}"), world.tools(BREAKER_LIMIT="2")
        )
        accomplice = a_user(f"p{number}", world.iam.users[f"p{number}"].id)
        answer(
            creates(accomplice, second=number, event=f"c{number}"), world.tools(BREAKER_LIMIT="2")
        )
        id = world.iam.add_user(f"denied-{number}")
        refused = call(
            a_user(f"denied-{number}", id), eventID=f"d{number}", errorCode="AccessDenied"
        )
        answer(refused, world.tools(BREAKER_LIMIT="2"))
    id = world.iam.add_user("trent")
    offence = creates(a_user("trent", id), second=50, event="t")
    assert answer(offence, world.tools(BREAKER_LIMIT="2")).action is Action.CONTAIN


def test_accomplices_heard_of_before_their_maker_cannot_trip_the_breaker(world: World) -> None:
    who = mallory(world)
    limit = {"BREAKER_LIMIT": "2"}
    answer(call(a_user("first", world.iam.add_user("first")), eventID="f"), world.tools(**limit))
    world.iam.now = world.now + 1
    made = [makes_user(world, who, f"p{number}", event=f"m{number}") for number in range(3)]
    for number in range(3):
        accomplice = a_user(f"p{number}", world.iam.users[f"p{number}"].id)
        answer(creates(accomplice, second=number, event=f"c{number}"), world.tools(**limit))
    assert [answer(one, world.tools(**limit)).action for one in made] == [Action.CONTAIN] * 3
    assert world.iam.holds("mallory")


def test_an_open_breaker_spares_nobody_who_came_after_the_change(world: World) -> None:
    limit = {"BREAKER_LIMIT": "1"}
    answer(
        creates(a_user("old", world.iam.add_user("old")), second=0, event="o"), world.tools(**limit)
    )
    elder = creates(a_user("elder", world.iam.add_user("elder")), second=1, event="e")
    assert answer(elder, world.tools(**limit)).held_by == "CircuitBreaker"
    world.iam.now = world.now + 1
    accomplice = creates(a_user("p", world.iam.add_user("p")), second=2, event="p")
    assert answer(accomplice, world.tools(**limit)).action is Action.CONTAIN


def test_an_open_breaker_never_spares_what_an_offender_made(world: World) -> None:
    who = mallory(world)
    answer(makes_user(world, who, "accomplice"), world.tools(BREAKER_LIMIT="1"))
    world.iam.users["accomplice"].attached.clear()
    accomplice = a_user("accomplice", world.iam.users["accomplice"].id)
    verdict = answer(creates(accomplice, second=5, event="p"), world.tools(BREAKER_LIMIT="1"))
    assert verdict.action is Action.CONTAIN
    assert world.iam.holds("accomplice")
