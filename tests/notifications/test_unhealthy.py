"""A failure that lasts, in the deployed notifier and its members: nothing is lost or doubled.

The sandbox's clock is moved, so that ten minutes and a day cost a second. What each single call
does when it fails is played by the thousand in tests/faults.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from handler.model.heartbeat import Heartbeat, heartbeat_detail
from handler.model.names import (
    HEARTBEAT_DETAIL_TYPE,
    INCIDENT_TOPIC,
    NOTIFIER,
    REPORT_SOURCE,
    REVOKER,
)
from sandbox.box import Box
from sandbox.core.faults import KILL_AFTER, KILL_BEFORE
from sandbox.core.keys import REGION
from sandbox.demo.product_setup import TEAM_ADDRESS, Stage
from tests.end_to_end.coverage import (
    VISIBILITY_SECONDS,
    bring,
    calls_counted,
    delivery,
    hidden,
    mails,
    member_dead_letters,
    put_report,
    report,
    subjects,
)

SUBJECT = "[IAM revoked] {} user mallory: CreateUser"
DAY = 86_400
# The function's SDK asks three times for each delivery of a message.
SDK_TRIES = 3
SKEW = 300


def offend(stage: Stage, account: str) -> None:
    key = stage.box.new_user(account, "mallory", "iam:*")
    stage.box.client("iam", account, key=key).create_user(UserName="accomplice")


def reconcile(box: Box, account: str) -> dict[str, Any]:
    answered = box.client("lambda", account).invoke(
        FunctionName=REVOKER, Payload=json.dumps({"reconcile": True})
    )
    body: dict[str, Any] = json.loads(answered["Payload"].read())
    return body


def heartbeat(account: str, *, at: float) -> str:
    event = {
        "version": "0",
        "id": f"beat-{account}-{at}",
        "detail-type": HEARTBEAT_DETAIL_TYPE,
        "source": REPORT_SOURCE,
        "account": account,
        "detail": heartbeat_detail(Heartbeat(account=account, at=at, product_version="0.1.0")),
    }
    return json.dumps(event)


# ---- the worker of each function is killed


@pytest.mark.parametrize("code", [KILL_BEFORE, KILL_AFTER])
@pytest.mark.parametrize(
    ("service", "action"), [("iam", "AttachUserPolicy"), ("events", "PutEvents")]
)
def test_a_revoker_that_is_killed_contains_and_tells_once_all_the_same(
    enforcing: Stage, account: str, service: str, action: str, code: str
) -> None:
    enforcing.box.fail_next(service, action, 1, code)
    offend(enforcing, account)
    assert subjects(enforcing, account) == [SUBJECT.format(account)]
    assert enforcing.denied(account, user="mallory")
    assert calls_counted(enforcing, account) == {"contained": 1}
    assert member_dead_letters(enforcing.box, account) == []


# ---- the central account


def test_a_table_throttled_for_ten_minutes_costs_ten_minutes_and_no_mail(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    code = "ProvisionedThroughputExceededException"
    box.fail_next("dynamodb", "TransactWriteItems", 4 * SDK_TRIES, code)
    bring(box, delivery(report(stranger, "event-1")))
    for _ in range(4):
        box.settle(ignore_hidden=True)
        assert mails(enforcing, stranger) == []
        box.advance(VISIBILITY_SECONDS)
    assert subjects(enforcing, stranger) == [SUBJECT.format(stranger)]
    assert calls_counted(enforcing, stranger) == {"contained": 1}
    assert hidden(box) == 0


def test_a_topic_that_is_deleted_and_made_anew_gets_what_was_owed_once(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    sns = box.client("sns", box.security)
    topic = f"arn:aws:sns:{REGION}:{box.security}:{INCIDENT_TOPIC}"
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    enforcing.new_mails()
    sns.delete_topic(TopicArn=topic)
    try:
        bring(box, delivery(report(stranger, "event-1")))
        box.settle()
        for _ in range(3):
            with pytest.raises(RuntimeError, match="due"):
                enforcing.sweep()
            box.advance(60)
    finally:
        sns.create_topic(Name=INCIDENT_TOPIC, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=TEAM_ADDRESS)
    enforcing.sweep()
    enforcing.sweep()
    assert subjects(enforcing, stranger) == [SUBJECT.format(stranger)]


@contextmanager
def reports_not_admitted(stage: Stage) -> Iterator[None]:
    state = stage.box.state
    policy = state.bus_policies[stage.bus_arn]["Statement"]
    (admits,) = [one for one in policy if one["Sid"] == "IamOrgRevokerAllowReports"]
    state.set_bus_statement(stage.bus_arn, "IamOrgRevokerAllowReports", None)
    try:
        yield
    finally:
        state.set_bus_statement(stage.bus_arn, "IamOrgRevokerAllowReports", admits)


def test_a_bus_policy_removed_and_restored_brings_the_report_with_the_next_reconciliation(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    with reports_not_admitted(enforcing):
        offend(enforcing, account)
        box.settle()
        assert enforcing.denied(account, user="mallory")
        # Neither the report nor the heartbeat, whose absence the central account tells of.
        assert "AccessDenied" in reconcile(box, account)["errorMessage"]
        box.advance(900)
    assert mails(enforcing, account) == []
    reconcile(box, account)
    box.settle()
    reported = [one for one in subjects(enforcing, account) if "mallory" in one]
    assert reported == [SUBJECT.format(account)]
    assert calls_counted(enforcing, account)["contained"] == 1
    box.advance(900)
    assert reconcile(box, account)["dead_letters"] == 0
    assert member_dead_letters(box, account) == []


def test_a_notifier_disabled_for_a_day_tells_of_the_day_once_and_calls_nobody_silent(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    functions = box.client("lambda", box.security)
    (mapping,) = functions.list_event_source_mappings(FunctionName=NOTIFIER)["EventSourceMappings"]
    bring(box, heartbeat(stranger, at=box.time()))
    enforcing.sweep()
    enforcing.new_mails()
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        bring(box, *[delivery(report(stranger, f"event-{hour}")) for hour in (1, 1, 2, 3)])
        box.advance(DAY)
        assert mails(enforcing, stranger) == []
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    bring(box, heartbeat(stranger, at=box.time()))
    box.settle()
    for _ in range(3):
        enforcing.sweep()
        box.advance(60)
    (reported,) = [mail for mail in enforcing.new_mails() if stranger in mail.subject]
    assert reported.subject.startswith(SUBJECT.format(stranger))
    assert calls_counted(enforcing, stranger) == {"contained": 3}


# ---- clocks and floods


@pytest.mark.parametrize("skew", [-SKEW, SKEW])
def test_a_member_whose_clock_is_five_minutes_off_is_neither_silent_nor_ill(
    enforcing: Stage, stranger: str, skew: int
) -> None:
    box = enforcing.box
    enforcing.sweep()
    enforcing.new_mails()
    for _ in range(5):
        bring(box, heartbeat(stranger, at=box.time() + skew))
        box.settle()
        for _ in range(5):
            enforcing.sweep()
            box.advance(180)
    assert [mail.subject for mail in enforcing.new_mails() if stranger in mail.subject] == []


@contextmanager
def mails_a_minute(stage: Stage, count: int) -> Iterator[None]:
    functions = stage.box.client("lambda", stage.box.security)
    kept = functions.get_function_configuration(FunctionName=NOTIFIER)["Environment"]
    changed = {"Variables": {**kept["Variables"], "MAILS_PER_MINUTE": str(count)}}
    functions.update_function_configuration(FunctionName=NOTIFIER, Environment=changed)
    stage.box.advance(60 - stage.box.time() % 60)
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=NOTIFIER, Environment=kept)


def test_a_flood_of_one_account_with_forgeries_in_it_hides_nobody_elses_incident(
    enforcing: Stage, bare_account: str, stranger: str
) -> None:
    """The flood comes by the revoker's own role: whoever took that account over has it."""
    box = enforcing.box
    key = box.new_session(bare_account, REVOKER, "events:PutEvents", path="/iam-org-revoker/")
    enforcing.new_mails()
    with mails_a_minute(enforcing, 10):
        for number in range(40):
            whose = stranger if number % 4 == 0 else bare_account
            principal = {"principal_id": f"AIDAFLOOD{number}", "principal_name": f"f-{number}"}
            reported = report(whose, f"flood-{number}", **principal)
            assert put_report(box, key, enforcing.bus_arn, reported) == ""
        bring(box, delivery(report(stranger, "event-1")))
        first = enforcing.new_mails()
        assert [m.subject for m in first if stranger in m.subject] == [SUBJECT.format(stranger)]
        assert len(first) <= 10
        box.advance(60)
        enforcing.sweep()
        both = [*first, *enforcing.new_mails()]
    named = [n for n in range(40) if any(f"f-{n}" in mail.body.split() for mail in both)]
    assert named == [n for n in range(40) if n % 4]
    refused = [m.subject for m in both if m.subject.startswith("[Forged or unreadable report]")]
    assert all(bare_account in one for one in refused)
    assert calls_counted(enforcing, bare_account)["rejected"] == 10
    assert calls_counted(enforcing, stranger) == {"contained": 1}
