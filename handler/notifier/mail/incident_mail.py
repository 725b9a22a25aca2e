"""Write the mail about one incident, from the texts in the template. Pure: sends nothing.

Whatever a name holds, a subject is what SNS takes (printable ASCII, under 100 characters, one
line), a body reads in 72 columns, and a command stays one line that does what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from string import Template

from handler.model.names import RELEASE_COMMAND
from handler.model.principal import SESSION_METHODS
from handler.model.report import ReportedImpact
from handler.notifier.mail.fact_table import call_name, fact_rows, sentence_of
from handler.notifier.mail.formatting import (
    clip,
    command_line,
    fill_text,
    item_lines,
    shorten,
)
from handler.notifier.messages.health_findings import LEDGER_DIFFERS
from handler.notifier.messages.notice import Incident, Notice, NoticeKind, visible

SUBJECT_LIMIT = 99
# What a text in templates/mail may name; a block stands on a line of its own.
MAIL_PLACEHOLDERS = frozenset(
    {
        "account",
        "account_id",
        "action",
        "allow",
        "approve",
        "blocked",
        "call",
        "changes",
        "commands",
    }
    | {
        "facts",
        "next",
        "outcome",
        "release",
        "removals",
        "scope",
        "since",
        "stop",
        "stop_now",
        "undo",
    }
    | {"who", "why"}
)
STILL_TRYING = "still-trying"
SESSIONS = "contained-sessions"
BLOCKED = "blocked"
KEPT_ALONE = "still-contained-kept"

KIND_TAGS = {
    NoticeKind.CONTAINED: "[IAM revoked]",
    NoticeKind.CANNOT_CONTAIN: "[CRITICAL: not contained]",
    NoticeKind.DENY_REMOVED: "[CRITICAL: deny removed]",
    NoticeKind.STILL_CONTAINED: "[IAM still revoked]",
    NoticeKind.WOULD_CONTAIN: "[IAM would be revoked]",
    NoticeKind.CALLER_DELETED: "[IAM caller deleted]",
    NoticeKind.NOTICE: "[IAM notice]",
    NoticeKind.TAMPERED: "[Revoker tampered]",
    NoticeKind.REJECTED: "[Forged or unreadable report]",
    NoticeKind.UNHEALTHY: "[Revoker unhealthy]",
}
_CONFIRM_COMMAND = ("python", "-m", "responder", "ledger", "confirm")
# A difference between ledger and group, as ledger_view.py of the member writes it.
_DIFFERENCE = re.compile(r"'.*' \(([A-Z0-9]{16,128})\) was (added to|removed from) ")
_IDENTITY_CENTER = ":role/aws-reserved/sso.amazonaws.com/"
_OF_SESSIONS = frozenset(method.value for method in SESSION_METHODS)


def mail_subject(incident: Incident) -> str:
    """Write the subject: what happened first, then account, principal and call."""
    notice = incident.first
    named = (notice.facts.get(key, "") for key in ("alias", "principal_name"))
    texts = [clip(text, SUBJECT_LIMIT) for text in (*named, call_name(notice))]
    while len(line := _subject_line(incident, texts)) > SUBJECT_LIMIT:
        longest = max(range(3), key=lambda i: len(texts[i]))
        texts[longest] = shorten(texts[longest], len(texts[longest]) - 1)
    return line


def mail_body(words: Mapping[str, str], incident: Incident) -> str:
    """Write the mail's text; `words` holds one text per kind, and `sentences`."""
    notice = incident.first
    code, setting = (notice.facts.get(name, "") for name in ("reason", "held_by"))
    sort, name = _caller_sort(notice), _text_for(incident)
    stop = _advice(words, f"stop-{sort}", notice) or _advice(words, "stop-other", notice)
    text = Template(words[name]).safe_substitute(
        who=_who(notice),
        account=account_text(notice),
        account_id=notice.account,
        action=_advice(words, f"{setting or code}-action", notice),
        allow=_advice(words, f"allow-{sort}", notice),
        approve=_advice(words, f"approve-{code}", notice)
        or _advice(words, f"approve-{sort}", notice)
        or _advice(words, "approve-other", notice),
        blocked=_with_stop(sentence_of(words, setting)),
        call=clip(call_name(notice)) or "IAM",
        changes="\n".join(_change_lines(words, notice)),
        commands="\n".join(_command_lines(words, f"{setting or code}-command", notice)),
        facts="\n".join(fact_rows(words, incident, setting=name == KEPT_ALONE)),
        next=str(incident.milestone * 10),
        outcome=_advice(words, f"outcome-{code}", notice) or _advice(words, "outcome", notice),
        release="\n".join(_release_lines(notice)),
        removals=_advice(words, f"removals-{sort}", notice) or "DetachUserPolicy",
        scope=_advice(words, f"scope-{sort}", notice),
        since=clip(notice.facts.get("call_time", "")) or "then",
        stop=stop,
        stop_now=_sentence(stop),
        undo="\n".join(f"    {command_line(command)}" for command in notice.undo)
        or "    (the report names no command)",
        why=_sentence(sentence_of(words, code)),
    )
    return fill_text(text)


def _text_for(incident: Incident) -> str:
    """Choose the text: that of the kind, or of a case of it."""
    kind, facts = incident.kind, incident.first.facts
    match kind:
        case NoticeKind.CONTAINED if facts.get("method") in _OF_SESSIONS:
            return SESSIONS
        case NoticeKind.CONTAINED if incident.milestone > 1:
            return STILL_TRYING
        case NoticeKind.CANNOT_CONTAIN if facts.get("held_by"):
            return BLOCKED
        case NoticeKind.STILL_CONTAINED if not facts.get("method"):
            return KEPT_ALONE
    return kind.value


def _caller_sort(notice: Notice) -> str:
    """Which advice fits the caller: user, role, identity-center, root or another word."""
    kind, arn = (notice.facts.get(name, "") for name in ("principal_kind", "principal_arn"))
    if kind == "role" and _IDENTITY_CENTER in arn:
        return "identity-center"
    # A user or role of another account: nothing in this one stops it.
    foreign = notice.facts.get("reason") == "cannot-be-denied"
    return "other" if foreign and kind in ("user", "role") else kind


def _advice(words: Mapping[str, str], code: str, notice: Notice) -> str:
    """The text of that code with the account filled in; empty where there is none."""
    said = sentence_of(words, code)
    return "" if said == clip(code) else Template(said).safe_substitute(account_id=notice.account)


def _command_lines(words: Mapping[str, str], code: str, notice: Notice) -> Iterator[str]:
    """The commands of an action, then one for each difference of the ledger."""
    if command := _advice(words, code, notice):
        yield f"    {command}"
    for difference in notice.notes if notice.principal == LEDGER_DIFFERS else ():
        if found := _DIFFERENCE.match(difference):
            yield _confirm_line(notice, found[1], member=found[2] == "added to")


def _confirm_line(notice: Notice, principal: str, *, member: bool) -> str:
    """Confirm a member, or that a user is none; what grants administration is commented out."""
    which = "--member" if member else "--not-member"
    command = (*_CONFIRM_COMMAND, notice.account, principal, which, "--reason", "WHY")
    return f"    {'# ' * member}{_command(command)}"


def _release_lines(notice: Notice) -> Iterator[str]:
    principal = _released(notice)
    if notice.facts.get("reason") == "unproven-member":
        yield _confirm_line(notice, principal, member=True)
    yield f"    {_command((*RELEASE_COMMAND, notice.account, principal, '--reason', 'WHY'))}"


def _subject_line(incident: Incident, texts: list[str]) -> str:
    notice, (alias, name, call) = incident.first, texts
    kind = visible(notice.facts.get("principal_kind", ""))[:10]
    principal = " ".join(filter(None, (kind if kind != "other" else "", name)))
    what = ": ".join(filter(None, (principal, call)))
    account = f"{notice.account} ({alias})" if alias else notice.account
    if notice.kind is NoticeKind.UNHEALTHY:
        account = f"{account}:"
    parts = (KIND_TAGS[notice.kind], account, what, _which_call(incident))
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
            return "The root user"
        case _:
            arn = clip(notice.facts.get("principal_arn", ""))
            who = f"The caller {name or arn}" if name or arn else "An unknown caller"
    return f"{who} (session {session})" if session else who


def account_text(notice: Notice) -> str:
    """The account's id, and its alias where it has one."""
    alias = clip(notice.facts.get("alias", ""))
    return f"{notice.account} ({alias})" if alias else notice.account


def _change_lines(words: Mapping[str, str], notice: Notice) -> Iterator[str]:
    """What the call changed, what was done about it, and the commands that are left to run."""
    if notice.impacts:
        yield sentence_of(words, "changes-heading")
    for number, change in enumerate(notice.impacts, start=1):
        yield from item_lines(f"{number}.", _change_text(words, change))
        yield from (f"     {_command(command)}" for command in change.undo)


def _command(command: tuple[str, ...]) -> str:
    """The command for a shell; the word to write over stands in quotes."""
    if command[-2:] == ("--reason", "WHY"):
        return f'{command_line(command[:-1])} "WHY"'
    return command_line(command)


def _released(notice: Notice) -> str:
    """The principal to release: by id, because names move; PRINCIPAL where the report has none."""
    known = (notice.facts.get(name, "") for name in ("principal_id", "principal_name"))
    # argparse would take it for an option.
    return next((name for name in known if name and not name.startswith("-")), "PRINCIPAL")


def _change_text(words: Mapping[str, str], change: ReportedImpact) -> str:
    """What it is, what was done about it, and what is missing, each a sentence."""
    done = change.done or sentence_of(words, "not-reverted")
    parts = (change.what, done, change.missing)
    said = " ".join(_sentence(clip(part)) for part in parts if part)
    return f"CRITICAL. {said}" if change.critical else said


def _sentence(text: str) -> str:
    if not text:
        return ""
    return _with_stop(f"{text[:1].upper()}{text[1:]}")


def _with_stop(text: str) -> str:
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."
