"""The incident store: counts each event once, lets one at a time send the mail due. Sends nothing.

Of the table's items, two kinds are its own. `event#ACCOUNT#KIND#EVENT` marks an event as counted.
`incident#ACCOUNT#KIND#PRINCIPAL` holds the counter (`calls`), the milestone whose mail is not yet
sent (`next_mail`), the lease on that mail, the first and latest facts, and `due_at`: from then on
the sweep takes up the incident. The kind is in the key, so that what gets worse is reported again;
so is the containment: a principal that was released and offends again is reported again.

Nothing is lost between counting and mailing: until a claim or owe_mail has set `due_at` the queue
keeps the message, and from then on the index of what is due finds the incident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

from handler.notifier.messages.notice import (
    Incident,
    Notice,
    event_key,
    incident_key,
    pack_notice,
    unpack_notice,
)
from handler.notifier.messages.opened import incident_id_of, opening_put
from handler.notifier.messages.schedule import milestone_after, next_morning, quiet_seconds_of
from handler.notifier.store.table import (
    LARGEST,
    TRIES,
    IncidentStore,
    ItemChange,
    Refused,
    as_number,
    change_item,
    number_of,
    transact,
)

# Above 24 h of EventBridge retries, 6 h in Lambda's queue and 14 days in an SQS queue.
MARKER_SECONDS = 15 * 86_400
# How long an incident can be looked up after it closed.
KEEP_SECONDS = 90 * 86_400
# Above the notifier's timeout, so that no two that live hold one lease; below the visibility
# timeout of the queue, so that a message which comes again after a crash finds the lease expired.
LEASE_SECONDS = 90
# Beside them in one transaction: the incident, and that it was opened.
MOST_MARKERS = LARGEST - 2

_UNCLAIMED = "(attribute_not_exists(lease_until) OR lease_until < :now)"


class Turn(Enum):
    """Why nobody sends a mail now, or that one more is due."""

    NOTHING_DUE = "nothing-due"
    HELD = "held"
    MISSING = "missing"
    MORE_DUE = "more-due"
    LOST = "lost"


def count_calls(store: IncidentStore, notices: Sequence[Notice]) -> int:
    """Count the events of one incident's notices; how many of them were not counted before.

    Markers and counter are one transaction (up to 98 events at once), so an event counts wholly or
    not at all. Whether the incident is still open is a condition of that transaction and not a
    look-up before it, so no two callers can open it twice. What was counted before is left out and
    the rest tried again.
    """
    fresh = list({event_key(notice): notice for notice in notices}.values())
    return sum(
        _count_some(store, fresh[start : start + MOST_MARKERS])
        for start in range(0, len(fresh), MOST_MARKERS)
    )


def _count_some(store: IncidentStore, notices: list[Notice]) -> int:
    write, turned = _go_on, 0
    while notices:
        markers = [_marker(store, notice) for notice in notices]
        refused = transact(store, [*markers, *write(store, notices)])
        if not refused:
            return len(notices)
        if refused == {len(markers)}:
            # Opened, or closed and opened again, by another worker between two tries.
            write, turned = (_open_anew if write is _go_on else _go_on), turned + 1
            if turned == TRIES:
                raise RuntimeError(f"{incident_key(notices[0])} neither opens nor goes on")
        notices = [notice for number, notice in enumerate(notices) if number not in refused]
    return 0


def claim_mail(store: IncidentStore, key: str) -> Incident | Turn:
    """The incident whose next mail is the caller's to send for LEASE_SECONDS, or why none is."""
    answer = change_item(store, claim_change(store, key))
    return _why_not(answer) if isinstance(answer, Refused) else read_incident(answer)


def claim_change(store: IncidentStore, key: str) -> ItemChange:
    now = store.now
    return ItemChange(
        key,
        change=(
            "SET lease_until = :until, lease_owner = :me, due_at = :later, "
            "due_since = if_not_exists(due_since, :now)"
        ),
        # Its own lease: the answer to the first try was lost on the way.
        condition=f"next_mail <= calls AND ({_UNCLAIMED} OR lease_owner = :me)",
        values={
            ":until": as_number(now + LEASE_SECONDS),
            ":later": as_number(now + LEASE_SECONDS + 1),
            ":me": {"S": store.owner},
            ":now": as_number(now),
        },
    )


def owe_mail(store: IncidentStore, key: str, *, daily: bool = False) -> Turn:
    """Leave the mail that is due, if one is, to the sweep: the next one, or the morning's."""
    now = store.now
    due = "if_not_exists(due_at, :due)" if daily else ":due"
    answer = change_item(
        store,
        ItemChange(
            key,
            change=f"SET due_at = {due}, due_since = if_not_exists(due_since, :now)",
            condition=f"next_mail <= calls AND {_UNCLAIMED}",
            values={
                ":due": as_number(next_morning(now) if daily else now),
                ":now": as_number(now),
            },
        ),
    )
    return _why_not(answer) if isinstance(answer, Refused) else Turn.HELD


def _why_not(refused: Refused) -> Turn:
    if not refused.item:
        return Turn.MISSING
    due = number_of(refused.item, "next_mail") <= number_of(refused.item, "calls")
    return Turn.HELD if due else Turn.NOTHING_DUE


def mark_mailed(store: IncidentStore, incident: Incident, *, covers_all: bool = False) -> Turn:
    """Write down that the mail is out, end the lease; whether one more is due meanwhile."""
    done, more = mark_changes(store, incident, covers_all=covers_all)
    is_last = incident.calls < milestone_after(incident, covers_all=covers_all)
    if is_last and not isinstance(change_item(store, done), Refused):
        return Turn.NOTHING_DUE
    return Turn.LOST if isinstance(change_item(store, more), Refused) else Turn.MORE_DUE


def mark_changes(
    store: IncidentStore, incident: Incident, *, covers_all: bool
) -> tuple[ItemChange, ItemChange]:
    """The mark where no further mail is due yet, and the one where it is."""
    following = milestone_after(incident, covers_all=covers_all)
    held = "lease_owner = :me AND next_mail = :sent"
    values = {
        ":next": as_number(following),
        ":sent": as_number(incident.milestone),
        ":me": {"S": store.owner},
    }
    gone = "REMOVE lease_until, lease_owner, due_since"
    done = ItemChange(
        incident.key,
        change=f"SET next_mail = :next {gone}, due_at",
        condition=f"{held} AND calls < :next",
        values=values,
    )
    if incident.is_reminded:
        done = replace(
            done,
            change=f"SET next_mail = :next, due_at = :morning {gone}",
            values=values | {":morning": as_number(next_morning(store.now))},
        )
    more = ItemChange(
        incident.key,
        change=f"SET next_mail = :next, due_at = :again {gone}",
        condition=held,
        values=values
        | {":again": as_number(next_morning(store.now) if incident.is_daily else store.now)},
    )
    return done, more


def drop_change(store: IncidentStore, incident: Incident) -> ItemChange:
    """Drop the mail of what is over before it was due."""
    return ItemChange(
        incident.key,
        change="SET next_mail = :next REMOVE due_at, due_since",
        condition=f"next_mail = :seen AND {_UNCLAIMED} AND quiet_after < :now",
        values={
            ":next": as_number(milestone_after(incident, covers_all=True)),
            ":seen": as_number(incident.milestone),
            ":now": as_number(store.now),
        },
    )


def give_back(store: IncidentStore, incident: Incident) -> None:
    """The undo of claim_mail: end the lease, if it is still ours; the sweep has the mail."""
    change_item(store, give_back_change(store, incident))


def give_back_change(store: IncidentStore, incident: Incident) -> ItemChange:
    return ItemChange(
        incident.key,
        change="SET due_at = :now REMOVE lease_until, lease_owner",
        condition="lease_owner = :me",
        values={":me": {"S": store.owner}, ":now": as_number(store.now)},
    )


def read_incident(item: dict[str, Any]) -> Incident:
    """The incident in an item of the table."""
    return Incident(
        key=item["pk"]["S"],
        incident_id=item["incident_id"]["S"],
        calls=number_of(item, "calls"),
        milestone=number_of(item, "next_mail"),
        first=unpack_notice(item["first_facts"]["S"]),
        latest=unpack_notice(item["last_facts"]["S"]),
        last_seen=number_of(item, "last_seen"),
        quiet_after=number_of(item, "quiet_after"),
        due_since=number_of(item, "due_since"),
    )


def _marker(store: IncidentStore, notice: Notice) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": store.table,
            "Item": {
                "pk": {"S": event_key(notice)},
                "incident": {"S": incident_key(notice)},
                "expires_at": as_number(store.now + MARKER_SECONDS),
            },
            # TTL deletes within days, not at once: an expired marker may still be there.
            "ConditionExpression": "attribute_not_exists(pk) OR expires_at < :now",
            "ExpressionAttributeValues": {":now": as_number(store.now)},
        }
    }


def _go_on(store: IncidentStore, notices: list[Notice]) -> list[dict[str, Any]]:
    """More calls in an open incident; one that still owes a mail never closes."""
    quiet = store.now + quiet_seconds_of(notices[0], usual=store.quiet_seconds)
    more = {
        "Update": {
            "TableName": store.table,
            "Key": {"pk": {"S": incident_key(notices[0])}},
            "UpdateExpression": (
                "ADD calls :more SET last_seen = :now, quiet_after = :quiet, "
                "last_facts = :facts, expires_at = :expiry"
            ),
            "ConditionExpression": "quiet_after >= :now OR next_mail <= calls",
            "ExpressionAttributeValues": {
                ":more": as_number(len(notices)),
                ":now": as_number(store.now),
                ":quiet": as_number(quiet),
                ":facts": {"S": pack_notice(notices[-1])},
                ":expiry": as_number(quiet + KEEP_SECONDS),
            },
        }
    }
    return [more]


def _open_anew(store: IncidentStore, notices: list[Notice]) -> list[dict[str, Any]]:
    """A new incident in place of none or of a closed one: exactly where _go_on is refused."""
    quiet = store.now + quiet_seconds_of(notices[0], usual=store.quiet_seconds)
    incident_id = incident_id_of(notices[0])
    again = {
        "Put": {
            "TableName": store.table,
            "Item": {
                "pk": {"S": incident_key(notices[0])},
                "incident_id": {"S": incident_id},
                "calls": as_number(len(notices)),
                "next_mail": {"N": "1"},
                "first_seen": as_number(store.now),
                "last_seen": as_number(store.now),
                "quiet_after": as_number(quiet),
                "first_facts": {"S": pack_notice(notices[0])},
                "last_facts": {"S": pack_notice(notices[-1])},
                "expires_at": as_number(quiet + KEEP_SECONDS),
            },
            "ConditionExpression": (
                "attribute_not_exists(pk) OR (quiet_after < :now AND next_mail > calls)"
            ),
            "ExpressionAttributeValues": {":now": as_number(store.now)},
        }
    }
    # Kept beside it: the next incident of this principal takes this one's place.
    return [again, opening_put(notices[0], incident_id, table=store.table, now=store.now)]
