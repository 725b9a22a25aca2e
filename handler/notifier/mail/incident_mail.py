"""The mail about one incident, from the words that came with the template. Pure: sends nothing.

Whatever a name holds, a subject is what SNS takes (printable ASCII, under 100 characters, one
line), a body reads in 72 columns, and a command stays one line that does what it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from string import Template

from handler.model.names import RELEASE_COMMAND
from handler.model.principal import SESSION_METHODS
from handler.model.report import ReportedImpact
from handler.notifier.mail.formatting import (
    clip,
    command_line,
    fact_lines,
    fill_text,
    item_lines,
    shorten,
)
from handler.notifier.messages.notice import Incident, Notice, NoticeKind, visible

SUBJECT_LIMIT = 99
CLIENT_LIMIT = 56
# What a text in templates/mail may name; blocks stand alone in their paragraph.
MAIL_PLACEHOLDERS = frozenset(
    {"account", "account_id", "call", "facts", "impacts", "held"}
    | {"release", "remediation", "undo", "who", "why"}
)
STILL_TRYING = "still-trying"
SESSIONS = "contained-sessions"
BLOCKED = "held-back"

KIND_TAGS = {
    NoticeKind.CONTAINED: "[IAM revoked]",
    NoticeKind.CANNOT_CONTAIN: "[IAM NOT revoked]",
    NoticeKind.STRIPPED: "[IAM deny stripped]",
    NoticeKind.KEPT: "[IAM still revoked]",
    NoticeKind.WOULD_CONTAIN: "[IAM would be revoked]",
    NoticeKind.GONE: "[IAM caller gone]",
    NoticeKind.REPORTED: "[IAM told]",
    NoticeKind.TAMPERED: "[Revoker tampered]",
    NoticeKind.REFUSED: "[Report refused]",
    NoticeKind.UNHEALTHY: "[Revoker ill]",
}
_LABELS = {
    "principal_arn": "ARN",
    "principal_id": "Id",
    "access_key": "Access key",
    "call_time": "When",
    "region": "Region",
    "source_ip": "From",
    "user_agent": "Client",
    "invoked_by": "Through",
    "error_code": "Failed with",
    "request": "Request",
    "reason": "Why",
    "method": "Done",
    "held_by": "Held back by",
    "mode": "Mode",
    "state": "State",
    "dead_letters": "Dead letters",
    "redriven": "Late events",
    "test_error": "Test says",
    "version": "Version",
    "central_version": "Central account has",
    "refused": "Refused",
    "envelope_source": "Source",
    "envelope_type": "Type",
    "envelope_time": "Sent",
    "claimed_account": "Says account",
    "claimed_principal": "Says caller",
    "claimed_event": "Says event",
}
# Facts whose values are codes; the words have a sentence for each.
_CODES = frozenset({"reason", "method", "held_by"})
_OF_SESSIONS = frozenset(method.value for method in SESSION_METHODS)


def mail_subject(incident: Incident) -> str:
    """Sorts by what happened, then by account; says principal and call."""
    facts = incident.first.facts
    texts = [clip(facts.get(key, ""), SUBJECT_LIMIT) for key in ("alias", "principal_name", "call")]
    while len(line := _subject_line(incident, texts)) > SUBJECT_LIMIT:
        longest = max(range(3), key=lambda i: len(texts[i]))
        texts[longest] = shorten(texts[longest], len(texts[longest]) - 1)
    return line


def mail_body(words: Mapping[str, str], incident: Incident) -> str:
    """The mail's text; `words` holds one text per kind, and `sentences`."""
    notice = incident.first
    code, held = (notice.facts.get(name, "") for name in ("reason", "held_by"))
    text = Template(words[_text_for(incident)]).safe_substitute(
        who=_who(notice),
        account=account_text(notice),
        account_id=notice.account,
        call=clip(notice.facts.get("call", "")) or "IAM",
        why=sentence_of(words, code),
        held=sentence_of(words, held),
        remediation=_remediation(words, f"{held or code}-remedy", notice.account),
        facts="\n".join(_rows(words, incident)),
        impacts="\n".join(_impact_lines(words, notice)),
        release=_command((*RELEASE_COMMAND, notice.account, _released(notice), "--reason", "WHY")),
        undo="\n".join(f"  {command_line(command)}" for command in notice.undo)
        or "  (the report names no command)",
    )
    return fill_text(text)


def _text_for(incident: Incident) -> str:
    """Which of the texts: that of the kind, or of a case of it."""
    kind, facts = incident.kind, incident.first.facts
    if kind is NoticeKind.CONTAINED and facts.get("method") in _OF_SESSIONS:
        return SESSIONS
    if kind is NoticeKind.CONTAINED and incident.milestone > 1:
        return STILL_TRYING
    if kind is NoticeKind.CANNOT_CONTAIN and facts.get("held_by"):
        return BLOCKED
    return kind.value


def _remediation(words: Mapping[str, str], code: str, account: str) -> str:
    """The sentence of what to do; a newer member's code has none, and nothing is said."""
    said = Template(sentence_of(words, code)).safe_substitute(account_id=account)
    return "" if said == clip(code) else said


def _subject_line(incident: Incident, texts: list[str]) -> str:
    notice, (alias, name, call) = incident.first, texts
    kind = visible(notice.facts.get("principal_kind", ""))[:10]
    principal = " ".join(filter(None, (kind if kind != "other" else "", name)))
    parts = (
        KIND_TAGS[notice.kind],
        notice.account,
        f"({alias})" if alias else "",
        ": ".join(filter(None, (principal, call))),
        _which_call(incident),
    )
    return " ".join(filter(None, parts))


def _which_call(incident: Incident) -> str:
    if incident.calls == 1 or incident.kind is NoticeKind.UNHEALTHY:
        return ""
    return f"(call {incident.milestone} of {incident.calls})"


def _who(notice: Notice) -> str:
    kind, name, session = (
        clip(notice.facts.get(key, "")) for key in ("principal_kind", "principal_name", "session")
    )
    match kind:
        case "user" | "role" if name:
            who = f"IAM {kind} {name}"
        case "root":
            return "the root user"
        case _:
            arn = clip(notice.facts.get("principal_arn", ""))
            who = f"the caller {name or arn}" if name or arn else "an unknown caller"
    return f"{who} (session {session})" if session else who


def account_text(notice: Notice) -> str:
    """The account's id, and its alias where it has one."""
    alias = clip(notice.facts.get("alias", ""))
    return f"{notice.account} ({alias})" if alias else notice.account


def _rows(words: Mapping[str, str], incident: Incident) -> list[str]:
    notice, latest = incident.first, incident.latest
    rows = [("Account", account_text(notice))]
    if notice.kind not in (NoticeKind.REFUSED, NoticeKind.UNHEALTHY):
        rows += [("Who", _who(notice)), ("Call", _call(notice))]
    # What an illness is, and why, is one and the same.
    said = {"reason"} if notice.kind is NoticeKind.UNHEALTHY else set()
    labels = {name: label for name, label in _LABELS.items() if name not in said}
    rows += [(label, _value(words, notice, name)) for name, label in labels.items()]
    rows += [("Note", clip(note)) for note in notice.notes]
    if notice.kind is not NoticeKind.UNHEALTHY:
        rows += [("Calls so far", _so_far(incident))]
        if latest.event_id != notice.event_id:
            when = clip(latest.facts.get("call_time", ""))
            rows.append(("Latest", " ".join(filter(None, (_call(latest), when)))))
        rows.append(("Event", clip(notice.event_id)))
    rows.append(("Incident", incident.incident_id))
    return [line for label, value in rows if value for line in fact_lines(label, value)]


def _value(words: Mapping[str, str], notice: Notice, name: str) -> str:
    value = notice.facts.get(name, "")
    if name in _CODES:
        return sentence_of(words, value)
    # Tells little, and often takes three lines to do so.
    return clip(value, CLIENT_LIMIT) if name == "user_agent" else clip(value)


def _so_far(incident: Incident) -> str:
    if incident.calls == 1:
        return "1"
    return f"{incident.calls} (this mail: call {incident.milestone})"


def _impact_lines(words: Mapping[str, str], notice: Notice) -> Iterator[str]:
    """What the call gave, to whom, what became of it, and the commands that take it back."""
    if notice.impacts:
        yield from (sentence_of(words, "gains-heading"), "")
    for number, impact in enumerate(notice.impacts, start=1):
        if number > 1:
            yield ""
        yield from item_lines(f"{number}.", _impact_text(words, impact))
        yield from (f"     {_command(command)}" for command in impact.undo)


def _command(command: tuple[str, ...]) -> str:
    """The command for a shell; what its reader writes over stands in quotes."""
    if command[-2:] == ("--reason", "WHY"):
        return f'{command_line(command[:-1])} "WHY"'
    return command_line(command)


def _released(notice: Notice) -> str:
    """Whom the responder releases: by id, for names move; a word for the reader where none is told."""
    reported = (notice.facts.get(name, "") for name in ("principal_id", "principal_name"))
    # The responder would take it for an option.
    return next((name for name in reported if name and not name.startswith("-")), "PRINCIPAL")


def _impact_text(words: Mapping[str, str], impact: ReportedImpact) -> str:
    """What it is, what was done about it, and what is missing, each a sentence."""
    done = impact.done or sentence_of(words, "gain-left")
    said = " ".join(_assentence_of(part) for part in (impact.what, done, impact.missing) if part)
    return f"CRITICAL. {said}" if impact.critical else said


def _assentence_of(text: str) -> str:
    text = clip(text)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def _call(notice: Notice) -> str:
    call, service = (clip(notice.facts.get(key, "")) for key in ("call", "service"))
    return f"{call} ({service})" if call and service else call


def sentence_of(words: Mapping[str, str], code: str) -> str:
    """The sentence for a code of a report; a code of a newer member prints as it is."""
    for line in words.get("sentences", "").splitlines():
        name, _, sentence = line.partition(": ")
        if name == code and code:
            return sentence
    return clip(code)
