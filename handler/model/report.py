"""The JSON that both Lambdas speak: one report per event. Pure; the reader is tolerant.

Version 1. A reader ignores fields that it does not know and takes defaults for those that are
missing, so that a member may be newer or older than the central account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

REPORT_VERSION = 1


class Disposition(Enum):
    """What came of a call, as the security team hears of it."""

    CONTAINED = "contained"
    CANNOT_CONTAIN = "cannot-contain"
    WOULD_CONTAIN = "would-contain"
    CALLER_DELETED = "caller-deleted"
    NOTICE = "notice"
    DENY_REMOVED = "deny-removed"
    STILL_CONTAINED = "still-contained"
    TAMPERED = "tampered"


@dataclass(frozen=True)
class ReportedImpact:
    """What a call gave, and what became of it: `done` is empty where nothing was tried.

    `undo` holds one argument list per command that is left to do, in order; `missing` says what to
    know before, or why there is none.
    """

    what: str
    remediation: str = ""
    done: str = ""
    undo: tuple[tuple[str, ...], ...] = ()
    missing: str = ""
    critical: bool = False


@dataclass(frozen=True)
class Report:
    """One call and what became of its caller. Strings are as recorded, not escaped.

    `call_time` is ISO 8601 UTC as CloudTrail wrote it; `containment` is the id of the event that
    the containment in force began with: after a release the next one has another; `undo` holds one
    argument list per command that undoes it, in order; `notes` are sentences for the mail's reader.
    """

    event_id: str
    account: str
    disposition: Disposition
    reason: str
    alias: str = ""
    region: str = ""
    partition: str = "aws"
    principal_kind: str = ""
    principal_name: str = ""
    principal_arn: str = ""
    principal_id: str = ""
    session: str = ""
    access_key: str = ""
    service: str = ""
    call: str = ""
    call_time: str = ""
    source_ip: str = ""
    user_agent: str = ""
    invoked_by: str = ""
    error_code: str = ""
    request: str = ""
    containment: str = ""
    method: str = ""
    held_by: str = ""
    mode: str = ""
    product_version: str = ""
    undo: tuple[tuple[str, ...], ...] = ()
    impacts: tuple[ReportedImpact, ...] = ()
    notes: tuple[str, ...] = field(default=())


def to_detail(report: Report) -> dict[str, Any]:
    """The report as the detail of an EventBridge event: JSON types only, empty fields left out."""
    detail: dict[str, Any] = {"version": REPORT_VERSION}
    detail |= {name: value for name, value in vars(report).items() if value}
    if report.impacts:
        detail["impacts"] = [dict(vars(impact)) for impact in report.impacts]
    detail["disposition"] = report.disposition.value
    return detail


def from_detail(detail: Mapping[str, Any]) -> Report:
    """The report in an event's detail.

    Raises ValueError with one sentence when it is not a report: no event id, no account, no
    disposition or reason, or a later version's layout. What a newer member sends is reported.
    """
    if detail.get("version") != REPORT_VERSION:
        raise ValueError(f"report version {detail.get('version')!r} is not {REPORT_VERSION}")
    detail = _in_known_words(detail)
    values: dict[str, Any] = {}
    for spec in fields(Report):
        value = detail.get(spec.name)
        if value is None:
            continue
        match spec.name:
            case "disposition":
                values[spec.name] = Disposition(value)
            case "undo":
                values[spec.name] = _commands(value)
            case "impacts":
                rows = value if isinstance(value, list) else []
                values[spec.name] = tuple(_impact(row) for row in rows if isinstance(row, Mapping))
            case "notes":
                values[spec.name] = tuple(map(str, value)) if isinstance(value, list) else ()
            case _:
                values[spec.name] = str(value)
    missing = [
        name for name in ("event_id", "account", "disposition", "reason") if name not in values
    ]
    if missing:
        raise ValueError(f"report lacks {', '.join(missing)}")
    return Report(**values)


def _in_known_words(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """The detail; a disposition unknown to this version becomes NOTICE, and a note says so."""
    word = detail.get("disposition")
    if word is None or word in [one.value for one in Disposition]:
        return detail
    notes = detail.get("notes")
    said = f"The member's version reports {str(word)!r}, which the central account does not know."
    others = notes if isinstance(notes, list) else []
    return {**detail, "disposition": Disposition.NOTICE.value, "notes": [said, *others]}


def _commands(value: object) -> tuple[tuple[str, ...], ...]:
    commands = value if isinstance(value, list) else []
    return tuple(tuple(map(str, command)) for command in commands if isinstance(command, list))


def _impact(row: Mapping[str, Any]) -> ReportedImpact:
    return ReportedImpact(
        what=str(row.get("what", "")),
        remediation=str(row.get("remediation", "")),
        done=str(row.get("done", "")),
        undo=_commands(row.get("undo")),
        missing=str(row.get("missing", "")),
        critical=row.get("critical") is True,
    )
