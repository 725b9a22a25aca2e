"""Judge calls of the event history once more, after more was learnt about who made them. Shell.

A removal, a rename, a theft of a key that arrives late means that calls were judged by what was
not so. They are fed through the same answer again, which does again what it did, or better.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial

from handler.model.cloudtrail import Call, read_record
from handler.revoker.judge.renames import names_before, names_borne, spelling
from handler.revoker.respond.event_history import Deferred
from handler.revoker.respond.respond import answer
from handler.revoker.state.context import Tools, attempt, time_is_up
from handler.revoker.state.ledger import ask_since
from handler.revoker.state.name_history import kept_renames
from handler.revoker.state.table import Item, Value

# The event history lags up to 15 minutes behind: a look after this much has seen everything.
HISTORY_LAG_SECONDS = 20 * 60.0
# AWS allows two requests a second. Where many calls hide the rest, the next reconciliation goes on.
CALLS_AT_ONCE = 500
IAM_SOURCE = "iam.amazonaws.com"


def reevaluate_calls(tools: Tools, troubles: list[Exception]) -> None:
    """Judge again the calls that were asked for; the rest is the next round's."""
    # What is asked of one caller or key first: the calls of a whole account may fill the round.
    items = sorted(tools.table.items("reevaluate#"), key=lambda item: item.get("by") == "EventName")
    renames = kept_renames(tools.table) if items else ()
    moved = frozenset(name.casefold() for one in renames for name in (one.old, one.new))
    for item in items:
        attempt(partial(_reevaluate, item, moved, tools), tools, troubles)


def _reevaluate(item: Item, moved: frozenset[str], tools: Tools) -> None:
    key = str(item["pk"])
    _ask_by_other_names(item, tools)
    asked = _begin(item, tools)
    if asked is None:
        return
    seen = float(asked.get("seen", tools.now))
    begun = float(asked.get("begun", tools.now))
    until = float(asked.get("until", tools.now))
    count, oldest, waiting, cut = 0, until, False, False
    for call in _calls(asked, until, tools):
        if time_is_up(tools):
            cut = True
            break
        count += 1
        oldest = min(oldest, call.time or oldest)
        if not _concerns(call, asked, moved):
            continue
        try:
            answer(call, tools)
        except Deferred:
            waiting = True
    # Only while nobody has asked again since: a new request takes `begun` off.
    ours = ("begun", "=", begun)
    if cut or count >= CALLS_AT_ONCE:
        tools.table.update(key, {"seen": seen, "until": oldest}, given=ours)
    elif waiting or begun - seen < HISTORY_LAG_SECONDS:
        tools.table.update(key, {"seen": seen}, remove=["begun", "until"], given=ours)
    else:
        tools.table.delete(key, begun=begun)


def _begin(item: Item, tools: Tools) -> Item | None:
    """The request as it stands once this look's `begun` is on it; None when it is gone.

    What another look left off at is gone on with, under its `begun`.
    """
    if "until" in item:
        return item
    key = str(item["pk"])
    # It may ask for more than it did when it was read, never for less.
    as_it_was = ("since", "<=", float(item["since"]))
    if not tools.table.update(key, {"begun": tools.now}, given=as_it_was):
        return None
    return tools.table.read([key]).get(key)


def _ask_by_other_names(item: Item, tools: Tools) -> None:
    """The history knows users by the names of their calls: who was renamed is looked for twice."""
    name, since = str(item["name"]), float(item["since"])
    if "by" in item or "named" in item:
        return
    renames = kept_renames(tools.table)
    spelled = spelling(renames, name)
    spelled |= {rename.old.casefold(): rename.old for rename in renames}
    others = {*names_borne(renames, name, since), *names_before(renames, name)}
    for folded in sorted({other.casefold() for other in others} - {name.casefold()}):
        other = spelled[folded]
        values: dict[str, Value] = {
            "id": str(item["id"]),
            "name": other,
            "named": "since",
        }
        ask_since(tools.table, f"{item['pk']}#{other}", values, since)


def _calls(item: Item, until: float, tools: Tools) -> Iterator[Call]:
    """Calls that the item asks for between `since` and `until`, newest first, so many at most."""
    by = str(item.get("by", "Username"))
    pages = tools.clients("cloudtrail", tools.here.region).get_paginator("lookup_events")
    for page in pages.paginate(
        LookupAttributes=[{"AttributeKey": by, "AttributeValue": str(item["name"])}],
        StartTime=float(item["since"]),
        EndTime=until,
        PaginationConfig={"MaxItems": CALLS_AT_ONCE, "PageSize": 50},
    ):
        for event in page["Events"]:
            yield read_record(json.loads(event["CloudTrailEvent"]))


def _concerns(call: Call, item: Item, moved: frozenset[str]) -> bool:
    """Whether it is one that was asked for: by the name of a call, on names that have moved."""
    named = str(call.request.get("userName", "")).casefold()
    return (
        (item.get("by") != "EventName" or named in moved)
        and item["id"] in ("", call.caller.id)
        and call.service == IAM_SOURCE
        and not call.read_only
        and call.time is not None
        and call.time >= float(item["since"])
    )
