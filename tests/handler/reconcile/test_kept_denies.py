"""Reconciliation contains each holder of an earlier installation's kept deny, with a record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handler.model.deny_policy import deny_document, session_deny_document
from handler.model.names import (
    CANARY_ROLE,
    KEPT_GROUP,
    KEPT_POLICY,
    KEPT_SESSION_POLICY,
    RESPONDER_ROLE,
    REVOKER,
    kept_arn,
)
from handler.model.report import Disposition
from handler.revoker.state.context import ReportRefused
from handler.revoker.state.ledger import principal_key
from tests.doubles.account import NOON
from tests.doubles.iam import ACCOUNT, DENY_ARN, SESSION_DENY_ARN, Group
from tests.doubles.rounds import Rounds

KEPT = kept_arn(partition="aws", account=ACCOUNT, kind="policy", name=KEPT_POLICY)
KEPT_SESSIONS = kept_arn(partition="aws", account=ACCOUNT, kind="policy", name=KEPT_SESSION_POLICY)

ALLOWS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def kept(world: Rounds) -> Rounds:
    """The policies that the rollout leaves behind."""
    world.iam.documents |= {KEPT: deny_document(), KEPT_SESSIONS: session_deny_document()}
    world.iam.groups[KEPT_GROUP] = Group(attached={KEPT})
    return world


def record(world: Rounds, principal: str, mark: str = "contained") -> Any:
    return json.loads(world.item(f"principal#{principal}").get(mark, "null"))


def test_a_user_a_role_and_a_member_of_the_kept_group_are_contained_with_a_record() -> None:
    world = kept(Rounds())
    mallory, eve = world.iam.add_user("mallory"), world.iam.add_user("eve")
    role = world.iam.add_role("robot", attached={KEPT})
    world.iam.users["mallory"].attached.add(KEPT)
    world.iam.groups[KEPT_GROUP].members.add("eve")
    world.reconcile()
    assert [world.iam.holds(name) for name in ("mallory", "eve", "robot")] == [True] * 3
    assert record(world, mallory) == {
        "name": "mallory",
        "kind": "user",
        "method": "managed-policy",
        "at": NOON + 10,
        "event_id": f"kept-contained-{mallory}-{NOON + 10:.0f}",
        "call": "kept from an earlier installation",
        "call_time": "",
        "reason": "kept",
        "undo": [
            [
                "aws",
                "iam",
                "detach-user-policy",
                "--user-name=mallory",
                f"--policy-arn={DENY_ARN}",
            ],
            [
                "aws",
                "iam",
                "detach-user-policy",
                "--user-name=mallory",
                f"--policy-arn={KEPT}",
            ],
        ],
        "gave": [],
        "again": 0.0,
        "earlier": [],
    }
    assert record(world, eve)["method"] == record(world, role)["method"] == "managed-policy"
    # The kept deny is not the revoker's to take off.
    assert KEPT in world.iam.users["mallory"].attached


@pytest.mark.parametrize("policies", [0, 20])
def test_ours_goes_in_the_place_of_a_kept_boundary_whether_or_not_there_is_room(
    policies: int,
) -> None:
    world = kept(Rounds())
    others = {f"arn:aws:iam::aws:policy/Example{n}" for n in range(policies)}
    robot = world.iam.add_role("robot", boundary=KEPT, attached=set(others))
    world.reconcile()
    assert world.iam.roles["robot"].boundary == DENY_ARN
    assert world.iam.roles["robot"].attached == others
    assert record(world, robot)["method"] == "boundary"
    # As before the first installation, by the one command: none was there.
    assert record(world, robot)["undo"] == [
        ["aws", "iam", "delete-role-permissions-boundary", "--role-name=robot"]
    ]


def test_a_kept_boundary_stays_where_our_own_deny_was_rewritten() -> None:
    world = kept(Rounds())
    robot = world.iam.add_role("robot", boundary=KEPT)
    world.iam.documents[DENY_ARN] = ALLOWS
    world.reconcile()
    assert world.iam.roles["robot"].boundary == KEPT
    assert world.iam.roles["robot"].attached == set()
    assert record(world, robot) is None


def test_each_one_is_told_of_once_with_the_deny_method_and_the_commands() -> None:
    world = kept(Rounds())
    eve, robot = world.iam.add_user("eve"), world.iam.add_role("robot", boundary=KEPT)
    world.iam.groups[KEPT_GROUP].members.add("eve")
    world.reconcile()
    world.later(900).reconcile()
    reported = {report.principal_id: report for report in world.bus.reports()}
    assert len(world.bus.reports()) == 2
    assert (reported[eve].disposition, reported[eve].reason) == (
        Disposition.STILL_CONTAINED,
        "kept",
    )
    assert (reported[eve].method, reported[robot].method) == ("managed-policy", "boundary")
    assert [command[2] for command in reported[eve].undo] == [
        "detach-user-policy",
        "remove-user-from-group",
    ]
    assert [command[2] for command in reported[robot].undo] == ["delete-role-permissions-boundary"]
    assert reported[eve].region == "us-east-1"


def test_a_round_that_died_before_it_wrote_it_down_tells_the_same_again() -> None:
    """The central account counts an event once."""
    world = kept(Rounds())
    world.iam.add_role("robot", attached={KEPT})
    world.bus.refuse = "ThrottlingException"
    with pytest.raises(ReportRefused):
        world.reconcile()
    world.bus.refuse = ""
    world.later(900).reconcile()
    world.table.update(principal_key(world.iam.roles["robot"].id), {}, remove=["contained"])
    world.later(900).reconcile()
    first, second = world.bus.reports()
    assert first.event_id == second.event_id


@pytest.mark.parametrize("way", ["policy", "group", "boundary"])
def test_a_release_says_which_kept_deny_is_left_for_an_administrator(way: str) -> None:
    world = kept(Rounds())
    if way == "boundary":
        id = world.iam.add_role("mallory", boundary=KEPT)
    else:
        id = world.iam.add_user("mallory")
    if way == "policy":
        world.iam.users["mallory"].attached.add(KEPT)
    if way == "group":
        world.iam.groups[KEPT_GROUP].members.add("mallory")
    world.reconcile()
    shown = world.responder("release", principal=id)["steps"]
    done = world.responder("release", principal=id, dry=False, reason="meant")["steps"]
    left = [step["command"][2:] for step in done if step["left"]]
    assert [step["command"][2:] for step in shown if step["by_administrator"]] == left
    assert (
        left
        == {
            "policy": [["detach-user-policy", "--user-name=mallory", f"--policy-arn={KEPT}"]],
            "group": [
                ["remove-user-from-group", "--user-name=mallory", f"--group-name={KEPT_GROUP}"]
            ],
            # Ours took its place, and is undone by the same command.
            "boundary": [["delete-role-permissions-boundary", "--role-name=mallory"]],
        }[way]
    )


def test_who_cannot_be_held_is_told_of_once_and_tried_again_each_time() -> None:
    world = kept(Rounds())
    mallory = world.iam.add_user("mallory")
    world.iam.users["mallory"].attached.add(KEPT)
    world.iam.fail["attach_user_policy"] = ["AccessDenied"] * 2
    world.iam.fail["add_user_to_group"] = ["AccessDenied"] * 2
    world.reconcile()
    world.later(900).reconcile()
    (report,) = world.bus.reports()
    assert (report.disposition, report.method) == (Disposition.STILL_CONTAINED, "")
    assert report.notes[0] == "Only the kept deny holds it."
    world.later(900).reconcile()
    assert world.bus.reports()[-1].method == "managed-policy"
    assert record(world, mallory)["method"] == "managed-policy"


@pytest.mark.parametrize("answer", ["report", "ignore"])
def test_a_role_that_rolecallers_spares_is_told_of_once_and_not_renewed(answer: str) -> None:
    world = kept(Rounds())
    robot = world.iam.add_role("robot", boundary=KEPT)
    mallory = world.iam.add_user("mallory")
    world.iam.users["mallory"].attached.add(KEPT)
    world.reconcile(ROLE_CALLERS=answer)
    world.later(900).reconcile(ROLE_CALLERS=answer)
    assert world.iam.roles["robot"].boundary == KEPT
    assert record(world, robot) is None
    assert world.iam.holds("mallory")
    reported = {report.principal_id: report for report in world.bus.reports()}
    assert len(world.bus.reports()) == 2
    assert (reported[robot].held_by, reported[robot].method) == ("RoleCallers", "")
    assert reported[robot].undo == (
        ("aws", "iam", "delete-role-permissions-boundary", "--role-name=robot"),
    )
    assert (reported[mallory].held_by, reported[mallory].method) == ("", "managed-policy")
    # Once roles are contained, it is taken over, and told of.
    world.later(900).reconcile()
    assert world.iam.holds("robot")
    assert world.bus.reports()[-1].method == "boundary"


@pytest.mark.parametrize("name", [CANARY_ROLE, REVOKER, RESPONDER_ROLE])
def test_a_role_of_our_own_that_bears_it_is_left_alone(name: str) -> None:
    """Whoever may attach that policy could use us against ourselves."""
    world = kept(Rounds())
    world.iam.add_role(name, path="/iam-org-revoker/", attached={KEPT})
    world.iam.add_role(f"{name}x", path="/iam-org-revoker/", attached={KEPT})
    world.reconcile()
    assert not world.iam.holds(name)
    assert world.iam.holds(f"{name}x")
    assert [report.principal_name for report in world.bus.reports()] == [f"{name}x"]


def test_whose_sessions_were_denied_keeps_her_keys() -> None:
    world = kept(Rounds())
    alice = world.iam.add_user("alice")
    world.iam.users["alice"].attached.add(KEPT_SESSIONS)
    world.reconcile()
    assert record(world, alice, "sessions")["method"] == "session-policy"
    assert world.iam.users["alice"].attached == {KEPT_SESSIONS, SESSION_DENY_ARN}
    assert not world.iam.holds("alice")


def test_an_administrator_s_denied_sessions_stay_denied_and_she_keeps_her_keys() -> None:
    world = kept(Rounds())
    world.iam.users["standing"].attached.add(KEPT_SESSIONS)
    world.reconcile()
    assert world.iam.users["standing"].attached == {KEPT_SESSIONS, SESSION_DENY_ARN}
    assert not world.iam.holds("standing")


def test_a_kept_policy_made_under_this_installation_is_not_used_against_an_administrator() -> None:
    world = kept(Rounds())
    world.reconcile()
    alice = world.iam.add_user("alice")
    world.iam.policies_made[KEPT_SESSIONS] = world.now
    for name in ("standing", "alice"):
        world.iam.users[name].attached.add(KEPT_SESSIONS)
    world.later(900).reconcile()
    assert world.iam.users["standing"].attached == {KEPT_SESSIONS}
    assert record(world, alice, "sessions")["method"] == "session-policy"


def test_a_role_that_bears_the_sessions_deny_does_not_draw_it_on_the_user_of_its_name() -> None:
    world = kept(Rounds())
    world.iam.add_role("standing", attached={KEPT_SESSIONS})
    world.reconcile()
    assert world.iam.users["standing"].attached == set()


def test_an_administrator_who_bears_it_is_left_alone() -> None:
    world = kept(Rounds())
    world.iam.users["standing"].attached.add(KEPT)
    world.iam.add_role("AWSControlTowerExecution", attached={KEPT})
    world.reconcile()
    assert not world.iam.holds("standing")
    assert not world.iam.holds("AWSControlTowerExecution")


def test_who_was_released_here_is_not_contained_again() -> None:
    world = kept(Rounds())
    mallory = world.iam.add_user("mallory")
    world.iam.users["mallory"].attached.add(KEPT)
    world.table.update(f"principal#{mallory}", {"kind": "user", "released": NOON})
    world.reconcile()
    assert not world.iam.holds("mallory")


@pytest.mark.parametrize("variables", [{"MODE": "observe"}])
def test_observing_contains_nobody(variables: dict[str, str]) -> None:
    world = kept(Rounds())
    world.iam.add_user("mallory")
    world.iam.users["mallory"].attached.add(KEPT)
    world.reconcile(**variables)
    assert not world.iam.holds("mallory")


def test_a_policy_of_that_name_that_allows_something_says_nothing() -> None:
    world = kept(Rounds())
    world.iam.documents[KEPT] = ALLOWS
    world.iam.add_user("mallory")
    world.iam.users["mallory"].attached.add(KEPT)
    world.reconcile()
    assert not world.iam.holds("mallory")


def test_where_nothing_was_kept_nothing_happens() -> None:
    world = Rounds()
    world.iam.add_user("mallory")
    world.reconcile()
    assert not world.iam.holds("mallory")
    assert "list_entities_for_policy" not in world.iam.calls
