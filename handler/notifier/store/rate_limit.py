"""The budget of mails: so many a minute, fairly between accounts, few a second. Sends nothing.

SNS suspends an e-mail subscription that gets more than 10 mails a second. One item a minute,
`budget#MINUTE`, counts the minute's mails, each second's and each account's, in one conditional
update. It is written once per mail at most and once more per run that is refused: no hot spot. A
crash after taking costs a mail of that minute, and none for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from handler.notifier.store.table import (
    IncidentStore,
    ItemChange,
    Refused,
    as_number,
    change_item,
    number_of,
)

# A clock's second may meet the end of the one before: never more than 8 in any second.
MAILS_PER_SECOND = 4
SHORTEST_WAIT = 0.02
RATE_LIMIT_KEEP_SECONDS = 3_600
TURNS = 12


@dataclass(frozen=True)
class Limits:
    """`per_minute` mails of all kinds; the rest follows from it."""

    per_minute: int

    @property
    def singles(self) -> int:
        """Mails about one incident; what is left is for digests, so that these get through."""
        return self.per_minute - max(1, self.per_minute // 10)

    @property
    def share(self) -> int:
        """Mails about one account's incidents; the last of them for a critical one."""
        return max(1, self.singles // 4)


class Grant(Enum):
    GIVEN = "given"
    ACCOUNT_SPENT = "account-spent"
    MINUTE_SPENT = "minute-spent"


def take_single(store: IncidentStore, limits: Limits, *, account: str, critical: bool) -> Grant:
    """Leave for one mail about one incident of that account, now."""
    share = limits.share if critical or limits.share == 1 else limits.share - 1
    return _take(store, most=limits.singles, account=account, share=share)


def take_digest(store: IncidentStore, limits: Limits) -> Grant:
    """Leave for one mail about many incidents, now."""
    return _take(store, most=limits.per_minute, account="", share=0)


def _take(store: IncidentStore, *, most: int, account: str, share: int) -> Grant:
    """Wait for a second with room; the minute counts as spent when none comes soon."""
    for _ in range(TURNS):
        now = store.now
        second = f"s{int(now) % 60}"
        answer = change_item(
            store, _taking(now, second=second, most=most, account=account, share=share)
        )
        if not isinstance(answer, Refused):
            return Grant.GIVEN
        if number_of(answer.item, "taken") >= most:
            return Grant.MINUTE_SPENT
        if account and number_of(answer.item, f"a{account}") >= share:
            return Grant.ACCOUNT_SPENT
        store.sleep(max(SHORTEST_WAIT, int(now) + 1 - now))
    return Grant.MINUTE_SPENT


def _taking(now: float, *, second: str, most: int, account: str, share: int) -> ItemChange:
    counters = ["taken", second, *([f"a{account}"] if account else [])]
    room = [
        f"(attribute_not_exists({name}) OR {name} < :{limit})"
        for name, limit in zip(counters, ("most", "rate", "share"), strict=False)
    ]
    return ItemChange(
        f"budget#{int(now) // 60}",
        change=f"ADD {', '.join(f'{name} :one' for name in counters)} SET expires_at = :expiry",
        condition=" AND ".join(room),
        values={
            ":one": {"N": "1"},
            ":most": as_number(most),
            ":rate": as_number(MAILS_PER_SECOND),
            ":expiry": as_number(now + RATE_LIMIT_KEEP_SECONDS),
        }
        | ({":share": as_number(share)} if account else {}),
    )
