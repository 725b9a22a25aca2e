"""However often an event comes, its call counts once, and one mail tells of it."""

from __future__ import annotations

import re

from handler.model.report import Disposition
from sandbox.demo.product_setup import Stage
from tests.end_to_end.coverage import (
    bring,
    calls_counted,
    delivery,
    incident_ids,
    judged,
    recorded,
    report,
    settle_all,
    subjects,
)


def test_a_record_that_comes_three_times_is_one_call_and_one_mail(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    key = box.new_user(account, "mallory", "iam:*")
    box.client("iam", account, key=key).create_user(UserName="accomplice")
    record = recorded(box, account, "CreateUser")
    box.emit(record)
    box.emit(record)
    settle_all(enforcing)
    assert subjects(enforcing, account) == [f"[IAM revoked] {account} user mallory: CreateUser"]
    assert calls_counted(enforcing, account) == {"contained": 1}
    seen = [line for line in judged(box, account) if line["eventId"] == record["eventID"]]
    assert [line["action"] for line in seen] == ["contain"] * 3


def test_64_deliveries_of_one_event_at_once_are_one_mail(enforcing: Stage, stranger: str) -> None:
    reported = report(stranger, "event-1")
    bring(enforcing.box, *[delivery(reported, f"envelope-{number}") for number in range(64)])
    settle_all(enforcing)
    assert subjects(enforcing, stranger) == [f"[IAM revoked] {stranger} user mallory: CreateUser"]
    assert calls_counted(enforcing, stranger) == {"contained": 1}


def test_50_events_of_one_principal_at_once_are_two_mails_the_1st_and_the_10th(
    enforcing: Stage, stranger: str
) -> None:
    reported = [report(stranger, f"event-{number}") for number in range(50)]
    bring(enforcing.box, *map(delivery, reported))
    settle_all(enforcing)
    first, second = subjects(enforcing, stranger)
    # The first mail is sent as soon as it is due, with one call or with more on the counter.
    assert re.fullmatch(
        rf"\[IAM revoked\] {stranger} user mallory: CreateUser( \(call 1 of [0-9]+\))?", first
    )
    assert re.fullmatch(
        rf"\[IAM revoked\] {stranger} user mallory: CreateUser \(call 10 of [1-5][0-9]\)", second
    )
    assert calls_counted(enforcing, stranger) == {"contained": 50}
    assert len(set(incident_ids(enforcing, stranger))) == 1


def test_two_principals_and_two_kinds_do_not_share_an_incident(
    enforcing: Stage, stranger: str
) -> None:
    bring(
        enforcing.box,
        delivery(report(stranger, "event-1")),
        delivery(report(stranger, "event-2", principal_id="AIDAEXAMPLETRENT00000")),
        delivery(report(stranger, "event-3", disposition=Disposition.CANNOT_CONTAIN)),
    )
    settle_all(enforcing)
    assert len(subjects(enforcing, stranger)) == 3
    assert len(set(incident_ids(enforcing, stranger))) == 3
