"""The account's own dead letters: tried again, deleted when done, counted when not."""

from __future__ import annotations

from typing import Any

import pytest

from handler.model.names import SESSION_DENY_POLICY, iam_arn
from handler.model.report import Disposition
from tests.doubles.account import a_user, event
from tests.doubles.iam import ACCOUNT
from tests.doubles.rounds import Rounds

SESSION_DENY = iam_arn(partition="aws", account=ACCOUNT, kind="policy", name=SESSION_DENY_POLICY)


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
    beat = world.reconcile()
    assert (beat.dead_letters, beat.redriven) == (0, 1)
    assert world.iam.holds("mallory")
    assert world.queue.letters == {}
    assert world.later(900).reconcile().redriven == 0


def test_what_fails_again_stays_and_is_counted() -> None:
    world = Rounds()
    world.installed()
    lost = event(a_user("mallory", world.iam.add_user("mallory")))
    world.queue.put(lost)
    world.queue.put("not JSON")
    world.queue.put({"neither": "an event"})
    world.iam.fail["attach_user_policy"] = ["Throttling"]
    beat = world.reconcile()
    assert (beat.dead_letters, beat.redriven) == (3, 0)
    world.queue.unhide()
    assert world.later(900).reconcile().dead_letters == 2
    assert world.iam.holds("mallory")


def test_a_failed_reconciliations_letter_goes_and_is_told_of_once() -> None:
    world = Rounds()
    world.installed()
    world.queue.put(failure_record({"reconcile": True}))
    beat = world.reconcile()
    assert (beat.dead_letters, beat.redriven) == (1, 0)
    assert world.later(900).reconcile().dead_letters == 0


def test_a_tamper_event_that_never_reached_the_central_account_becomes_a_report() -> None:
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
    beat = world.reconcile()
    assert (beat.dead_letters, beat.redriven) == (0, 0)
    [report] = world.bus.reports()
    assert (report.disposition, report.reason, report.call) == (
        Disposition.TAMPERED,
        "tampered",
        "UpdateFunctionCode20150331v2",
    )
    assert not world.iam.holds("mallory")


def test_a_reconciliation_takes_so_many_letters_at_most() -> None:
    world = Rounds()
    world.installed()
    service = {"type": "AWSService", "invokedBy": "eks.amazonaws.com"}
    for number in range(60):
        world.queue.put(event(service, eventID=f"00000000-{number}"))
    assert world.reconcile().dead_letters == 10
    assert len(world.queue.letters) == 10
