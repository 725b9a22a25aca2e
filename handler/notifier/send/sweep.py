"""Sweep, every minute: send due mails, digests, and what alerts.py reports. A shell.

Incidents beyond the rate limit go into a digest that names each; what a sweep has no digest left
for, or does not read, waits for the next one. Each part runs even if another failed. What a part
mails is claimed before and marked after: a sweep that dies repeats one mail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from handler.model.names import ACCOUNT_PREFIX
from handler.notifier.mail.digest_mail import PART_LIMIT, digest_mail, observed_mail
from handler.notifier.mail.message import Mail
from handler.notifier.mail.turns import take_turns
from handler.notifier.messages.notice import CRITICAL_KINDS, Incident, NoticeKind
from handler.notifier.send.alerts import DueWork, remind_of_open, report_back, report_not_reporting
from handler.notifier.send.publish import (
    Central,
    log_failure,
    may_send_digest,
    publish_mail,
    report_incident,
    sends_no_more,
)
from handler.notifier.store.accounts import note_sweep, read_account
from handler.notifier.store.due import claim_all, find_due, give_back_all, mark_all
from handler.notifier.store.incidents import Turn, drop_change, read_incident
from handler.notifier.store.table import change_items, chunks, number_of, read_items

# What one sweep looks at: read, claimed and marked well within the notifier's timeout.
SWEEP_LIMIT = 1_500


class SweepFailed(Exception):
    """Some part of the sweep failed; what it left is due for the next one."""


@dataclass(frozen=True)
class Swept:
    """How long the oldest unsent mail has been due; the parts that failed."""

    longest_wait: float
    failed: tuple[str, ...]


def sweep_all(central: Central) -> Swept:
    """Run one sweep; raises only what the table raises before there is anything to mail."""
    liveness = note_sweep(central.store)
    found = find_due(central.store)
    keys = _first_keys(found)
    items = read_items(central.store, keys).values()
    incidents = [read_incident(one) for one in items if _is(one["pk"]["S"], "incident#")]
    look = DueWork(
        settled=tuple(one for one in incidents if one.milestone > one.calls),
        watched=tuple(read_account(one) for one in items if _is(one["pk"]["S"], ACCOUNT_PREFIX)),
        due={one["pk"]["S"]: number_of(one, "due_at") for one in items},
        liveness=liveness,
    )
    due_mails = [one for one in incidents if one.milestone <= one.calls]
    left: list[Incident] = []
    failed = (
        *_failed("due", lambda: left.extend(_report_due(central, due_mails))),
        *_failed("reminder", lambda: remind_of_open(central, look)),
        *_failed("not reporting", lambda: report_not_reporting(central, look)),
        *_failed("reporting again", lambda: report_back(central, look)),
    )
    waiting = due_mails if "due" in failed else left
    # A daily mail is late from the morning on.
    since = [look.due[one.key] if one.is_daily else one.due_since for one in waiting]
    # What this sweep did not read waits too.
    unread = found.keys() - set(keys)
    since += [found[key] for key in unread if _is(key, "incident#")]
    longest = max((central.store.now - one for one in since), default=0.0)
    return Swept(longest, failed)


def _is(key: str, prefix: str) -> bool:
    return key.startswith(prefix)


def _failed(part: str, run: Callable[[], None]) -> list[str]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        run()
    except (BotoCoreError, ClientError) as error:
        log_failure(f"sweep: {part}", error)
        return [part]
    return []


def _first_keys(due: Iterable[str]) -> list[str]:
    """Let accounts take turns, critical kinds first: thousands due in one hide no other."""
    critical = {kind.value for kind in CRITICAL_KINDS}
    ordered = take_turns(
        due,
        account=lambda key: key.split("#")[1],
        critical=lambda key: key.split("#")[2:3] != [] and key.split("#")[2] in critical,
    )
    return ordered[:SWEEP_LIMIT]


def _report_due(central: Central, due_mails: Sequence[Incident]) -> list[Incident]:
    """Send single mails where an account's share holds all of its own, digests for the others.

    Returns what the rate limit or the topic left.
    """
    over = [one for one in due_mails if one.is_daily and _is_well(central, one)]
    change_items(central.store, [drop_change(central.store, one) for one in over])
    observed = [one for one in due_mails if one.is_daily and one.kind is NoticeKind.WOULD_CONTAIN]
    others = [one for one in due_mails if one not in over and one not in observed]
    counts = Counter(one.account for one in others)
    share = max(1, central.limits.share - 1)
    few = [one for one in others if counts[one.account] <= share]
    ordered = take_turns(few, account=lambda one: one.account, critical=lambda one: one.critical)
    reported = {one.key for one in ordered if _reported_singly(central, one)}
    rest = [one for one in others if one.key not in reported]
    return [
        *_in_parts(central, rest, lambda part: digest_mail(central.words, part)),
        *_in_parts(central, observed, lambda part: observed_mail(central.words, part)),
    ]


def _is_well(central: Central, incident: Incident) -> bool:
    """Whether a health problem that waited for the morning is over."""
    return incident.kind is NoticeKind.UNHEALTHY and incident.quiet_after < central.store.now


def _reported_singly(central: Central, incident: Incident) -> bool:
    """Whether its mail is out. What the rate limit or the topic refused goes into the digest."""
    if sends_no_more(central, incident.account):
        return False
    return report_incident(central, incident.key, account=incident.account) is not Turn.HELD


def _in_parts(
    central: Central, incidents: Sequence[Incident], write: Callable[[list[Incident]], Mail]
) -> list[Incident]:
    """Mail all in as few mails as their size allows; returns those that no mail was left for."""
    from botocore.exceptions import BotoCoreError, ClientError

    ordered = sorted(incidents, key=lambda one: not one.critical)
    for number, part in enumerate(chunks(ordered, PART_LIMIT)):
        if not may_send_digest(central):
            return ordered[number * PART_LIMIT :]
        # Not those that another run holds: its mail is on the way.
        claimed = claim_all(central.store, part)
        if not claimed:
            continue
        try:
            publish_mail(central, write(claimed))
        except (BotoCoreError, ClientError):
            give_back_all(central.store, claimed)
            raise
        mark_all(central.store, claimed)
    return []
