"""A DynamoDB table in this process for the benchmarks: the emulator's own, without a socket.

It counts requests and write units, and the processor time that the table itself takes. It proves
nothing about races and nothing about AWS's times: what it is good for is ratios.
"""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import cfn_flip
from botocore.awsrequest import AWSRequest, AWSResponse
from ministack.services.dynamodb import handle_request

TEMPLATES = Path(__file__).parent.parent / "templates"
SHAPE = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
WRITES = frozenset({"PutItem", "UpdateItem", "TransactWriteItems"})
REFUSED = ("ConditionalCheckFailedException", "TransactionCanceledException")


@dataclass
class Meter:
    """What went over the wire so far; `units` are DynamoDB's write units, refused writes too."""

    requests: int = 0
    writes: int = 0
    units: float = 0.0
    read_units: float = 0.0
    seconds: float = 0.0

    def answer(self, request: AWSRequest, **_: Any) -> AWSResponse:
        """Answer a signed request in place of the network."""
        began = time.process_time()
        operation = _text(request.headers["X-Amz-Target"]).rpartition(".")[2]
        sent = json.loads(request.body or b"{}") | {"ReturnConsumedCapacity": "TOTAL"}
        status, headers, body = asyncio_free(
            handle_request(
                "POST",
                "/",
                {"x-amz-target": f"DynamoDB_20120810.{operation}"},
                json.dumps(sent).encode(),
                {},
            )
        )
        self.requests += 1
        if operation in WRITES:
            self.writes += 1
            self.units += _units(sent, json.loads(body))
        else:
            self.read_units += _units(sent, json.loads(body))
        self.seconds += time.process_time() - began
        return AWSResponse(request.url, status, headers, _Raw(body))


@cache
def template_table(name: str) -> dict[str, Any]:
    """What CreateTable takes of the one table in templates/NAME.yaml."""
    template = json.loads(cfn_flip.to_json((TEMPLATES / f"{name}.yaml").read_text()))
    [table] = [
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::DynamoDB::Table"
    ]
    return {part: table[part] for part in SHAPE if part in table}


def plain_table(key: str) -> dict[str, Any]:
    """A table of its own with that key."""
    return {
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def new_table(meter: Meter, *, name: str, shape: dict[str, Any]) -> Any:
    """A client of a fresh table of that shape, read through `meter`."""
    client = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url="http://192.0.2.1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.meta.events.register("before-send.dynamodb", meter.answer)
    client.create_table(TableName=name, **shape)
    meter.requests, meter.writes, meter.units, meter.seconds = 0, 0, 0.0, 0.0
    return client


def asyncio_free(answer: Any) -> Any:
    """The result of a coroutine that waits for nothing, without an event loop."""
    try:
        answer.send(None)
    except StopIteration as done:
        return done.value
    answer.close()
    return asyncio.run(_never())


async def _never() -> Any:
    raise RuntimeError("the emulator's table waits for something: it can be no plain call")


def _units(sent: dict[str, Any], body: dict[str, Any]) -> float:
    """Write units: as the table says, or by the size of what is there where a condition refused.

    DynamoDB Developer Guide, "Read and write operations" (a failed conditional write consumes the
    units of the item that exists, at least one) and "Transactions" (twice the units of each).
    """
    if not str(body.get("__type", "")).endswith(REFUSED):
        used = body.get("ConsumedCapacity", {})
        reported = used if isinstance(used, list) else [used]
        return sum(float(one.get("CapacityUnits", 0)) for one in reported)
    if "TransactItems" in sent:
        return 2.0 * len(sent["TransactItems"])
    return max(1.0, -(-len(json.dumps(body.get("Item", {}))) // 1024))


def _text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()
