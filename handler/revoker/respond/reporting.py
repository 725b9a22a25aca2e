"""Write the report on one call from its verdict and containment. Pure."""

from __future__ import annotations

import json
from typing import Any

from handler.model.cloudtrail import Call
from handler.model.names import VERSION
from handler.model.reasons import Action, Standing, Verdict
from handler.model.report import Disposition, Report, ReportedImpact
from handler.model.settings import Settings
from handler.revoker.deny.contain import Containment
from handler.revoker.state.marks import Contained

# A report is one EventBridge entry of 256 KB at most, and a mail is read by a person.
REQUEST_LIMIT = 1_000
TEXT_LIMIT = 300
# What these block would have been contained in an account that enforces.
ALARMING = frozenset({"CircuitBreaker", "MissingGroup"})


def report_of(
    *,
    call: Call,
    account: str,
    verdict: Verdict,
    standing: Standing,
    containment: Containment | None,
    record: Contained | None = None,
    impacts: tuple[ReportedImpact, ...],
    settings: Settings,
    alias: str,
) -> Report:
    """The report on a call whose verdict is not ignore; `record` is what stands of a containment.

    A call that is only counted puts no deny on: what holds is what the record says.
    """
    caller = call.caller
    method = containment.method.value if containment and containment.method else ""
    undo = containment.undo if containment else ()
    if containment is None and record is not None:
        method, undo = record.method, record.undo
    return Report(
        event_id=call.event_id,
        account=account,
        alias=alias,
        region=call.region,
        partition=caller.partition,
        disposition=_disposition(verdict, containment),
        reason=verdict.reason.value,
        principal_kind=caller.kind.value,
        principal_name=containment.name if containment else caller.name,
        **call_facts(call),
        containment=record.event_id if record else "",
        method=method,
        held_by=verdict.held_by,
        mode=settings.mode.value,
        product_version=VERSION,
        undo=undo,
        impacts=impacts,
        notes=_notes(call, standing, containment, settings),
    )


def call_facts(call: Call) -> dict[str, Any]:
    """Return what a report says of the call and its caller, by field name."""
    caller = call.caller
    return {
        "principal_arn": caller.arn,
        "principal_id": caller.id,
        "session": caller.session,
        "access_key": caller.access_key,
        "service": call.service,
        "call": call.name,
        "call_time": call.time_text,
        "source_ip": call.source_ip[:TEXT_LIMIT],
        "user_agent": call.user_agent[:TEXT_LIMIT],
        "invoked_by": caller.invoked_by,
        "error_code": call.error_code,
        "request": json.dumps(call.request, default=str)[:REQUEST_LIMIT] if call.request else "",
    }


def _disposition(verdict: Verdict, containment: Containment | None) -> Disposition:
    match verdict.action, containment:
        case Action.CONTAIN, Containment(gone=True):
            return Disposition.CALLER_DELETED
        case Action.CONTAIN, Containment(method=method) if method is not None:
            return Disposition.CONTAINED
        case ((Action.CONTAIN | Action.CRITICAL), _):
            return Disposition.CANNOT_CONTAIN
        case Action.COUNT, _:
            return Disposition.CONTAINED
        case Action.WOULD_CONTAIN, _ if verdict.held_by in ALARMING:
            return Disposition.CANNOT_CONTAIN
        case Action.WOULD_CONTAIN, _:
            return Disposition.WOULD_CONTAIN
    return Disposition.NOTICE


def _notes(
    call: Call, standing: Standing, containment: Containment | None, settings: Settings
) -> tuple[str, ...]:
    notes = containment.notes if containment else ()
    if call.unreadable:
        notes += (f"Unreadable: {call.unreadable}.",)
    if standing.group_empty:
        group = settings.admin_group
        notes += (f"The baseline found no group {group!r} here, or nobody in it.",)
    if call.caller.name and containment and containment.name != call.caller.name:
        notes += (f"The caller's name was {call.caller.name!r} at the time of the call.",)
    return notes
