"""Define notices and incidents. Pure; reads no message (inbox.py does), sends no mail.

A notice is one report, tamper event, health finding or rejected message; an incident is all notices
of one kind about one principal of one account until it goes quiet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum

from handler.model.report import ReportedImpact

# Whatever a member sends, a notice stays small: an item (two notices) takes 400 KB, a mail 256 KB.
FACT_LIMIT = 2_048
OLD_VERSION = "old-version"


class NoticeKind(Enum):
    """A report's disposition, or REJECTED or UNHEALTHY."""

    CONTAINED = "contained"
    CANNOT_CONTAIN = "cannot-contain"
    DENY_REMOVED = "deny-removed"
    STILL_CONTAINED = "still-contained"
    WOULD_CONTAIN = "would-contain"
    CALLER_DELETED = "caller-deleted"
    NOTICE = "notice"
    TAMPERED = "tampered"
    REJECTED = "rejected"
    UNHEALTHY = "unhealthy"


CRITICAL_KINDS = frozenset(
    {NoticeKind.CANNOT_CONTAIN, NoticeKind.DENY_REMOVED, NoticeKind.TAMPERED}
)
# Settings that block a containment on purpose; anything else is mailed at once.
_DELIBERATE = frozenset({"", "Mode", "RoleCallers", "DeniedCalls"})


@dataclass(frozen=True)
class Notice:
    """`event_id` identifies duplicates, `principal` the incident.

    `facts` are named as in report.py; texts are as recorded but cut to FACT_LIMIT, and empty ones
    are left out: the code that prints them escapes them.
    """

    kind: NoticeKind
    event_id: str
    account: str
    principal: str
    facts: Mapping[str, str] = field(default_factory=dict)
    undo: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    impacts: tuple[ReportedImpact, ...] = ()
    critical: bool = False

    @property
    def is_daily(self) -> bool:
        """Whether it waits for the morning's digest instead of a mail of its own."""
        if self.kind is NoticeKind.UNHEALTHY:
            # While a rollout runs every account is old for an hour.
            return self.principal == OLD_VERSION
        return self.kind is NoticeKind.WOULD_CONTAIN and (
            self.facts.get("held_by", "") in _DELIBERATE
        )


@dataclass(frozen=True)
class Incident:
    """The calls of one principal, of one kind, until it goes quiet; `milestone` is the mail due.

    `last_seen`, `quiet_after` and `due_since` are epoch seconds; the last is 0 if no mail is owed.
    """

    key: str
    incident_id: str
    calls: int
    milestone: int
    first: Notice
    latest: Notice
    last_seen: int = 0
    quiet_after: int = 0
    due_since: int = 0

    @property
    def kind(self) -> NoticeKind:
        return self.first.kind

    @property
    def account(self) -> str:
        return self.first.account

    @property
    def critical(self) -> bool:
        return self.first.critical or self.latest.critical

    @property
    def is_daily(self) -> bool:
        return self.first.is_daily

    @property
    def is_reminded(self) -> bool:
        """Whether a reminder a day names it while it is open."""
        return (self.critical or self.kind is NoticeKind.UNHEALTHY) and not self.is_daily


@dataclass(frozen=True)
class Watched:
    """An account whose revoker has reported; times in epoch seconds, 0 for never."""

    key: str
    account: str
    alias: str
    product_version: str
    last_heartbeat: int
    not_reporting_since: int
    due_at: int


def incident_key(notice: Notice) -> str:
    """The incident's key in the table."""
    return _item_key("incident", notice, notice.principal)


def event_key(notice: Notice) -> str:
    """The key of the mark that the event was counted."""
    return _item_key("event", notice, notice.event_id)


def _item_key(prefix: str, notice: Notice, name: str) -> str:
    return f"{prefix}#{notice.account}#{notice.kind.value}#{visible(name)}"


def visible(text: str) -> str:
    """Printable ASCII in one line; every other character as \\xNN, \\uNNNN or \\UNNNNNNNN."""
    return text.encode("unicode_escape").decode("ascii")


def cut_text(text: str, limit: int = FACT_LIMIT) -> str:
    """At most so many characters, less where a character takes several bytes in the table."""
    # An escaped character takes up to twelve bytes there.
    return text[:limit] if visible(text) == text else text[: limit // 8]


def pack_notice(notice: Notice) -> str:
    """The notice as JSON text (ASCII), for the table."""
    return json.dumps(asdict(notice) | {"kind": notice.kind.value})


def unpack_notice(text: str) -> Notice:
    """The notice that pack_notice wrote, this version's or the last one's."""
    values = json.loads(text)
    return Notice(
        kind=NoticeKind(values["kind"]),
        event_id=values["event_id"],
        account=values["account"],
        principal=values["principal"],
        facts=values["facts"],
        undo=_as_commands(values["undo"]),
        notes=tuple(values["notes"]),
        impacts=tuple(
            ReportedImpact(**impact | {"undo": _as_commands(impact["undo"])})
            for impact in values.get("impacts", ())
        ),
        critical=values.get("critical", False),
    )


def _as_commands(lists: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(command) for command in lists)
