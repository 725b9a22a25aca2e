"""Try again what lies in this account's dead-letter queue: events that nobody could handle. Shell.

Two services leave letters: EventBridge the event itself, Lambda a record of the failure around it.
A letter goes when its event is done; whatever fails again stays, for the queue's 14 days.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handler.model.cloudtrail import Call, read_event
from handler.model.names import MEMBER_DEAD_LETTERS, TAMPER_RULE, VERSION
from handler.model.report import Disposition, Report
from handler.revoker.respond.dispatch import deliver
from handler.revoker.respond.event_history import Deferred
from handler.revoker.respond.reporting import call_facts
from handler.revoker.respond.respond import ForeignEvent
from handler.revoker.state.context import Tools, account_alias, refusals, send

LETTERS_AT_ONCE = 50
# Leaves the rest of the function's time to whatever else a reconciliation does.
REDRIVE_SECONDS = 25.0
# A letter that fails again comes back to the queue before the next reconciliation.
HIDDEN_SECONDS = 300


@dataclass(frozen=True)
class Redriven:
    """How many letters remain dead, by SQS's own count, and how many events were answered late.

    Those that the tamper rules could not bring to the central account are reported one by one.
    """

    dead: int
    late: int


def redrive(tools: Tools) -> Redriven:
    """Try the letters again, so many at most.

    A failed reconciliation's letter is dropped: this is the next one. It counts as dead once.
    """
    sqs = tools.clients("sqs", tools.here.region)
    url = f"{sqs.meta.endpoint_url}/{tools.here.account}/{MEMBER_DEAD_LETTERS}"
    dead, tried, done, late = _depth(sqs, url), 0, 0, 0
    began = tools.clock()
    while tried < min(dead, LETTERS_AT_ONCE) and tools.clock() - began < REDRIVE_SECONDS:
        letters = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["RULE_ARN", "ERROR_CODE"],
        ).get("Messages", [])
        if not letters:
            break
        for letter in letters:
            tried += 1
            event = _event_in(letter["Body"])
            ours = _is_reconcile(event)
            if ours or _done(event, letter, tools):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
                done += not ours
                late += not (ours or _is_tampering(letter))
    return Redriven(dead=max(dead - done, 0), late=late)


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


def _is_reconcile(event: Mapping[str, Any]) -> bool:
    return event.get("reconcile") is True


def _attribute(letter: Mapping[str, Any], name: str) -> str:
    """What EventBridge wrote on a letter (User Guide, "Using dead-letter queues").

    Lambda writes its reason into the body.
    """
    return str(letter.get("MessageAttributes", {}).get(name, {}).get("StringValue", ""))


def _is_tampering(letter: Mapping[str, Any]) -> bool:
    return _attribute(letter, "RULE_ARN").rsplit("/", 1)[-1].startswith(TAMPER_RULE)


def _why_dead(letter: Mapping[str, Any]) -> str:
    """Who could not hand the event over."""
    code = _attribute(letter, "ERROR_CODE")
    if code:
        return f"EventBridge could not invoke the revoker ({code})"
    return "the revoker failed on it, each time that Lambda tried"


def _done(event: Mapping[str, Any], letter: Mapping[str, Any], tools: Tools) -> bool:
    """Handle one event; False where it fails as before and the letter had better stay."""
    if "detail" not in event:
        return False
    as_before: tuple[type[Exception], ...] = (*refusals(), Deferred, ForeignEvent)
    try:
        if _is_tampering(letter):
            _report_of_tampering(read_event(event), tools)
        else:
            deliver(event, tools, dead=_why_dead(letter))
    except as_before:
        return False
    return True


def _report_of_tampering(call: Call, tools: Tools) -> None:
    """The rule could not carry it to the central account, so it goes as a report of ours."""
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
