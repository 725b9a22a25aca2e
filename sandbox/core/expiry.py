"""Refuse what DynamoDB takes and never expires: an expiry that is no whole number of seconds.

AWS keeps such an item without a word: "If you use any other format, the TTL processes ignore the
item" (DynamoDB Developer Guide, "Computing time to live (TTL)"). Here the write fails, by name.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.core import patches

DYNAMODB = "ministack.services.dynamodb"
SECONDS = re.compile(r"[0-9]+")


class _NeverExpires(Exception):
    """An item whose expiry no TTL process reads."""


def install() -> None:
    """Look at every item that is kept, until the hooks are restored."""

    def keep(table: dict[str, Any], pk: str, sk: str, item: dict[str, Any]) -> Any:
        setting = patches.get(DYNAMODB, "_ttl_settings").get(table["TableName"]) or {}
        name = setting.get("AttributeName", "")
        expires = setting.get("TimeToLiveStatus") == "ENABLED" and name in item
        if expires and not SECONDS.fullmatch(str(item[name].get("N", ""))):
            raise _NeverExpires(
                f"The sandbox refuses {name} = {json.dumps(item[name])} in {pk}: TTL is whole "
                "epoch seconds, and AWS would keep this item for ever."
            )
        return original(table, pk, sk, item)

    async def handle(*request: Any) -> Any:
        try:
            return await original_handler(*request)
        except _NeverExpires as refused:
            body = {"__type": "ValidationException", "message": str(refused)}
            return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode()

    original = patches.replace(DYNAMODB, "_set_item", keep)
    original_handler = patches.replace_entry(
        "ministack.app", "SERVICE_HANDLERS", "dynamodb", handle
    )
