"""The mail about an incident, from the words that came with the template. Pure: sends nothing.

Whatever a name holds, a subject is what SNS takes (printable ASCII, under 100 characters, one
line), a body reads in 72 columns, and a command stays one line that does what it says.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Mapping
from string import Template

from handler.notice import Incident, Notice, NoticeKind, visible

SUBJECT_LIMIT = 99
WIDTH = 72
VALUE_LIMIT = 400
# What a text in templates/mail may name; blocks stand alone in their paragraph.
MAIL_PLACEHOLDERS = frozenset({"account", "account_id", "call", "facts", "undo", "who", "why"})

_TAGS = {
    NoticeKind.CONTAINED: "[IAM revoked]",
    NoticeKind.CANNOT_CONTAIN: "[IAM NOT revoked]",
    NoticeKind.WOULD_CONTAIN: "[IAM would be revoked]",
    NoticeKind.GONE: "[IAM caller gone]",
    NoticeKind.TOLD: "[IAM told]",
    NoticeKind.TAMPERED: "[Revoker tampered]",
    NoticeKind.REFUSED: "[Report refused]",
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
    "rung": "Done",
    "held_by": "Held back by",
    "mode": "Mode",
    "refused": "Refused",
    "envelope_source": "Source",
    "envelope_type": "Type",
    "envelope_time": "Sent",
    "claimed_account": "Says account",
    "claimed_principal": "Says caller",
    "claimed_event": "Says event",
}
# Facts whose values are codes; the words have a sentence for each.
_CODES = frozenset({"reason", "rung", "held_by"})


def mail_subject(incident: Incident) -> str:
    """Sorts by what happened, then by account; says principal and call."""
    facts = incident.first.facts
    texts = [
        _shorten(visible(facts.get(key, "")), SUBJECT_LIMIT)
        for key in ("alias", "principal_name", "call")
    ]
    while len(line := _subject_line(incident, texts)) > SUBJECT_LIMIT:
        longest = max(range(3), key=lambda i: len(texts[i]))
        texts[longest] = _shorten(texts[longest], len(texts[longest]) - 1)
    return line


def mail_body(words: Mapping[str, str], incident: Incident) -> str:
    """The mail's text; `words` holds one text per kind, and `sentences`."""
    notice = incident.first
    text = Template(words[notice.kind.value]).safe_substitute(
        who=_who(notice),
        account=_account(notice),
        account_id=notice.account,
        call=_clip(notice.facts.get("call", "")) or "IAM",
        why=_sentence(words, notice.facts.get("reason", "")),
        facts="\n".join(_fact_lines(words, incident)),
        undo="\n".join(f"  {_command_line(command)}" for command in notice.undo)
        or "  (the report names no command)",
    )
    return _fill(text)


def _subject_line(incident: Incident, texts: list[str]) -> str:
    notice, (alias, name, call) = incident.first, texts
    kind = visible(notice.facts.get("principal_kind", ""))[:10]
    principal = " ".join(filter(None, (kind if kind != "other" else "", name)))
    parts = (
        _TAGS[notice.kind],
        notice.account,
        f"({alias})" if alias else "",
        ": ".join(filter(None, (principal, call))),
        f"(call {incident.milestone} of {incident.calls})" if incident.calls > 1 else "",
    )
    return " ".join(filter(None, parts))


def _who(notice: Notice) -> str:
    kind, name, session = (
        _clip(notice.facts.get(key, "")) for key in ("principal_kind", "principal_name", "session")
    )
    match kind:
        case "user" | "role" if name:
            who = f"IAM {kind} {name}"
        case "root":
            return "the root user"
        case _:
            arn = _clip(notice.facts.get("principal_arn", ""))
            who = f"the caller {name or arn}" if name or arn else "an unknown caller"
    return f"{who} (session {session})" if session else who


def _account(notice: Notice) -> str:
    alias = _clip(notice.facts.get("alias", ""))
    return f"{notice.account} ({alias})" if alias else notice.account


def _fact_lines(words: Mapping[str, str], incident: Incident) -> list[str]:
    notice, latest = incident.first, incident.latest
    rows = [("Account", _account(notice))]
    if notice.kind is not NoticeKind.REFUSED:
        rows += [("Who", _who(notice)), ("Call", _call(notice))]
    for name, label in _LABELS.items():
        value = notice.facts.get(name, "")
        rows.append((label, _sentence(words, value) if name in _CODES else _clip(value)))
    rows += [("Note", _clip(note)) for note in notice.notes]
    so_far = str(incident.calls)
    if incident.calls > 1:
        so_far += f" (this mail: call {incident.milestone})"
    rows.append(("Calls so far", so_far))
    if latest.event_id != notice.event_id:
        when = _clip(latest.facts.get("call_time", ""))
        rows.append(("Latest", " ".join(filter(None, (_call(latest), when)))))
    rows += [("Event", _clip(notice.event_id)), ("Incident", incident.incident_id)]
    return [line for label, value in rows if value for line in _fact(label, value)]


def _call(notice: Notice) -> str:
    call, service = (_clip(notice.facts.get(key, "")) for key in ("call", "service"))
    return f"{call} ({service})" if call and service else call


def _fact(label: str, value: str) -> list[str]:
    return textwrap.wrap(
        value,
        WIDTH,
        initial_indent=f"  {label:<13} ",
        subsequent_indent=" " * 16,
        break_on_hyphens=False,
    )


def _sentence(words: Mapping[str, str], code: str) -> str:
    """The sentence for a code of a report; a code of a newer member prints as it is."""
    for line in words.get("sentences", "").splitlines():
        name, _, sentence = line.partition(": ")
        if name == code and code:
            return sentence
    return _clip(code)


def _command_line(command: tuple[str, ...]) -> str:
    return " ".join(_quoted(argument) for argument in command)


def _quoted(argument: str) -> str:
    """One word of a shell command in printable ASCII.

    What is not printable ASCII is written as bash's $'...'. The quote itself is escaped by number
    there, so that a shell that does not know the form still sees one quoted word.
    """
    if argument.isascii() and argument.isprintable():
        return shlex.quote(argument)
    plain = (c if " " <= c <= "~" and c not in "\\'" else f"\\U{ord(c):08x}" for c in argument)
    return f"$'{''.join(plain)}'"


def _clip(text: str) -> str:
    return _shorten(visible(text), VALUE_LIMIT)


def _shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the middle left out: both ends of a name tell it apart."""
    if len(text) <= limit:
        return text
    head = max(limit - 2, 0) // 2
    tail = max(limit - 2, 0) - head
    return f"{text[:head]}..{text[len(text) - tail :]}"[:limit]


def _fill(text: str) -> str:
    """Paragraphs and list items wrapped to WIDTH; indented blocks stay as they are."""
    lines: list[str] = []
    for block in re.split(r"\n{2,}", text.strip("\n")):
        if block.startswith(" "):
            lines.append(block)
            continue
        items = re.split(r"\n(?=- |[0-9]+\. )", block)
        lines.append("\n".join(_wrapped(item) for item in items))
    return "\n\n".join(lines) + "\n"


def _wrapped(item: str) -> str:
    mark = re.match(r"- |[0-9]+\. ", item)
    hang = " " * (mark.end() if mark else 0)
    words = " ".join(item.split())
    return textwrap.fill(words, WIDTH, subsequent_indent=hang, break_on_hyphens=False)
