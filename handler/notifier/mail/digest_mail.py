"""Mails on many incidents or accounts: digest, who would be contained, reminder, silence. Pure.

Every incident is named in two lines of at most 72 columns, whatever its names hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from string import Template

from handler.notifier.mail.formatting import (
    clip,
    command_line,
    fill_text,
    item_lines,
    shorten,
    time_text,
)
from handler.notifier.mail.incident_mail import KIND_TAGS, sentence_of
from handler.notifier.mail.message import Mail, make_mail
from handler.notifier.messages.notice import Incident, Watched

# With all of SNS's 256 KB, text and JSON together, and names as long as they get.
PART_LIMIT = 250
DIGEST_PLACEHOLDERS = frozenset(
    {"critical", "held", "incidents", "roles", "silences", "total", "users"}
)
NOTHING = "  (none)"

_PATTERN_SAFE = r"arn:aws[a-z-]*:iam::{account}:role/[A-Za-z0-9_+=.@/-]+"


def digest_mail(words: Mapping[str, str], incidents: Sequence[Incident]) -> Mail:
    """What the budget had no mail of its own for."""
    urgent = [one for one in incidents if one.critical]
    others = [one for one in incidents if not one.critical]
    body = _filled(
        words["digest"],
        total=_count(len(incidents), "incident"),
        critical=_listed(urgent),
        incidents=_listed(others),
    )
    subject = f"[Digest] {_where(incidents)}{_count(len(incidents), 'incident')}"
    subject += f", {len(urgent)} critical" if urgent else ""
    return make_mail(subject=subject, body=body, kind="digest", incidents=incidents)


def observed_mail(words: Mapping[str, str], incidents: Sequence[Incident]) -> Mail:
    """The day's principals that would be contained, to paste as administrators."""
    body = _filled(
        words["observed"],
        total=_count(len(incidents), "principal"),
        held="\n".join(_held_by(words, incidents)),
        incidents=_listed(incidents),
        roles=_pasted_roles(incidents),
        users="\n".join(_pasted_users(incidents)) or NOTHING,
    )
    subject = f"{KIND_TAGS[incidents[0].kind]} {_where(incidents)}"
    subject += f"{_count(len(incidents), 'principal')} since the last digest"
    return make_mail(subject=subject, body=body, kind="observed", incidents=incidents)


def open_mail(
    words: Mapping[str, str], incidents: Sequence[Incident], not_reporting: Sequence[Watched]
) -> Mail:
    """The day's reminder of what is critical and still open."""
    body = _filled(
        words["open"],
        total=_count(len(incidents), "incident"),
        incidents=_listed(incidents),
        silences=_silences(not_reporting),
    )
    subject = f"[Still open] {_count(len(incidents), 'incident')}"
    subject += f", {_count(len(not_reporting), 'silent account')}" if not_reporting else ""
    return make_mail(
        subject=subject,
        body=body,
        kind="open",
        incidents=incidents,
        silences=_entries_of(not_reporting),
    )


def not_reporting_mail(
    words: Mapping[str, str], not_reporting: Sequence[Watched], *, none_reporting: bool
) -> Mail:
    """Accounts whose heartbeats stopped; `none_reporting`: those of every account."""
    name = "deaf" if none_reporting else "silent"
    body = _filled(
        words[name], total=_count(len(not_reporting), "account"), silences=_silences(not_reporting)
    )
    subject = f"[Revoker silent] {_accounts(not_reporting)}"
    return make_mail(subject=subject, body=body, kind=name, silences=_entries_of(not_reporting))


def back_mail(words: Mapping[str, str], back: Sequence[Watched]) -> Mail:
    """Accounts that were told of as silent and are heard again."""
    body = _filled(words["back"], total=_count(len(back), "account"), silences=_silences(back))
    subject = f"[Revoker heard again] {_accounts(back)}"
    return make_mail(subject=subject, body=body, kind="back", silences=_entries_of(back))


def _filled(text: str, **values: str) -> str:
    return fill_text(Template(text).safe_substitute(values))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _where(incidents: Sequence[Incident]) -> str:
    """The account, if it is one; how many, if there are more."""
    accounts = {one.account for one in incidents}
    return f"{min(accounts)}: " if len(accounts) == 1 else f"{len(accounts)} accounts: "


def _listed(incidents: Sequence[Incident]) -> str:
    """Account by account, the most called first."""
    ordered = sorted(incidents, key=lambda one: (one.account, -one.calls, one.incident_id))
    blocks = []
    for account, group in groupby(ordered, key=lambda one: one.account):
        members = list(group)
        lines = [line for one in members for line in _incident_lines(one)]
        blocks.append("\n".join([_account_line(account, members), *lines]))
    return "\n\n".join(blocks) or NOTHING


def _account_line(account: str, members: Sequence[Incident]) -> str:
    alias = clip(next((one.first.facts.get("alias", "") for one in members), ""), 54)
    return f"  {account} ({alias})" if alias else f"  {account}"


def _incident_lines(incident: Incident) -> tuple[str, str]:
    facts = incident.first.facts
    kind = clip(facts.get("principal_kind", ""), 8)
    name = clip(facts.get("principal_name", "") or facts.get("principal_arn", ""), 64)
    named = "" if kind == "root" else name
    what = " ".join(
        filter(None, (KIND_TAGS[incident.kind], kind if kind != "other" else "", named))
    )
    call = clip(facts.get("call", ""), 28)
    since = clip(facts.get("call_time", ""), 20)
    how_often = _count(incident.calls, "call") if since else ""
    said = ", ".join(filter(None, (call, since and f"since {since}", how_often)))
    return f"  - {shorten(what, 68)}", shorten(f"    {incident.incident_id} {said}", 72)


def _held_by(words: Mapping[str, str], incidents: Sequence[Incident]) -> Iterator[str]:
    """Each setting that held somebody back, and how many."""
    counts = Counter(one.first.facts.get("held_by", "") for one in incidents)
    for code, count in sorted(counts.items()):
        said = f"{sentence_of(words, code)} ({_count(count, 'principal')})"
        yield from item_lines("-", said)


def _pasted_roles(incidents: Sequence[Incident]) -> str:
    """Entries of AdminRolePatterns in one line; what is no exact pattern is left out by name."""
    arns = dict.fromkeys(
        one.first.facts.get("principal_arn", "")
        for one in incidents
        if one.first.facts.get("principal_kind") == "role" and _is_exact(one)
    )
    odd = [
        f"  not writable as a pattern: {clip(one.first.facts.get('principal_arn', ''), 40)}"
        for one in incidents
        if one.first.facts.get("principal_kind") == "role" and not _is_exact(one)
    ]
    return "\n".join([f"  {','.join(arns)}"] * bool(arns) + odd) or NOTHING


def _is_exact(incident: Incident) -> bool:
    """Whether the role's ARN means itself as a pattern: no star, no comma, and its own account."""
    arn = incident.first.facts.get("principal_arn", "")
    return re.fullmatch(_PATTERN_SAFE.format(account=incident.account), arn) is not None


def _pasted_users(incidents: Sequence[Incident]) -> Iterator[str]:
    """A command per user, under a comment that names the account to run it in."""
    users = sorted(
        {
            (one.account, one.first.facts.get("principal_name", ""))
            for one in incidents
            if one.first.facts.get("principal_kind") == "user"
        }
    )
    for account, group in groupby(users, key=lambda one: one[0]):
        yield f"  # in account {account}"
        for _, name in group:
            add = ("aws", "iam", "add-user-to-group", "--group-name=Administrators")
            yield f"  {command_line((*add, f'--user-name={name}'))}"


def _silences(accounts: Sequence[Watched]) -> str:
    return (
        "\n".join(
            f"  {_named(one)}\n    last heard {time_text(one.last_heartbeat)}, version "
            f"{clip(one.product_version, 16) or 'unknown'}"
            for one in accounts
        )
        or NOTHING
    )


def _named(one: Watched) -> str:
    alias = clip(one.alias, 50)
    return f"{one.account} ({alias})" if alias else one.account


def _accounts(accounts: Sequence[Watched]) -> str:
    return _named(accounts[0]) if len(accounts) == 1 else f"{len(accounts)} accounts"


def _entries_of(accounts: Sequence[Watched]) -> list[dict[str, str]]:
    return [
        {
            "account": one.account,
            "alias": one.alias[:120],
            "last_heartbeat": time_text(one.last_heartbeat),
            "product_version": one.product_version[:40],
        }
        for one in accounts
    ]
