"""The patrol: baseline, stripped denies, calls looked at again, dead letters, health."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.answer import answer
from handler.delivery import deliver
from handler.names import DENY_GROUP, SESSION_DENY_POLICY, iam_arn
from handler.report import Disposition
from handler.tools import ReportRefused
from tests.doubles.account import NOON, a_user, call, event
from tests.doubles.iam import ACCOUNT, DENY_ARN, Principal
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


# ---- (a) the baseline


def test_the_first_patrol_takes_the_baseline() -> None:
    world = Rounds()
    world.patrol()
    assert world.item("baseline")["taken"] == NOON + 10
    assert '"standing"' in world.item("baseline")["members"]


def test_a_later_patrol_leaves_the_baseline_as_it_is() -> None:
    world = Rounds()
    world.patrol()
    world.iam.add_user("mallory", groups=("Administrators",))
    world.later(900).patrol()
    assert "mallory" not in world.item("baseline")["members"]


# ---- (b) containments


def test_a_deny_that_is_there_is_left_and_nobody_is_told() -> None:
    world, _ = offended()
    world.patrol()
    assert world.bus.reports() == []
    assert world.iam.holds("mallory")


def test_a_stripped_deny_is_put_back_and_told() -> None:
    world, id = offended()
    world.iam.users["mallory"].attached.clear()
    world.patrol()
    [report] = world.bus.reports()
    assert world.iam.holds("mallory")
    assert report.event_id == f"stripped-contained-{id}-{world.now:.0f}"
    assert (report.disposition, report.reason) == (Disposition.STRIPPED, "contained-already")
    assert (report.principal_name, report.call, report.rung) == (
        "mallory",
        "CreateUser",
        "managed-policy",
    )
    [note] = report.notes
    assert note == (
        "The deny (managed-policy, put on at 2026-11-22 10:00:10 UTC) was not there any more, "
        "or not ours any more. It was put back."
    )


def test_a_deny_stripped_twice_is_told_twice_under_two_ids() -> None:
    world, _ = offended()
    for _again in range(2):
        world.iam.users["mallory"].attached.clear()
        world.later(900).patrol()
    first, second = world.bus.reports()
    assert first.event_id != second.event_id
    assert "put on at 2026-11-22 10:17:10 UTC" in second.notes[0]


def test_a_renamed_offender_keeps_its_deny_under_its_new_name() -> None:
    world, id = offended()
    world.iam.users["colleague"] = world.iam.users.pop("mallory")
    world.iam.users["colleague"].attached.clear()
    world.iam.users["mallory"] = Principal(id="AIDAEXAMPLEBYSTANDER")
    world.patrol()
    assert world.iam.holds("colleague")
    assert not world.iam.holds("mallory")
    assert world.item(f"principal#{id}")["name"] == "colleague"


def test_where_the_first_rung_is_full_the_next_holds_and_the_release_knows_both() -> None:
    world, id = offended()
    user = world.iam.users["mallory"]
    user.attached = {f"arn:aws:iam::aws:policy/Filler{n}" for n in range(10)}
    world.patrol()
    assert "mallory" in world.iam.groups[DENY_GROUP].members
    row = world.desk("show", principal=id)["principal"]
    assert (row["contained"]["rung"], row["contained"]["earlier"]) == (
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
    world.patrol()
    world.later(900).patrol()
    world.later(900).patrol()
    reports = world.bus.reports()
    assert [r.disposition for r in reports] == [
        Disposition.CANNOT_CONTAIN,
        Disposition.CANNOT_CONTAIN,
        Disposition.STRIPPED,
    ]
    assert reports[0].event_id == reports[1].event_id != reports[2].event_id
    assert world.iam.holds("mallory")


def test_a_patrol_that_died_before_it_could_tell_tells_when_it_is_tried_again() -> None:
    world, _ = offended()
    world.iam.users["mallory"].attached.clear()
    world.bus.refuse = "InternalFailure"
    with pytest.raises(ReportRefused):
        world.patrol()
    assert world.iam.holds("mallory")
    world.bus.refuse = ""
    world.later(60).patrol()
    assert [r.disposition for r in world.bus.reports()] == [Disposition.STRIPPED]


def test_a_deny_that_was_put_on_this_minute_is_not_looked_at_yet() -> None:
    world, _ = offended()
    world.iam.users["mallory"].attached.clear()
    world.now -= 90
    world.patrol()
    assert world.bus.reports() == []


def test_observing_puts_nothing_back() -> None:
    world, _ = offended()
    world.iam.users["mallory"].attached.clear()
    world.patrol(MODE="observe")
    assert not world.iam.holds("mallory")
    assert world.bus.reports() == []


def test_a_deleted_offender_is_noted_as_gone_after_an_hour_and_not_looked_for_again() -> None:
    world, id = offended()
    del world.iam.users["mallory"]
    assert world.patrol().contained == 1
    assert "gone" not in world.item(f"principal#{id}")
    world.later(3_600).patrol()
    assert world.item(f"principal#{id}")["gone"] == world.now
    world.iam.calls.clear()
    assert world.later(900).patrol().contained == 0
    assert "list_users" not in world.iam.calls


def test_a_session_deny_is_put_back_and_nothing_more() -> None:
    world = Rounds()
    id = world.iam.add_user("alice", groups=("Administrators",))
    world.installed()
    world.table.update("credential#AKIASTOLEN", {"owner": "alice", "tainted": "{}"})
    answer(call(a_user("alice", id, key="AKIASTOLEN")), world.tools())
    assert world.iam.users["alice"].attached == {SESSION_DENY}
    world.iam.users["alice"].attached.clear()
    world.later(900).patrol()
    assert world.iam.users["alice"].attached == {SESSION_DENY}
    assert [r.rung for r in world.bus.reports()][-1] == "session-policy"


def test_an_offenders_creature_that_no_rung_could_hold_is_tried_again_and_told() -> None:
    world = Rounds()
    world.installed()
    mallory, puppet = world.iam.add_user("mallory"), world.iam.add_user("puppet")
    world.iam.fail = {
        "attach_user_policy": ["LimitExceeded", "LimitExceeded"],
        "add_user_to_group": ["LimitExceeded", "LimitExceeded"],
    }
    made = {"user": {"userName": "puppet", "userId": puppet}}
    answer(call(a_user("mallory", mallory), responseElements=made), world.tools())
    assert not world.iam.holds("puppet")
    world.bus.entries.clear()
    world.later(900).patrol()
    assert world.iam.holds("puppet")
    assert world.iam.holds("mallory")
    assert {(r.principal_name, r.disposition, r.reason) for r in world.bus.reports()} == {
        ("puppet", Disposition.CONTAINED, "tainted"),
        ("mallory", Disposition.CONTAINED, "tainted"),
    }
    world.bus.entries.clear()
    world.later(900).patrol()
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
        world.patrol()
    assert [world.iam.holds(name) for name in ("mallory", "trudy")].count(True) == 1
    assert len(world.heartbeats()) == 1


# ---- (c) calls to look at again


def removed_late(world: Rounds) -> str:
    """bob, removed at noon; heard of an hour later, when his call of 10:05 had passed as fine."""
    id = world.iam.add_user("bob", groups=("Administrators",))
    world.installed()
    late = event(a_user("bob", id), eventTime="2026-11-22T10:05:00Z", eventID="00000000-late")
    world.trail.records.append(late["detail"])
    deliver(late, world.tools())
    world.iam.groups["Administrators"].members.discard("bob")
    root = {"type": "Root", "accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}
    taken = {"groupName": "Administrators", "userName": "bob"}
    removal = event(root, "RemoveUserFromGroup", requestParameters=taken, eventID="00000000-rm")
    deliver(removal, world.later(3_600).tools())
    world.bus.entries.clear()
    return id


def test_calls_after_a_removal_that_was_heard_of_late_are_judged_again() -> None:
    world = Rounds()
    removed_late(world)
    assert not world.iam.holds("bob")
    world.patrol()
    assert world.iam.holds("bob")
    assert [(r.event_id, r.disposition) for r in world.bus.reports()] == [
        ("00000000-late", Disposition.CONTAINED)
    ]


def test_the_history_is_looked_at_until_it_cannot_lag_any_more() -> None:
    world = Rounds()
    removed_late(world)
    for _ in range(2):
        world.patrol()
        assert list(world.table.items("recheck#"))
        world.later(900)
    world.patrol()
    assert list(world.table.items("recheck#")) == []


def test_a_flood_of_calls_does_not_hide_an_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.recheck.CALLS_AT_ONCE", 2)
    world = Rounds()
    id = removed_late(world)
    for minute in (10, 11):
        flood = event(
            a_user("bob", id),
            "ListUsers",
            eventTime=f"2026-11-22T10:{minute}:00Z",
            eventID=f"00000000-{minute}",
            readOnly=True,
        )
        world.trail.records.append(flood["detail"])
    world.patrol()
    assert not world.iam.holds("bob")
    world.later(900).patrol()
    assert world.iam.holds("bob")


# ---- (d) the roster against the group


def test_differences_between_ledger_and_group_are_sentences_and_change_nothing() -> None:
    world = Rounds()
    alice = world.iam.add_user("alice", groups=("Administrators",))
    world.installed()
    bob = world.iam.add_user("bob", groups=("Administrators",))
    world.iam.groups["Administrators"].members.discard("alice")
    assert world.patrol().roster_differences == (
        f"'alice' ({alice}) is an administrator by the ledger and not in 'Administrators'.",
        f"'bob' ({bob}) is in 'Administrators' and no administrator by the ledger.",
    )
    assert world.iam.groups["Administrators"].members == {"standing", "bob"}


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_group_lost_since_the_baseline_is_critical(how: str) -> None:
    world = Rounds()
    world.installed()
    if how == "gone":
        del world.iam.groups["Administrators"]
    else:
        world.iam.groups["Administrators"].members.clear()
    assert world.patrol().roster_differences == (
        f"CRITICAL: the group 'Administrators', which had members at the first look, is {how}.",
    )


# ---- (e) dead letters


def failure_record(payload: dict[str, Any]) -> dict[str, Any]:
    """What Lambda leaves where every retry of an event failed."""
    return {
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
    }


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_dead_letter_is_answered_and_then_deleted(wrapped: bool) -> None:
    world = Rounds()
    world.installed()
    lost = event(a_user("mallory", world.iam.add_user("mallory")))
    world.queue.put(failure_record(lost) if wrapped else lost, rule="iam-org-revoker-calls")
    assert world.patrol().dead_letters == 0
    assert world.iam.holds("mallory")
    assert world.queue.letters == {}


def test_what_fails_again_stays_and_is_counted() -> None:
    world = Rounds()
    world.installed()
    lost = event(a_user("mallory", world.iam.add_user("mallory")))
    world.queue.put(lost)
    world.queue.put("not JSON")
    world.queue.put({"neither": "an event"})
    world.iam.fail["attach_user_policy"] = ["Throttling"]
    assert world.patrol().dead_letters == 3
    world.queue.unhide()
    assert world.later(900).patrol().dead_letters == 2
    assert world.iam.holds("mallory")


def test_a_failed_patrols_letter_goes_and_is_told_of_once() -> None:
    world = Rounds()
    world.installed()
    world.queue.put(failure_record({"patrol": True}))
    assert world.patrol().dead_letters == 1
    assert world.later(900).patrol().dead_letters == 0


def test_a_tamper_event_that_never_reached_the_centre_becomes_a_report() -> None:
    world = Rounds()
    world.installed()
    id = world.iam.add_user("mallory")
    touched = event(
        a_user("mallory", id),
        "UpdateFunctionCode20150331v2",
        eventSource="lambda.amazonaws.com",
        requestParameters={"functionName": "iam-org-revoker"},
    )
    world.queue.put(touched, rule="iam-org-revoker-tamper")
    assert world.patrol().dead_letters == 0
    [report] = world.bus.reports()
    assert (report.disposition, report.reason, report.call) == (
        Disposition.TOLD,
        "tampered",
        "UpdateFunctionCode20150331v2",
    )
    assert not world.iam.holds("mallory")


def test_a_patrol_takes_so_many_letters_at_most() -> None:
    world = Rounds()
    world.installed()
    service = {"type": "AWSService", "invokedBy": "eks.amazonaws.com"}
    for number in range(60):
        world.queue.put(event(service, eventID=f"00000000-{number}"))
    assert world.patrol().dead_letters == 10
    assert len(world.queue.letters) == 10


# ---- (f) health and (h) the heartbeat


def test_a_healthy_account_says_so() -> None:
    world = Rounds()
    world.installed()
    deliver(event(a_user("mallory", world.iam.add_user("mallory"))), world.tools())
    beat = world.later(300).patrol()
    assert world.heartbeats() == [beat]
    assert (beat.account, beat.alias, beat.mode) == (ACCOUNT, "example-alias", "enforce")
    assert (beat.at, beat.last_event_at) == (NOON + 310, NOON + 10)
    assert (beat.rule, beat.tamper_rule, beat.trail) == ("ENABLED", "ENABLED", "logging")
    assert (beat.dead_letters, beat.contained, beat.roster_differences) == (0, 1, ())


def test_disabled_and_missing_rules_are_told() -> None:
    world = Rounds()
    world.rules.states = {
        "iam-org-revoker-tamper": "ENABLED",
        "iam-org-revoker-tamper-stores": "DISABLED",
    }
    beat = world.patrol()
    assert (beat.rule, beat.tamper_rule) == ("missing", "DISABLED")


@pytest.mark.parametrize(
    ("trails", "shape", "expected"),
    [
        ({}, {}, "none"),
        ({"arn:trail": False}, {}, "stopped"),
        ({"arn:one": False, "arn:two": True}, {}, "logging"),
        ({"arn:trail": True}, {"IncludeGlobalServiceEvents": False}, "none"),
        ({"arn:trail": True}, {"IsMultiRegionTrail": False, "HomeRegion": "eu-west-1"}, "none"),
        ({"arn:trail": True}, {"IsMultiRegionTrail": False, "HomeRegion": "us-east-1"}, "logging"),
    ],
)
def test_the_trails_that_bring_iams_calls(
    trails: dict[str, bool], shape: dict[str, Any], expected: str
) -> None:
    world = Rounds()
    world.trails.trails = trails
    world.trails.shape |= shape
    assert world.patrol().trail == expected


def test_trails_that_we_may_not_see_are_unknown() -> None:
    world = Rounds()
    world.trails.hidden = True
    assert world.patrol().trail == "unknown"


def test_the_last_event_is_written_once_an_hour() -> None:
    world = Rounds()
    world.installed()
    service = {"type": "AWSService", "invokedBy": "eks.amazonaws.com"}
    for seconds in (0, 10, 20):
        deliver(event(service), world.later(seconds).tools())
    assert world.dynamo.writes == 1
    deliver(event(service), world.later(3_600).tools())
    assert world.dynamo.writes == 2


def test_a_quiet_patrol_reads_no_event_history_and_writes_nothing_to_iam() -> None:
    world = Rounds()
    world.installed()
    world.patrol()
    world.iam.calls.clear()
    world.later(900).patrol()
    assert world.trail.looked == 0
    assert set(world.iam.calls) <= {"get_group", "list_account_aliases"}


def test_the_deny_of_somebody_never_contained_is_not_ours_to_look_after() -> None:
    world = Rounds()
    world.installed()
    world.iam.add_user("denied-by-hand")
    world.iam.users["denied-by-hand"].attached.add(DENY_ARN)
    assert world.patrol().contained == 0
