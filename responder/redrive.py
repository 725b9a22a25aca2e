"""Hand over again what a dead-letter queue holds: read, unwrap, hand over, delete. Judges nothing.

A message is deleted only once its event is handed over: whoever stops this in between leaves it to
the next time. Events handed over twice count once (handler/notifier/store/incidents.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handler.model.names import (
    MEMBER_DEAD_LETTERS,
    REPORTS_DEAD_LETTERS,
    REPORTS_QUEUE,
    REVOKER,
    TAMPER_RULE,
)

HIDDEN_SECONDS = 120
LOOKED_AT_SECONDS = 5
# SQS and Lambda take no more.
LARGEST_EVENT = 1 << 18
# What the revoker would answer as a call of IAM, and is none.
RECONCILIATIONS_OWN = (
    "an event of a tamper rule, which only reports: the revoker's next reconciliation sends it to "
    "the "
    "central account"
)
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


@dataclass(frozen=True)
class Redriven:
    """What came of one queue; `left` says why each message that stays was not handed over."""

    queue: str
    handed_over: int
    left: tuple[str, ...]


def redrive_account(client: Callable[[str], Any], *, dry: bool = False) -> list[Redriven]:
    """Every dead-letter queue of ours that the account has; `client` makes a client by service.

    Raises ClientError when a queue cannot be read.
    """
    sqs = client("sqs")
    ways: dict[str, Callable[[str], None]] = {
        MEMBER_DEAD_LETTERS: lambda body: _to_revoker(client("lambda"), body),
        REPORTS_DEAD_LETTERS: lambda body: _to_notifier(sqs, body),
    }
    found = {name: url for name in ways if (url := _url(sqs, name))}
    return [_redrive(sqs, name, url, ways[name], dry=dry) for name, url in found.items()]


def unwrap(body: str) -> str:
    """The event in a message: the payload of a failed invocation's record, or the body itself.

    Lambda writes the record to an on-failure destination; EventBridge and SQS leave the body bare.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(record, dict):
        return body
    context, payload = record.get("requestContext"), record.get("requestPayload")
    if isinstance(context, dict) and "condition" in context and isinstance(payload, dict):
        return json.dumps(payload)
    return body


def _redrive(
    sqs: Any, name: str, url: str, hand_over: Callable[[str], None], *, dry: bool
) -> Redriven:
    handed_over, left = 0, []
    for message in _messages(sqs, url, hidden=LOOKED_AT_SECONDS if dry else HIDDEN_SECONDS):
        body = unwrap(message["Body"])
        try:
            if _rule_of(message).startswith(TAMPER_RULE):
                raise ValueError(RECONCILIATIONS_OWN)
            if not dry:
                hand_over(body)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            handed_over += 1
        except (BotoCoreError, ClientError, ValueError) as error:
            left.append(f"{message['MessageId']}: {error}")
    return Redriven(name, handed_over, tuple(left))


def _rule_of(message: dict[str, Any]) -> str:
    """The rule whose target EventBridge could not reach; empty in Lambda's letters."""
    found = message.get("MessageAttributes", {}).get("RULE_ARN", {}).get("StringValue", "")
    return str(found).rpartition("/")[2]


def _messages(sqs: Any, url: str, *, hidden: int) -> Iterator[dict[str, Any]]:
    """Each message once, however often the queue shows it."""
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["RULE_ARN"],
            WaitTimeSeconds=1,
            VisibilityTimeout=hidden,
        )
        fresh = [one for one in answer.get("Messages", []) if one["MessageId"] not in seen]
        if not fresh:
            return
        seen |= {one["MessageId"] for one in fresh}
        yield from fresh


def _to_revoker(functions: Any, body: str) -> None:
    """As EventBridge does; ValueError for what no rule would have delivered."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("the message holds no event") from error
    if not isinstance(event, dict) or "detail" not in event:
        raise ValueError("the message holds no event")
    functions.invoke(FunctionName=REVOKER, InvocationType="Event", Payload=body)


def _to_notifier(sqs: Any, body: str) -> None:
    if len(body.encode()) > LARGEST_EVENT:
        raise ValueError("the message is larger than a queue takes")
    sqs.send_message(QueueUrl=_url(sqs, REPORTS_QUEUE), MessageBody=body)


def _url(sqs: Any, name: str) -> str:
    """The queue's URL, empty where the account has none of that name."""
    try:
        return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if error.response["Error"]["Code"] in (NO_QUEUE, "QueueDoesNotExist"):
            return ""
        raise
