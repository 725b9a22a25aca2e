"""The budget, the sweep, silence and its end, redrive and subscriptions, as deployed."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from handler.model.heartbeat import Heartbeat, heartbeat_detail
from handler.model.names import (
    HEARTBEAT_DETAIL_TYPE,
    INCIDENT_TOPIC,
    MEMBER_DEAD_LETTERS,
    NOTIFIER,
    REPORT_SOURCE,
    SWEEP_RULE,
)
from handler.notifier.messages.schedule import next_morning
from sandbox.box import Box
from sandbox.core.keys import REGION
from sandbox.demo.product_setup import Stage
from sandbox.mail.mailbox import Mail
from tests.end_to_end.conftest import Responder
from tests.end_to_end.coverage import bring, delivery, report
from tests.waiting import wait_until

pytestmark = pytest.mark.deep

NAMED = re.compile(r"\b[0-9a-f]{12}\b")


@pytest.fixture
def small_rate_limit(enforcing: Stage) -> Iterator[Stage]:
    """Five mails a minute, four of them for single incidents."""
    functions = enforcing.box.client("lambda", enforcing.box.security)
    variables = functions.get_function_configuration(FunctionName=NOTIFIER)["Environment"]
    changed = {"Variables": {**variables["Variables"], "MAILS_PER_MINUTE": "5"}}
    functions.update_function_configuration(FunctionName=NOTIFIER, Environment=changed)
    _at_the_beginning_of_a_minute(enforcing.box)
    enforcing.new_mails()
    yield enforcing
    functions.update_function_configuration(FunctionName=NOTIFIER, Environment=variables)


def _at_the_beginning_of_a_minute(box: Box) -> None:
    box.advance(60 - box.time() % 60)


def test_forty_accounts_at_once_are_all_named_once_within_the_budget(
    small_rate_limit: Stage,
) -> None:
    box = small_rate_limit.box
    accounts = [f"{number:012d}" for number in range(800000000001, 800000000041)]
    bring(box, *[delivery(report(account, f"at-once-{account}")) for account in accounts])
    first = small_rate_limit.new_mails()
    assert 1 <= len(first) <= 5
    assert all(mail.subject.startswith("[IAM revoked]") for mail in first)
    _at_the_beginning_of_a_minute(box)
    small_rate_limit.sweep()
    second = small_rate_limit.new_mails()
    assert 1 <= len(second) <= 5
    assert second[-1].subject.startswith("[Digest]")
    reported = [
        account for mail in (*first, *second) for account in accounts if account in mail.body
    ]
    assert sorted(reported) == accounts
    _at_the_beginning_of_a_minute(box)
    small_rate_limit.sweep()
    assert small_rate_limit.new_mails() == []


def test_a_thousand_accounts_at_once_are_all_named_within_five_minutes_and_the_budget(
    small_rate_limit: Stage,
) -> None:
    box = small_rate_limit.box
    accounts = [f"{number:012d}" for number in range(810000000001, 810000001001)]
    began = box.time()
    for start in range(0, 1_000, 50):
        some = accounts[start : start + 50]
        bring(box, *[delivery(report(account, f"storm-{account}")) for account in some])
    minutes = [small_rate_limit.new_mails()]
    while sum(len(reported_in(mails)) for mails in minutes) < 1_000:
        assert box.time() - began < 300
        assert len(minutes) <= 5
        _at_the_beginning_of_a_minute(box)
        small_rate_limit.sweep()
        minutes.append(small_rate_limit.new_mails())
    assert sorted(account for mails in minutes for account in reported_in(mails)) == accounts
    assert max(len(mails) for mails in minutes[1:]) <= 5


def reported_in(mails: list[Mail]) -> list[str]:
    """The accounts of the storm that mails name, in their subject or in a digest's lines."""
    return [
        account
        for mail in mails
        for account in sorted({*re.findall(r"\b81000000\d{4}\b", mail.subject + mail.body)})
    ]


def test_the_schedule_wakes_the_sweep_and_the_metrics_are_there(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    box.fail_next("sns", "Publish", 1, "AuthorizationError")
    bring(box, delivery(report(stranger, "event-1")))
    assert enforcing.new_mails() == []
    events = box.client("events", box.security)
    events.enable_rule(Name=SWEEP_RULE)
    # A rule that a stack made counts from the baseline at it.
    box.tick()
    box.advance(61)
    box.tick()
    subjects = [mail.subject for mail in enforcing.new_mails()]
    events.disable_rule(Name=SWEEP_RULE)
    assert subjects == [f"[IAM revoked] {stranger} user mallory: CreateUser"]
    found = box.client("cloudwatch", box.security).list_metrics(Namespace="IamOrgRevoker")
    assert {one["MetricName"] for one in found["Metrics"]} == {
        "UnconfirmedSubscriptions",
        "OldestDueMailSeconds",
    }


def beat(stage: Stage, account: str, **changes: Any) -> str:
    detail = heartbeat_detail(
        Heartbeat(account=account, at=stage.box.time(), product_version="0.1.0", **changes)
    )
    event = {
        "version": "0",
        "id": f"beat-{account}-{stage.box.time()}",
        "detail-type": HEARTBEAT_DETAIL_TYPE,
        "source": REPORT_SOURCE,
        "account": account,
        "time": "2026-03-02T10:15:30Z",
        "region": REGION,
        "resources": [],
        "detail": detail,
    }
    return json.dumps(event)


def quarter(stage: Stage, *accounts: str, **changes: Any) -> list[Mail]:
    """A quarter of an hour of heartbeats and sweeps; what was mailed of these accounts."""
    stage.box.settle()
    if accounts:
        bring(stage.box, *[beat(stage, account, **changes) for account in accounts])
        stage.box.settle()
    for _ in range(5):
        stage.sweep()
        stage.box.advance(180)
    return stage.new_mails()


def test_silence_is_told_of_once_and_so_is_its_end(enforcing: Stage) -> None:
    quiet, others = "910000000001", ("910000000002", "910000000003")
    # After the morning's reminders, which would be among the mails.
    enforcing.box.advance(next_morning(enforcing.box.time()) - enforcing.box.time() + 1)
    enforcing.sweep()
    for _ in range(4):
        quarter(enforcing, quiet, *others)
    during = [mail.subject for _ in range(4) for mail in quarter(enforcing, *others)]
    assert during == [f"[Revoker not reporting] {quiet}"]
    after = [mail.subject for _ in range(3) for mail in quarter(enforcing, quiet, *others)]
    assert after == [f"[Revoker reporting again] {quiet}"]


def test_an_illness_is_one_mail_however_many_heartbeats_carry_it(enforcing: Stage) -> None:
    unhealthy = "910000000009"
    for _ in range(3):
        quarter(enforcing, unhealthy)
    during = [
        mail.subject for _ in range(4) for mail in quarter(enforcing, unhealthy, trail="stopped")
    ]
    assert [subject for subject in during if unhealthy in subject] == [
        f"[Revoker unhealthy] {unhealthy}: no trail is logging, not protected"
    ]


def test_a_second_recipient_gets_the_mails_of_its_accounts_only(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    topic = f"arn:aws:sns:{REGION}:{box.security}:{INCIDENT_TOPIC}"
    box.client("sns", box.security).subscribe(
        TopicArn=topic,
        Protocol="email",
        Endpoint="unit@example.com",
        Attributes={"FilterPolicy": json.dumps({"account": [stranger]})},
    )
    bring(
        box,
        delivery(report(stranger, "event-1")),
        delivery(report("920000000001", "event-1")),
    )
    box.settle()
    got = [mail.subject for mail in box.outbox if mail.address == "unit@example.com"]
    assert got == [f"[IAM revoked] {stranger} user mallory: CreateUser"]


def test_a_failed_invocation_of_a_revoker_is_unwrapped_and_handed_over(
    enforcing: Stage, account: str, client_of: Responder
) -> None:
    box = enforcing.box
    enforcing.new_mails()
    key = box.new_user(account, "mallory", "iam:*")
    for _ in range(3):
        box.fail_next("iam", "AttachUserPolicy", 4, "ServiceFailure")
    box.client("iam", account, key=key).create_user(UserName="accomplice")
    box.settle()
    box.forget_faults()
    url = box.client("sqs", account).get_queue_url(QueueName=MEMBER_DEAD_LETTERS)["QueueUrl"]
    seen = client_of(account, "redrive", "--dry-run")
    assert f"{MEMBER_DEAD_LETTERS}: 1 to hand over, 0 left" in seen.stdout, seen.stderr
    box.advance(10)
    done = client_of(account, "redrive")
    assert f"{MEMBER_DEAD_LETTERS}: 1 handed over, 0 left" in done.stdout, done.stderr
    box.settle()
    assert enforcing.denied(account, user="mallory")
    box.advance(200)
    assert "Messages" not in box.client("sqs", account).receive_message(QueueUrl=url)


def test_a_message_that_holds_no_event_stays_and_is_said(
    enforcing: Stage, account: str, client_of: Responder
) -> None:
    box = enforcing.box
    sqs = box.client("sqs", account)
    url = sqs.get_queue_url(QueueName=MEMBER_DEAD_LETTERS)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    done = client_of(account, "redrive")
    assert (done.returncode, done.stdout) == (1, f"{MEMBER_DEAD_LETTERS}: 0 handed over, 1 left\n")
    assert "the message holds no event" in done.stderr
    assert client_of(box.management, "redrive").returncode == 2


class Receiver(BaseHTTPRequestHandler):
    """An HTTP endpoint that keeps what SNS posts."""

    got: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    got: list[dict[str, Any]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Kept", (Receiver,), {"got": got}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", got
    server.shutdown()
    server.server_close()


def test_a_subscription_is_confirmed_by_the_responder_and_gets_json(
    enforcing: Stage,
    stranger: str,
    client_of: Responder,
    receiver: tuple[str, list[dict[str, Any]]],
) -> None:
    box, (url, got) = enforcing.box, receiver
    topic = f"arn:aws:sns:{REGION}:{box.security}:{INCIDENT_TOPIC}"
    sns = box.client("sns", box.security)
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
    wait_until(lambda: len(got) >= 1)
    asked = got[0]
    assert asked["Type"] == "SubscriptionConfirmation"
    link = f"https://sns.{REGION}.amazonaws.com/?TopicArn={topic}&Token={asked['Token']}"
    before = client_of(box.security, "subscribe")
    assert before.returncode == 1
    assert f"iam-org-revoker-incidents: http {url}: waits for confirmation\n" in before.stdout
    done = client_of(box.security, "subscribe", link)
    assert done.stdout.startswith(f"confirmed: {topic}:"), done.stderr
    assert f"iam-org-revoker-incidents: http {url}: confirmed\n" in done.stdout
    bring(box, delivery(report(stranger, "event-1")))
    box.settle()
    wait_until(lambda: len(got) >= 2)
    form = json.loads(got[1]["Message"])
    assert (form["version"], form["kind"], form["accounts"]) == (1, "contained", [stranger])
    assert form["incidents"][0]["principal"]["name"] == "mallory"
    arn = done.stdout.split("confirmed: ")[1].splitlines()[0]
    sns.unsubscribe(SubscriptionArn=arn)
