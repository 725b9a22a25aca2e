"""Judge calls of the event history once more, after the ledger learnt who had been none. Shell.

A removal that is heard of late, or a baseline entry struck out, means that calls were judged as an
administrator's which were not. They are fed through the same answer again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from handler.answer import answer
from handler.proof import Deferred
from handler.store import Item
from handler.tools import Tools, attempt
from handler.trail import Call, read_record

# The event history lags up to 15 minutes behind: a look after this much has seen everything.
HISTORY_LAG_SECONDS = 20 * 60.0
# Two requests a second are allowed. Where a flood of calls hides the rest, the next patrol goes on.
CALLS_AT_ONCE = 500
IAM_SOURCE = "iam.amazonaws.com"


def recheck_calls(tools: Tools, troubles: list[Exception]) -> None:
    """Look through the calls of every user whom the ledger asks to look at again."""
    for item in list(tools.table.items("recheck#")):
        attempt(partial(_recheck, item, tools), tools, troubles)


def _recheck(item: Item, tools: Tools) -> None:
    key = str(item["pk"])
    seen = float(item.get("seen", tools.now))
    begun = float(item.get("begun", tools.now))
    until = float(item.get("until", tools.now))
    count, oldest, waiting = 0, until, False
    for call in _calls(item, until, tools):
        count += 1
        oldest = min(oldest, call.time or oldest)
        if not _concerns(call, item):
            continue
        try:
            answer(call, tools)
        except Deferred:
            waiting = True
    if count >= CALLS_AT_ONCE:
        tools.table.update(key, {"seen": seen, "begun": begun, "until": oldest})
    elif waiting or begun - seen < HISTORY_LAG_SECONDS:
        tools.table.update(key, {"seen": seen}, remove=["begun", "until"])
    else:
        tools.table.delete(key)


def _calls(item: Item, until: float, tools: Tools) -> Iterator[Call]:
    """Calls under this user's name between `since` and `until`, newest first, so many at most."""
    pages = tools.clients("cloudtrail", tools.here.region).get_paginator("lookup_events")
    for page in pages.paginate(
        LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": str(item["name"])}],
        StartTime=float(item["since"]),
        EndTime=until,
        PaginationConfig={"MaxItems": CALLS_AT_ONCE, "PageSize": 50},
    ):
        for event in page["Events"]:
            yield read_record(json.loads(event["CloudTrailEvent"]))


def _concerns(call: Call, item: Item) -> bool:
    return (
        call.caller.id == item["id"]
        and call.service == IAM_SOURCE
        and not call.read_only
        and call.time is not None
        and call.time >= float(item["since"])
    )
