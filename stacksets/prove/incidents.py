"""The incidents of one account, as the central account has written them down. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handler.model.names import INCIDENT_TABLE
from handler.notifier.messages.notice import Notice, NoticeKind, unpack_notice


@dataclass(frozen=True)
class Incident:
    """One incident; `mailed` once its first mail is published."""

    key: str
    kind: NoticeKind
    calls: int
    mailed: bool
    first: Notice
    latest: Notice


def read_incidents(client: Any, account: str) -> Iterator[Incident]:
    """Every incident of the account that the table still holds. Raises ClientError."""
    # The key of an incident holds the id of an event, which nobody knows beforehand.
    pages = client.get_paginator("scan").paginate(
        TableName=INCIDENT_TABLE,
        ProjectionExpression="pk, calls, next_mail, first_facts, last_facts",
        FilterExpression="begins_with(pk, :prefix)",
        ExpressionAttributeValues={":prefix": {"S": f"incident#{account}#"}},
    )
    for item in (one for page in pages for one in page["Items"]):
        yield Incident(
            key=item["pk"]["S"],
            kind=NoticeKind(item["pk"]["S"].split("#")[2]),
            calls=int(item["calls"]["N"]),
            # handler/notifier/store/incidents.py: the first mail is that of the milestone 1.
            mailed=int(item["next_mail"]["N"]) > 1,
            first=unpack_notice(item["first_facts"]["S"]),
            latest=unpack_notice(item["last_facts"]["S"]),
        )
