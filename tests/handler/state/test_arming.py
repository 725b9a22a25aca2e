"""The circuit breaker: armed by any change for its hours, and by nothing that a caller does."""

from __future__ import annotations

import itertools

import pytest

from handler.model.fingerprint import change_fingerprint, settings_fingerprint
from handler.revoker.reconcile.reconcile import baseline_and_group
from handler.revoker.respond.respond import answer
from handler.revoker.state.circuit_breaker import BREAKER
from tests.doubles.account import World, a_user, settings
from tests.handler.memberships import creates

DAY = 86_400.0
BEFORE = {"BREAKER_LIMIT": "2"}
numbers = itertools.count(1)


def run(world: World, variables: dict[str, str]) -> None:
    """A day with these variables; the first reconciliation comes at its beginning."""
    baseline_and_group(world.tools(**variables))
    world.now += DAY


def offend(world: World, variables: dict[str, str], times: int) -> list[str]:
    """Calls of so many users who existed before; what held back the containment of each."""
    held = []
    for number in itertools.islice(numbers, times):
        id = world.iam.add_user(f"user-{number}")
        call = creates(a_user(f"user-{number}", id), second=number, event=f"e{number}")
        held.append(answer(call, world.tools(**variables)).held_by)
    return held


@pytest.mark.parametrize(
    "change",
    [{"ADMIN_GROUP_NAME": "Admins"}, {"BREAKER_LIMIT": "0"}, {"TEMPLATE_DIGEST": "another"}],
    ids=["a parameter", "the breaker itself", "the template, its version kept"],
)
def test_a_change_and_the_way_back_arm_it(change: dict[str, str]) -> None:
    world = World().installed()
    run(world, BEFORE)
    run(world, BEFORE | change)
    assert offend(world, BEFORE, 3) == ["", "", "CircuitBreaker"]


def test_a_change_of_the_template_alone_arms_it() -> None:
    world = World().installed()
    run(world, BEFORE)
    assert offend(world, BEFORE, 3) == ["", "", ""]
    assert offend(world, BEFORE | {"TEMPLATE_DIGEST": "b"}, 3) == ["", "", "CircuitBreaker"]


def test_who_was_contained_before_the_change_does_not_count_after_it() -> None:
    world = World().installed()
    assert offend(world, BEFORE, 3) == ["", "", "CircuitBreaker"]
    world.now += 60
    changed = BEFORE | {"DENIED_CALLS": "report"}
    assert offend(world, changed, 3) == ["", "", "CircuitBreaker"]
    world.now += 60
    assert offend(world, BEFORE, 3) == ["", "", "CircuitBreaker"]


def test_nothing_that_a_caller_does_arms_it_again() -> None:
    world = World().installed()
    run(world, BEFORE)
    since = world.item(BREAKER)["since"]
    for _ in range(4):
        assert offend(world, BEFORE, 3) == ["", "", ""]
        run(world, BEFORE)
    assert world.item(BREAKER)["since"] == since
    # Nor does the item grow for ever.
    assert not [name for name in world.item(BREAKER) if name.startswith("hit#")]


def test_what_a_heartbeat_carries_is_of_the_parameters_alone() -> None:
    one, other = settings(TEMPLATE_DIGEST="a"), settings(TEMPLATE_DIGEST="b")
    assert settings_fingerprint(one) == settings_fingerprint(other)
    assert change_fingerprint(one) != change_fingerprint(other)
