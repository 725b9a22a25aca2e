"""Which commands of a gain are left to do, once it is known what was done about it."""

from __future__ import annotations

import pytest

from handler.model.report import ReportedImpact
from handler.revoker.respond.respond import answer
from tests.doubles.account import World, call
from tests.doubles.iam import ACCOUNT
from tests.handler.offences import makes_key, makes_user, mallory
from tests.notifier.mail.handler_cases import (
    accomplices_password,
    does,
    new_administrator,
    new_key,
    new_role,
    new_user,
    old_administrator,
    refused_key,
)

ADD = ("aws", "iam", "remove-user-from-group", "--group-name=Administrators", "--user-name=anna")


def impact_of(world: World) -> ReportedImpact:
    [impact] = world.bus.reports()[-1].impacts
    return impact


@pytest.mark.parametrize("play", [new_administrator, old_administrator, accomplices_password])
def test_what_is_settled_leaves_nothing_to_do(play: object) -> None:
    assert callable(play)
    impact = impact_of(play())
    assert (impact.undo, impact.missing) == ((), "")


def test_an_administrator_whom_an_offender_adds_again_is_not_to_be_turned_out() -> None:
    impact = impact_of(old_administrator())
    assert impact.done == "the user was an administrator before: nothing to revert"
    assert impact.undo == ()


def test_in_observe_mode_the_membership_is_to_be_taken_back_by_hand() -> None:
    world = World().installed(MODE="observe")
    world.iam.add_user("anna", groups=("Administrators",))
    added = call(
        mallory(world),
        "AddUserToGroup",
        requestParameters={"groupName": "Administrators", "userName": "anna"},
        responseElements=None,
    )
    answer(added, world.tools(MODE="observe"))
    assert impact_of(world).undo == (ADD,)


@pytest.mark.parametrize("play", [new_user, new_role])
def test_a_contained_created_principal_is_released_before_it_is_deleted(play: object) -> None:
    assert callable(play)
    world = play()
    release, delete = impact_of(world).undo
    id = (world.iam.users.get("accomplice") or world.iam.roles["backdoor"]).id
    assert release == ("python", "-m", "responder", "release", ACCOUNT, id, "--reason", "WHY")
    assert delete[2] in ("delete-user", "delete-role")


def test_a_boundary_does_not_stand_in_the_way_of_a_deletion() -> None:
    world = World().installed()
    world.iam.fail["attach_role_policy"] = ["LimitExceeded"]
    id = world.iam.add_role("backdoor")
    does(world, "CreateRole", {"role": {"roleName": "backdoor", "roleId": id}}, roleName="backdoor")
    impact = impact_of(world)
    assert impact.done == "contained by a permissions boundary"
    assert [command[2] for command in impact.undo] == ["delete-role"]


def test_a_created_principal_that_no_deny_holds_is_only_deleted() -> None:
    world = World().installed()
    made = makes_user(world, mallory(world), "accomplice")
    answer(makes_user(world, mallory(world), "first", event="first"), world.tools())
    world.iam.fail = {
        "attach_user_policy": ["LimitExceeded"] * 2,
        "add_user_to_group": ["LimitExceeded"] * 2,
    }
    answer(made, world.tools())
    impact = impact_of(world)
    assert impact.done.startswith("NOT contained")
    assert [command[2] for command in impact.undo] == ["delete-user"]


def test_a_new_key_that_was_set_inactive_may_still_be_deleted() -> None:
    assert [command[2] for command in impact_of(new_key()).undo] == ["delete-access-key"]
    assert [command[2] for command in impact_of(refused_key()).undo] == ["delete-access-key"]


def test_a_key_that_was_switched_off_again_leaves_nothing_to_do() -> None:
    world = World().installed()
    makes_key(world, mallory(world), "standing", key="AKIAOLD")
    request = {"userName": "standing", "accessKeyId": "AKIAOLD", "status": "Active"}
    does(world, "UpdateAccessKey", None, **request)
    impact = impact_of(world)
    assert (impact.done, impact.undo) == ("set inactive", ())
