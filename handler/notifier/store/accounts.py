"""Which accounts report, which do not, and whether the central account itself is behind.

`account#ACCOUNT` holds the last heartbeat (`beat`), when it was sent (`last_heartbeat`), alias and
version, and `not_reporting_since` once that was reported; its `due_at` is when two heartbeats are
missing, its `listed_at` puts it into the index that a status reads.
`central` holds when the last sweep was, since when there is one every minute (`awake_since`), when
any heartbeat was heard, and until when a backlog excuses silence (`behind_until`).
"""

from __future__ import annotations

from typing import Any

from handler.model.heartbeat import NOT_REPORTING_SECONDS, Heartbeat, pack_heartbeat
from handler.model.names import ACCOUNT_PREFIX, CENTRAL_KEY
from handler.notifier.messages.liveness import SWEEP_GAP_SECONDS, Liveness, judge_liveness
from handler.notifier.messages.notice import Watched, cut_text
from handler.notifier.messages.schedule import DAY_SECONDS, next_morning
from handler.notifier.store.due import move_change
from handler.notifier.store.table import (
    IncidentStore,
    ItemChange,
    Refused,
    as_number,
    change_item,
    change_items,
    number_of,
    text_of,
)

BACKLOG_SECONDS = 300
# A closed account does not stay in the table for ever.
FORGET_SECONDS = 30 * DAY_SECONDS


def read_account(item: dict[str, Any]) -> Watched:
    return Watched(
        key=text_of(item, "pk"),
        account=text_of(item, "pk").removeprefix(ACCOUNT_PREFIX),
        alias=text_of(item, "alias"),
        product_version=text_of(item, "product_version"),
        last_heartbeat=number_of(item, "last_heartbeat"),
        not_reporting_since=number_of(item, "not_reporting_since"),
        due_at=number_of(item, "due_at"),
    )


def note_heartbeat(store: IncidentStore, heartbeat: Heartbeat) -> None:
    """Record a heartbeat; the sweep reports an account that had not been reporting."""
    now = store.now
    # By its own time: a heartbeat that waited somewhere for an hour says nothing of now.
    heard = min(heartbeat.at or now, now)
    values = {
        ":heard": as_number(heard),
        ":alias": {"S": cut_text(heartbeat.alias)},
        ":version": {"S": cut_text(heartbeat.product_version)},
        ":expiry": as_number(heard + FORGET_SECONDS),
        ":beat": {"S": pack_heartbeat(heartbeat)},
    }
    said = (
        "last_heartbeat = :heard, alias = :alias, product_version = :version, "
        "expires_at = :expiry, "
        "beat = :beat, listed_at = if_not_exists(listed_at, :heard)"
    )
    newer = "(attribute_not_exists(last_heartbeat) OR last_heartbeat < :heard)"
    key = ACCOUNT_PREFIX + heartbeat.account
    answer = change_item(
        store,
        ItemChange(
            key,
            change=f"SET {said}, due_at = :due",
            condition=f"{newer} AND attribute_not_exists(not_reporting_since)",
            values=values | {":due": as_number(heard + NOT_REPORTING_SECONDS)},
        ),
    )
    if isinstance(answer, Refused) and "not_reporting_since" in answer.item:
        change_item(
            store,
            ItemChange(
                key,
                change=f"SET {said}, due_at = :due",
                condition=f"{newer} AND attribute_exists(not_reporting_since)",
                values=values | {":due": as_number(now)},
            ),
        )


def note_liveness(store: IncidentStore, *, sent_at: float) -> None:
    """Write down that heartbeats arrive, and how late; `sent_at` is when the queue got the last."""
    now = store.now
    change_item(
        store,
        ItemChange(
            CENTRAL_KEY,
            change="SET last_heartbeat_at = :now",
            condition="attribute_not_exists(last_heartbeat_at) OR last_heartbeat_at < :long_ago",
            values={":now": as_number(now), ":long_ago": as_number(now - 60)},
        ),
    )
    if 0 < sent_at < now - BACKLOG_SECONDS:
        until = now + NOT_REPORTING_SECONDS
        change_item(
            store,
            ItemChange(
                CENTRAL_KEY,
                change="SET behind_until = :until",
                condition="attribute_not_exists(behind_until) OR behind_until < :sooner",
                values={":until": as_number(until), ":sooner": as_number(until - 60)},
            ),
        )


def note_sweep(store: IncidentStore) -> Liveness:
    """Write down that a sweep runs; answers what it may say about silence."""
    now = store.now
    fresh = change_item(
        store,
        ItemChange(
            CENTRAL_KEY,
            change="SET last_sweep = :now",
            condition="last_sweep > :long_ago",
            values={":now": as_number(now), ":long_ago": as_number(now - SWEEP_GAP_SECONDS)},
        ),
    )
    if isinstance(fresh, Refused):
        change_item(
            store,
            ItemChange(
                CENTRAL_KEY,
                change="SET last_sweep = :now, awake_since = :now",
                condition="attribute_not_exists(last_sweep) OR last_sweep <= :long_ago",
                values={":now": as_number(now), ":long_ago": as_number(now - SWEEP_GAP_SECONDS)},
            ),
        )
        return Liveness(may_judge=False, none_reporting=False)
    return judge_liveness(
        now=now,
        awake_since=number_of(fresh, "awake_since"),
        last_heartbeat_at=number_of(fresh, "last_heartbeat_at"),
        behind_until=number_of(fresh, "behind_until"),
    )


def mark_not_reporting(
    store: IncidentStore, accounts: list[Watched], *, held: dict[str, int]
) -> None:
    """Record that these were reported as not reporting; they are due again in the morning."""
    now = store.now
    reported = [
        ItemChange(
            one.key,
            change="SET not_reporting_since = :now, due_at = :morning",
            condition="due_at = :held",
            values={
                ":now": as_number(now),
                ":morning": as_number(next_morning(now)),
                ":held": as_number(held[one.key]),
            },
        )
        for one in accounts
    ]
    done = set(change_items(store, reported))
    # It reported between the claim and now: the next sweep says that it is reporting again.
    for one in accounts:
        if one.key not in done:
            change = "SET not_reporting_since = :before, due_at = :now"
            values = {":before": as_number(one.last_heartbeat), ":now": as_number(now)}
            change_item(
                store,
                ItemChange(one.key, change, "attribute_not_exists(not_reporting_since)", values),
            )


def mark_back(store: IncidentStore, accounts: list[Watched]) -> None:
    """Record that these were reported as reporting again."""
    due = as_number(store.now + NOT_REPORTING_SECONDS)
    change_items(
        store,
        [
            ItemChange(
                one.key,
                change="SET due_at = :due REMOVE not_reporting_since",
                condition="attribute_exists(not_reporting_since)",
                values={":due": due},
            )
            for one in accounts
        ],
    )


def put_off(store: IncidentStore, accounts: list[Watched], *, held: dict[str, int]) -> None:
    """The next reminder of those silences is tomorrow's, or none after a month."""
    now = store.now
    change_items(
        store,
        [
            move_change(
                one.key,
                seen=held[one.key],
                due_at=None if one.last_heartbeat + FORGET_SECONDS < now else next_morning(now),
            )
            for one in accounts
        ],
    )
