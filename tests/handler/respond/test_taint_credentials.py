"""Keys, passwords and sessions that an offender made or touched, and their owners."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.reasons import Action, Reason
from handler.revoker.respond.respond import answer
from tests.doubles.account import World, a_user, call
from tests.doubles.iam import SESSION_DENY_ARN
from tests.handler.memberships import at, creates, ignored, standing_admin
from tests.handler.offences import (
    calls_from_console,
    console,
    makes_key,
    makes_user,
    mallory,
    resets_password,
)


@pytest.fixture
def world() -> World:
    return World().installed()


def test_a_new_key_for_an_administrator_is_set_inactive_and_the_owner_stays_free(
    world: World,
) -> None:
    answer(makes_key(world, mallory(world), "standing"), world.tools())
    assert world.iam.users["standing"].keys == {"AKIANEWKEY": "Inactive"}
    assert ignored(answer(creates(standing_admin(world), second=1), world.tools()))
    assert not world.iam.holds("standing")


def test_a_call_with_a_tainted_key_is_the_offenders_and_denies_the_owners_sessions_only(
    world: World,
) -> None:
    answer(makes_key(world, mallory(world), "standing"), world.tools())
    stolen = standing_admin(world) | {"accessKeyId": "AKIANEWKEY"}
    verdict = answer(creates(stolen, second=1, event="stolen"), world.tools())
    assert (verdict.action, verdict.reason) == (Action.CONTAIN, Reason.TAINTED_CREDENTIAL)
    assert world.iam.users["standing"].attached == {SESSION_DENY_ARN}
    assert world.bus.reports()[1].method == "session-policy"
    assert ignored(answer(creates(standing_admin(world), second=2, event="own"), world.tools()))


def test_a_reset_password_taints_the_sessions_begun_after_it_and_locks_nobody_out(
    world: World,
) -> None:
    answer(resets_password(mallory(world), "standing", second=10), world.tools())
    admin = standing_admin(world)
    flag = {"sessionCredentialFromConsole": "true"}
    before = call(console(admin, began=9), eventID="b", eventTime=at(20), **flag)
    assert ignored(answer(before, world.tools()))
    assert ignored(answer(creates(admin, second=21, event="key"), world.tools()))
    after = call(console(admin, began=10), eventID="a", eventTime=at(22), **flag)
    assert answer(after, world.tools()).reason is Reason.TAINTED_CREDENTIAL
    assert not world.iam.holds("standing")


def test_a_password_that_an_administrator_sets_anew_ends_the_taint(world: World) -> None:
    other = world.iam.add_user("second", groups=("Administrators",))
    world.dynamo.rows.clear()
    world.installed()
    answer(resets_password(mallory(world), "standing", second=10), world.tools())
    answer(
        resets_password(a_user("second", other), "standing", second=20, event="good"), world.tools()
    )
    session = calls_from_console(standing_admin(world), began=21, second=22)
    assert ignored(answer(session, world.tools()))


def test_a_login_profile_is_deleted_for_a_created_principal_and_only_tainted_for_others(
    world: World,
) -> None:
    who = mallory(world)
    answer(makes_user(world, who, "accomplice"), world.tools())
    for user in ("accomplice", "standing"):
        world.iam.users[user].password = True
        made = call(
            who,
            "CreateLoginProfile",
            eventID=f"login-{user}",
            requestParameters={"userName": user, "passwordResetRequired": False},
            responseElements={"loginProfile": {"userName": user}},
        )
        answer(made, world.tools())
    assert not world.iam.users["accomplice"].password
    assert world.iam.users["standing"].password


def test_a_password_heard_of_before_the_created_principal_it_is_for_is_deleted_with_it(
    world: World,
) -> None:
    who = mallory(world)
    made = makes_user(world, who, "accomplice")
    world.iam.users["accomplice"].password = True
    login = call(
        who,
        "CreateLoginProfile",
        eventID="login",
        requestParameters={"userName": "accomplice", "passwordResetRequired": False},
        responseElements={"loginProfile": {"userName": "accomplice"}},
    )
    answer(login, world.tools())
    assert world.iam.users["accomplice"].password
    answer(made, world.tools())
    assert not world.iam.users["accomplice"].password
    [impact] = world.bus.reports()[1].impacts
    assert impact.done == "contained by the deny policy; its console password deleted"


def test_a_password_goes_whose_created_principal_is_contained_at_the_same_moment(
    world: World,
) -> None:
    """Both calls are answered at once: each finds nothing of the other before it writes."""
    who = mallory(world)
    makes_user(world, who, "accomplice")
    world.iam.users["accomplice"].password = True
    written = world.dynamo.update_item

    def meanwhile(**arguments: Any) -> None:
        if any(
            name.startswith("pwbad#") for name in arguments["ExpressionAttributeNames"].values()
        ):
            world.dynamo.update_item = written  # type: ignore[method-assign]
            mark = {"#t": "tainted"}
            written(
                TableName="state",
                Key=arguments["Key"],
                UpdateExpression="SET #t = :t",
                ExpressionAttributeNames=mark,
                ExpressionAttributeValues={":t": {"S": "{}"}},
            )
        written(**arguments)

    world.dynamo.update_item = meanwhile  # type: ignore[method-assign]
    login = call(
        who,
        "CreateLoginProfile",
        eventID="login",
        requestParameters={"userName": "accomplice", "passwordResetRequired": False},
        responseElements={"loginProfile": {"userName": "accomplice"}},
    )
    answer(login, world.tools())
    assert not world.iam.users["accomplice"].password


def test_a_session_cannot_vouch_for_itself_by_a_password_in_its_own_second(world: World) -> None:
    """ChangePassword out of the offender's session, heard of before the reset that began it."""
    flag = {"sessionCredentialFromConsole": "true"}
    session = console(standing_admin(world), began=11)
    change = call(session, "ChangePassword", eventID="own", eventTime=at(11), **flag)
    assert ignored(answer(change, world.tools()))
    answer(resets_password(mallory(world), "standing", second=10), world.tools())
    again = answer(change, world.tools())
    assert (again.action, again.reason) == (Action.CONTAIN, Reason.TAINTED_CREDENTIAL)


def test_a_session_begun_with_an_offenders_key_before_it_was_silenced_is_tainted(
    world: World,
) -> None:
    answer(makes_key(world, mallory(world), "standing"), world.tools())
    flag = {"sessionCredentialFromConsole": "true"}
    admin = standing_admin(world)
    minted = call(console(admin, began=5), eventID="m", eventTime=at(30), **flag)
    assert answer(minted, world.tools()).reason is Reason.TAINTED_CREDENTIAL
    other = console(admin, began=60) | {"accessKeyId": "ASIAOTHER"}
    hers = call(other, eventID="h", eventTime=at(90), **flag)
    assert ignored(answer(hers, world.tools()))


def test_a_used_key_is_set_inactive_even_when_its_owner_was_renamed_meanwhile(
    world: World,
) -> None:
    attack = makes_key(world, mallory(world), "standing")
    world.iam.users["moved"] = world.iam.users.pop("standing")
    world.iam.groups["Administrators"].members = {"moved"}
    answer(attack, world.tools())
    stolen = a_user("standing", world.iam.users["moved"].id, key="AKIANEWKEY")
    assert answer(creates(stolen, second=1, event="s"), world.tools()).action is Action.CONTAIN
    assert world.iam.users["moved"].keys == {"AKIANEWKEY": "Inactive"}


def test_a_try_on_sessions_that_died_is_taken_back_once_a_new_password_is_heard_of(
    world: World,
) -> None:
    other = world.iam.add_user("second", groups=("Administrators",))
    world.dynamo.rows.clear()
    world.installed()
    answer(resets_password(mallory(world), "standing", second=10), world.tools())
    session = calls_from_console(standing_admin(world), began=21, second=22)
    # The deny is on, and then AWS answers no more: nothing is written down but the try.
    world.iam.fail["get_policy"] = ["Throttling"]
    with pytest.raises(ClientError):
        answer(session, world.tools())
    assert world.iam.users["standing"].attached == {SESSION_DENY_ARN}
    good = resets_password(a_user("second", other), "standing", second=20, event="good")
    answer(good, world.tools())
    assert ignored(answer(session, world.tools()))
    assert world.iam.users["standing"].attached == set()
    id = world.iam.users["standing"].id
    assert not {"trying", "sessions"} & world.item(f"principal#{id}").keys()
