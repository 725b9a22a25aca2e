"""An expiry that AWS would ignore without a word is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box

NAME = "kept"
KEY = {"pk": {"S": "wait#1"}}

Write = Callable[[Any, dict[str, str]], object]

WRITES: dict[str, Write] = {
    "PutItem": lambda client, value: client.put_item(
        TableName=NAME, Item={**KEY, "expires_at": value}
    ),
    "UpdateItem": lambda client, value: client.update_item(
        TableName=NAME,
        Key=KEY,
        UpdateExpression="SET expires_at = :at",
        ExpressionAttributeValues={":at": value},
    ),
    "BatchWriteItem": lambda client, value: client.batch_write_item(
        RequestItems={NAME: [{"PutRequest": {"Item": {**KEY, "expires_at": value}}}]}
    ),
    "TransactWriteItems": lambda client, value: client.transact_write_items(
        TransactItems=[{"Put": {"TableName": NAME, "Item": {**KEY, "expires_at": value}}}]
    ),
}


@pytest.fixture
def table(box: Box, account: str) -> Any:
    client = box.client("dynamodb", account)
    client.create_table(
        TableName=NAME,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def expire(client: Any) -> None:
    client.update_time_to_live(
        TableName=NAME,
        TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
    )


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("value", [{"N": "1764547200.123456"}, {"S": "1764547200"}])
def test_an_expiry_that_no_ttl_process_reads_is_refused(
    table: Any, write: str, value: dict[str, str]
) -> None:
    expire(table)
    with pytest.raises(ClientError, match="AWS would keep this item for ever") as refused:
        WRITES[write](table, value)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert table.scan(TableName=NAME)["Items"] == []


@pytest.mark.parametrize("write", WRITES)
def test_whole_seconds_are_taken(table: Any, write: str) -> None:
    expire(table)
    WRITES[write](table, {"N": "1764547200"})
    assert table.scan(TableName=NAME)["Items"] == [{**KEY, "expires_at": {"N": "1764547200"}}]


def test_where_nothing_expires_any_number_is_taken(table: Any) -> None:
    WRITES["PutItem"](table, {"N": "1764547200.123456"})
    assert len(table.scan(TableName=NAME)["Items"]) == 1
