"""Races for one item, on DynamoDB Local: 64 at once, one winner each, nothing counted twice.

The double in memory has one lock around everything, and moto's table lets two win now and then:
neither proves anything here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from handler.notifier.messages.notice import Incident, incident_key
from handler.notifier.store.due import claim_all, hold_due, mark_all
from handler.notifier.store.incidents import (
    LEASE_SECONDS,
    Turn,
    claim_mail,
    count_calls,
    mark_mailed,
)
from handler.notifier.store.rate_limit import (
    MAILS_PER_SECOND,
    Grant,
    Limits,
    take_digest,
    take_single,
)
from handler.notifier.store.table import IncidentStore, number_of
from tests.dynamodb_local import CONTENDERS
from tests.notifier.central import QUIET, START, TABLE, read_notice, report_body

pytestmark = pytest.mark.deep

ROUNDS = 200
Done = TypeVar("Done")


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=CONTENDERS) as executor:
        yield executor


def given_store(client: Any, owner: str = "one", now: float = START) -> IncidentStore:
    """A store whose pauses between two tries take no time, so that contenders stay together."""
    return IncidentStore(
        client=client,
        table=TABLE,
        quiet_seconds=QUIET,
        owner=owner,
        clock=lambda: now,
        sleep=lambda _: None,
    )


def all_at_once(
    pool: ThreadPoolExecutor, client: Any, act: Callable[[IncidentStore], Done], now: float = START
) -> list[Done]:
    """What each contender, an invocation of its own, got."""
    stores = [given_store(client, f"invocation-{number}", now) for number in range(CONTENDERS)]
    return list(pool.map(act, stores))


def given_notice(event: str, principal: str) -> Any:
    return read_notice(report_body(event, principal_id=principal))


def item_of(client: Any, key: str) -> dict[str, Any]:
    found = client.get_item(TableName=TABLE, Key={"pk": {"S": key}}, ConsistentRead=True)
    return dict(found.get("Item", {}))


def opened(client: Any, principal: str, calls: int = 1) -> str:
    notices = [given_notice(f"{principal}-{number}", principal) for number in range(calls)]
    assert count_calls(given_store(client), notices) == calls
    return incident_key(notices[0])


def test_64_that_bring_one_event_count_it_once(pool: ThreadPoolExecutor, local_client: Any) -> None:
    for number in range(ROUNDS):
        notice = given_notice(f"same-{number}", f"AIDASAME{number}")
        counted = all_at_once(pool, local_client, lambda s, n=notice: count_calls(s, [n]))
        assert Counter(counted) == {1: 1, 0: CONTENDERS - 1}
        assert number_of(item_of(local_client, incident_key(notice)), "calls") == 1


def test_64_events_at_once_are_64_calls_of_one_incident(
    pool: ThreadPoolExecutor, local_client: Any
) -> None:
    for number in range(ROUNDS):
        principal = f"AIDACOUNT{number}"
        notices = iter([given_notice(f"{principal}-{n}", principal) for n in range(CONTENDERS)])
        counted = all_at_once(pool, local_client, lambda s, n=notices: count_calls(s, [next(n)]))
        assert counted == [1] * CONTENDERS
        key = incident_key(given_notice("any", principal))
        assert number_of(item_of(local_client, key), "calls") == CONTENDERS


def test_64_that_find_a_closed_incident_open_one_new_one(
    pool: ThreadPoolExecutor, local_client: Any
) -> None:
    later = START + QUIET + 1
    for number in range(ROUNDS):
        principal = f"AIDAANEW{number}"
        key = opened(local_client, principal)
        store = given_store(local_client)
        first = claim_mail(store, key)
        assert isinstance(first, Incident)
        assert mark_mailed(store, first) is Turn.NOTHING_DUE
        notices = iter([given_notice(f"{principal}-new-{n}", principal) for n in range(CONTENDERS)])
        all_at_once(pool, local_client, lambda s, n=notices: count_calls(s, [next(n)]), later)
        item = item_of(local_client, key)
        assert number_of(item, "calls") == CONTENDERS
        assert number_of(item, "first_seen") == int(later)
        assert item["incident_id"]["S"] != first.incident_id


def test_64_that_claim_one_mail_have_one_holder(
    pool: ThreadPoolExecutor, local_client: Any
) -> None:
    for number in range(ROUNDS):
        key = opened(local_client, f"AIDACLAIM{number}")
        turns = all_at_once(pool, local_client, lambda s, k=key: claim_mail(s, k))
        assert sum(isinstance(turn, Incident) for turn in turns) == 1
        assert turns.count(Turn.HELD) == CONTENDERS - 1


def test_64_that_claim_mail_and_mark_send_it_once(
    pool: ThreadPoolExecutor, local_client: Any
) -> None:
    """Those that come late to the claim find nothing due, or the next milestone's mail."""

    def tell(store: IncidentStore, key: str) -> list[int]:
        sent = []
        while isinstance(incident := claim_mail(store, key), Incident):
            sent.append(incident.milestone)
            if mark_mailed(store, incident) is not Turn.MORE_DUE:
                break
        return sent

    for number in range(ROUNDS):
        key = opened(local_client, f"AIDATELL{number}", calls=12)
        sent = all_at_once(pool, local_client, lambda s, k=key: tell(s, k))
        assert sorted(milestone for one in sent for milestone in one) == [1, 10]


def test_64_digests_at_once_name_an_incident_once(
    pool: ThreadPoolExecutor, local_client: Any
) -> None:
    for number in range(ROUNDS):
        keys = [opened(local_client, f"AIDADIGEST{number}-{n}") for n in range(5)]
        incidents = [claimed_and_lost(local_client, key) for key in keys]
        later = START + LEASE_SECONDS + 1
        parts = all_at_once(pool, local_client, lambda s, i=incidents: claim_all(s, i), later)
        named = Counter(incident.key for part in parts for incident in part)
        assert named == dict.fromkeys(keys, 1)
        (winner, part), *_ = [(n, part) for n, part in enumerate(parts) if part]
        mark_all(given_store(local_client, f"invocation-{winner}", later), part)


def claimed_and_lost(client: Any, key: str) -> Incident:
    """As the sweep finds what a dead run had claimed."""
    incident = claim_mail(given_store(client, "dead"), key)
    assert isinstance(incident, Incident)
    return incident


def test_64_sweeps_hold_a_reminder_once(pool: ThreadPoolExecutor, local_client: Any) -> None:
    for number in range(ROUNDS):
        key = f"account#{number:012d}"
        local_client.put_item(
            TableName=TABLE, Item={"pk": {"S": key}, "due_at": {"N": str(int(START))}}
        )
        held = all_at_once(pool, local_client, lambda s, k=key: hold_due(s, {k: int(START)}))
        assert sorted(len(one) for one in held) == [0] * (CONTENDERS - 1) + [1]


def test_64_that_ask_for_a_mail_share_the_minutes_budget_exactly(
    pool: ThreadPoolExecutor, local_client: Any
) -> None:
    limits = Limits(per_minute=MAILS_PER_SECOND - 1)
    for number in range(ROUNDS):
        now = START + 60 * number
        grants = all_at_once(pool, local_client, lambda s: take_digest(s, limits), now)
        left = CONTENDERS - limits.per_minute
        assert Counter(grants) == {Grant.GIVEN: limits.per_minute, Grant.MINUTE_SPENT: left}


def test_64_that_ask_for_a_mail_of_one_account_get_its_share_and_no_more_a_second(
    pool: ThreadPoolExecutor, local_client: Any
) -> None:
    limits = Limits(per_minute=10)
    for number in range(ROUNDS):
        now = START + 1e7 + 60 * number
        grants = all_at_once(
            pool,
            local_client,
            lambda s: take_single(s, limits, account="111122223333", critical=True),
            now,
        )
        assert Counter(grants) == {
            Grant.GIVEN: limits.share,
            Grant.ACCOUNT_SPENT: CONTENDERS - limits.share,
        }
    per_second = all_at_once(
        pool, local_client, lambda s: take_digest(s, Limits(per_minute=240)), START + 2e7
    )
    assert per_second.count(Grant.GIVEN) == MAILS_PER_SECOND
