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
from handler.notifier.send.alerts import Look, remind_of_open, tell_back, tell_silent
from handler.notifier.send.publish import (
    Centre,
    log_failure,
    may_send_digest,
    publish_mail,
    sends_no_more,
    tell_incident,
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


def sweep_all(centre: Centre) -> Swept:
    """Run one sweep; raises only what the table raises before there is anything to mail."""
    hearing = note_sweep(centre.store)
    found = find_due(centre.store)
    keys = _first_keys(found)
    items = read_items(centre.store, keys).values()
    incidents = [read_incident(one) for one in items if _is(one["pk"]["S"], "incident#")]
    look = Look(
        settled=tuple(one for one in incidents if one.milestone > one.calls),
        watched=tuple(read_account(one) for one in items if _is(one["pk"]["S"], ACCOUNT_PREFIX)),
        due={one["pk"]["S"]: number_of(one, "due_at") for one in items},
        hearing=hearing,
    )
    owed = [one for one in incidents if one.milestone <= one.calls]
    left: list[Incident] = []
    failed = (
        *_failed("owed", lambda: left.extend(_tell_owed(centre, owed))),
        *_failed("reminder", lambda: remind_of_open(centre, look)),
        *_failed("not reporting", lambda: tell_silent(centre, look)),
        *_failed("reporting again", lambda: tell_back(centre, look)),
    )
    waiting = owed if "owed" in failed else left
    # A daily mail is late from the morning on.
    since = [look.due[one.key] if one.is_daily else one.owed_since for one in waiting]
    # What this sweep did not read waits too.
    unread = found.keys() - set(keys)
    since += [found[key] for key in unread if _is(key, "incident#")]
    longest = max((centre.store.now - one for one in since), default=0.0)
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


def _tell_owed(centre: Centre, owed: Sequence[Incident]) -> list[Incident]:
    """Send single mails where an account's share holds all of its own, digests for the others.

    Returns what the rate limit or the topic left.
    """
    over = [one for one in owed if one.is_daily and _is_well(centre, one)]
    change_items(centre.store, [drop_change(centre.store, one) for one in over])
    observed = [one for one in owed if one.is_daily and one.kind is NoticeKind.WOULD_CONTAIN]
    others = [one for one in owed if one not in over and one not in observed]
    counts = Counter(one.account for one in others)
    share = max(1, centre.limits.share - 1)
    few = [one for one in others if counts[one.account] <= share]
    ordered = take_turns(few, account=lambda one: one.account, critical=lambda one: one.critical)
    told = {one.key for one in ordered if _told_singly(centre, one)}
    rest = [one for one in others if one.key not in told]
    return [
        *_in_parts(centre, rest, lambda part: digest_mail(centre.words, part)),
        *_in_parts(centre, observed, lambda part: observed_mail(centre.words, part)),
    ]


def _is_well(centre: Centre, incident: Incident) -> bool:
    """Whether a health problem that waited for the morning is over."""
    return incident.kind is NoticeKind.UNHEALTHY and incident.quiet_after < centre.store.now


def _told_singly(centre: Centre, incident: Incident) -> bool:
    """Whether its mail is out. What the rate limit or the topic refused goes into the digest."""
    if sends_no_more(centre, incident.account):
        return False
    return tell_incident(centre, incident.key, account=incident.account) is not Turn.HELD


def _in_parts(
    centre: Centre, incidents: Sequence[Incident], write: Callable[[list[Incident]], Mail]
) -> list[Incident]:
    """Mail all in as few mails as their size allows; returns those that no mail was left for."""
    from botocore.exceptions import BotoCoreError, ClientError

    ordered = sorted(incidents, key=lambda one: not one.critical)
    for number, part in enumerate(chunks(ordered, PART_LIMIT)):
        if not may_send_digest(centre):
            return ordered[number * PART_LIMIT :]
        # Not those that another run holds: its mail is on the way.
        claimed = claim_all(centre.store, part)
        if not claimed:
            continue
        try:
            publish_mail(centre, write(claimed))
        except (BotoCoreError, ClientError):
            give_back_all(centre.store, claimed)
            raise
        mark_all(centre.store, claimed)
    return []
