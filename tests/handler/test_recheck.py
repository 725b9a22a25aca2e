"""Calls that were judged by what was not so yet are judged once more."""

from __future__ import annotations

import pytest

from handler.delivery import deliver
from handler.names import SESSION_DENY_POLICY, iam_arn
from handler.report import Disposition
from tests.doubles.account import a_user, event
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import Rounds

SESSION_DENY = iam_arn(partition="aws", account=ACCOUNT, kind="policy", name=SESSION_DENY_POLICY)


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
