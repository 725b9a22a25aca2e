"""Try again what lies in this account's dead-letter queue: events that nobody could handle. Shell.

Two services leave letters: EventBridge the event itself, Lambda a record of the failure around it.
A letter goes when its event is done; whatever fails again stays, for the queue's 14 days.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from handler.answer import ForeignEvent
from handler.delivery import deliver
from handler.names import MEMBER_DEAD_LETTERS, TAMPER_RULE, VERSION
from handler.proof import Deferred
from handler.report import Disposition, Report
from handler.telling import call_facts
from handler.tools import Tools, account_alias, refusals, send
from handler.trail import Call, read_event

LETTERS_AT_ONCE = 50
# Leaves the rest of the function's time to whatever else a patrol does.
REDRIVE_SECONDS = 25.0
# A letter that fails again comes back to the queue before the next patrol.
HIDDEN_SECONDS = 300


def redrive(tools: Tools) -> int:
    """Try the letters again, so many at most; answers how many remain dead, by SQS's own count.

    A failed patrol's letter is dropped, for this is the next patrol, and counted as one.
    """
    sqs = tools.clients("sqs", tools.here.region)
    url = f"{sqs.meta.endpoint_url}/{tools.here.account}/{MEMBER_DEAD_LETTERS}"
    dead, tried, done = _depth(sqs, url), 0, 0
    began = tools.clock()
    while tried < min(dead, LETTERS_AT_ONCE) and tools.clock() - began < REDRIVE_SECONDS:
        letters = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["RULE_ARN"],
        ).get("Messages", [])
        if not letters:
            break
        for letter in letters:
            tried += 1
            event = _event_in(letter["Body"])
            ours = _is_patrol(event)
            if ours or _done(event, _rule_of(letter), tools):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
                done += not ours
    return max(dead - done, 0)


def _depth(sqs: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def _event_in(body: str) -> Mapping[str, Any]:
    """The event, taken out of Lambda's record of the failure where it stands in one."""
    try:
        letter = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(letter, dict):
        return {}
    payload = letter.get("requestPayload")
    return payload if isinstance(payload, dict) else letter


def _is_patrol(event: Mapping[str, Any]) -> bool:
    return event.get("patrol") is True


def _rule_of(letter: Mapping[str, Any]) -> str:
    found = letter.get("MessageAttributes", {}).get("RULE_ARN", {}).get("StringValue", "")
    return str(found).rsplit("/", 1)[-1]


def _done(event: Mapping[str, Any], rule: str, tools: Tools) -> bool:
    """Handle one event; False where it fails as before and the letter had better stay."""
    if "detail" not in event:
        return False
    as_before: tuple[type[Exception], ...] = (*refusals(), Deferred, ForeignEvent)
    try:
        if rule.startswith(TAMPER_RULE):
            _tell_of_tampering(read_event(event), tools)
        else:
            deliver(event, tools)
    except as_before:
        return False
    return True


def _tell_of_tampering(call: Call, tools: Tools) -> None:
    """The rule could not carry it to the centre, so it goes as a report of ours."""
    caller = call.caller
    late = "EventBridge could not deliver this event about the revoker itself in time."
    report = Report(
        event_id=call.event_id,
        account=tools.here.account,
        alias=account_alias(tools),
        region=call.region,
        partition=tools.here.partition,
        disposition=Disposition.TAMPERED,
        reason="tampered",
        principal_kind=caller.kind.value,
        principal_name=caller.name,
        **call_facts(call),
        mode=tools.settings.mode.value,
        product_version=VERSION,
        notes=(late,),
    )
    send(report, tools)
