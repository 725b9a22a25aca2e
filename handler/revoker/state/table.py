"""The state table of a member account, as few kinds of access as possible. Shell; decides nothing.

One item per principal, credential or purpose, named by `pk` (principal#AIDA..., credential#AKIA...,
baseline, wait#EVENT, ...). Reads are consistent; writes are conditional where two invocations could
meet, and each may be repeated. Numbers are epoch seconds; `expires_at` is a whole number, or TTL
ignores it (DynamoDB Developer Guide, "Computing time to live").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = str | float
Item = dict[str, Value]
# An attribute of the item as it is, =, > or <=, and a value: what must hold for a write to be made.
Given = tuple[str, str, Value]

# BatchGetItem may hand keys back under load; more rounds than this mean that the table is ill.
READ_ROUNDS = 5


class TableBusy(Exception):
    """The table did not answer for every key; Lambda tries the event again."""


@dataclass(frozen=True)
class Table:
    """A DynamoDB client and the table's name."""

    client: Any
    name: str

    def read(self, keys: Sequence[str]) -> dict[str, Item]:
        """The items that exist among `keys` (at most 100, no doubles), in one request."""
        wanted: dict[str, Any] = {
            self.name: {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}
        }
        found: dict[str, Item] = {}
        for _ in range(READ_ROUNDS):
            answer = self.client.batch_get_item(RequestItems=wanted)
            for raw in answer["Responses"].get(self.name, []):
                item = _plain(raw)
                found[str(item["pk"])] = item
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                return found
        raise TableBusy(f"{self.name} left keys unread")

    def items(self, prefix: str) -> Iterator[Item]:
        """Return every item whose key begins so; for reconciliation and the responder only."""
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.name,
            ConsistentRead=True,
            FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": prefix}},
        )
        for page in pages:
            yield from map(_plain, page["Items"])

    def put_new(self, key: str, values: Mapping[str, Value]) -> bool:
        """Make an item that does not exist yet; False when it does."""
        try:
            self.client.put_item(
                TableName=self.name,
                Item=_dynamo_item({"pk": key, **values}),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def update(
        self,
        key: str,
        values: Mapping[str, Value],
        *,
        remove: Sequence[str] = (),
        unless: str = "",
        given: Given | None = None,
    ) -> bool:
        """Set and remove attributes, making the item where needed.

        `unless` names an attribute that must not exist yet; False when it does, or when what is
        `given` does not hold, as of no item.
        """
        names = {f"#n{i}": name for i, name in enumerate([*values, *remove])}
        marks = list(names)
        texts = {f":v{i}": _dynamo_value(value) for i, value in enumerate(values.values())}
        parts = []
        if values:
            sets = zip(marks, texts, strict=False)
            parts.append("SET " + ", ".join(f"{name} = {value}" for name, value in sets))
        if remove:
            parts.append("REMOVE " + ", ".join(marks[len(values) :]))
        arguments: dict[str, Any] = {
            "TableName": self.name,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": " ".join(parts),
            "ExpressionAttributeNames": names,
        }
        if texts:
            arguments["ExpressionAttributeValues"] = texts
        if unless:
            arguments["ExpressionAttributeNames"] = names | {"#unless": unless}
            arguments["ConditionExpression"] = "attribute_not_exists(#unless)"
        if given:
            attribute, relation, value = given
            arguments["ExpressionAttributeNames"] = names | {"#given": attribute}
            arguments["ExpressionAttributeValues"] = texts | {":given": _dynamo_value(value)}
            arguments["ConditionExpression"] = f"#given {relation} :given"
        try:
            self.client.update_item(**arguments)
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def delete(self, key: str, *, begun: float | None = None) -> None:
        """Remove an item, with `begun` only while it has that; nothing happens when it is gone."""
        arguments: dict[str, Any] = {}
        if begun is not None:
            arguments["ConditionExpression"] = "begun = :begun"
            arguments["ExpressionAttributeValues"] = {":begun": _dynamo_value(begun)}
        try:
            self.client.delete_item(TableName=self.name, Key={"pk": {"S": key}}, **arguments)
        except self.client.exceptions.ConditionalCheckFailedException:
            return


def _plain(raw: Mapping[str, Mapping[str, str]]) -> Item:
    return {
        name: float(value["N"]) if "N" in value else str(next(iter(value.values())))
        for name, value in raw.items()
    }


def _dynamo_item(item: Mapping[str, Value]) -> dict[str, dict[str, str]]:
    return {name: _dynamo_value(value) for name, value in item.items()}


def _dynamo_value(value: Value) -> dict[str, str]:
    return {"S": value} if isinstance(value, str) else {"N": repr(value)}
