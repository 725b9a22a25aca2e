"""The notifier on table and topic: how many mails, what is acknowledged, what a failure costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ReadTimeoutError

import handler.notifier.main
from handler.model.report import Disposition
from handler.notifier.send.sweep import SweepFailed
from handler.notifier.store.incidents import LEASE_SECONDS
from tests.notifier.central import (
    ACCOUNT,
    START,
    TABLE,
    TOPIC,
    VISIBILITY,
    Died,
    NotifierWorld,
    aws_error,
    batch,
    given_envelope,
    report_body,
    words,
)

KEY = f"incident#{ACCOUNT}#contained#AIDAEXAMPLEMALLORY"
TIMEOUT = ReadTimeoutError(endpoint_url="https://sns.example.com")


def bodies(count: int) -> list[str]:
    return [report_body(f"e-{number}") for number in range(count)]


def topic_fails(notifier: NotifierWorld, times: int, error: Exception | None = None) -> None:
    left = [times]

    def before(number: int, name: str) -> None:
        if name == "publish" and left[0]:
            left[0] -= 1
            raise error or aws_error("NotFound", "Publish")

    notifier.wire.before = before


def test_one_report_is_one_mail_with_account_and_kind_to_filter_by(notifier: NotifierWorld) -> None:
    assert notifier.deliver(report_body()) == []
    assert notifier.subjects() == [
        "[IAM revoked] 111122223333 (acme-dev) user mallory: CreateAccessKey"
    ]
    assert notifier.topic.mails[0].attributes == {
        "account": f'["{ACCOUNT}"]',
        "kind": "contained",
        "critical": "false",
    }


def test_64_deliveries_of_one_event_are_one_mail(notifier: NotifierWorld) -> None:
    for _ in range(32):
        assert notifier.deliver(report_body(), report_body()) == []
    assert len(notifier.topic.mails) == 1
    assert notifier.items()[KEY]["calls"] == 1


@pytest.mark.parametrize("size", [1, 7, 50])
def test_50_events_of_one_principal_are_two_mails_whatever_the_batches(
    notifier: NotifierWorld, size: int
) -> None:
    events = bodies(50)
    for start in range(0, 50, size):
        assert notifier.deliver(*events[start : start + size]) == []
    assert len(notifier.topic.mails) == 2
    assert notifier.items()[KEY]["next_mail"] == 100


def test_two_mails_of_one_batch_say_which_call_they_are_for(notifier: NotifierWorld) -> None:
    notifier.deliver(*bodies(50))
    assert [subject.partition(": ")[2] for subject in notifier.subjects()] == [
        "CreateAccessKey (call 1 of 50)",
        "CreateAccessKey (call 10 of 50)",
    ]


def test_two_principals_two_accounts_and_two_kinds_are_incidents_of_their_own(
    notifier: NotifierWorld,
) -> None:
    other = "444455556666"
    elsewhere = json.loads(report_body("e-3", account=other)) | {"account": other}
    notifier.deliver(
        report_body("e-1"),
        report_body("e-2", principal_id="AIDAEXAMPLEEVE", principal_name="eve"),
        json.dumps(elsewhere),
        report_body("e-4", disposition=Disposition.CANNOT_CONTAIN),
    )
    # Accounts in turn, and the critical one first in its account.
    assert notifier.subjects() == [
        "[CRITICAL: not contained] 111122223333 (acme-dev) user mallory: CreateAccessKey",
        "[IAM revoked] 444455556666 (acme-dev) user mallory: CreateAccessKey",
        "[IAM revoked] 111122223333 (acme-dev) user mallory: CreateAccessKey",
        "[IAM revoked] 111122223333 (acme-dev) user eve: CreateAccessKey",
    ]


def test_one_event_first_contained_and_then_not_is_told_twice(notifier: NotifierWorld) -> None:
    notifier.deliver(report_body("e-1", disposition=Disposition.CONTAINED))
    notifier.deliver(report_body("e-1", disposition=Disposition.CANNOT_CONTAIN))
    assert [subject.split("]")[0] for subject in notifier.subjects()] == [
        "[IAM revoked",
        "[CRITICAL: not contained",
    ]


def test_a_forged_report_is_refused_told_of_and_acknowledged(notifier: NotifierWorld) -> None:
    forged = [
        json.dumps(json.loads(report_body(account="999988887777")) | {"id": f"envelope-{n}"})
        for n in range(9)
    ]
    assert notifier.deliver(*forged) == []
    assert notifier.subjects() == ["[Forged or unreadable report] 111122223333 (call 1 of 9)"]
    assert [key for key in notifier.items() if key.startswith("incident#")] == [
        f"incident#{ACCOUNT}#rejected#sender"
    ]


@pytest.mark.parametrize(
    "body", ["", "null", "{}", '"x"', "[" * 99_999, json.dumps(given_envelope({"version": 9}))]
)
def test_poison_is_told_of_once_and_never_comes_again(notifier: NotifierWorld, body: str) -> None:
    assert notifier.deliver(body, report_body()) == []
    assert sorted(subject.split("]")[0] for subject in notifier.subjects()) == [
        "[Forged or unreadable report",
        "[IAM revoked",
    ]


@pytest.mark.parametrize("error", [aws_error("NotFound", "Publish"), TIMEOUT])
def test_a_topic_that_fails_leaves_the_mail_to_the_sweep(
    notifier: NotifierWorld, error: Exception
) -> None:
    topic_fails(notifier, 4, error)
    assert notifier.deliver(report_body()) == []
    assert "lease_owner" not in notifier.items()[KEY]
    assert notifier.deliver(report_body()) == []
    # The sweep tries the single mail, then the digest.
    assert notifier.sweep().failed == ("due",)
    notifier.now += 60
    assert (notifier.sweep().failed, notifier.sweep().longest_wait) == ((), 0)
    assert notifier.subjects() == [
        "[IAM revoked] 111122223333 (acme-dev) user mallory: CreateAccessKey"
    ]


def test_a_topic_that_fails_for_days_loses_no_incident(notifier: NotifierWorld) -> None:
    topic_fails(notifier, 1_000)
    for day in range(3):
        notifier.now = START + day * 4 * 86_400
        assert notifier.deliver(report_body(), report_body(f"day-{day}")) == []
        assert notifier.sweep().longest_wait == day * 4 * 86_400
    topic_fails(notifier, 0)
    notifier.sweep()
    assert notifier.subjects() == [
        "[IAM revoked] 111122223333 (acme-dev) user mallory: CreateAccessKey (call 1 of 4)"
    ]


def test_after_one_mail_failed_a_run_tries_no_other_and_the_sweep_has_them_all(
    notifier: NotifierWorld,
) -> None:
    topic_fails(notifier, 1)
    eve = report_body("e-9", principal_id="AIDAEXAMPLEEVE", principal_name="eve")
    assert notifier.deliver(report_body("e-1"), eve, report_body("e-2")) == []
    assert notifier.subjects() == []
    notifier.sweep()
    assert len(notifier.topic.mails) == 2


def test_one_mail_that_the_topic_refuses_is_told_of_in_a_digest(notifier: NotifierWorld) -> None:
    def before(number: int, name: str) -> None:
        if name == "publish":
            refused.append(number)
            if len(refused) in (1, 2):
                raise aws_error("InvalidParameter", "Publish")

    refused: list[int] = []
    notifier.wire.before = before
    notifier.deliver(report_body())
    notifier.sweep()
    assert notifier.subjects() == ["[Digest] 111122223333: 1 incident"]


def test_a_table_that_fails_returns_the_message_that_it_failed_for(notifier: NotifierWorld) -> None:
    def before(number: int, name: str) -> None:
        if number == 0:
            raise aws_error("ProvisionedThroughputExceededException", "TransactWriteItems")

    notifier.wire.before = before
    eve = report_body("e-9", principal_id="AIDAEXAMPLEEVE", principal_name="eve")
    assert notifier.deliver(report_body("e-1"), eve, report_body("e-2")) == ["m-0", "m-2"]
    assert KEY not in notifier.items()
    assert [subject.split()[-2] for subject in notifier.subjects()] == ["eve:"]


def test_a_message_comes_again_until_its_mail_is_out_or_due(notifier: NotifierWorld) -> None:
    """The table fails where the incident is claimed: nothing but the queue remembers it."""

    def before(number: int, name: str) -> None:
        if name == "update":
            raise aws_error("ProvisionedThroughputExceededException", "UpdateItem")

    notifier.wire.before = before
    assert notifier.deliver(report_body("e-1")) == ["m-0"]
    notifier.wire.before = lambda number, name: None
    assert notifier.deliver(report_body("e-1")) == []
    assert len(notifier.topic.mails) == 1
    assert notifier.items()[KEY]["calls"] == 1


def during_publish(notifier: NotifierWorld, act: Callable[[], None]) -> None:
    """Another invocation runs while the first one publishes."""

    def before(number: int, name: str) -> None:
        if name == "publish":
            notifier.wire.before = lambda number, name: None
            act()

    notifier.wire.before = before


def test_what_another_holds_may_go_for_the_table_remembers_it(notifier: NotifierWorld) -> None:
    answers: list[Any] = []
    during_publish(
        notifier,
        lambda: answers.extend(
            [notifier.deliver(report_body("e-2")), notifier.deliver(report_body())]
        ),
    )
    assert notifier.deliver(report_body()) == []
    assert answers == [[], []]
    assert len(notifier.topic.mails) == 1
    assert notifier.deliver(report_body()) == []
    assert len(notifier.topic.mails) == 1


def test_the_tenth_call_that_comes_while_the_first_mail_is_sent_is_mailed_by_its_sender(
    notifier: NotifierWorld,
) -> None:
    answers: list[Any] = []
    during_publish(notifier, lambda: answers.extend(notifier.deliver(*bodies(50)[1:])))
    assert notifier.deliver(report_body("e-0")) == []
    assert answers == []
    assert len(notifier.topic.mails) == 2


def test_a_holder_slower_than_its_lease_repeats_one_mail_and_no_more(
    notifier: NotifierWorld,
) -> None:
    def act() -> None:
        notifier.now += LEASE_SECONDS + 1
        assert notifier.deliver(report_body()) == []

    during_publish(notifier, act)
    assert notifier.deliver(report_body()) == []
    assert len(notifier.topic.mails) == 2
    assert notifier.items()[KEY]["next_mail"] == 10
    assert notifier.deliver(*bodies(9)) == []
    assert len(notifier.topic.mails) == 2


def steps(notifier: NotifierWorld, *events: str) -> list[str]:
    notifier.wire.calls.clear()
    notifier.deliver(*events)
    return list(notifier.wire.calls)


@pytest.mark.parametrize("count", [1, 10])
def test_a_crash_between_any_two_steps_loses_no_mail(notifier: NotifierWorld, count: int) -> None:
    expected = 1 if count == 1 else 2
    names = steps(notifier, *(report_body(f"x-{n}", principal_id="AIDAX") for n in range(count)))
    assert names.count("publish") == expected
    for again in ("the queue", "the sweep"):
        for side in ("before", "after"):
            for crash in range(len(names)):
                _crash_at(notifier, side, crash, names, again=again, count=count)


def _crash_at(
    notifier: NotifierWorld, side: str, crash: int, names: list[str], *, again: str, count: int
) -> None:
    """Die at one step; the queue brings the messages again, before or after the sweeps."""
    principal = f"AIDA-{side}-{crash}"
    events = [report_body(f"{principal}-{n}", principal_id=principal) for n in range(count)]

    def die(number: int, called: str) -> None:
        if number == crash:
            assert called == names[crash]
            raise Died

    notifier.clear()
    setattr(notifier.wire, side, die)
    with pytest.raises(Died):
        notifier.deliver(*events)
    setattr(notifier.wire, side, lambda number, name: None)
    marked = {1: 0, 10: 1, 100: 2}
    item = notifier.items().get(f"incident#{ACCOUNT}#contained#{principal}", {"next_mail": 1})
    unmarked = len(notifier.topic.mails) - marked[item["next_mail"]]
    assert unmarked in (0, 1)
    if again == "the sweep":
        for _ in range(3):
            notifier.now += 60
            assert notifier.sweep().failed == ()
    notifier.now += VISIBILITY
    assert notifier.deliver(*events) == []
    mails = [mail.form["incidents"][0]["incident"] for mail in notifier.topic.mails]
    assert len(set(mails)) == 1
    assert len(mails) == names.count("publish") + unmarked, (side, crash, again)
    assert notifier.items()[f"incident#{ACCOUNT}#contained#{principal}"]["calls"] == count
    assert notifier.deliver(*events) == []
    assert notifier.sweep().longest_wait == 0
    assert len(notifier.topic.mails) == len(mails)


class Context:
    aws_request_id = "request-1"


class Metrics:
    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []

    def put_metric_data(self, **arguments: Any) -> None:
        self.put.append(arguments)


def test_the_entry_point_reads_its_environment_and_makes_its_clients(
    notifier: NotifierWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "TABLE_NAME": TABLE,
        "TOPIC_ARN": TOPIC,
        "QUIET_SECONDS": "3600",
        "MAILS_PER_MINUTE": "30",
        "WATCHED_TOPICS": TOPIC,
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    made: list[str] = []
    metrics = Metrics()

    def create_client(session: Any, service: str, **arguments: Any) -> Any:
        made.append(service)
        return {"sns": notifier.topic, "dynamodb": notifier.table, "cloudwatch": metrics}[service]

    monkeypatch.setattr(botocore.session.Session, "create_client", create_client)
    monkeypatch.setattr(handler.notifier.main, "MAIL_WORDS", words())
    monkeypatch.setattr("time.time", lambda: START)
    handler.notifier.main._central_client.cache_clear()
    answer = handler.notifier.main.lambda_handler(batch(report_body()), Context())
    assert answer == {"batchItemFailures": []}
    assert made == ["dynamodb", "sns"]
    assert handler.notifier.main.lambda_handler({"wake": "sweep"}, Context()) == {}
    assert made == ["dynamodb", "sns", "cloudwatch"]
    assert metrics.put == [
        {
            "Namespace": "IamOrgRevoker",
            "MetricData": [
                {"MetricName": "UnconfirmedSubscriptions", "Value": 1.0, "Unit": "Count"},
                {"MetricName": "OldestDueMailSeconds", "Value": 0.0, "Unit": "Seconds"},
            ],
        }
    ]
    # A topic that is gone counts as one that nobody confirmed, and the metrics come all the same.
    notifier.topic.gone = True
    assert handler.notifier.main.lambda_handler({"wake": "sweep"}, Context()) == {}
    assert metrics.put.pop()["MetricData"][0]["Value"] == 1.0
    notifier.topic.gone = False
    topic_fails(notifier, 9)
    handler.notifier.main.lambda_handler(batch(report_body("e-2", principal_id="AIDAX")), Context())
    with pytest.raises(SweepFailed, match="due"):
        handler.notifier.main.lambda_handler({"wake": "sweep"}, Context())
    assert len(metrics.put) == 2
    with pytest.raises(ValueError, match="neither a batch"):
        handler.notifier.main.lambda_handler({"wake": "up"}, Context())
    handler.notifier.main._central_client.cache_clear()
    assert notifier.items()[KEY]["quiet_after"] == START + 3_600
    assert len(notifier.topic.mails) == 1
