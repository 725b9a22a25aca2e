"""A DynamoDB table in memory, with the client's own methods: fast, and exact where we ask.

It knows the expressions that handler/ writes, and refuses what DynamoDB refuses: a value that no
expression uses, two changes of one item in a transaction, more than a hundred items.
"""

from __future__ import annotations

import operator
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.doubles.table import expires_in_whole_seconds

Item = dict[str, dict[str, str]]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[()=<>,]|:?[A-Za-z_][A-Za-z0-9_]*)")
# What each index holds besides the key; only items that have the first stand in it.
_INDEXES = {
    "due": ("due_at",),
    "listed": ("listed_at", "beat", "last_heartbeat", "not_reporting_since"),
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class ConditionalCheckFailedException(ClientError):
    """As botocore raises it."""


class TransactionCanceledException(ClientError):
    """As botocore raises it."""


class TransactionConflictException(ClientError):
    """As botocore raises it."""


class Exceptions:
    ConditionalCheckFailedException = ConditionalCheckFailedException
    TransactionCanceledException = TransactionCanceledException
    TransactionConflictException = TransactionConflictException

    @classmethod
    def from_code(cls, code: str) -> type[ClientError]:
        return getattr(cls, code)


@dataclass
class MemoryTable:
    """One table with its two sparse indexes; all under one lock, so that requests are atomic."""

    items: dict[str, Item] = field(default_factory=dict)
    exceptions = Exceptions
    _lock: Any = field(default_factory=threading.RLock, repr=False)

    def update_item(self, *, TableName: str, Key: Item, **request: Any) -> dict[str, Any]:
        with self._lock:
            key = Key["pk"]["S"]
            if not self._holds(key, request):
                more = {"Item": self.items[key]} if key in self.items else {}
                raise _refused(ConditionalCheckFailedException, "UpdateItem", **more)
            self._update(key, request)
            return {"Attributes": dict(self.items[key])}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> None:
        with self._lock:
            assert 0 < len(TransactItems) <= 100
            writes = [(_key_of(write), write) for one in TransactItems for write in one.values()]
            assert len({key for key, _ in writes}) == len(writes), "one item twice"
            held = [self._holds(key, write) for key, write in writes]
            if not all(held):
                codes = [{"Code": "None" if one else "ConditionalCheckFailed"} for one in held]
                raise _refused(
                    TransactionCanceledException, "TransactWriteItems", CancellationReasons=codes
                )
            for key, write in writes:
                if "Item" in write:
                    expires_in_whole_seconds(write["Item"])
                    self.items[key] = dict(write["Item"])
                else:
                    self._update(key, write)

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            ((name, wanted),) = RequestItems.items()
            keys = [key["pk"]["S"] for key in wanted["Keys"]]
            assert wanted["ConsistentRead"] is True
            assert len(set(keys)) == len(keys) <= 100
            found = [dict(self.items[key]) for key in keys if key in self.items]
            return {"Responses": {name: found}, "UnprocessedKeys": {}}

    def scan(self, *, TableName: str, IndexName: str = "", **request: Any) -> dict[str, Any]:
        """Pages of 1,000 items, filtered after that as DynamoDB does."""
        with self._lock:
            keys = sorted(
                key
                for key, item in self.items.items()
                if not IndexName or _INDEXES[IndexName][0] in item
            )
            start = request.get("ExclusiveStartKey", {}).get("pk", {}).get("S", "")
            page = [key for key in keys if key > start][:1_000]
            found = [self.items[key] for key in page]
            if "FilterExpression" in request:
                found = [
                    one for one in found if _true(request["FilterExpression"], one, request)[0]
                ]
            if IndexName:
                kept = ("pk", *_INDEXES[IndexName])
                found = [{name: one[name] for name in kept if name in one} for one in found]
            is_last = not page or page[-1] == keys[-1]
            more = {} if is_last else {"LastEvaluatedKey": {"pk": {"S": page[-1]}}}
            return {"Items": [dict(one) for one in found], **more}

    def delete_item(self, *, TableName: str, Key: Item) -> None:
        with self._lock:
            self.items.pop(Key["pk"]["S"], None)

    def _holds(self, key: str, request: dict[str, Any]) -> bool:
        if "ConditionExpression" not in request:
            return True
        held, used = _true(request["ConditionExpression"], self.items.get(key, {}), request)
        used |= set(re.findall(r":\w+", request.get("UpdateExpression", "")))
        assert used == set(request["ExpressionAttributeValues"]), "a value that nothing uses"
        return held

    def _update(self, key: str, request: dict[str, Any]) -> None:
        old = self.items.get(key, {"pk": {"S": key}})
        new, values = dict(old), request["ExpressionAttributeValues"]
        parts = re.split(r"\b(SET|ADD|REMOVE)\b", request["UpdateExpression"])[1:]
        for verb, clause in zip(parts[::2], parts[1::2], strict=True):
            for action in re.split(r",(?![^(]*\))", clause):
                match verb:
                    case "SET":
                        name, _, value = (part.strip() for part in action.partition("="))
                        new[name] = _value(value, old, values)
                    case "ADD":
                        name, value = action.split()
                        total = int(old.get(name, {"N": "0"})["N"]) + int(values[value]["N"])
                        new[name] = {"N": str(total)}
                    case "REMOVE":
                        new.pop(action.strip(), None)
        expires_in_whole_seconds(new)
        self.items[key] = new


def _value(text: str, old: Item, values: Item) -> dict[str, str]:
    found = re.fullmatch(r"if_not_exists\((\w+), (:\w+)\)", text)
    if found:
        return old.get(found[1], values[found[2]])
    return values[text]


def _key_of(write: dict[str, Any]) -> str:
    return str((write.get("Key") or write["Item"])["pk"]["S"])


def _refused(kind: type[ClientError], operation: str, **more: Any) -> ClientError:
    return kind({"Error": {"Code": kind.__name__, "Message": "refused"}, **more}, operation)


def _true(expression: str, item: Item, request: dict[str, Any]) -> tuple[bool, set[str]]:
    """Whether a condition holds of an item, and the values that it names."""
    tokens = _TOKEN.findall(expression)
    assert "".join(tokens) == re.sub(r"\s", "", expression), expression
    reader = _Reader(tokens, item, request["ExpressionAttributeValues"])
    holds = reader.either()
    assert not reader.tokens, expression
    return holds, {token for token in tokens if token.startswith(":")}


class _Reader:
    """OR binds less than AND; everything is read, nothing short-circuits the tokens."""

    def __init__(self, tokens: list[str], item: Item, values: Item) -> None:
        self.tokens, self._item, self._values = list(tokens), item, values

    def either(self) -> bool:
        holds = self.both()
        while self.tokens and self.tokens[0] == "OR":
            self.tokens.pop(0)
            holds = self.both() or holds
        return holds

    def both(self) -> bool:
        holds = self.one()
        while self.tokens and self.tokens[0] == "AND":
            self.tokens.pop(0)
            holds = self.one() and holds
        return holds

    def one(self) -> bool:
        match self.tokens.pop(0):
            case "(":
                holds = self.either()
                assert self.tokens.pop(0) == ")"
                return holds
            case "attribute_not_exists" | "attribute_exists" as name:
                opening, attribute, closing = (self.tokens.pop(0) for _ in range(3))
                assert (opening, closing) == ("(", ")")
                return (attribute in self._item) == (name == "attribute_exists")
            case left:
                sign, right = self.tokens.pop(0), self.tokens.pop(0)
                a, b = self._plain(left), self._plain(right)
                # A comparison with an attribute that is not there is false.
                return a is not None and b is not None and _COMPARE[sign](a, b)

    def _plain(self, name: str) -> Any:
        value = self._values[name] if name.startswith(":") else self._item.get(name)
        if value is None:
            return None
        return int(value["N"]) if "N" in value else value["S"]
