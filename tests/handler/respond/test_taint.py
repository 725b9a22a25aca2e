"""What an offender made or touched: created principals, memberships, roles, and their reports."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.reasons import Action, Reason
from handler.revoker.respond.event_history import Deferred
from handler.revoker.respond.respond import answer
from tests.doubles.account import World, a_session, a_user, call
from tests.doubles.iam_entities import refuse
from tests.handler.memberships import creates, ignored, standing_admin
from tests.handler.offences import makes_key, makes_user, mallory


@pytest.fixture
def world() -> World:
    return World().installed()


def test_a_user_that_an_offender_makes_is_contained_with_the_call(world: World) -> None:
    answer(makes_user(world, mallory(world), "accomplice"), world.tools())
    assert world.iam.holds("accomplice")
    [impact] = world.bus.reports()[0].impacts
    assert (impact.remediation, impact.done) == ("contain", "contained by the deny policy")


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


@pytest.mark.parametrize("knob", ["report", "ignore"])
def test_a_role_that_an_offender_made_is_held_whatever_is_said_of_role_sessions(
    world: World, knob: str
) -> None:
    id = world.iam.add_role("backdoor")
    arn = "arn:aws:iam::111122223333:role/backdoor"
    made = call(
        mallory(world),
        "CreateRole",
        requestParameters={"roleName": "backdoor", "assumeRolePolicyDocument": "{}"},
        responseElements={"role": {"roleName": "backdoor", "roleId": id, "arn": arn}},
    )
    answer(made, world.tools(ROLE_CALLERS=knob))
    assert world.iam.holds("backdoor")
    world.iam.roles["backdoor"].attached.clear()
    session = a_session("backdoor", id, path="/")
    verdict = answer(call(session, eventID="use"), world.tools(ROLE_CALLERS=knob))
    assert verdict.action is Action.CONTAIN
    assert world.iam.holds("backdoor")


def test_the_created_principals_of_root_and_of_those_who_cannot_be_denied_are_contained(
    world: World,
) -> None:
    root = {"type": "Root", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:root"}
    sso = a_session("AWSReservedSSO_Dev_1", "AROASSO", path="/aws-reserved/sso.amazonaws.com/")
    for number, who in enumerate((root, sso)):
        made = makes_user(world, who, f"accomplice-{number}", event=f"make-{number}")
        assert answer(made, world.tools()).action is Action.CRITICAL
        assert world.iam.holds(f"accomplice-{number}")


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
    assert world.bus.reports()[0].impacts == ()
    assert [key for key in world.dynamo.rows if key.startswith("credential#")] == []


def test_left_out_parameters_list_what_was_made_since_and_say_so(world: World) -> None:
    who = mallory(world)
    world.iam.now = world.now - 5
    world.iam.add_user("hidden")
    padded = call(who, "PutUserPolicy", requestParameters=None, responseElements=None)
    answer(padded, world.tools())
    [impact] = world.bus.reports()[0].impacts
    assert impact.critical
    assert impact.done == "created since: user hidden"


def test_observing_writes_no_taint_and_touches_nobody(world: World) -> None:
    answer(makes_user(world, mallory(world), "accomplice"), world.tools(MODE="observe"))
    assert not world.iam.holds("accomplice")
    assert [key for key in world.dynamo.rows if key.startswith("principal#")] == []
    assert world.bus.reports()[0].impacts[0].done == ""


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
    assert world.bus.reports()[0].impacts[0].critical


def test_a_released_created_principal_is_not_contained_again_by_the_event_that_made_it(
    world: World,
) -> None:
    made = makes_user(world, mallory(world), "accomplice")
    answer(made, world.tools())
    accomplice = world.iam.users["accomplice"]
    world.table.update(
        f"principal#{accomplice.id}", {"released": world.now}, remove=["contained", "tainted"]
    )
    accomplice.attached.clear()
    world.now += 60
    answer(made, world.tools())
    assert not world.iam.holds("accomplice")


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
    assert world.bus.reports()[0].impacts[0].critical


def test_a_gain_that_iam_does_not_let_us_take_back_is_critical(world: World) -> None:
    world.iam.add_user("anna")
    world.iam.fail["update_access_key"] = ["AccessDenied"]
    answer(makes_key(world, mallory(world), "anna"), world.tools())
    [impact] = world.bus.reports()[0].impacts
    assert (impact.done, impact.critical) == ("NOT reverted: IAM answered AccessDenied", True)


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
