"""The second deny method for sessions: an administrator whose policies are at their quota."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.cloudtrail import CallerKind
from handler.model.names import (
    KEPT_SESSION_GROUP,
    KEPT_SESSION_POLICY,
    SESSION_DENY_GROUP,
    kept_arn,
)
from handler.model.principal import DenyMethod, Target
from handler.model.report import Disposition
from handler.revoker.deny.contain import Containment, contain_sessions, holds
from handler.revoker.deny.methods import SESSION_METHOD_CALLS, MethodCalls
from handler.revoker.respond.respond import answer
from tests.doubles.account import a_user, call
from tests.doubles.iam import ACCOUNT, SESSION_DENY_ARN, Group, MemoryIam
from tests.doubles.rounds import Rounds

FILLERS = {f"arn:aws:iam::aws:policy/Example{n}" for n in range(10)}
KEPT = kept_arn(partition="aws", account=ACCOUNT, kind="policy", name=KEPT_SESSION_POLICY)
UNDO = (
    "aws",
    "iam",
    "remove-user-from-group",
    "--user-name=alice",
    "--group-name=iam-org-revoker-denied-sessions",
)


def alice(iam: MemoryIam, *, policies: int = 10, groups: int = 0) -> Target:
    """A user with so many policies, in so many groups."""
    id = iam.add_user("alice")
    iam.users["alice"].attached |= set(sorted(FILLERS)[:policies])
    for number in range(groups):
        iam.groups[f"Example{number}"] = Group(members={"alice"})
    return Target(kind=CallerKind.USER, name="alice", id=id, account=ACCOUNT, partition="aws")


def denied(iam: MemoryIam, target: Target) -> Containment:
    return contain_sessions(iam, target, is_contained=lambda _: False)


def test_with_room_the_policy_is_attached_and_no_group_is_asked() -> None:
    iam = MemoryIam()
    assert denied(iam, alice(iam, policies=9)).method is DenyMethod.SESSION_POLICY
    assert "add_user_to_group" not in iam.calls


def test_a_user_at_her_policy_quota_goes_into_the_group_of_denied_sessions() -> None:
    iam = MemoryIam()
    target = alice(iam, groups=9)
    done = denied(iam, target)
    assert done == Containment(
        name="alice",
        method=DenyMethod.SESSION_GROUP,
        undo=(UNDO,),
        notes=("Could not attach the deny of sessions: LimitExceeded, quota 10.",),
    )
    assert iam.groups[SESSION_DENY_GROUP].members == {"alice"}
    assert holds(iam, target, DenyMethod.SESSION_GROUP)
    assert iam.sessions_denied("alice")
    assert not iam.holds("alice")


def test_where_policies_and_groups_are_full_nothing_holds_and_both_are_told() -> None:
    iam = MemoryIam()
    done = denied(iam, alice(iam, groups=10))
    assert done.method is None
    assert done.notes == (
        "Could not attach the deny of sessions: LimitExceeded, quota 10.",
        "Could not add the user to the group of denied sessions: LimitExceeded, quota 10.",
    )
    assert not iam.sessions_denied("alice")


@pytest.mark.parametrize("spoilt", ["attached", "inline"])
def test_a_group_that_carries_something_else_is_left_again(spoilt: str) -> None:
    iam = MemoryIam()
    target = alice(iam)
    uploaded: set[str] = getattr(iam.groups[SESSION_DENY_GROUP], spoilt)
    uploaded.add("arn:aws:iam::aws:policy/AdministratorAccess")
    assert denied(iam, target).method is None
    assert iam.groups[SESSION_DENY_GROUP].members == set()


@pytest.mark.parametrize("policies", [0, 10])
def test_a_deny_of_sessions_that_was_rewritten_stays_on_nobody(policies: int) -> None:
    iam = MemoryIam()
    target = alice(iam, policies=policies)
    iam.documents[SESSION_DENY_ARN] = {
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    }
    done = denied(iam, target)
    assert done.method is None
    assert not iam.sessions_denied("alice")
    assert done.notes[-1] == (
        "Could not add the user to the group of denied sessions: somebody rewrote its content."
    )


def test_a_colleague_who_has_the_name_by_now_is_taken_out_of_the_group_again() -> None:
    iam = MemoryIam()
    target = alice(iam)
    iam.users["anna"] = iam.users.pop("alice")
    iam.add_user("alice")
    iam.users["alice"].attached |= FILLERS
    done = denied(iam, target)
    assert (done.name, done.method) == ("anna", DenyMethod.SESSION_GROUP)
    assert iam.groups[SESSION_DENY_GROUP].members == {"anna"}


@pytest.mark.parametrize("step", SESSION_METHOD_CALLS, ids=lambda s: s.method.value)
def test_each_effect_is_undone_exactly(step: MethodCalls) -> None:
    iam = MemoryIam()
    target = alice(iam, policies=0)
    step.do(iam, target)
    assert iam.sessions_denied("alice")
    assert step.there(iam, target)
    assert step.undo is not None
    step.undo(iam, target)
    assert not iam.sessions_denied("alice")
    assert not step.there(iam, target)


# ---- by answer, reconciliation, responder and an earlier installation


def stolen(*, policies: int = 10) -> tuple[Rounds, str]:
    """A world in which a key of alice's that an offender made was used."""
    world = Rounds()
    id = world.iam.add_user("alice", groups=("Administrators",))
    world.iam.users["alice"].attached |= set(sorted(FILLERS)[:policies])
    world.installed()
    world.table.update("credential#AKIASTOLEN", {"owner": "alice", "tainted": "{}"})
    answer(call(a_user("alice", id, key="AKIASTOLEN")), world.tools())
    return world, id


def record(world: Rounds, id: str) -> Any:
    row = world.responder("show", principal=id)["principal"]["sessions"]
    return row["method"], row["earlier"]


def is_a_member(world: Rounds) -> bool:
    return "alice" in world.iam.groups[SESSION_DENY_GROUP].members


def test_it_is_told_written_down_and_released_exactly() -> None:
    world, id = stolen()
    (report,) = world.bus.reports()
    assert (report.disposition, report.method, report.undo) == (
        Disposition.CONTAINED,
        "session-group",
        (UNDO,),
    )
    assert is_a_member(world)
    assert not world.iam.holds("alice")
    assert record(world, id) == ("session-group", [])
    (step,) = world.responder("release", principal=id, reason="key was deleted", dry=False)["steps"]
    assert (step["method"], step["command"], step["left"]) == ("session-group", list(UNDO), "")
    assert not is_a_member(world)
    assert world.iam.users["alice"].attached == FILLERS
    assert "alice" in world.iam.groups["Administrators"].members
    world.later(900).reconcile()
    assert not is_a_member(world)


def test_where_both_quotas_are_met_it_is_critical() -> None:
    world = Rounds()
    id = world.iam.add_user("alice", groups=("Administrators",))
    world.iam.users["alice"].attached |= FILLERS
    for number in range(9):
        world.iam.groups[f"Example{number}"] = Group(members={"alice"})
    world.installed()
    world.table.update("credential#AKIASTOLEN", {"owner": "alice", "tainted": "{}"})
    answer(call(a_user("alice", id, key="AKIASTOLEN")), world.tools())
    (report,) = world.bus.reports()
    assert (report.disposition, report.method) == (Disposition.CANNOT_CONTAIN, "")


def test_who_was_taken_out_of_the_group_is_put_back_and_told_of() -> None:
    world, id = stolen()
    world.iam.groups[SESSION_DENY_GROUP].members.clear()
    world.bus.entries.clear()
    world.later(900).reconcile()
    assert is_a_member(world)
    (report,) = world.bus.reports()
    assert (report.disposition, report.method) == (Disposition.DENY_REMOVED, "session-group")
    assert report.event_id == f"stripped-sessions-{id}-{world.now:.0f}"
    assert report.notes[0].startswith("The group of denied sessions, applied ")


def test_a_group_that_carries_something_else_by_now_is_told_of_and_left() -> None:
    world, _ = stolen()
    world.iam.groups[SESSION_DENY_GROUP].attached.add("arn:aws:iam::aws:policy/ReadOnlyAccess")
    world.bus.entries.clear()
    world.later(900).reconcile()
    (report,) = world.bus.reports()
    assert report.disposition is Disposition.CANNOT_CONTAIN
    assert not is_a_member(world)


def test_where_the_policy_has_no_room_any_more_the_group_holds_and_a_release_knows_both() -> None:
    world, id = stolen(policies=9)
    assert record(world, id) == ("session-policy", [])
    world.iam.users["alice"].attached = set(FILLERS)
    world.later(900).reconcile()
    assert is_a_member(world)
    assert record(world, id) == ("session-group", ["session-policy"])
    world.iam.users["alice"].attached = {SESSION_DENY_ARN}
    world.responder("release", principal=id, reason="key was deleted", dry=False)
    assert not world.iam.sessions_denied("alice")


def test_a_member_without_a_record_is_released_all_the_same() -> None:
    world, id = stolen()
    world.table.delete(f"principal#{id}")
    (step,) = world.responder("release", principal="alice", reason="the table is new", dry=False)[
        "steps"
    ]
    assert (step["method"], step["recorded"], step["left"]) == ("session-group", False, "")
    assert not is_a_member(world)


@pytest.mark.parametrize("policies", [0, 10])
def test_whom_an_earlier_installation_kept_by_a_group_is_denied_anew(policies: int) -> None:
    world = Rounds()
    world.installed()
    id = world.iam.add_user("alice")
    world.iam.users["alice"].attached |= set(sorted(FILLERS)[:policies])
    world.iam.documents[KEPT] = world.iam.documents[SESSION_DENY_ARN]
    world.iam.groups[KEPT_SESSION_GROUP] = Group(attached={KEPT}, members={"alice"})
    world.reconcile()
    detach = ("detach-user-policy", "--user-name=alice", f"--policy-arn={SESSION_DENY_ARN}")
    method, undo = (
        ("session-group", UNDO) if policies else ("session-policy", ("aws", "iam", *detach))
    )
    kept_undo = (*UNDO[:-1], "--group-name=iam-org-revoker-kept-sessions")
    (report,) = world.bus.reports()
    assert (report.disposition, report.method, report.undo) == (
        Disposition.STILL_CONTAINED,
        method,
        (undo, kept_undo),
    )
    assert record(world, id) == (method, [])
    assert world.iam.sessions_denied("alice")
    assert not world.iam.holds("alice")
    done = world.responder("release", principal=id, reason="meant", dry=False)["steps"]
    assert [tuple(step["command"]) for step in done if step["left"]] == [kept_undo]
    assert not world.iam.sessions_denied("alice")
