"""A notifier that dies between any two of its steps, and a topic that fails: no mail is lost.

The function's process is killed at the call; the clock is moved, so that nothing really waits for
the lease (90 s) and the queue's visibility timeout (180 s).
"""

from __future__ import annotations

import pytest

from handler.model.names import REPORTS_QUEUE
from handler.notifier.store.incidents import LEASE_SECONDS
from sandbox.core.faults import KILL_AFTER, KILL_BEFORE, PASS
from sandbox.demo.product_setup import Stage
from tests.end_to_end.conftest import Responder
from tests.end_to_end.coverage import (
    VISIBILITY_SECONDS,
    bring,
    calls_counted,
    delivery,
    hidden,
    incident_ids,
    mails,
    report,
    subjects,
)

COUNT = ("dynamodb", "TransactWriteItems")
# The claim of a mail, its leave of the budget and its mark are updates, in this order.
UPDATE = ("dynamodb", "UpdateItem")
PUBLISH = ("sns", "Publish")
SUBJECT = "[IAM revoked] {} user mallory: CreateUser"


@pytest.mark.parametrize(
    ("step", "codes", "sent_before", "sent"),
    [
        pytest.param(COUNT, [KILL_BEFORE], 0, 1, id="before the count"),
        pytest.param(COUNT, [KILL_AFTER], 0, 1, id="between count and claim"),
        pytest.param(UPDATE, [KILL_AFTER], 0, 1, id="after the claim"),
        pytest.param(PUBLISH, [KILL_BEFORE], 0, 1, id="between claim and publish"),
        pytest.param(PUBLISH, [KILL_AFTER], 1, 2, id="between publish and mark"),
        pytest.param(UPDATE, [PASS, KILL_AFTER], 0, 1, id="after the budget"),
        pytest.param(UPDATE, [PASS, PASS, KILL_AFTER], 1, 1, id="after the mark"),
    ],
)
def test_a_notifier_that_dies_loses_no_mail_and_repeats_one_at_most(
    enforcing: Stage,
    stranger: str,
    step: tuple[str, str],
    codes: list[str],
    sent_before: int,
    sent: int,
) -> None:
    box = enforcing.box
    for code in codes:
        box.fail_next(*step, 1, code)
    bring(box, delivery(report(stranger, "event-1")))
    box.settle(ignore_hidden=True)
    assert (hidden(box), len(mails(enforcing, stranger))) == (1, sent_before)
    box.advance(VISIBILITY_SECONDS)
    assert subjects(enforcing, stranger) == [SUBJECT.format(stranger)] * sent
    assert len(set(incident_ids(enforcing, stranger))) == 1
    assert calls_counted(enforcing, stranger) == {"contained": 1}


def test_nobody_mails_while_the_dead_ones_lease_runs_and_the_sweep_does_after_it(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    box.fail_next(*PUBLISH, 1, KILL_BEFORE)
    bring(box, delivery(report(stranger, "event-1")))
    box.settle(ignore_hidden=True)
    assert hidden(box) == 1
    box.unhide(f"arn:aws:sqs:us-east-1:{box.security}:{REPORTS_QUEUE}")
    enforcing.sweep()
    # What it counted stands in the table, so that the queue need not keep it.
    assert (hidden(box), mails(enforcing, stranger)) == (0, [])
    box.advance(LEASE_SECONDS + 2)
    enforcing.sweep()
    assert subjects(enforcing, stranger) == [SUBJECT.format(stranger)]


def test_another_call_meanwhile_is_counted_and_the_owed_mail_still_comes(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    box.fail_next(*PUBLISH, 1, KILL_BEFORE)
    bring(box, delivery(report(stranger, "event-1")))
    box.settle(ignore_hidden=True)
    bring(box, delivery(report(stranger, "event-2")))
    box.settle(ignore_hidden=True)
    assert (hidden(box), mails(enforcing, stranger)) == (1, [])
    box.advance(VISIBILITY_SECONDS)
    assert subjects(enforcing, stranger) == [f"{SUBJECT.format(stranger)} (call 1 of 2)"]


@pytest.mark.parametrize("code", ["AuthorizationError", "Throttling", "InternalError"])
def test_a_topic_that_fails_and_comes_back_gets_one_mail_by_the_next_sweep(
    enforcing: Stage, stranger: str, code: str
) -> None:
    box = enforcing.box
    # As often as the SDK tries for one message, and not a time more.
    box.fail_next(*PUBLISH, 1 if code == "AuthorizationError" else 3, code)
    bring(box, delivery(report(stranger, "event-1")))
    box.settle()
    assert mails(enforcing, stranger) == []
    enforcing.sweep()
    enforcing.sweep()
    assert subjects(enforcing, stranger) == [SUBJECT.format(stranger)]
    assert calls_counted(enforcing, stranger) == {"contained": 1}


def test_a_topic_that_fails_sweep_after_sweep_is_an_error_each_time_and_one_mail_in_the_end(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    # Each sweep tries the incident's own mail, and then the digest.
    box.fail_next(*PUBLISH, 7, "AuthorizationError")
    bring(box, delivery(report(stranger, "event-1")))
    for _ in range(3):
        with pytest.raises(RuntimeError, match="due"):
            enforcing.sweep()
        box.advance(60)
    enforcing.sweep()
    assert subjects(enforcing, stranger) == [SUBJECT.format(stranger)]


def test_a_mail_that_failed_goes_out_with_the_next_call_since_its_lease_was_given_back(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    box.fail_next(*PUBLISH, 1, "AuthorizationError")
    bring(box, delivery(report(stranger, "event-1")))
    box.settle(ignore_hidden=True)
    bring(box, delivery(report(stranger, "event-2")))
    box.settle(ignore_hidden=True)
    expected = [f"{SUBJECT.format(stranger)} (call 1 of 2)"]
    assert [mail.subject for mail in mails(enforcing, stranger)] == expected
    enforcing.sweep()
    assert subjects(enforcing, stranger) == expected


def test_a_report_that_nobody_can_count_ends_with_the_dead_letters_and_is_redriven(
    enforcing: Stage, stranger: str, client_of: Responder
) -> None:
    box = enforcing.box
    box.fail_next(*COUNT, 10, "AccessDeniedException")
    body = delivery(report(stranger, "event-1"))
    bring(box, body)
    for _ in range(11):
        box.settle(ignore_hidden=True)
        box.advance(VISIBILITY_SECONDS)
    box.settle()
    assert mails(enforcing, stranger) == []
    done = client_of(box.security, "redrive")
    assert done.returncode == 0, done.stdout
    assert "iam-org-revoker-reports-dead-letters: 1 handed over" in done.stdout
    assert subjects(enforcing, stranger) == [SUBJECT.format(stranger)]
    assert "0 handed over" in client_of(box.security, "redrive").stdout
