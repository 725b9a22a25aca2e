"""Races for a member's state table, on DynamoDB Local: 64 invocations at once, one writer each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from handler.model.names import STATE_TABLE
from handler.revoker.reconcile.reevaluate import reevaluate_calls
from handler.revoker.state.ledger import (
    BASELINE,
    LiveGroup,
    Member,
    ask_again,
    principal_key,
    take_baseline,
)
from handler.revoker.state.marks import Contained, read_contained, write_contained
from handler.revoker.state.table import Table
from tests.doubles.account import World
from tests.dynamodb_local import CONTENDERS

pytestmark = pytest.mark.deep

ROUNDS = 200
NOON = 1_790_000_000.0


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=CONTENDERS) as executor:
        yield executor


@pytest.fixture(scope="module")
def table(second_engine: Any) -> Table:
    return new_table(second_engine, STATE_TABLE)


def new_table(client: Any, name: str) -> Table:
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Table(client, name)


def test_64_first_invocations_agree_on_one_baseline(pool: ThreadPoolExecutor, table: Table) -> None:
    """Each finds another group, as if it changed between their looks."""
    groups = [
        LiveGroup(members=(Member(id=f"AIDA{number}", name=f"user-{number}", made=0.0),))
        for number in range(CONTENDERS)
    ]
    for _ in range(ROUNDS):
        table.delete(BASELINE)
        taken = list(
            pool.map(
                lambda live: take_baseline(table, live, None, group="Administrators", now=NOON),
                groups,
            )
        )
        written = json.loads(str(table.read([BASELINE])[BASELINE]["members"]))
        assert [one.members for one in taken] == [written] * CONTENDERS


def test_64_containments_of_one_principal_leave_the_first_record(
    pool: ThreadPoolExecutor, table: Table
) -> None:
    for number in range(ROUNDS):
        records = [
            Contained(
                name="mallory",
                kind="user",
                method="managed-policy",
                at=NOON,
                event_id=f"e-{one}",
                call="CreateUser",
                call_time="2026-09-21T13:46:40Z",
                reason="not-an-administrator",
            )
            for one in range(CONTENDERS)
        ]
        principal = f"AIDAMALLORY{number}"
        key = principal_key(principal)

        def write(record: Contained, principal: str = principal) -> Contained | None:
            write_contained(table, principal, record, mark="contained", unless="contained")
            return read_contained(table.read([principal_key(principal)])[principal_key(principal)])

        read = set(pool.map(write, records))
        assert read == {read_contained(table.read([key])[key])}


def test_64_that_write_a_fact_each_lose_none(pool: ThreadPoolExecutor, table: Table) -> None:
    """Facts are attributes of their own, named by their event."""
    for number in range(ROUNDS):
        key = principal_key(f"AIDAFACTS{number}")
        facts = [f"add#e-{one}" for one in range(CONTENDERS)]
        list(pool.map(lambda fact, key=key: table.update(key, {fact: NOON}, unless=fact), facts))
        assert set(table.read([key])[key]) == {"pk", *facts}


def test_64_that_ask_for_a_look_while_others_look_lose_no_request(
    pool: ThreadPoolExecutor, second_engine: Any
) -> None:
    """Each of 56 asks from another time on; 8 reconciliations were about to delete the request."""
    small = new_table(second_engine, f"{STATE_TABLE}-looks")
    key = "reevaluate#AIDABOB"
    tools = replace(World().tools(), table=small)
    ask = partial(ask_again, small, principal_id="AIDABOB", name="bob")

    def contend(number: int) -> None:
        if number % 8:
            ask(since=NOON - number)
            return
        troubles: list[Exception] = []
        reevaluate_calls(replace(tools, now=tools.now + number), troubles)
        assert troubles == []

    for _ in range(ROUNDS):
        small.delete(key)
        ask(since=NOON)
        small.update(key, {"seen": tools.now - 3_600})
        list(pool.map(contend, reversed(range(CONTENDERS))))
        left = small.read([key])[key]
        assert (left["since"], left["name"]) == (NOON - CONTENDERS + 1, "bob")
        # Whoever asks takes an hour-old look off: the history is given its lag anew.
        assert float(left.get("seen", tools.now)) >= tools.now
