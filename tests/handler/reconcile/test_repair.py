"""Containments that reconciliation looks after: stripped ones come back and are told of."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from handler.model.names import DENY_GROUP, SESSION_DENY_POLICY, iam_arn
from handler.model.report import Disposition
from handler.revoker.respond.respond import answer
from handler.revoker.state.context import ReportRefused
from tests.doubles.account import a_user, call
from tests.doubles.iam import ACCOUNT, Principal
from tests.doubles.rounds import Rounds

SESSION_DENY = iam_arn(partition="aws", account=ACCOUNT, kind="policy", name=SESSION_DENY_POLICY)


def offended() -> tuple[Rounds, str]:
    """A world in which mallory was contained at noon, and two minutes went by."""
    world = Rounds()
    world.installed()
    id = world.iam.add_user("mallory")
    answer(call(a_user("mallory", id)), world.tools())
    world.bus.entries.clear()
    return world.later(120), id


def test_a_deny_that_is_there_is_left_and_nobody_is_told() -> None:
    world, _ = offended()
    world.reconcile()
    assert world.bus.reports() == []
    assert world.iam.holds("mallory")


def test_a_stripped_deny_is_put_back_and_told() -> None:
    world, id = offended()
    world.iam.users["mallory"].attached.clear()
    world.reconcile()
    [report] = world.bus.reports()
    assert world.iam.holds("mallory")
    assert report.event_id == f"stripped-contained-{id}-{world.now:.0f}"
    assert (report.disposition, report.reason) == (Disposition.DENY_REMOVED, "not-an-administrator")
    assert (report.principal_name, report.call, report.method) == (
        "mallory",
        "CreateUser",
        "managed-policy",
    )
    [note] = report.notes
    assert note == (
        "The deny policy, applied 2026-11-22 10:00:10 UTC, was missing or altered. "
        "It was re-attached."
    )


def test_a_deny_stripped_twice_is_told_twice_under_two_ids() -> None:
    world, _ = offended()
    for _again in range(2):
        world.iam.users["mallory"].attached.clear()
        world.later(900).reconcile()
    first, second = world.bus.reports()
    assert first.event_id != second.event_id
    assert "applied 2026-11-22 10:17:10 UTC" in second.notes[0]


def test_a_renamed_offender_keeps_its_deny_under_its_new_name() -> None:
    world, id = offended()
    world.iam.users["colleague"] = world.iam.users.pop("mallory")
    world.iam.users["colleague"].attached.clear()
    world.iam.users["mallory"] = Principal(id="AIDAEXAMPLEBYSTANDER")
    world.reconcile()
    assert world.iam.holds("colleague")
    assert not world.iam.holds("mallory")
    assert world.item(f"principal#{id}")["name"] == "colleague"


def test_where_the_first_deny_method_is_full_the_next_holds_and_the_release_knows_both() -> None:
    world, id = offended()
    user = world.iam.users["mallory"]
    user.attached = {f"arn:aws:iam::aws:policy/Filler{n}" for n in range(10)}
    world.reconcile()
    assert "mallory" in world.iam.groups[DENY_GROUP].members
    row = world.responder("show", principal=id)["principal"]
    assert (row["contained"]["method"], row["contained"]["earlier"]) == (
        "deny-group",
        ["managed-policy"],
    )


def test_a_deny_that_cannot_be_put_back_is_told_once_and_tried_each_time() -> None:
    world, _ = offended()
    world.iam.users["mallory"].attached.clear()
    world.iam.fail = {
        "attach_user_policy": ["LimitExceeded"] * 2,
        "add_user_to_group": ["LimitExceeded"] * 2,
    }
    world.reconcile()
    world.later(900).reconcile()
    world.later(900).reconcile()
    reports = world.bus.reports()
    assert [r.disposition for r in reports] == [
        Disposition.CANNOT_CONTAIN,
        Disposition.CANNOT_CONTAIN,
        Disposition.DENY_REMOVED,
    ]
    assert reports[0].event_id == reports[1].event_id != reports[2].event_id
    assert world.iam.holds("mallory")


def test_a_reconciliation_that_died_before_it_could_tell_tells_when_it_is_tried_again() -> None:
    world, _ = offended()
    world.iam.users["mallory"].attached.clear()
    world.bus.refuse = "InternalFailure"
    with pytest.raises(ReportRefused):
        world.reconcile()
    assert world.iam.holds("mallory")
    world.bus.refuse = ""
    world.later(60).reconcile()
    assert [r.disposition for r in world.bus.reports()] == [Disposition.DENY_REMOVED]


def test_a_deny_that_was_put_on_this_minute_is_not_looked_at_yet() -> None:
    world, _ = offended()
    world.iam.users["mallory"].attached.clear()
    world.now -= 90
    world.reconcile()
    assert world.bus.reports() == []


def test_observing_puts_nothing_back() -> None:
    world, _ = offended()
    world.iam.users["mallory"].attached.clear()
    world.reconcile(MODE="observe")
    assert not world.iam.holds("mallory")
    assert world.bus.reports() == []


def test_a_deleted_offender_is_noted_as_gone_after_an_hour_and_not_looked_for_again() -> None:
    world, id = offended()
    del world.iam.users["mallory"]
    assert world.reconcile().contained == 1
    assert "gone" not in world.item(f"principal#{id}")
    world.later(3_600).reconcile()
    assert world.item(f"principal#{id}")["gone"] == world.now
    world.iam.calls.clear()
    assert world.later(900).reconcile().contained == 0
    assert "list_users" not in world.iam.calls


def test_a_session_deny_is_put_back_and_nothing_more() -> None:
    world = Rounds()
    id = world.iam.add_user("alice", groups=("Administrators",))
    world.installed()
    world.table.update("credential#AKIASTOLEN", {"owner": "alice", "tainted": "{}"})
    answer(call(a_user("alice", id, key="AKIASTOLEN")), world.tools())
    assert world.iam.users["alice"].attached == {SESSION_DENY}
    world.iam.users["alice"].attached.clear()
    world.later(900).reconcile()
    assert world.iam.users["alice"].attached == {SESSION_DENY}
    assert [r.method for r in world.bus.reports()][-1] == "session-policy"


def test_an_offenders_created_principal_that_nothing_could_hold_is_tried_again_and_reported() -> (
    None
):
    world = Rounds()
    world.installed()
    mallory, accomplice = world.iam.add_user("mallory"), world.iam.add_user("accomplice")
    world.iam.fail = {
        "attach_user_policy": ["LimitExceeded", "LimitExceeded"],
        "add_user_to_group": ["LimitExceeded", "LimitExceeded"],
    }
    made = {"user": {"userName": "accomplice", "userId": accomplice}}
    answer(call(a_user("mallory", mallory), responseElements=made), world.tools())
    assert not world.iam.holds("accomplice")
    world.bus.entries.clear()
    world.later(900).reconcile()
    assert world.iam.holds("accomplice")
    assert world.iam.holds("mallory")
    assert {(r.principal_name, r.disposition, r.reason) for r in world.bus.reports()} == {
        ("accomplice", Disposition.CONTAINED, "tainted"),
        ("mallory", Disposition.CONTAINED, "tainted"),
    }
    world.bus.entries.clear()
    world.later(900).reconcile()
    assert world.bus.reports() == []


def test_one_principal_that_iam_refuses_does_not_keep_the_others_waiting() -> None:
    world, _ = offended()
    other = world.iam.add_user("trudy")
    answer(call(a_user("trudy", other), eventID="00000000-2"), world.tools())
    world.later(120).bus.entries.clear()
    for name in ("mallory", "trudy"):
        world.iam.users[name].attached.clear()
    world.iam.fail["list_attached_user_policies"] = ["ServiceFailure"]
    with pytest.raises(ClientError, match="ServiceFailure"):
        world.reconcile()
    assert [world.iam.holds(name) for name in ("mallory", "trudy")].count(True) == 1
    assert len(world.heartbeats()) == 1
