"""Read a queue message: a report, a tamper event, a heartbeat, or something to reject. Pure.

Never raises and drops nothing: what cannot be read or cannot be true becomes a notice of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from handler.model.heartbeat import Heartbeat, read_heartbeat
from handler.model.names import HEARTBEAT_DETAIL_TYPE, REPORT_DETAIL_TYPE, REPORT_SOURCE
from handler.model.report import Report, ReportedImpact, from_detail
from handler.notifier.messages.allowed_commands import undoes_containment, undoes_impact
from handler.notifier.messages.health_findings import find_illnesses
from handler.notifier.messages.notice import (
    CRITICAL_KINDS,
    FACT_LIMIT,
    Notice,
    NoticeKind,
    cut_text,
    visible,
)

LIST_LIMIT = 10
IMPACT_LIMIT = 300
# A partition key takes 2,048 bytes, and a member may send any text as a name.
KEY_LIMIT = 512
UNKNOWN_ACCOUNT = "unknown"
STRANGE_COMMAND = (
    "A command in the report was left out: revokers of this version write none like it. Unless the "
    "account runs a newer version, find out who wrote the report."
)


@dataclass(frozen=True)
class Letter:
    """One message, read: what is to be counted, and the heartbeat if it was one."""

    message_id: str
    notices: tuple[Notice, ...]
    heartbeat: Heartbeat | None = None


def read_letter(body: str, *, message_id: str) -> Letter:
    """The letter in the body of a queue message: an EventBridge envelope, as JSON text.

    What names no event is known by its text: handed over again, it has another message id.
    """
    return replace(_read(body, _digest(body)), message_id=message_id)


def _read(body: str, body_id: str) -> Letter:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return Letter(body_id, (_refuse({}, body_id, "The message is not JSON."),))
    if not isinstance(envelope, dict):
        return Letter(body_id, (_refuse({}, body_id, "The message is not an event."),))
    ours = _reach(envelope, "source") == REPORT_SOURCE
    if ours and envelope.get("detail-type") == HEARTBEAT_DETAIL_TYPE:
        return _from_heartbeat(envelope, body_id)
    return Letter(body_id, (_from_envelope(envelope, body_id),))


def _from_envelope(envelope: Mapping[str, Any], body_id: str) -> Notice:
    source, detail = _reach(envelope, "source"), envelope.get("detail")
    if _envelope_account(envelope) == UNKNOWN_ACCOUNT:
        return _refuse(envelope, body_id, "The event's envelope names no account.")
    if not isinstance(detail, dict):
        return _refuse(envelope, body_id, "The event has no detail.")
    if source == REPORT_SOURCE and envelope.get("detail-type") == REPORT_DETAIL_TYPE:
        return _from_report(envelope, body_id)
    if source.startswith("aws."):
        return _from_record(envelope, body_id)
    return _refuse(envelope, body_id, "The event is neither a report nor an event of AWS.")


def _from_heartbeat(envelope: Mapping[str, Any], body_id: str) -> Letter:
    account, detail = _envelope_account(envelope), envelope.get("detail")
    try:
        heartbeat = read_heartbeat(detail if isinstance(detail, dict) else {})
    except ValueError as error:
        why = f"The heartbeat cannot be read: {error}."
        return Letter(body_id, (_refuse(envelope, body_id, why),))
    if heartbeat.account != account:
        why = f"The heartbeat names account {heartbeat.account}, its envelope {account}."
        return Letter(body_id, (_refuse(envelope, body_id, why),))
    found = find_illnesses(heartbeat, event_id=_envelope_id(envelope, body_id))
    return Letter(body_id, tuple(_kept_small(notice) for notice in found), heartbeat)


def _kept_small(notice: Notice) -> Notice:
    return replace(
        notice,
        event_id=_as_key(notice.event_id),
        facts=_bounded(notice.facts),
        notes=tuple(cut_text(note) for note in notice.notes[:LIST_LIMIT]),
    )


def _from_report(envelope: Mapping[str, Any], body_id: str) -> Notice:
    account = _envelope_account(envelope)
    try:
        report = from_detail(envelope["detail"])
    except (ValueError, TypeError, RecursionError) as error:
        return _refuse(envelope, body_id, f"The report cannot be read: {error}.")
    if report.account != account:
        why = f"The report names account {report.account}, its envelope {account}."
        return _refuse(envelope, body_id, why)
    if not report.event_id:
        return _refuse(envelope, body_id, "The report names no event.")
    kind = NoticeKind(report.disposition.value)
    report, strange = _in_known_shapes(report)
    undo, impacts = _fitting(report.undo), tuple(_small_impact(impact) for impact in report.impacts)
    impacts_found = any(impact.critical for impact in impacts)
    notes = tuple(cut_text(note) for note in report.notes[:LIST_LIMIT])
    if strange:
        notes += (STRANGE_COMMAND,)
    if undo != report.undo or [one.undo for one in impacts] != [one.undo for one in report.impacts]:
        notes += ("An undo command was too long for a mail and was left out.",)
    if len(impacts) > LIST_LIMIT:
        notes += (f"{len(impacts) - LIST_LIMIT} more changes by the call were left out.",)
    return Notice(
        kind=kind,
        event_id=_as_key(report.event_id),
        account=account,
        # A critical change is an incident of its own: it must not wait for the tenth call. So is
        # each containment: a caller that was released and calls again is mailed again.
        principal=_as_key(_principal_key(report, *(["critical"] if impacts_found else []))),
        facts=_bounded(asdict(report)),
        undo=undo,
        notes=notes,
        impacts=impacts[:LIST_LIMIT],
        critical=kind in CRITICAL_KINDS or impacts_found,
    )


def _in_known_shapes(report: Report) -> tuple[Report, bool]:
    """Keep the commands that a revoker writes; also return whether there were others."""
    here = report.account
    undo = tuple(
        command
        for command in report.undo
        if undoes_containment(command, account=here, partition=report.partition)
    )
    impacts = tuple(
        replace(impact, undo=tuple(one for one in impact.undo if undoes_impact(one, account=here)))
        for impact in report.impacts
    )
    kept = replace(report, undo=undo, impacts=impacts)
    return kept, kept != report


def _fitting(commands: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(command for command in commands if _fits(command))[:LIST_LIMIT]


def _small_impact(impact: ReportedImpact) -> ReportedImpact:
    return replace(
        impact,
        what=cut_text(impact.what, IMPACT_LIMIT),
        remediation=cut_text(impact.remediation, IMPACT_LIMIT),
        done=cut_text(impact.done, IMPACT_LIMIT),
        missing=cut_text(impact.missing, IMPACT_LIMIT),
        undo=_fitting(impact.undo)[:2],
    )


def _principal_key(report: Report, *more: str) -> str:
    named = "/".join(filter(None, (report.principal_kind, report.principal_name)))
    key = report.principal_id or report.principal_arn or named or "nobody"
    # The session of an Identity Center role is a person's name, which its holder cannot choose; any
    # other role's session is chosen by the caller, who could open one incident per call with it.
    session = report.session if report.principal_name.startswith("AWSReservedSSO_") else ""
    return "/".join(filter(None, (key, session, report.containment, *more)))


def _from_record(envelope: Mapping[str, Any], body_id: str) -> Notice:
    """A CloudTrail record about our own resources, forwarded by a member's rule."""
    record = envelope["detail"]
    if not _reach(record, "eventName"):
        return _refuse(envelope, body_id, "The AWS event is not a CloudTrail record.")
    identity, issuer = ("userIdentity",), ("userIdentity", "sessionContext", "sessionIssuer")
    arn = _reach(record, *issuer, "arn") or _reach(record, *identity, "arn")
    own_id = _reach(record, *identity, "principalId").partition(":")[0]
    caller_type = _reach(record, *issuer, "type") or _reach(record, *identity, "type")
    session = _reach(record, *identity, "arn") if _reach(record, *issuer, "arn") else ""
    facts = {
        "principal_kind": _CALLER_KINDS.get(caller_type, "other"),
        "principal_name": arn.rpartition("/")[2] if "/" in arn else "",
        "principal_arn": arn,
        "principal_id": _reach(record, *issuer, "principalId") or own_id,
        "session": session.rpartition("/")[2],
        "access_key": _reach(record, *identity, "accessKeyId"),
        "invoked_by": _reach(record, *identity, "invokedBy"),
        "service": _reach(record, "eventSource"),
        "call": _reach(record, "eventName"),
        "call_time": _reach(record, "eventTime"),
        "region": _reach(record, "awsRegion"),
        "source_ip": _reach(record, "sourceIPAddress"),
        "user_agent": _reach(record, "userAgent"),
        "error_code": _reach(record, "errorCode"),
        "request": _as_json(record.get("requestParameters")),
    }
    original = _reach(record, "addendum", "originalEventID") or _reach(record, "eventID")
    return Notice(
        kind=NoticeKind.TAMPERED,
        event_id=_as_key(original or _envelope_id(envelope, body_id)),
        account=_envelope_account(envelope),
        principal=_as_key(facts["principal_id"] or arn or caller_type or "nobody"),
        facts=_bounded(facts),
        critical=True,
    )


_CALLER_KINDS = {
    "IAMUser": "user",
    "Root": "root",
    "Role": "role",
    "AssumedRole": "role",
    "AWSService": "service",
}


def _refuse(envelope: Mapping[str, Any], body_id: str, why: str) -> Notice:
    """Reject a message, and report that; one incident per account that sent it."""
    claims = {
        "rejected": why,
        "envelope_source": _reach(envelope, "source"),
        "envelope_type": _reach(envelope, "detail-type"),
        "envelope_time": _reach(envelope, "time"),
        "claimed_account": _reach(envelope, "detail", "account"),
        "claimed_event": _reach(envelope, "detail", "event_id"),
        "claimed_principal": _reach(envelope, "detail", "principal_arn"),
    }
    return Notice(
        kind=NoticeKind.REJECTED,
        event_id=_as_key(_envelope_id(envelope, body_id)),
        account=_envelope_account(envelope),
        principal="sender",
        facts=_bounded(claims),
    )


def _envelope_account(envelope: Mapping[str, Any]) -> str:
    account = _reach(envelope, "account")
    return account if re.fullmatch("[0-9]{12}", account) else UNKNOWN_ACCOUNT


def _envelope_id(envelope: Mapping[str, Any], body_id: str) -> str:
    return _reach(envelope, "id") or body_id


def _bounded(values: Mapping[str, Any]) -> dict[str, str]:
    """The texts that say something, without those that a notice has fields of its own for."""
    own = ("event_id", "account")
    return {
        name: cut_text(value)
        for name, value in values.items()
        if isinstance(value, str) and value and name not in own
    }


def _as_key(name: str) -> str:
    text = visible(name)
    return name if len(text) <= KEY_LIMIT else _digest(text)


def _digest(text: str) -> str:
    # A body may hold half a surrogate pair, which has no encoding of its own.
    return f"sha256-{hashlib.sha256(text.encode(errors='replace')).hexdigest()}"


def _fits(command: tuple[str, ...]) -> bool:
    return 0 < len(command) <= 40 and len(visible(" ".join(command))) <= FACT_LIMIT


def _as_json(value: object) -> str:
    try:
        return json.dumps(value) if value else ""
    except RecursionError:
        return "(nested too deeply)"


def _reach(value: Any, *path: str) -> str:
    """The text at a path of keys; empty where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
