"""Mail what is still open, which accounts stopped reporting, and which report again. A shell.

`due_at` is the claim: the sweep that moves it, from the time it saw, sends the mail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handler.notifier.mail.digest_mail import (
    PART_LIMIT,
    not_reporting_mail,
    reminder_mail,
    reporting_again_mail,
)
from handler.notifier.messages.liveness import Liveness
from handler.notifier.messages.notice import Incident, Watched
from handler.notifier.messages.schedule import is_open, next_morning
from handler.notifier.send.publish import Central, may_send_digest, publish_mail
from handler.notifier.store.accounts import mark_back, mark_not_reporting, put_off
from handler.notifier.store.due import hold_due, move_change
from handler.notifier.store.table import change_items, chunks


@dataclass(frozen=True)
class DueWork:
    """What a sweep found due beside mails on new calls, and when each was due."""

    settled: tuple[Incident, ...]
    watched: tuple[Watched, ...]
    due: Mapping[str, int]
    liveness: Liveness


def remind_of_open(central: Central, look: DueWork) -> None:
    """Send one mail a day on the critical incidents and the accounts that do not report."""
    now = central.store.now
    opened = [one for one in look.settled if one.is_reminded and is_open(one, now=now)]
    closed = [one for one in look.settled if one not in opened]
    change_items(
        central.store,
        [move_change(one.key, seen=look.due[one.key], due_at=None) for one in closed],
    )
    not_reporting = [
        one for one in look.watched if 0 < one.not_reporting_since >= one.last_heartbeat
    ]
    for part in chunks([*opened, *not_reporting], PART_LIMIT):
        held = _held(central, look, [one.key for one in part])
        incidents = [one for one in part if isinstance(one, Incident) and one.key in held]
        accounts = [one for one in part if isinstance(one, Watched) and one.key in held]
        if not held:
            continue
        publish_mail(central, reminder_mail(central.words, incidents, accounts))
        change_items(
            central.store,
            [
                move_change(one.key, seen=held[one.key], due_at=next_morning(now))
                for one in incidents
            ],
        )
        put_off(central.store, accounts, held=held)


def report_not_reporting(central: Central, look: DueWork) -> None:
    """Report accounts that missed two heartbeats, unless the central account itself is behind."""
    if not look.liveness.may_judge:
        return
    not_reporting = [one for one in look.watched if not one.not_reporting_since]
    for part, held in _claimed_parts(central, look, not_reporting):
        none = look.liveness.none_reporting
        publish_mail(central, not_reporting_mail(central.words, part, none_reports=none))
        mark_not_reporting(central.store, part, held=held)


def report_back(central: Central, look: DueWork) -> None:
    """Report accounts that were reported as missing and sent a heartbeat since."""
    back = [one for one in look.watched if 0 < one.not_reporting_since < one.last_heartbeat]
    for part, _ in _claimed_parts(central, look, back):
        publish_mail(central, reporting_again_mail(central.words, part))
        mark_back(central.store, part)


def _claimed_parts(
    central: Central, look: DueWork, accounts: Sequence[Watched]
) -> list[tuple[list[Watched], dict[str, int]]]:
    parts = []
    for part in chunks(accounts, PART_LIMIT):
        held = _held(central, look, [one.key for one in part])
        if held:
            parts.append(([one for one in part if one.key in held], held))
    return parts


def _held(central: Central, look: DueWork, keys: Sequence[str]) -> dict[str, int]:
    """Claim the keys to report, and until when; none where the rate limit is reached."""
    if not may_send_digest(central):
        return {}
    return hold_due(central.store, {key: look.due[key] for key in keys})
