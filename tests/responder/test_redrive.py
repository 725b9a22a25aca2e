"""What a dead-letter message holds, and that nothing is deleted before it is handed over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from responder.redrive import Redriven, redrive_account, unwrap

EVENT = {"source": "aws.iam", "detail": {"eventName": "CreateUser"}}
RECORD = {
    "version": "1.0",
    "timestamp": "2026-09-21T13:46:40.000Z",
    "requestContext": {
        "requestId": "0",
        "functionArn": "arn:aws:lambda:us-east-1:111122223333:function:iam-org-revoker:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    },
    "requestPayload": EVENT,
    "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
    "responsePayload": {"errorMessage": "boom"},
}


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (json.dumps(RECORD), json.dumps(EVENT)),
        (json.dumps(EVENT), json.dumps(EVENT)),
        (json.dumps({"requestPayload": EVENT}), json.dumps({"requestPayload": EVENT})),
        (json.dumps({**RECORD, "requestPayload": None}), None),
        ("[]", "[]"),
        ("no JSON", "no JSON"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_message_is_its_event_or_the_failure_record_around_it(
    body: str, event: str | None
) -> None:
    assert unwrap(body) == (body if event is None else event)


class Functions:
    def __init__(self, fail: int = 0) -> None:
        self.invoked: list[dict[str, Any]] = []
        self._fail = fail

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: str) -> None:
        if self._fail:
            self._fail -= 1
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")
        assert (FunctionName, InvocationType) == ("iam-org-revoker", "Event")
        self.invoked.append(json.loads(Payload))


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client(
            "sqs",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


def given_queue(sqs: Any, name: str, *bodies: str) -> str:
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    return url


def count(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_a_member_s_events_go_to_its_revoker_and_out_of_the_queue(sqs: Any) -> None:
    bodies = [json.dumps(RECORD), *[json.dumps(EVENT)] * 24]
    url = given_queue(sqs, "iam-org-revoker-dead-letters", *bodies)
    functions = Functions()
    clients = {"sqs": sqs, "lambda": functions}
    assert redrive_account(clients.__getitem__) == [
        Redriven("iam-org-revoker-dead-letters", 25, ())
    ]
    assert functions.invoked == [EVENT] * 25
    assert count(sqs, url) == 0


def test_the_central_account_s_messages_go_back_to_its_queue(sqs: Any) -> None:
    dead = given_queue(sqs, "iam-org-revoker-reports-dead-letters", "whatever it was")
    reports = given_queue(sqs, "iam-org-revoker-reports")
    (redriven,) = redrive_account({"sqs": sqs}.__getitem__)
    assert (redriven.handed_over, count(sqs, dead)) == (1, 0)
    (message,) = sqs.receive_message(QueueUrl=reports)["Messages"]
    assert message["Body"] == "whatever it was"


def test_what_cannot_be_handed_over_stays_and_is_said(sqs: Any) -> None:
    url = given_queue(
        sqs, "iam-org-revoker-dead-letters", "{}", "no JSON", json.dumps(EVENT), json.dumps(EVENT)
    )
    clients = {"sqs": sqs, "lambda": Functions(fail=1)}
    (redriven,) = redrive_account(clients.__getitem__)
    assert redriven.handed_over == 1
    assert len(redriven.left) == count(sqs, url) == 3
    assert sum("the message holds no event" in why for why in redriven.left) == 2
    assert sum("TooManyRequestsException" in why for why in redriven.left) == 1


def test_a_dry_run_hands_over_and_deletes_nothing(sqs: Any) -> None:
    url = given_queue(sqs, "iam-org-revoker-dead-letters", json.dumps(EVENT))
    functions = Functions()
    clients = {"sqs": sqs, "lambda": functions}
    (redriven,) = redrive_account(clients.__getitem__, dry=True)
    assert (redriven.handed_over, functions.invoked, count(sqs, url)) == (1, [], 1)


def test_an_account_without_our_queues_has_nothing_to_redrive(sqs: Any) -> None:
    assert redrive_account({"sqs": sqs}.__getitem__) == []


@pytest.mark.parametrize("rule", ["iam-org-revoker-tamper", "iam-org-revoker-tamper-stores"])
@pytest.mark.parametrize("dry", [True, False])
def test_a_tamper_rules_event_is_left_to_the_reconciliation(sqs: Any, rule: str, dry: bool) -> None:
    """The revoker would take IAM from whoever touched it, as if the call had been IAM's."""
    url = given_queue(sqs, "iam-org-revoker-dead-letters")
    arn = f"arn:aws:events:us-east-1:111122223333:rule/{rule}"
    sqs.send_message(
        QueueUrl=url,
        MessageBody=json.dumps({"source": "aws.events", "detail": {"eventName": "DisableRule"}}),
        MessageAttributes={"RULE_ARN": {"DataType": "String", "StringValue": arn}},
    )
    functions = Functions()
    clients = {"sqs": sqs, "lambda": functions}
    (one,) = redrive_account(clients.__getitem__, dry=dry)
    assert (one.handed_over, functions.invoked) == (0, [])
    assert "the revoker's next reconciliation sends it to the central account" in one.left[0]
