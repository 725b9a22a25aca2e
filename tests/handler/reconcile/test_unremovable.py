"""What a release leaves on because others must take it off: told until it is seen gone."""

from __future__ import annotations

import pytest

from handler.revoker.respond.respond import answer
from tests.doubles.account import a_session, call
from tests.doubles.rounds import Rounds
from tests.handler.requests.test_release import offended

COMMAND = ["aws", "iam", "delete-role-permissions-boundary", "--role-name=deployer"]
SAYS = f"only an administrator may: {' '.join(COMMAND)}"


def bound() -> tuple[Rounds, str]:
    """A role at its quota of policies, contained by its boundary at noon."""
    world = Rounds()
    world.installed()
    id = world.iam.add_role("deployer")
    world.iam.fail["attach_role_policy"] = ["LimitExceeded"]
    answer(call(a_session("deployer", id)), world.tools())
    assert world.iam.roles["deployer"].boundary
    return world.later(120), id


def released() -> tuple[Rounds, str]:
    world, id = bound()
    world.responder("release", principal=id, reason="meant it", dry=False)
    return world, id


def listed(world: Rounds, id: str) -> list[list[str]]:
    """The deny methods still on of the one row of that id; nothing where it is not listed."""
    rows = [row for row in world.responder("list")["principals"] if row["id"] == id]
    return [[step["method"] for step in row["left"]] for row in rows]


def test_a_released_role_stays_on_the_list_while_its_boundary_denies_everything() -> None:
    world, id = released()
    for _ in range(2):
        assert listed(world, id) == [["boundary"]]
        [step] = world.responder("show", principal="deployer")["principal"]["left"]
        assert (step["command"], step["left"]) == (COMMAND, SAYS)
        assert world.later(900).reconcile().contained == 1


@pytest.mark.parametrize("dry", [True, False])
def test_a_second_release_says_the_command_again(dry: bool) -> None:
    world, id = released()
    first = world.item(f"principal#{id}")
    again = world.later(60).responder("release", principal=id, reason="again", dry=dry)
    assert (again["already"], again["released"]) == (True, first["released"])
    [step] = again["steps"]
    assert (step["command"], step["there"], step["left"]) == (COMMAND, True, SAYS)
    assert world.item(f"principal#{id}") == first


def test_once_the_boundary_is_seen_gone_nothing_is_said_any_more() -> None:
    world, id = released()
    world.iam.roles["deployer"].boundary = ""
    world.later(900).reconcile()
    assert listed(world, id) == []
    assert world.responder("release", principal=id, reason="again", dry=False)["steps"] == []


def test_a_boundary_of_its_owners_in_its_place_is_not_ours_to_tell_of() -> None:
    world, id = released()
    world.iam.roles["deployer"].boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    world.later(900).reconcile()
    assert listed(world, id) == []


def test_a_role_deleted_since_is_not_listed_any_more() -> None:
    world, id = released()
    del world.iam.roles["deployer"]
    world.later(900).reconcile()
    assert listed(world, id) == []


def test_observing_looks_as_well() -> None:
    world, id = released()
    world.later(900).reconcile(MODE="observe")
    assert listed(world, id) == [["boundary"]]
    world.iam.roles["deployer"].boundary = ""
    world.later(900).reconcile(MODE="observe")
    assert listed(world, id) == []


def test_a_deny_that_was_left_on_while_observing_is_told_of_until_it_is_off() -> None:
    world, id = offended()
    world.iam.fail["detach_user_policy"] = ["AccessDenied"]
    world.responder("release", mode="observe", principal=id, reason="meant it", dry=False)
    assert listed(world, id) == [["managed-policy"]]
    world.later(60).responder("release", principal=id, reason="meant it", dry=False)
    assert listed(world, id) == []
    assert not world.iam.holds("mallory")


def test_a_boundary_without_a_record_comes_back_as_the_command_too() -> None:
    world, id = bound()
    world.table.delete(f"principal#{id}")
    [step] = world.responder("release", principal="deployer", reason="meant it", dry=False)["steps"]
    assert (step["recorded"], step["there"], step["left"]) == (False, True, SAYS)
    assert listed(world, id) == [["boundary"]]
