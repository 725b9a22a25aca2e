"""Each containment is mailed once: from the revoker's reports to the central account's mails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handler.model.names import REPORT_DETAIL_TYPE
from handler.revoker.respond.respond import answer
from handler.revoker.state.marks import mark_contained
from tests.doubles.account import a_session, a_user, call
from tests.doubles.rounds import Rounds
from tests.handler.memberships import at, creates
from tests.notifier.central import NotifierWorld, given_envelope, report_body


def sent_on(world: Rounds, notifier: NotifierWorld) -> None:
    """The central account gets what the account sent since, but for its heartbeats."""
    for entry in world.bus.entries:
        if entry["DetailType"] == REPORT_DETAIL_TYPE:
            notifier.deliver(json.dumps(given_envelope(json.loads(entry["Detail"]))))
    world.bus.entries.clear()


def fails(who: dict[str, Any], *, second: float, event: str) -> Any:
    return call(who, eventID=event, eventTime=at(second), errorCode="AccessDenied")


@pytest.fixture
def world() -> Rounds:
    world = Rounds()
    world.installed()
    return world


def test_who_is_released_and_offends_again_at_once_is_told_of_again(
    world: Rounds, notifier: NotifierWorld
) -> None:
    mallory = a_user("mallory", world.iam.add_user("mallory"))
    answer(creates(mallory, second=0, event="first"), world.tools())
    answer(fails(mallory, second=5, event="denied"), world.tools())
    sent_on(world, notifier)
    assert len(notifier.subjects()) == 1
    world.later(120).responder("release", principal="mallory", reason="meant it", dry=False)
    world.later(60)
    answer(creates(mallory, second=180, event="again"), world.tools())
    answer(fails(mallory, second=185, event="denied-again"), world.tools())
    sent_on(world, notifier)
    notifier.sweep()
    assert (
        notifier.subjects()
        == ["[IAM revoked] 111122223333 (example-alias) user mallory: CreateUser"] * 2
    )
    calls = [item["calls"] for key, item in notifier.items().items() if key.startswith("incident#")]
    assert calls == [2, 2]


def test_however_often_one_contained_calls_it_is_one_incident(
    world: Rounds, notifier: NotifierWorld
) -> None:
    """Denied and not denied, counted and contained anew, stripped in between or not."""
    mallory = a_session("deployer", world.iam.add_role("deployer"))
    for number in range(40):
        if number % 7 == 3:
            world.iam.roles["deployer"].attached.clear()
        made = creates if number % 3 else fails
        answer(made(mallory, second=number, event=f"event-{number}"), world.tools())
    sent_on(world, notifier)
    notifier.sweep()
    [calls] = [
        item["calls"] for key, item in notifier.items().items() if key.startswith("incident#")
    ]
    assert calls == 40
    assert len(notifier.subjects()) == 2


def test_a_counted_call_says_what_holds_and_how_to_undo_it(world: Rounds) -> None:
    mallory = a_user("mallory", world.iam.add_user("mallory"))
    answer(creates(mallory, second=0, event="first"), world.tools())
    answer(fails(mallory, second=5, event="denied"), world.tools())
    first, counted = world.bus.reports()
    assert counted.containment == first.containment == "first"
    assert (counted.method, counted.undo) == (first.method, first.undo)


def test_of_two_workers_that_contain_at_once_both_name_the_one_whose_record_stands(
    world: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    mallory = a_user("mallory", world.iam.add_user("mallory"))

    def beaten(table: Any, **written: Any) -> Any:
        other = call(mallory, eventID="the-other-workers")
        assert mark_contained(table, **(written | {"call": other}))
        return mark_contained(table, **written)

    monkeypatch.setattr("handler.revoker.respond.contain_caller.mark_contained", beaten)
    answer(creates(mallory, second=0, event="mine"), world.tools())
    assert world.bus.reports()[0].containment == "the-other-workers"


def test_a_stripped_deny_of_the_next_containment_is_told_of_again(
    world: Rounds, notifier: NotifierWorld
) -> None:
    mallory = a_user("mallory", world.iam.add_user("mallory"))
    for event in ("first", "again"):
        second = world.now - 1_795_341_600.0
        answer(creates(mallory, second=second, event=event), world.tools())
        world.later(120).iam.users["mallory"].attached.clear()
        world.reconcile()
        world.later(120).responder("release", principal="mallory", reason="meant it", dry=False)
        world.later(120)
    sent_on(world, notifier)
    notifier.now += 120
    notifier.sweep()
    reported = [subject.split("]")[0] for subject in notifier.subjects()]
    assert sorted(reported) == ["[CRITICAL: deny removed"] * 2 + ["[IAM revoked"] * 2


def test_a_report_of_an_older_revoker_has_the_incident_that_it_always_had(
    notifier: NotifierWorld,
) -> None:
    notifier.deliver(report_body("e-1"))
    assert "incident#111122223333#contained#AIDAEXAMPLEMALLORY" in notifier.items()
