"""Calls that were judged by what was not so yet are judged once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from handler.model.names import SESSION_DENY_POLICY, iam_arn
from handler.model.report import Disposition
from handler.revoker.judge.renames import Rename
from handler.revoker.reconcile import reevaluate
from handler.revoker.reconcile.reevaluate import reevaluate_calls
from handler.revoker.respond.dispatch import deliver
from handler.revoker.respond.ledger_updates import CALLS_ON_NAMES
from handler.revoker.state.ledger import ask_again
from handler.revoker.state.name_history import keep_rename
from tests.doubles.account import a_user, event
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import Rounds
from tests.handler.impacts.tables import CASES

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
    world.reconcile()
    assert world.iam.holds("bob")
    assert [(r.event_id, r.disposition) for r in world.bus.reports()] == [
        ("00000000-late", Disposition.CONTAINED)
    ]


def test_the_history_is_looked_at_until_it_cannot_lag_any_more() -> None:
    world = Rounds()
    removed_late(world)
    for _ in range(2):
        world.reconcile()
        assert list(world.table.items("reevaluate#"))
        world.later(900)
    world.reconcile()
    assert list(world.table.items("reevaluate#")) == []


def test_a_flood_of_calls_does_not_hide_an_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handler.revoker.reconcile.reevaluate.CALLS_AT_ONCE", 2)
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
    world.reconcile()
    assert not world.iam.holds("bob")
    world.later(900).reconcile()
    assert world.iam.holds("bob")


def renamed_before_it_was_heard_of(world: Rounds) -> tuple[str, dict[str, Any]]:
    """mallory sets alice's password and renames her; the first call is answered after both.

    alice's id, and the event of the rename.
    """
    alice = world.iam.add_user("alice", groups=("Administrators",))
    mallory = a_user("mallory", world.iam.add_user("mallory"))
    world.installed()
    world.iam.update_user(UserName="alice", NewUserName="alicia")
    reset = event(
        mallory, "UpdateLoginProfile", requestParameters={"userName": "alice"}, eventID="reset"
    )
    world.trail.records.append(reset["detail"])
    deliver(reset, world.tools())
    names = {"userName": "alice", "newUserName": "alicia"}
    at = "2026-11-22T10:00:03Z"
    return alice, event(
        mallory, "UpdateUser", requestParameters=names, eventID="rename", eventTime=at
    )


def test_a_call_on_a_name_that_had_moved_is_judged_again_once_the_rename_is_heard_of() -> None:
    world = Rounds()
    alice, rename = renamed_before_it_was_heard_of(world)
    assert "pwbad#reset" not in world.item(f"principal#{alice}")
    deliver(rename, world.tools())
    world.reconcile()
    assert "pwbad#reset" in world.item(f"principal#{alice}")


def test_after_a_rename_only_calls_on_its_names_are_judged_again() -> None:
    world = Rounds()
    _, rename = renamed_before_it_was_heard_of(world)
    for user in ("bob", "alicia", "ALICE"):
        other = event(
            a_user("mallory", world.iam.users["mallory"].id),
            "UpdateLoginProfile",
            requestParameters={"userName": user},
            eventID=f"reset-of-{user}",
        )
        world.trail.records.append(other["detail"])
    deliver(rename, world.tools())
    world.bus.entries.clear()
    world.reconcile()
    assert {report.event_id for report in world.bus.reports()} == {
        "reset",
        "reset-of-alicia",
        "reset-of-ALICE",
    }


def test_the_history_is_asked_for_every_call_whose_remediation_goes_by_a_name() -> None:
    by_name = {
        case.event
        for case in CASES
        for impact in case.impacts
        if impact["remediation"] in ("silence", "delete-login", "taint-sessions", "remove")
        and "userName" in (case.request or {})
    }
    # What an offender did to the ledger by taking somebody out goes by her name as well.
    assert set(CALLS_ON_NAMES) == by_name | {"RemoveUserFromGroup"}
    assert len(set(CALLS_ON_NAMES)) == len(CALLS_ON_NAMES)


class Interrupted:
    """An event history that lets something happen while it is looked through."""

    def __init__(self, world: Rounds, meanwhile: Callable[[], None]) -> None:
        self.world, self.meanwhile = world, meanwhile

    def get_paginator(self, operation: str) -> Any:
        assert operation == "lookup_events"
        return self

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        yield from list(self.world.trail.paginate(**arguments))
        self.meanwhile()


def look(world: Rounds, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Reconciliation's look alone, during which something happens."""
    history = Interrupted(world, meanwhile)
    tools = world.tools()
    clients = tools.clients

    def with_history(service: str, region: str) -> Any:
        return history if service == "cloudtrail" else clients(service, region)

    troubles: list[Exception] = []
    reevaluate_calls(replace(tools, clients=with_history), troubles)
    assert troubles == []


def asked(world: Rounds, **facts: float) -> None:
    """What an earlier reconciliation left of a request for bob's calls since ten minutes ago."""
    ask_again(world.table, principal_id="AIDABOB", name="bob", since=world.now - 600)
    if facts:
        assert world.table.update("reevaluate#AIDABOB", facts)


def ask_from(world: Rounds, since: float) -> None:
    ask_again(world.table, principal_id="AIDABOB", name="bob", since=since)


# As the look that ends, the first one, and one that goes on where another left off.
STAGES = {
    "last": lambda now: {"seen": now - 3_600},
    "first": lambda now: {},
    "cut": lambda now: {"seen": now - 3_600, "begun": now - 900, "until": now - 300},
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("earlier", [True, False])
def test_what_is_asked_for_during_a_look_is_looked_for_from_the_beginning(
    stage: str, earlier: bool
) -> None:
    world = Rounds()
    world.installed()
    asked(world, **STAGES[stage](world.now))
    before = world.item("reevaluate#AIDABOB")["since"]
    since = before + (-60 if earlier else 60)
    look(world, lambda: ask_from(world, since))
    assert world.item("reevaluate#AIDABOB") == {
        "pk": "reevaluate#AIDABOB",
        "id": "AIDABOB",
        "name": "bob",
        "since": min(before, since),
    }


def test_a_cut_look_asked_for_anew_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would go on where it was, and the request would not be asked for again."""
    monkeypatch.setattr("handler.revoker.reconcile.reevaluate.CALLS_AT_ONCE", 0)
    world = Rounds()
    world.installed()
    asked(world)
    look(world)
    assert "until" in world.item("reevaluate#AIDABOB")
    look(world, lambda: ask_from(world, world.now))
    assert world.item("reevaluate#AIDABOB").keys() == {"pk", "id", "name", "since"}


def test_a_request_lowered_after_it_was_read_is_looked_for_as_it_is_now() -> None:
    world = Rounds()
    world.installed()
    asked(world, seen=world.now - 3_600)
    stale = world.item("reevaluate#AIDABOB")
    ask_from(world, world.now - 7_200)
    now = reevaluate._begin(stale, world.tools())
    assert now is not None
    assert (now["since"], now["begun"]) == (world.now - 7_200, world.now)
    assert "seen" not in now


def test_a_request_that_is_done_with_meanwhile_comes_back_as_no_half_of_one() -> None:
    world = Rounds()
    world.installed()
    asked(world)
    stale = world.item("reevaluate#AIDABOB")
    world.table.delete("reevaluate#AIDABOB")
    assert reevaluate._begin(stale, world.tools()) is None
    assert list(world.table.items("reevaluate#")) == []


def test_a_look_that_died_begins_anew() -> None:
    world = Rounds()
    world.installed()
    asked(world, seen=world.now - 3_600, begun=world.now - 900)
    look(world)
    assert world.item("reevaluate#AIDABOB") == {}


def test_two_looks_at_once_end_it_once() -> None:
    world = Rounds()
    world.installed()
    asked(world, seen=world.now - 3_600)
    look(world, lambda: look(world))
    assert world.item("reevaluate#AIDABOB") == {}


def test_an_earlier_look_is_asked_for_by_the_other_names_too() -> None:
    world = Rounds()
    world.installed()
    rename = Rename(at=world.now - 30, old="bob", new="robert")
    keep_rename(world.table, rename, event_id="rn", now=world.now)
    other = "reevaluate#AIDABOB#robert"
    asked(world)
    look(world)
    since = world.item(other)["since"]
    ask_from(world, since - 60)
    look(world)
    assert world.item(other)["since"] == since - 60
