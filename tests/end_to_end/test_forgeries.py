"""Reports that nobody may believe: the bus refuses them, or the notifier does and tells of it."""

from __future__ import annotations

import json

from handler.model.names import FORWARDER, REPORT_DETAIL_TYPE, REPORT_SOURCE, REVOKER
from sandbox.demo.product_setup import Stage, is_denied
from tests.end_to_end.coverage import (
    bring,
    calls_counted,
    delivery,
    hidden,
    mails,
    put_report,
    report,
    subjects,
    words,
)

ELSEWHERE = "999988887777"  # an account of another Organization
PATH = "/iam-org-revoker/"
REFUSED = "AccessDeniedException"


def test_a_principal_of_a_member_cannot_report(
    enforcing: Stage, bare_account: str, stranger: str
) -> None:
    box = enforcing.box
    user = box.new_user(bare_account, "walter", "events:PutEvents")
    role = box.new_session(bare_account, "walters-role", "events:PutEvents")
    lookalike = box.new_session(bare_account, f"{REVOKER}-evil", "events:PutEvents", path=PATH)
    no_path = box.new_session(bare_account, FORWARDER, "events:PutEvents")
    reported = report(bare_account, "event-1")
    answers = [
        put_report(box, key, enforcing.bus_arn, reported)
        for key in (user, role, lookalike, no_path)
    ]
    assert answers == [REFUSED] * 4
    assert (subjects(enforcing, bare_account), hidden(box)) == ([], 0)


def test_a_principal_of_the_central_account_itself_cannot_report(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    reported = report(stranger, "event-1")
    for name, key in {
        "user": box.new_user(box.security, "wanda", "events:*"),
        "role": box.new_session(box.security, "wandas-role", "events:*", "iam:*"),
    }.items():
        assert put_report(box, key, enforcing.bus_arn, reported) == REFUSED, name
    assert subjects(enforcing, stranger) == []


def test_the_revokers_role_of_a_foreign_organization_cannot_report(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    key = box.new_session(ELSEWHERE, REVOKER, "events:PutEvents", path=PATH)
    assert put_report(box, key, enforcing.bus_arn, report(ELSEWHERE, "event-1")) == REFUSED
    assert subjects(enforcing, ELSEWHERE) == []


def test_no_other_rule_carries_a_report_by_the_forward_role(enforcing: Stage, account: str) -> None:
    """A caller may pass the role: no page of AWS's says that the bus sees a forwarded source."""
    box = enforcing.box
    events = box.client("events", account)
    bus = events.create_event_bus(Name="theirs")["EventBusArn"]
    pattern = json.dumps({"source": [REPORT_SOURCE]})
    events.put_rule(Name="theirs", EventBusName="theirs", EventPattern=pattern)
    role = f"arn:aws:iam::{account}:role{PATH}{FORWARDER}"
    target = {"Id": "central", "Arn": enforcing.bus_arn, "RoleArn": role}
    events.put_targets(Rule="theirs", EventBusName="theirs", Targets=[target])
    user = box.new_user(account, "walter", "events:PutEvents")
    assert put_report(box, user, bus, report(account, "event-1")) == ""
    assert subjects(enforcing, account) == []
    assert calls_counted(enforcing, account) == {}


def test_a_report_of_another_account_than_its_envelopes_is_refused_and_told_of(
    enforcing: Stage, bare_account: str, stranger: str
) -> None:
    box = enforcing.box
    key = box.new_session(bare_account, REVOKER, "events:PutEvents", path=PATH)
    assert put_report(box, key, enforcing.bus_arn, report(bare_account, "event-1")) == ""
    assert put_report(box, key, enforcing.bus_arn, report(stranger, "event-2")) == ""
    box.settle()
    reported = {mail.subject: words(mail) for mail in mails(enforcing, bare_account)}
    believed = f"[IAM revoked] {bare_account} user mallory: CreateUser"
    refused = f"[Forged or unreadable report] {bare_account}"
    assert set(reported) == {believed, refused}
    sentence = f"The report names account {stranger}, its envelope {bare_account}."
    assert sentence in reported[refused]
    assert mails(enforcing, stranger) == []
    assert calls_counted(enforcing, stranger) == {}


def test_nobody_can_put_an_event_of_aws_on_the_bus_by_hand(
    enforcing: Stage, bare_account: str
) -> None:
    box = enforcing.box
    key = box.new_session(bare_account, FORWARDER, "events:PutEvents", path=PATH)
    entry = {
        "Source": "aws.lambda",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps({"eventName": "DeleteFunction20150331"}),
        "EventBusName": enforcing.bus_arn,
    }
    answer = box.client("events", key=key).put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    # Nor with our own source by the forward role, which carries AWS's events only.
    assert put_report(box, key, enforcing.bus_arn, report(bare_account, "event-1")) == REFUSED
    assert subjects(enforcing, bare_account) == []


def test_nobody_but_the_rule_can_put_a_message_into_the_queue(
    enforcing: Stage, bare_account: str
) -> None:
    box = enforcing.box
    key = box.new_session(bare_account, REVOKER, "sqs:*", path=PATH)
    url = box.client("sqs", box.security).get_queue_url(QueueName="iam-org-revoker-reports")
    send = box.client("sqs", key=key).send_message
    body = delivery(report(bare_account, "event-1"))
    assert is_denied(lambda: send(QueueUrl=url["QueueUrl"], MessageBody=body))


def test_what_cannot_be_read_is_told_of_once_and_never_loops(
    enforcing: Stage, stranger: str
) -> None:
    box = enforcing.box
    event = {
        "id": "envelope-1",
        "account": stranger,
        "source": REVOKER,
        "detail-type": REPORT_DETAIL_TYPE,
    }
    bring(
        box,
        json.dumps({**event, "detail": {"version": 99}}),
        json.dumps({**event, "id": "envelope-2", "detail": "nothing"}),
    )
    first, *more = subjects(enforcing, stranger)
    assert (first.startswith(f"[Forged or unreadable report] {stranger}"), more, hidden(box)) == (
        True,
        [],
        0,
    )
