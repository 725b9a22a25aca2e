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
from handler.notifier.messages.liveness import Hearing
from handler.notifier.messages.notice import Incident, Watched
from handler.notifier.messages.schedule import is_open, next_morning
from handler.notifier.send.publish import Centre, may_send_digest, publish_mail
from handler.notifier.store.accounts import mark_back, mark_silent, put_off
from handler.notifier.store.due import hold_due, move_change
from handler.notifier.store.table import change_items, chunks


@dataclass(frozen=True)
class Look:
    """What a sweep found due beside mails on new calls, and when each was due."""

    settled: tuple[Incident, ...]
    watched: tuple[Watched, ...]
    due: Mapping[str, int]
    hearing: Hearing


def remind_of_open(centre: Centre, look: Look) -> None:
    """Send one mail a day on the critical incidents and the accounts that do not report."""
    now = centre.store.now
    opened = [one for one in look.settled if one.is_reminded and is_open(one, now=now)]
    closed = [one for one in look.settled if one not in opened]
    change_items(
        centre.store,
        [move_change(one.key, seen=look.due[one.key], due_at=None) for one in closed],
    )
    silent = [one for one in look.watched if 0 < one.silent_since >= one.last_heard]
    for part in chunks([*opened, *silent], PART_LIMIT):
        held = _held(centre, look, [one.key for one in part])
        incidents = [one for one in part if isinstance(one, Incident) and one.key in held]
        accounts = [one for one in part if isinstance(one, Watched) and one.key in held]
        if not held:
            continue
        publish_mail(centre, reminder_mail(centre.words, incidents, accounts))
        change_items(
            centre.store,
            [
                move_change(one.key, seen=held[one.key], due_at=next_morning(now))
                for one in incidents
            ],
        )
        put_off(centre.store, accounts, held=held)


def tell_silent(centre: Centre, look: Look) -> None:
    """Report accounts that missed two heartbeats, unless the central account itself is behind."""
    if not look.hearing.may_judge:
        return
    silent = [one for one in look.watched if not one.silent_since]
    for part, held in _claimed_parts(centre, look, silent):
        none = look.hearing.nobody_heard
        publish_mail(centre, not_reporting_mail(centre.words, part, none_reports=none))
        mark_silent(centre.store, part, held=held)


def tell_back(centre: Centre, look: Look) -> None:
    """Report accounts that were reported as missing and sent a heartbeat since."""
    back = [one for one in look.watched if 0 < one.silent_since < one.last_heard]
    for part, _ in _claimed_parts(centre, look, back):
        publish_mail(centre, reporting_again_mail(centre.words, part))
        mark_back(centre.store, part)


def _claimed_parts(
    centre: Centre, look: Look, accounts: Sequence[Watched]
) -> list[tuple[list[Watched], dict[str, int]]]:
    parts = []
    for part in chunks(accounts, PART_LIMIT):
        held = _held(centre, look, [one.key for one in part])
        if held:
            parts.append(([one for one in part if one.key in held], held))
    return parts


def _held(centre: Centre, look: Look, keys: Sequence[str]) -> dict[str, int]:
    """Claim the keys to report, and until when; none where the rate limit is reached."""
    if not may_send_digest(centre):
        return {}
    return hold_due(centre.store, {key: look.due[key] for key in keys})
