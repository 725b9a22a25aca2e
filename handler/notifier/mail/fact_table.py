"""Tell the facts of an incident as a table: for those who investigate. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from handler.model.principal import DenyMethod
from handler.notifier.mail.formatting import clip, fact_lines, shorten
from handler.notifier.messages.notice import Incident, Notice, NoticeKind

# What the text above says already.
_USUAL_METHODS = (DenyMethod.MANAGED_POLICY.value, DenyMethod.SESSION_POLICY.value)
CLIENT_LIMIT = 44
REQUEST_LIMIT = 112
_OTHER_LABELS = {
    "state": "State",
    "dead_letters": "Waiting",
    "redriven": "Late",
    "test_error": "Test says",
    "version": "Version",
    "central_version": "Central",
    "rejected": "Rejected",
    "envelope_source": "Source",
    "envelope_type": "Type",
    "envelope_time": "Sent",
}


def fact_rows(words: Mapping[str, str], incident: Incident, *, setting: bool) -> list[str]:
    """Return the table of facts; what has no value has no row. `setting`: with what blocked it."""
    notice, facts = incident.first, incident.first.facts
    rows = [*_call_rows(facts), *_outcome_rows(words, incident)]
    if setting:
        rows.append(("Blocked", sentence_of(words, facts.get("held_by", ""))))
    rows += [(label, facts.get(name, "")) for name, label in _OTHER_LABELS.items()]
    rows += [("Note", note) for note in notice.notes]
    if notice.kind is not NoticeKind.UNHEALTHY:
        if facts.get("principal_kind") != "root":
            rows.append(("Caller", _joined(facts, "principal_arn", "principal_id")))
            rows.append(("Key", facts.get("access_key", "")))
        rows.append(("Event", notice.event_id))
    rows.append(("Incident", f"{incident.incident_id}{_mode(facts)}"))
    return [line for label, value in rows if value for line in fact_lines(label, clip(value))]


def _mode(facts: Mapping[str, str]) -> str:
    return f", {facts['mode']} mode" if facts.get("mode") else ""


def _joined(facts: Mapping[str, str], *names: str) -> str:
    """The different values of these facts."""
    return ", ".join(dict.fromkeys(facts[name] for name in names if facts.get(name)))


def _call_rows(facts: Mapping[str, str]) -> list[tuple[str, str]]:
    # The client tells little, and often takes three lines to do so.
    client = {"user_agent": shorten(facts.get("user_agent", ""), CLIENT_LIMIT)}
    time = "Time" if facts.get("call_time") else "Region"
    return [
        (time, _joined(facts, "call_time", "region")),
        ("From", _joined({**facts, **client}, "source_ip", "user_agent", "invoked_by")),
        ("Failed", facts.get("error_code", "")),
        ("Request", shorten(facts.get("request", ""), REQUEST_LIMIT)),
    ]


def _outcome_rows(words: Mapping[str, str], incident: Incident) -> list[tuple[str, str]]:
    facts, latest = incident.first.facts, incident.latest
    done = facts.get("method", "")
    claims = _joined(facts, "claimed_account", "claimed_principal", "claimed_event")
    rows = [("Claims", claims)]
    if done not in _USUAL_METHODS:
        rows.append(("Done", sentence_of(words, done)))
    if incident.calls > 1 and incident.kind is not NoticeKind.UNHEALTHY:
        rows.append(("Calls", f"{incident.calls} so far"))
    if latest.event_id != incident.first.event_id and incident.kind is not NoticeKind.UNHEALTHY:
        when = {"name": call_name(latest), "time": latest.facts.get("call_time", "")}
        rows.append(("Latest", _joined(when, "name", "time")))
    return rows


def call_name(notice: Notice) -> str:
    """The call without the date that Lambda's API puts behind its names."""
    return re.sub(r"[0-9]{8}(v[0-9]+)?$", "", notice.facts.get("call", ""))


def sentence_of(words: Mapping[str, str], code: str) -> str:
    """The sentence for a code of a report; a code of a newer member prints as it is."""
    for line in words.get("sentences", "").splitlines():
        name, _, sentence = line.partition(": ")
        if name == code and code:
            return sentence
    return clip(code)
