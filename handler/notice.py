"""What a message tells, as a value: a report, a tamper event or a refusal. Pure; never raises.

Nothing is dropped: what cannot be read or cannot be true becomes a notice of its own kind.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from handler.names import REPORT_DETAIL_TYPE, REPORT_SOURCE
from handler.report import Report, from_detail

# Whatever a member sends, a notice stays small: an item (two notices) takes 400 KB, a mail 256 KB.
FACT_LIMIT = 2_048
LIST_LIMIT = 10
# A partition key takes 2,048 bytes, and a member may send any text as a name.
KEY_LIMIT = 512
UNKNOWN_ACCOUNT = "unknown"


class NoticeKind(Enum):
    """A report's disposition, or one of two more."""

    CONTAINED = "contained"
    CANNOT_CONTAIN = "cannot-contain"
    WOULD_CONTAIN = "would-contain"
    GONE = "gone"
    TOLD = "told"
    TAMPERED = "tampered"
    REFUSED = "refused"


@dataclass(frozen=True)
class Notice:
    """`event_id` tells duplicates, `principal` whose incident it is.

    `facts` are named as in report.py; texts are as recorded but cut to FACT_LIMIT, and empty ones
    are left out: whoever prints them escapes them.
    """

    kind: NoticeKind
    event_id: str
    account: str
    principal: str
    facts: Mapping[str, str] = field(default_factory=dict)
    undo: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Incident:
    """The calls of one principal, of one kind, until it goes quiet; `milestone` is the mail due."""

    key: str
    incident_id: str
    calls: int
    milestone: int
    first: Notice
    latest: Notice


def visible(text: str) -> str:
    """Printable ASCII in one line; every other character as \\xNN, \\uNNNN or \\UNNNNNNNN."""
    return text.encode("unicode_escape").decode("ascii")


def read_notice(body: str, *, message_id: str) -> Notice:
    """The notice in the body of a queue message: an EventBridge envelope, as JSON text."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return _refuse({}, message_id, "The message is not JSON.")
    if not isinstance(envelope, dict):
        return _refuse({}, message_id, "The message is not an event.")
    source, detail = _reach(envelope, "source"), envelope.get("detail")
    if _envelope_account(envelope) == UNKNOWN_ACCOUNT:
        return _refuse(envelope, message_id, "The event's envelope names no account.")
    if not isinstance(detail, dict):
        return _refuse(envelope, message_id, "The event has no detail.")
    if source == REPORT_SOURCE and envelope.get("detail-type") == REPORT_DETAIL_TYPE:
        return _from_report(envelope, message_id)
    if source.startswith("aws."):
        return _from_record(envelope, message_id)
    return _refuse(envelope, message_id, "The event is neither a report nor one of AWS's own.")


def pack_notice(notice: Notice) -> str:
    """The notice as JSON text (ASCII), for the table."""
    return json.dumps(asdict(notice) | {"kind": notice.kind.value})


def unpack_notice(text: str) -> Notice:
    """The notice that pack_notice wrote."""
    values = json.loads(text)
    return Notice(
        kind=NoticeKind(values["kind"]),
        event_id=values["event_id"],
        account=values["account"],
        principal=values["principal"],
        facts=values["facts"],
        undo=tuple(tuple(command) for command in values["undo"]),
        notes=tuple(values["notes"]),
    )


def _from_report(envelope: Mapping[str, Any], message_id: str) -> Notice:
    account = _envelope_account(envelope)
    try:
        report = from_detail(envelope["detail"])
    except (ValueError, TypeError, RecursionError) as error:
        return _refuse(envelope, message_id, f"The report cannot be read: {error}.")
    if report.account != account:
        why = f"The report names account {report.account}, its envelope {account}."
        return _refuse(envelope, message_id, why)
    if not report.event_id:
        return _refuse(envelope, message_id, "The report names no event.")
    undo = tuple(command for command in report.undo if _fits(command))[:LIST_LIMIT]
    notes = tuple(_cut(note) for note in report.notes[:LIST_LIMIT])
    if undo != report.undo:
        notes += ("A command that undoes was too long for a mail and was left out.",)
    return Notice(
        kind=NoticeKind(report.disposition.value),
        event_id=_as_key(report.event_id),
        account=account,
        principal=_as_key(_principal_key(report)),
        facts=_bounded(asdict(report)),
        undo=undo,
        notes=notes,
    )


def _principal_key(report: Report) -> str:
    named = "/".join(filter(None, (report.principal_kind, report.principal_name)))
    key = report.principal_id or report.principal_arn or named or "nobody"
    # The session of an Identity Center role is a person's name, which its holder cannot choose; any
    # other role's session is chosen by the caller, who could open one incident per call with it.
    return f"{key}/{report.session}" if report.principal_name.startswith("AWSReservedSSO_") else key


def _from_record(envelope: Mapping[str, Any], message_id: str) -> Notice:
    """A CloudTrail record about our own resources, forwarded by a member's rule."""
    record = envelope["detail"]
    if not _reach(record, "eventName"):
        return _refuse(envelope, message_id, "The event of AWS's is not a CloudTrail record.")
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
        event_id=_as_key(original or _envelope_id(envelope, message_id)),
        account=_envelope_account(envelope),
        principal=_as_key(facts["principal_id"] or arn or caller_type or "nobody"),
        facts=_bounded(facts),
    )


_CALLER_KINDS = {
    "IAMUser": "user",
    "Root": "root",
    "Role": "role",
    "AssumedRole": "role",
    "AWSService": "service",
}


def _refuse(envelope: Mapping[str, Any], message_id: str, why: str) -> Notice:
    """What nobody may believe is told of all the same; one incident per account that sent it."""
    claims = {
        "refused": why,
        "envelope_source": _reach(envelope, "source"),
        "envelope_type": _reach(envelope, "detail-type"),
        "envelope_time": _reach(envelope, "time"),
        "claimed_account": _reach(envelope, "detail", "account"),
        "claimed_event": _reach(envelope, "detail", "event_id"),
        "claimed_principal": _reach(envelope, "detail", "principal_arn"),
    }
    return Notice(
        kind=NoticeKind.REFUSED,
        event_id=_as_key(_envelope_id(envelope, message_id)),
        account=_envelope_account(envelope),
        principal="sender",
        facts=_bounded(claims),
    )


def _envelope_account(envelope: Mapping[str, Any]) -> str:
    account = _reach(envelope, "account")
    return account if re.fullmatch("[0-9]{12}", account) else UNKNOWN_ACCOUNT


def _envelope_id(envelope: Mapping[str, Any], message_id: str) -> str:
    return _reach(envelope, "id") or message_id


def _bounded(values: Mapping[str, Any]) -> dict[str, str]:
    """The texts that say something, without those that a notice has fields of its own for."""
    own = ("event_id", "account")
    return {
        name: _cut(value)
        for name, value in values.items()
        if isinstance(value, str) and value and name not in own
    }


def _as_key(name: str) -> str:
    text = visible(name)
    return name if len(text) <= KEY_LIMIT else f"sha256-{hashlib.sha256(text.encode()).hexdigest()}"


def _cut(text: str) -> str:
    # An escaped character takes up to twelve bytes in the table, so such texts are cut shorter.
    return text[:FACT_LIMIT] if visible(text) == text else text[: FACT_LIMIT // 8]


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
