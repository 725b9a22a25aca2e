"""Write mails on many incidents or accounts: digests, reminder, who does not report. Pure.

Each incident takes a few lines of at most 72 columns, whatever its names hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from string import Template

from handler.notifier.mail.fact_table import sentence_of
from handler.notifier.mail.formatting import (
    clip,
    command_line,
    fact_lines,
    fill_text,
    item_lines,
    shorten,
    time_text,
)
from handler.notifier.mail.incident_mail import KIND_TAGS
from handler.notifier.mail.message import Mail, make_mail
from handler.notifier.messages.notice import Incident, Notice, Watched

# With all of SNS's 256 KB, text and JSON together, and names as long as they get.
PART_LIMIT = 250
DIGEST_PLACEHOLDERS = frozenset(
    {"accounts", "blocked", "critical", "incidents", "roles", "total", "users"}
)
NOTHING = "  (none)"

_PATTERN_SAFE = r"arn:aws[a-z-]*:iam::{account}:role/[A-Za-z0-9_+=.@/-]+"


def digest_mail(words: Mapping[str, str], incidents: Sequence[Incident]) -> Mail:
    """Write what the rate limit had no single mail for."""
    urgent = [one for one in incidents if one.critical]
    others = [one for one in incidents if not one.critical]
    body = _filled(
        words["digest"],
        total=_count(len(incidents), "incident"),
        critical=_listed(urgent) or NOTHING,
        incidents=_listed(others) or NOTHING,
    )
    subject = f"[Digest] {_where(incidents)}{_count(len(incidents), 'incident')}"
    subject += f", {len(urgent)} critical" if urgent else ""
    return make_mail(subject=subject, body=body, kind="digest", incidents=incidents)


def observed_mail(words: Mapping[str, str], incidents: Sequence[Incident]) -> Mail:
    """Write the day's principals that would be contained, with commands to approve each."""
    body = _filled(
        words["observed"],
        total=_count(len(incidents), "principal"),
        blocked="\n".join(_blocked_by(words, incidents)),
        incidents=_by_account(incidents, _decision_lines),
        roles="\n".join(_role_lines(incidents)) or NOTHING,
        users="\n".join(_user_lines(incidents)) or NOTHING,
    )
    subject = f"{KIND_TAGS[incidents[0].kind]} {_where(incidents)}"
    subject += f"{_count(len(incidents), 'principal')} since the last digest"
    return make_mail(subject=subject, body=body, kind="observed", incidents=incidents)


def reminder_mail(
    words: Mapping[str, str], incidents: Sequence[Incident], accounts: Sequence[Watched]
) -> Mail:
    """Write the day's reminder of what is still open."""
    counts = [_count(len(incidents), "incident")] if incidents else []
    counts += [f"{_count(len(accounts), 'account')} not reporting"] if accounts else []
    total = ", ".join(counts)
    body = _filled(
        words["reminder"],
        total=total,
        incidents=_headed(words, "reminder-incidents", _listed(incidents)),
        accounts=_headed(words, "reminder-accounts", _account_lines(accounts)),
    )
    return make_mail(
        subject=f"[Daily reminder] {total}",
        body=body,
        kind="reminder",
        incidents=incidents,
        not_reporting=_entries_of(accounts),
    )


def not_reporting_mail(
    words: Mapping[str, str], accounts: Sequence[Watched], *, none_reports: bool
) -> Mail:
    """Write which accounts' heartbeats stopped; `none_reports`: those of every account."""
    name = "no-heartbeats" if none_reports else "not-reporting"
    return _accounts_mail(words, name, "[Revoker not reporting]", accounts)


def reporting_again_mail(words: Mapping[str, str], accounts: Sequence[Watched]) -> Mail:
    """Write which accounts report again."""
    return _accounts_mail(words, "reporting-again", "[Revoker reporting again]", accounts)


def _accounts_mail(
    words: Mapping[str, str], name: str, tag: str, accounts: Sequence[Watched]
) -> Mail:
    total = _count(len(accounts), "account")
    return make_mail(
        subject=f"{tag} {_named(accounts[0]) if len(accounts) == 1 else total}",
        body=_filled(words[name], total=total, accounts=_account_lines(accounts)),
        kind=name,
        not_reporting=_entries_of(accounts),
    )


def _headed(words: Mapping[str, str], code: str, lines: str) -> str:
    return f"{sentence_of(words, code)}\n\n{lines}" if lines else ""


def _filled(text: str, **values: str) -> str:
    return fill_text(Template(text).safe_substitute(values))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _where(incidents: Sequence[Incident]) -> str:
    """The account, if it is one; how many, if there are more."""
    accounts = {one.account for one in incidents}
    return f"{min(accounts)}: " if len(accounts) == 1 else f"{len(accounts)} accounts: "


def _listed(incidents: Sequence[Incident]) -> str:
    return _by_account(incidents, _incident_lines)


def _by_account(
    incidents: Sequence[Incident], lines_of: Callable[[Incident], Iterable[str]]
) -> str:
    """Account by account, the most called first; empty where there is none."""
    ordered = sorted(incidents, key=lambda one: (one.account, -one.calls, one.incident_id))
    blocks = []
    for account, group in groupby(ordered, key=lambda one: one.account):
        members = list(group)
        lines = [line for one in members for line in lines_of(one)]
        blocks.append("\n".join([_account_line(account, members), *lines]))
    return "\n\n".join(blocks)


def _account_line(account: str, members: Sequence[Incident]) -> str:
    alias = clip(next((one.first.facts.get("alias", "") for one in members), ""), 54)
    return f"  {account} ({alias})" if alias else f"  {account}"


def _incident_lines(incident: Incident) -> tuple[str, str]:
    facts = incident.first.facts
    what = f"{KIND_TAGS[incident.kind]} {_principal(facts)}".rstrip()
    since = clip(facts.get("call_time", ""), 20)
    call = clip(facts.get("call", ""), 28 if since else 56)
    how_often = _count(incident.calls, "call") if since else ""
    said = ", ".join(filter(None, (call, since and f"since {since}", how_often)))
    return f"  - {shorten(what, 68)}", shorten(f"    {incident.incident_id} {said}", 72)


def _principal(facts: Mapping[str, str]) -> str:
    kind = clip(facts.get("principal_kind", ""), 8)
    name = clip(facts.get("principal_name", "") or facts.get("principal_arn", ""), 64)
    return " ".join(filter(None, (kind if kind != "other" else "", "" if kind == "root" else name)))


def _decision_lines(incident: Incident) -> Iterator[str]:
    """What helps to decide on one principal: how often, since when, which calls, from where."""
    first, latest = incident.first, incident.latest
    said = f"{_principal(first.facts)}: {_count(incident.calls, 'call')}"
    since = clip(first.facts.get("call_time", ""), 20)
    yield shorten(f"  - {said}{f', first seen {since}' if since else ''}", 72)
    yield from fact_lines("  first", _call_said(first))
    if latest.event_id != first.event_id:
        yield from fact_lines("  latest", _call_said(latest))
    yield f"    incident {incident.incident_id}"


def _call_said(notice: Notice) -> str:
    facts = notice.facts
    call, code, address = (clip(facts.get(k, ""), 40) for k in ("call", "error_code", "source_ip"))
    client = clip(facts.get("user_agent", ""), 40)
    outcome = f"FAILED ({code})" if code else "succeeded"
    parts = (f"{call or 'a call'} {outcome}", address and f"from {address}", client)
    return ", ".join(filter(None, parts))


def _blocked_by(words: Mapping[str, str], incidents: Sequence[Incident]) -> Iterator[str]:
    """Each setting that blocked a containment, and how many."""
    counts = Counter(one.first.facts.get("held_by", "") for one in incidents)
    for code, count in sorted(counts.items()):
        setting = sentence_of(words, code).rstrip(".")
        yield from item_lines("-", f"{setting}: {_count(count, 'principal')}")


def _role_lines(incidents: Sequence[Incident]) -> Iterator[str]:
    """Entries of AdminRolePatterns, one a line; what is no exact pattern is left out by name."""
    arns = {
        one.first.facts.get("principal_arn", ""): _is_exact(one)
        for one in incidents
        if one.first.facts.get("principal_kind") == "role"
    }
    for arn, exact in arns.items():
        yield f"  # {arn}" if exact else f"  not writable as a pattern: {clip(arn, 40)}"


def _is_exact(incident: Incident) -> bool:
    """Whether the role's ARN means itself as a pattern: no star, no comma, and its own account."""
    arn = incident.first.facts.get("principal_arn", "")
    return re.fullmatch(_PATTERN_SAFE.format(account=incident.account), arn) is not None


def _user_lines(incidents: Sequence[Incident]) -> Iterator[str]:
    """A command per user, commented out, under the account to run it in."""
    users = sorted(
        {
            (one.account, one.first.facts.get("principal_name", ""))
            for one in incidents
            if one.first.facts.get("principal_kind") == "user"
        }
    )
    for account, group in groupby(users, key=lambda one: one[0]):
        yield f"  In account {account}"
        for _, name in group:
            add = ("aws", "iam", "add-user-to-group", "--group-name=Administrators")
            yield f"  # {command_line((*add, f'--user-name={name}'))}"


def _account_lines(accounts: Sequence[Watched]) -> str:
    return "\n".join(
        f"  {_named(one)}\n    last heartbeat {time_text(one.last_heartbeat)}, version "
        f"{clip(one.product_version, 16) or 'unknown'}"
        for one in accounts
    )


def _named(one: Watched) -> str:
    alias = clip(one.alias, 50)
    return f"{one.account} ({alias})" if alias else one.account


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
