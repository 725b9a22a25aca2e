"""What an offender made or touched: creatures, keys, passwords, memberships, and the breaker."""

from __future__ import annotations

from typing import Any

import pytest

from handler.answer import answer
from handler.proof import Deferred
from handler.reasons import Action, Reason
from handler.report import Disposition
from tests.doubles.account import World, a_session, a_user, call
from tests.doubles.iam import SESSION_DENY_ARN
from tests.doubles.iam_entities import refuse
from tests.handler.test_roster import at, creates, ignored, standing_admin


@pytest.fixture
def world() -> World:
    return World().installed()


def mallory(world: World) -> dict[str, Any]:
    if "mallory" not in world.iam.users:
        world.iam.add_user("mallory")
    return a_user("mallory", world.iam.users["mallory"].id, key="AKIAMALLORY")


def makes_user(world: World, who: dict[str, Any], name: str, *, event: str = "make") -> Any:
    id = world.iam.add_user(name)
    return call(
        who,
        "CreateUser",
        eventID=event,
        requestParameters={"userName": name},
        responseElements={"user": {"userName": name, "userId": id}},
    )


def makes_key(
    world: World, who: dict[str, Any], user: str, *, key: str = "AKIANEWKEY", event: str = "key"
) -> Any:
    world.iam.users[user].keys[key] = "Active"
    return call(
        who,
        "CreateAccessKey",
        eventID=event,
        requestParameters={"userName": user},
        responseElements={"accessKey": {"accessKeyId": key, "userName": user}},
    )


def resets_password(who: dict[str, Any], user: str, *, second: float = 0, event: str = "pw") -> Any:
    return call(
        who,
        "UpdateLoginProfile",
        eventID=event,
        eventTime=at(second),
        requestParameters={"userName": user, "passwordResetRequired": False},
        responseElements=None,
    )


def console(user: dict[str, Any], *, began: float) -> dict[str, Any]:
    return user | {
        "accessKeyId": "ASIACONSOLE",
        "sessionContext": {"attributes": {"creationDate": at(began)}},
    }


def test_a_user_that_an_offender_makes_is_contained_with_the_call(world: World) -> None:
    answer(makes_user(world, mallory(world), "puppet"), world.tools())
    assert world.iam.holds("puppet")
    [gain] = world.bus.reports()[0].gains
    assert (gain.remedy, gain.done) == ("contain", "contained by the deny policy")


def test_a_role_made_under_an_exempt_name_is_contained_and_the_name_does_not_help_it(
    world: World,
) -> None:
    id = world.iam.add_role("stacksets-exec-evil")
    made = call(
        mallory(world),
        "CreateRole",
        requestParameters={"roleName": "stacksets-exec-evil", "assumeRolePolicyDocument": "{}"},
        responseElements={
            "role": {
                "roleName": "stacksets-exec-evil",
                "roleId": id,
                "arn": "arn:aws:iam::111122223333:role/stacksets-exec-evil",
            }
        },
    )
    answer(made, world.tools())
    assert world.iam.holds("stacksets-exec-evil")
    session = a_session("stacksets-exec-evil", id, path="/")
    verdict = answer(call(session, eventID="use"), world.tools())
    assert (verdict.action, verdict.reason) == (Action.CONTAIN, Reason.CONTAINED_ALREADY)


def test_the_creatures_of_root_and_of_those_who_cannot_be_denied_are_contained(
    world: World,
) -> None:
    root = {"type": "Root", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:root"}
    sso = a_session("AWSReservedSSO_Dev_1", "AROASSO", path="/aws-reserved/sso.amazonaws.com/")
    for number, who in enumerate((root, sso)):
        made = makes_user(world, who, f"puppet-{number}", event=f"make-{number}")
        assert answer(made, world.tools()).action is Action.CRITICAL
        assert world.iam.holds(f"puppet-{number}")


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
    assert world.bus.reports()[1].rung == "session-policy"
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
    flag = {"sessionCredentialFromConsole": "true"}
    session = call(console(standing_admin(world), began=21), eventID="s", eventTime=at(22), **flag)
    assert ignored(answer(session, world.tools()))


def test_a_login_profile_is_deleted_for_a_creature_and_only_tainted_for_others(
    world: World,
) -> None:
    who = mallory(world)
    answer(makes_user(world, who, "puppet"), world.tools())
    for user in ("puppet", "standing"):
        world.iam.users[user].password = True
        made = call(
            who,
            "CreateLoginProfile",
            eventID=f"login-{user}",
            requestParameters={"userName": user, "passwordResetRequired": False},
            responseElements={"loginProfile": {"userName": user}},
        )
        answer(made, world.tools())
    assert not world.iam.users["puppet"].password
    assert world.iam.users["standing"].password


def test_a_password_heard_of_before_the_creature_it_is_for_is_deleted_with_it(
    world: World,
) -> None:
    who = mallory(world)
    made = makes_user(world, who, "puppet")
    world.iam.users["puppet"].password = True
    login = call(
        who,
        "CreateLoginProfile",
        eventID="login",
        requestParameters={"userName": "puppet", "passwordResetRequired": False},
        responseElements={"loginProfile": {"userName": "puppet"}},
    )
    answer(login, world.tools())
    assert world.iam.users["puppet"].password
    answer(made, world.tools())
    assert not world.iam.users["puppet"].password
    [gain] = world.bus.reports()[1].gains
    assert gain.done == "contained by the deny policy; its console password deleted"


def test_a_session_cannot_vouch_for_itself_by_a_password_in_its_own_second(world: World) -> None:
    """ChangePassword out of the offender's session, heard of before the reset that began it."""
    flag = {"sessionCredentialFromConsole": "true"}
    session = console(standing_admin(world), began=11)
    change = call(session, "ChangePassword", eventID="own", eventTime=at(11), **flag)
    assert ignored(answer(change, world.tools()))
    answer(resets_password(mallory(world), "standing", second=10), world.tools())
    again = answer(change, world.tools())
    assert (again.action, again.reason) == (Action.CONTAIN, Reason.TAINTED_CREDENTIAL)


def test_adding_an_administrator_once_more_does_not_throw_her_out(world: World) -> None:
    attack = call(
        mallory(world),
        "AddUserToGroup",
        requestParameters={"groupName": "Administrators", "userName": "standing"},
        responseElements=None,
    )
    answer(attack, world.tools())
    assert world.iam.groups["Administrators"].members == {"standing"}
    assert ignored(answer(creates(standing_admin(world), second=1), world.tools()))


def test_a_denied_call_gives_nothing_and_taints_nobody(world: World) -> None:
    denied = call(mallory(world), requestParameters=None, errorCode="AccessDenied")
    answer(denied, world.tools())
    assert world.bus.reports()[0].gains == ()
    assert [key for key in world.dynamo.rows if key.startswith("credential#")] == []


def test_left_out_parameters_list_what_was_made_since_and_say_so(world: World) -> None:
    who = mallory(world)
    world.iam.now = world.now - 5
    world.iam.add_user("hidden")
    padded = call(who, "PutUserPolicy", requestParameters=None, responseElements=None)
    answer(padded, world.tools())
    [gain] = world.bus.reports()[0].gains
    assert gain.critical
    assert gain.done == "made since: user hidden"


def test_observing_writes_no_taint_and_touches_nobody(world: World) -> None:
    answer(makes_user(world, mallory(world), "puppet"), world.tools(MODE="observe"))
    assert not world.iam.holds("puppet")
    assert [key for key in world.dynamo.rows if key.startswith("principal#")] == []
    assert world.bus.reports()[0].gains[0].done == ""


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


def test_puppets_and_denied_calls_cannot_trip_the_breaker(world: World) -> None:
    who = mallory(world)
    for number in range(3):
        answer(
            makes_user(world, who, f"p{number}", event=f"m{number}"), world.tools(BREAKER_LIMIT="2")
        )
        puppet = a_user(f"p{number}", world.iam.users[f"p{number}"].id)
        answer(creates(puppet, second=number, event=f"c{number}"), world.tools(BREAKER_LIMIT="2"))
        id = world.iam.add_user(f"denied-{number}")
        refused = call(
            a_user(f"denied-{number}", id), eventID=f"d{number}", errorCode="AccessDenied"
        )
        answer(refused, world.tools(BREAKER_LIMIT="2"))
    id = world.iam.add_user("trent")
    offence = creates(a_user("trent", id), second=50, event="t")
    assert answer(offence, world.tools(BREAKER_LIMIT="2")).action is Action.CONTAIN


def test_an_open_breaker_never_spares_what_an_offender_made(world: World) -> None:
    who = mallory(world)
    answer(makes_user(world, who, "puppet"), world.tools(BREAKER_LIMIT="1"))
    world.iam.users["puppet"].attached.clear()
    puppet = a_user("puppet", world.iam.users["puppet"].id)
    verdict = answer(creates(puppet, second=5, event="p"), world.tools(BREAKER_LIMIT="1"))
    assert verdict.action is Action.CONTAIN
    assert world.iam.holds("puppet")


def test_a_contained_colleague_moved_into_the_callers_old_name_stays_contained(
    world: World,
) -> None:
    yves = world.iam.add_user("yves")
    answer(creates(a_user("yves", yves), second=0, event="y"), world.tools())
    xena = world.iam.add_user("xena")
    world.iam.users["xena-2"] = world.iam.users.pop("xena")
    world.iam.users["xena"] = world.iam.users.pop("yves")
    answer(creates(a_user("xena", xena), second=1, event="x"), world.tools())
    assert world.iam.holds("xena-2")
    assert world.iam.holds("xena")


@pytest.mark.parametrize(("knob", "contained"), [("no", False), ("yes", True)])
def test_a_rescue_role_whose_trust_an_offender_changes_is_contained_only_by_its_own_knob(
    world: World, knob: str, contained: bool
) -> None:
    world.iam.add_role("OrganizationAccountAccessRole")
    attack = call(
        mallory(world),
        "UpdateAssumeRolePolicy",
        requestParameters={"roleName": "OrganizationAccountAccessRole", "policyDocument": "{}"},
        responseElements=None,
    )
    answer(attack, world.tools(CONTAIN_RESCUE_ROLES=knob))
    assert world.iam.holds("OrganizationAccountAccessRole") is contained
    assert world.bus.reports()[0].gains[0].critical


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


def test_a_released_creature_is_not_contained_again_by_the_event_that_made_it(
    world: World,
) -> None:
    made = makes_user(world, mallory(world), "puppet")
    answer(made, world.tools())
    puppet = world.iam.users["puppet"]
    world.table.update(
        f"principal#{puppet.id}", {"released": world.now}, remove=["contained", "tainted"]
    )
    puppet.attached.clear()
    world.now += 60
    answer(made, world.tools())
    assert not world.iam.holds("puppet")


def test_a_padded_creation_is_contained_by_its_time_and_older_ones_are_not(world: World) -> None:
    world.iam.now = world.now - 11
    world.iam.add_role("stacksets-exec-evil")
    world.iam.now = world.now - 3_600
    world.iam.add_role("innocent")
    padded = call(mallory(world), "CreateRole", requestParameters=None, responseElements=None)
    answer(padded, world.tools())
    assert world.iam.holds("stacksets-exec-evil")
    assert not world.iam.holds("innocent")


def test_an_exempt_role_is_recognised_by_its_path_though_records_leave_it_out(
    world: World,
) -> None:
    world.iam.add_role("boss", path="/iam-administrators/")
    attack = call(
        mallory(world),
        "UpdateAssumeRolePolicy",
        requestParameters={"roleName": "boss", "policyDocument": "{}"},
        responseElements=None,
    )
    answer(attack, world.tools())
    assert world.bus.reports()[0].gains[0].critical


def test_a_gain_that_iam_does_not_let_us_take_back_is_critical(world: World) -> None:
    world.iam.add_user("anna")
    world.iam.fail["update_access_key"] = ["AccessDenied"]
    answer(makes_key(world, mallory(world), "anna"), world.tools())
    [gain] = world.bus.reports()[0].gains
    assert (gain.done, gain.critical) == ("NOT taken back: IAM answered AccessDenied", True)


def test_a_history_that_does_not_answer_is_no_proof_and_the_third_try_decides(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(**_: Any) -> Any:
        raise refuse("ThrottlingException", "LookupEvents")

    monkeypatch.setattr(world.trail, "paginate", throttled)
    id = world.iam.add_user("bob", groups=("Administrators",))
    offence = creates(a_user("bob", id), second=0)
    with pytest.raises(Deferred):
        answer(offence, world.tools())
    world.now += 180
    assert answer(offence, world.tools()).reason is Reason.UNPROVEN_MEMBER
