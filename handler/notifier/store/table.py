"""Reach the incident table: change one item, or several together or none. A shell.

DynamoDB refuses a request while another transaction holds the item. That means "again", never
"counted" and never "duplicate"; everything else that has no answer here is raised.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

TRIES = 7
# DynamoDB takes so many items in one transaction, or one batch of keys to read.
LARGEST = 100

_AGAIN = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_FAILED = "ConditionalCheckFailed"


@dataclass(frozen=True)
class IncidentStore:
    """`client` is a DynamoDB client, `clock` gives epoch seconds, `owner` is unique to this run."""

    client: Any
    table: str
    quiet_seconds: int
    owner: str
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    @property
    def now(self) -> float:
        return self.clock()


@dataclass(frozen=True)
class ItemChange:
    """One conditional update of one item; `:name` values in DynamoDB's own form."""

    key: str
    change: str
    condition: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """The condition of a change did not hold; `item` is what stands there, {} for nothing."""

    item: dict[str, Any]


def change_item(store: IncidentStore, change: ItemChange) -> dict[str, Any] | Refused:
    """Make the change; the item as it is then. Raises what no condition answers, after TRIES."""
    for attempt in range(1, TRIES + 1):
        try:
            answer = store.client.update_item(
                **_request(store, change),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except store.client.exceptions.ConditionalCheckFailedException as error:
            return Refused(error.response.get("Item") or {})
        except store.client.exceptions.TransactionConflictException:
            if attempt == TRIES:
                raise
            pause_between(store, attempt)
        else:
            return dict(answer["Attributes"])
    raise AssertionError("the last try returns or raises")


def change_items(store: IncidentStore, changes: Iterable[ItemChange]) -> list[str]:
    """Make every change whose condition holds, a hundred at once; the keys of those made."""
    made: list[str] = []
    for chunk in chunks(changes, LARGEST):
        left = list(chunk)
        while left:
            refused = transact(store, [{"Update": _request(store, change)} for change in left])
            if not refused:
                made += [change.key for change in left]
                break
            left = [change for number, change in enumerate(left) if number not in refused]
    return made


def transact(store: IncidentStore, items: Sequence[dict[str, Any]]) -> set[int]:
    """Write all items or none; the numbers of those whose condition did not hold, if none.

    Raises ClientError when DynamoDB still says "again" after TRIES, and for any other reason.
    """
    for attempt in range(1, TRIES + 1):
        try:
            store.client.transact_write_items(TransactItems=list(items))
            return set()
        except store.client.exceptions.TransactionCanceledException as error:
            codes = [one.get("Code") for one in error.response.get("CancellationReasons", [])]
            refused = {number for number, code in enumerate(codes) if code == _FAILED}
            if refused:
                return refused
            if attempt == TRIES or not _AGAIN & set(codes):
                raise
            pause_between(store, attempt)
    raise AssertionError("the last try returns or raises")


def read_items(store: IncidentStore, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The items that are there, by key, as consistent as DynamoDB reads."""
    found: dict[str, dict[str, Any]] = {}
    for chunk in chunks(keys, LARGEST):
        wanted: dict[str, Any] = {
            store.table: {"Keys": [{"pk": {"S": key}} for key in chunk], "ConsistentRead": True}
        }
        for attempt in range(1, TRIES + 1):
            answer = store.client.batch_get_item(RequestItems=wanted)
            found |= {item["pk"]["S"]: item for item in answer["Responses"].get(store.table, [])}
            # An answer of more than 16 MB, or under throttling, comes in parts.
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                break
            pause_between(store, attempt)
    return found


def pause_between(store: IncidentStore, attempt: int) -> None:
    # Spread by chance, or contenders meet again: up to 40 ms, 80 ms, ... 1.3 s.
    store.sleep(random.uniform(0.01, 0.02 * 2**attempt))


def chunks(things: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(things)
    while chunk := list(islice(rest, size)):
        yield chunk


def as_number(value: float) -> dict[str, str]:
    return {"N": str(int(value))}


def number_of(item: dict[str, Any], name: str) -> int:
    """The number at that attribute, 0 where there is none."""
    return int(item[name]["N"]) if name in item else 0


def text_of(item: dict[str, Any], name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def _request(store: IncidentStore, change: ItemChange) -> dict[str, Any]:
    return {
        "TableName": store.table,
        "Key": {"pk": {"S": change.key}},
        "UpdateExpression": change.change,
        "ConditionExpression": change.condition,
        "ExpressionAttributeValues": change.values,
    }
