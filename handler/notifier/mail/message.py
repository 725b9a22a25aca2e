"""Encode a mail: text for people, and the same as JSON for machines (docs/mails.md). Pure.

Version 1. Fields may be added; none changes its meaning. Texts in it are as recorded, not escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from handler.model.names import PRODUCT
from handler.notifier.messages.notice import Incident, Notice, cut_text

FORM_VERSION = 1
# SNS takes 256 KB with attributes, in all forms together.
MESSAGE_LIMIT = 250_000
SHORT_LIMIT = 120

_PRINCIPAL = {
    "kind": "principal_kind",
    "name": "principal_name",
    "arn": "principal_arn",
    "id": "principal_id",
    "session": "session",
    "access_key": "access_key",
}
_CALL = {
    "service": "service",
    "name": "call",
    "time": "call_time",
    "region": "region",
    "source_ip": "source_ip",
    "user_agent": "user_agent",
    "invoked_by": "invoked_by",
    "error_code": "error_code",
    "request": "request",
}
_IN_OTHER_FIELDS = frozenset({*_PRINCIPAL.values(), *_CALL.values(), "alias", "disposition"})


@dataclass(frozen=True)
class Mail:
    """One mail; `kind` is a notice's kind or a digest's, `form` what machines get."""

    subject: str
    body: str
    kind: str
    accounts: tuple[str, ...]
    critical: bool
    form: Mapping[str, Any]


def make_mail(
    *,
    subject: str,
    body: str,
    kind: str,
    incidents: Iterable[Incident] = (),
    not_reporting: Iterable[Mapping[str, Any]] = (),
    whole: bool = False,
) -> Mail:
    """Make the mail on those incidents and accounts; `whole`: machines get all facts of each."""
    listed, missing = list(incidents), list(not_reporting)
    accounts = dict.fromkeys([one.account for one in listed] + [one["account"] for one in missing])
    critical = any(one.critical for one in listed)
    entries = [incident_entry(one) | (_all_facts(one.first) if whole else {}) for one in listed]
    form = {
        "version": FORM_VERSION,
        "product": PRODUCT,
        "kind": kind,
        "critical": critical,
        "subject": subject,
        "accounts": list(accounts),
        "incidents": entries,
        "not_reporting": missing,
    }
    return Mail(subject, body, kind, tuple(accounts), critical, form)


def incident_entry(incident: Incident) -> dict[str, Any]:
    """Return what every kind of mail says of an incident."""
    notice, facts = incident.first, incident.first.facts
    return {
        "incident": incident.incident_id,
        "kind": notice.kind.value,
        "critical": incident.critical,
        "account": notice.account,
        "alias": _short(facts.get("alias", "")),
        "calls": incident.calls,
        "principal": _some(facts, {key: _PRINCIPAL[key] for key in ("kind", "name")}),
        "call": _some(facts, {key: _CALL[key] for key in ("name", "time")}),
        "reason": _short(facts.get("reason", "")),
    }


def _all_facts(notice: Notice) -> dict[str, Any]:
    facts = notice.facts
    return {
        "event_id": notice.event_id,
        "principal": _picked(facts, _PRINCIPAL),
        "call": _picked(facts, _CALL),
        "facts": {name: value for name, value in facts.items() if name not in _IN_OTHER_FIELDS},
        "notes": list(notice.notes),
        "undo": [list(command) for command in notice.undo],
        "impacts": [asdict(impact) for impact in notice.impacts],
    }


def sns_message(mail: Mail) -> str:
    """Encode the mail in SNS's MessageStructure "json": text for e-mail, the form for the rest."""
    message = _structured(mail, mail.form)
    if len(message) <= MESSAGE_LIMIT:
        return message
    # Only a member that fills every field gets here: the text stays whole, the form is cut.
    entries = [{**entry, "truncated": True} for entry in mail.form["incidents"]]
    short = [{key: entry.get(key) for key in _ALWAYS} for entry in entries]
    message = _structured(mail, {**mail.form, "incidents": short})
    if len(message) <= MESSAGE_LIMIT:
        return message
    return _structured(mail, {**mail.form, "incidents": [], "truncated": True})


_ALWAYS = ("incident", "kind", "critical", "account", "calls", "truncated")


def _structured(mail: Mail, form: Mapping[str, Any]) -> str:
    forms = {"default": json.dumps(form), "email": mail.body, "sms": mail.subject}
    return json.dumps(forms)


def _picked(facts: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {key: facts[name] for key, name in names.items() if facts.get(name)}


def _some(facts: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {key: _short(value) for key, value in _picked(facts, names).items()}


def _short(text: str) -> str:
    return cut_text(text)[:SHORT_LIMIT]
