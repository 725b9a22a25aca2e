"""A DynamoDB table in memory with the client's own methods: what store.py asks of it, no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from handler.model.names import LEDGER_WRITES, REVOKER, iam_arn
from tests.doubles.iam import ACCOUNT

Raw = dict[str, dict[str, str]]
# Items a page: few, so that few items are several pages.
PAGE = 2
# As the member's template makes it.
POLICY = {
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": list(LEDGER_WRITES),
            "Resource": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/state",
            "Condition": {
                "ArnNotEquals": {
                    "aws:PrincipalArn": iam_arn(
                        partition="aws", account=ACCOUNT, kind="role", name=REVOKER
                    )
                }
            },
        }
    ]
}


class ConditionalCheckFailedException(ClientError):
    """As botocore raises it."""


class Exceptions:
    ClientError = ClientError
    ConditionalCheckFailedException = ConditionalCheckFailedException


@dataclass
class MemoryDynamo:
    """One table; `reads` and `writes` count requests, `fail` holds codes for the next requests.

    `policy` is its resource policy, None for none.
    """

    rows: dict[str, Raw] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0
    fail: dict[str, list[str]] = field(default_factory=dict)
    policy: dict[str, Any] | None = field(default_factory=lambda: POLICY)
    exceptions = Exceptions

    def get_resource_policy(self, *, ResourceArn: str) -> dict[str, str]:
        self._request("get_resource_policy")
        assert ResourceArn == f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/state"
        if self.policy is None:
            code = "PolicyNotFoundException"
            raise ClientError({"Error": {"Code": code, "Message": "none"}}, "GetResourcePolicy")
        return {"Policy": json.dumps(self.policy)}

    def _request(self, operation: str) -> None:
        if self.fail.get(operation):
            code = self.fail[operation].pop(0)
            raise ClientError({"Error": {"Code": code, "Message": "refused"}}, operation)

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        self._request("batch_get_item")
        self.reads += 1
        [(name, wanted)] = RequestItems.items()
        assert wanted["ConsistentRead"] is True
        keys = [key["pk"]["S"] for key in wanted["Keys"]]
        assert len(set(keys)) == len(keys), "DynamoDB refuses a key twice"
        assert len(keys) <= 100, "DynamoDB refuses more than 100 keys"
        found = [dict(self.rows[key]) for key in keys if key in self.rows]
        return {"Responses": {name: found}, "UnprocessedKeys": {}}

    def put_item(self, *, TableName: str, Item: Raw, ConditionExpression: str) -> None:
        self._request("put_item")
        self.writes += 1
        assert ConditionExpression == "attribute_not_exists(pk)"
        if Item["pk"]["S"] in self.rows:
            raise _condition_failed("PutItem")
        expires_in_whole_seconds(Item)
        self.rows[Item["pk"]["S"]] = dict(Item)

    def update_item(
        self,
        *,
        TableName: str,
        Key: Raw,
        UpdateExpression: str,
        ExpressionAttributeNames: dict[str, str],
        ExpressionAttributeValues: dict[str, dict[str, str]] | None = None,
        ConditionExpression: str = "",
    ) -> None:
        self._request("update_item")
        self.writes += 1
        row = dict(self.rows.get(Key["pk"]["S"], Key))
        values = ExpressionAttributeValues or {}
        used = set()
        if ConditionExpression:
            names = ExpressionAttributeNames
            if not _holds(ConditionExpression, row, names, values):
                raise _condition_failed("UpdateItem")
            used |= set(re.findall(r":\w+", ConditionExpression))
        for mark, value in re.findall(r"(#\w+) = (:\w+)", UpdateExpression):
            row[ExpressionAttributeNames[mark]] = values[value]
            used.add(value)
        assert used == set(values), "DynamoDB refuses values that no expression uses"
        _, _, removed = UpdateExpression.partition("REMOVE ")
        for mark in re.findall(r"#\w+", removed):
            row.pop(ExpressionAttributeNames[mark], None)
        expires_in_whole_seconds(row)
        self.rows[Key["pk"]["S"]] = row

    def delete_item(
        self,
        *,
        TableName: str,
        Key: Raw,
        ConditionExpression: str = "",
        ExpressionAttributeValues: dict[str, dict[str, str]] | None = None,
    ) -> None:
        self._request("delete_item")
        self.writes += 1
        row, values = self.rows.get(Key["pk"]["S"], Key), ExpressionAttributeValues or {}
        if ConditionExpression and not _holds(ConditionExpression, row, {}, values):
            raise _condition_failed("DeleteItem")
        self.rows.pop(Key["pk"]["S"], None)

    def get_paginator(self, operation: str) -> Scan:
        assert operation == "scan"
        return Scan(self)


@dataclass(frozen=True)
class Scan:
    dynamo: MemoryDynamo

    def paginate(
        self,
        *,
        TableName: str,
        ConsistentRead: bool,
        FilterExpression: str,
        ExpressionAttributeValues: dict[str, dict[str, str]],
    ) -> Iterator[dict[str, Any]]:
        assert FilterExpression == "begins_with(pk, :prefix)"
        self.dynamo.reads += 1
        prefix = ExpressionAttributeValues[":prefix"]["S"]
        keys = [key for key in sorted(self.dynamo.rows) if key.startswith(prefix)]
        # As many requests as there are pages, and one where there is nothing to find.
        for start in range(0, max(len(keys), 1), PAGE):
            found = (self.dynamo.rows.get(key) for key in keys[start : start + PAGE])
            yield {"Items": [dict(row) for row in found if row is not None]}


def expires_in_whole_seconds(row: Raw) -> None:
    """DynamoDB takes another expiry without a word, and keeps the item for ever."""
    assert row.get("expires_at", {"N": "0"})["N"].isdigit(), "TTL ignores what is no whole number"


def _holds(
    condition: str, row: Raw, names: dict[str, str], values: dict[str, dict[str, str]]
) -> bool:
    """The two conditions that store.py makes; a comparison with what is not there never holds."""
    if absent := re.fullmatch(r"attribute_not_exists\((#\w+)\)", condition):
        return names[absent.group(1)] not in row
    found = re.fullmatch(r"(#?\w+) (=|>|<=) (:\w+)", condition)
    assert found, condition
    mark, relation, value = found.groups()
    [(sort, wanted)] = values[value].items()
    here = row.get(names.get(mark, mark), {}).get(sort)
    if here is None:
        return False
    order = (
        (float(here) > float(wanted)) - (float(here) < float(wanted))
        if sort == "N"
        else ((here > wanted) - (here < wanted))
    )
    return {"=": order == 0, ">": order > 0, "<=": order <= 0}[relation]


def _condition_failed(operation: str) -> ConditionalCheckFailedException:
    return ConditionalCheckFailedException(
        {"Error": {"Code": "ConditionalCheckFailedException", "Message": "refused"}}, operation
    )
