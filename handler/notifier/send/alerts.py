"""What a sweep tells once: critical incidents still open, accounts silent or back. A shell.

`due_at` is the claim here: who moves it, from the time that was seen, has the mail to send.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handler.notifier.mail.digest_mail import PART_LIMIT, back_mail, not_reporting_mail, open_mail
from handler.notifier.messages.liveness import Liveness
from handler.notifier.messages.notice import Incident, Watched
from handler.notifier.messages.schedule import is_open, next_morning
from handler.notifier.send.publish import Central, may_send_digest, publish_mail
from handler.notifier.store.accounts import mark_back, mark_not_reporting, put_off
from handler.notifier.store.due import hold_due, move_change
from handler.notifier.store.table import change_items, chunks


@dataclass(frozen=True)
class DueWork:
    """What a sweep found due besides owed mails, and the time that each was due at."""

    settled: tuple[Incident, ...]
    watched: tuple[Watched, ...]
    due: Mapping[str, int]
    liveness: Liveness


def remind_of_open(central: Central, look: DueWork) -> None:
    """One mail a day that names the critical incidents and the silences that are still open."""
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
        publish_mail(central, open_mail(central.words, incidents, accounts))
        change_items(
            central.store,
            [
                move_change(one.key, seen=held[one.key], due_at=next_morning(now))
                for one in incidents
            ],
        )
        put_off(central.store, accounts, held=held)


def report_not_reporting(central: Central, look: DueWork) -> None:
    """Accounts that missed two heartbeats, unless it is the central account that is behind."""
    if not look.liveness.may_judge:
        return
    not_reporting = [one for one in look.watched if not one.not_reporting_since]
    for part, held in _claimed_parts(central, look, not_reporting):
        without_heartbeats = look.liveness.none_reporting
        publish_mail(
            central, not_reporting_mail(central.words, part, none_reporting=without_heartbeats)
        )
        mark_not_reporting(central.store, part, held=held)


def report_back(central: Central, look: DueWork) -> None:
    """Accounts that were told of as silent and sent a heartbeat since."""
    back = [one for one in look.watched if 0 < one.not_reporting_since < one.last_heartbeat]
    for part, _ in _claimed_parts(central, look, back):
        publish_mail(central, back_mail(central.words, part))
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
    """The keys that are this sweep's to tell of, and until when; none where the budget is spent."""
    if not may_send_digest(central):
        return {}
    return hold_due(central.store, {key: look.due[key] for key in keys})
