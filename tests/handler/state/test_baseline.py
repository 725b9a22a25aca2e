"""The baseline at the group, when an offender was there before it."""

from __future__ import annotations

import pytest

from handler.model.reasons import Action, Reason
from handler.revoker.respond.respond import answer
from tests.doubles.account import World, a_user, call
from tests.handler.memberships import creates


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
    accomplice, mallory = world.iam.add_user("accomplice"), world.iam.add_user("mallory")
    removal = call(
        a_user("mallory", mallory),
        "RemoveUserFromGroup",
        eventID="removal",
        requestParameters={"groupName": "Administrators", "userName": "accomplice"},
        responseElements=None,
    )
    answer(removal, world.tools())
    works = creates(a_user("accomplice", accomplice), second=5, event="work")
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
