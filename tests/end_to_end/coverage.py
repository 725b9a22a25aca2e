"""What can be seen of the product from outside: its mails, its table, its queues and its log."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from handler.model.names import (
    INCIDENT_TABLE,
    MEMBER_DEAD_LETTERS,
    REPORT_DETAIL_TYPE,
    REPORT_SOURCE,
    REPORTS_QUEUE,
)
from handler.model.report import Disposition, Report, to_detail
from sandbox.box import Box
from sandbox.core.keys import REGION, Key
from sandbox.core.state import Record
from sandbox.demo.product_setup import TEAM_ADDRESS, Stage
from sandbox.mail.mailbox import Mail

LOG = "/aws/lambda/iam-org-revoker"
# A little more than the visibility timeout of the notifier's queue.
VISIBILITY_SECONDS = 181


def mails(stage: Stage, account: str) -> list[Mail]:
    """The mails about an account so far; wait for quiet before."""
    return [m for m in stage.box.outbox if m.address == TEAM_ADDRESS and account in m.subject]


def settle_all(stage: Stage) -> None:
    """Wait for quiet; what a notifier gave back, since another held the mail, comes again."""
    stage.box.settle(ignore_hidden=True)
    if hidden(stage.box):
        stage.box.advance(VISIBILITY_SECONDS)
    stage.box.settle()


def subjects(stage: Stage, account: str) -> list[str]:
    """The subjects of the mails about an account, once everything has settled."""
    stage.box.settle()
    return [mail.subject for mail in mails(stage, account)]


def words(mail: Mail) -> str:
    """A mail's text on one line, so that no line break stands in a sentence."""
    return " ".join(mail.body.split())


def incident_ids(stage: Stage, account: str) -> list[str]:
    """The incident that each mail about an account names, in the order of the mails."""
    found = [re.search(r"\bIncident +([0-9a-f]{12})\b", words(m)) for m in mails(stage, account)]
    return [match[1] for match in found if match]


def calls_counted(stage: Stage, account: str) -> dict[str, int]:
    """The counters of an account's incidents, by kind."""
    items = stage.box.client("dynamodb", stage.box.security).scan(TableName=INCIDENT_TABLE)["Items"]
    begins = f"incident#{account}#"
    return {
        item["pk"]["S"].removeprefix(begins).partition("#")[0]: int(item["calls"]["N"])
        for item in items
        if item["pk"]["S"].startswith(begins)
    }


def judged(box: Box, account: str) -> list[dict[str, str]]:
    """What the revoker of an account wrote in its log, one line per invocation that succeeded."""
    return [json.loads(line) for line in _log(box, account) if line.startswith('{"eventId"')]


def invocations(box: Box, account: str) -> int:
    """How often the revoker of an account was invoked, whatever came of it."""
    return sum(line.startswith("START RequestId") for line in _log(box, account))


def _log(box: Box, account: str) -> list[str]:
    pages = box.client("logs", account).get_paginator("filter_log_events")
    return [
        event["message"] for page in pages.paginate(logGroupName=LOG) for event in page["events"]
    ]


def recorded(box: Box, account: str, call: str) -> Record:
    """The one record of a call in an account."""
    found = [
        record
        for record in box.records
        if record["recipientAccountId"] == account and record["eventName"] == call
    ]
    assert len(found) == 1, [record["userIdentity"].get("arn") for record in found]
    return found[0]


def member_dead_letters(box: Box, account: str) -> list[Any]:
    """The bodies in a member's dead-letter queue; they are hidden afterwards."""
    sqs = box.client("sqs", account)
    url = sqs.get_queue_url(QueueName=MEMBER_DEAD_LETTERS)["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def report(account: str, event: str, **given: Any) -> Report:
    """A report as a revoker sends it, about mallory."""
    reported: dict[str, Any] = {
        "disposition": Disposition.CONTAINED,
        "reason": "not-an-administrator",
        "principal_kind": "user",
        "principal_name": "mallory",
        "principal_id": "AIDAEXAMPLEMALLORY000",
        "call": "CreateUser",
        **given,
    }
    return Report(event_id=event, account=account, **reported)


def delivery(reported: Report, envelope: str = "") -> str:
    """The body of a queue message that brings a report; `envelope` is the event's own id."""
    event = {
        "version": "0",
        "id": envelope or f"envelope-of-{reported.event_id}",
        "detail-type": REPORT_DETAIL_TYPE,
        "source": REPORT_SOURCE,
        "account": reported.account,
        "time": "2026-03-02T10:15:30Z",
        "region": REGION,
        "resources": [],
        "detail": to_detail(reported),
    }
    return json.dumps(event)


def bring(box: Box, *bodies: str) -> None:
    """Put messages into the notifier's queue, all at once."""
    sqs = box.client("sqs", box.security)
    url = sqs.get_queue_url(QueueName=REPORTS_QUEUE)["QueueUrl"]
    with ThreadPoolExecutor(max_workers=len(bodies)) as pool:
        list(pool.map(lambda body: sqs.send_message(QueueUrl=url, MessageBody=body), bodies))


def hidden(box: Box) -> int:
    """How many messages the notifier has received and neither deleted nor received again."""
    sqs = box.client("sqs", box.security)
    url = sqs.get_queue_url(QueueName=REPORTS_QUEUE)["QueueUrl"]
    name = "ApproximateNumberOfMessagesNotVisible"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def put_report(box: Box, key: Key, bus: str, reported: Report) -> str:
    """Put a report on the central bus with somebody's key; the error's code, "" when it was taken.

    The event's envelope bears the account of the key, whatever the report says.
    """
    entry = {
        "Source": REPORT_SOURCE,
        "DetailType": REPORT_DETAIL_TYPE,
        "Detail": json.dumps(to_detail(reported)),
        "EventBusName": bus,
    }
    answer = box.client("events", key=key).put_events(Entries=[entry])
    return str(answer["Entries"][0].get("ErrorCode", ""))
