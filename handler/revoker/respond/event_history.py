"""Wait for the proof that an unproven member is an administrator: the event may be on its way.

Shell. No sleep and no poller: raising makes Lambda try the event again after one and after two more
minutes, and the third try decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from handler.model.cloudtrail import Call, read_record
from handler.model.reasons import Action
from handler.revoker.judge.membership import CLOCK_SLACK
from handler.revoker.judge.renames import Rename, names_before, rename_in
from handler.revoker.judge.rules import decide
from handler.revoker.respond.ledger_updates import TRUSTED, fact_of, is_written, write_fact
from handler.revoker.state.context import Tools
from handler.revoker.state.ledger import Member, added_user, read_group, removed_user
from handler.revoker.state.name_history import holder_of, kept_renames
from handler.revoker.state.standing import KnownFacts, read_known_facts, standing_of

WAIT_KEPT_SECONDS = 86_400.0
# CloudTrail's event history goes back 90 days and answers two requests a second. It is asked by the
# names of calls: no page says that it finds a call by the user that the call names.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-cli.html
HISTORY_SECONDS = 90 * 86_400
HISTORY_PAGES = 10
MEMBERSHIPS = ("AddUserToGroup", "RemoveUserFromGroup")
HISTORY = "LookupEvents"
NO_HISTORY = frozenset(
    {"AccessDenied", "AccessDeniedException", "Throttling", "ThrottlingException"}
)
# The one who added it may be in the same case: so many are looked for one after another.
ADDERS = 3


class Deferred(Exception):
    """Not decided yet: the group lists the caller, and nothing proves yet who put it there."""


def search_proof(
    call: Call, known: KnownFacts, tools: Tools, *, adders: int = ADDERS
) -> KnownFacts:
    """Search CloudTrail's event history, write what it proves, and read again."""
    live = known.live or read_group(tools.iam, tools.settings.admin_group)
    member = live.by_id(call.caller.id)
    if member is None:
        return replace(known, live=live)
    prove(member, tools, adders=adders)
    return replace(_look(call, tools, met={call.caller.id}), live=live)


def wait_is_over(call: Call, tools: Tools) -> bool:
    """Whether this event was first seen long enough ago; notes the first time."""
    key = f"wait#{call.event_id}"
    expires = int(tools.now + WAIT_KEPT_SECONDS)
    if tools.table.put_new(key, {"first": tools.now, "expires_at": expires}):
        return tools.wait_seconds <= 0
    first = tools.table.read([key]).get(key, {}).get("first", tools.now)
    return tools.now - float(first) >= tools.wait_seconds


def prove(member: Member, tools: Tools, *, adders: int = ADDERS, since: float = 0.0) -> None:
    """Write what CloudTrail's event history proves of a member of the group.

    The history answers two requests a second to everybody: no answer is no proof. That is said of
    the history alone; a table or an IAM that refuses is asked again.
    """
    try:
        _prove(member, tools, adders=adders, since=since)
    except tools.iam.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        if error.operation_name != HISTORY or code not in NO_HISTORY:
            raise


def _prove(member: Member, tools: Tools, *, adders: int, since: float) -> None:
    """Write the additions and removals of `member` that the event history proves.

    Only those by administrators of that time, of a name that was the user's then, and none older
    than `since` or the user itself.
    """
    group = tools.settings.admin_group
    since = max(since, member.made - CLOCK_SLACK, tools.now - HISTORY_SECONDS)
    renames = (*kept_renames(tools.table), *_renames_in_history(tools, since))
    names = {name.casefold() for name in names_before(renames, member.name)}
    calls, since = _memberships(tools, since)
    for call in calls:
        user = added_user(call, group=group) or removed_user(call, group=group)
        if user.casefold() not in names or call.time is None:
            continue
        if call.time < since or call.caller.id == member.id:
            continue
        # What the ledger knows stands where it stands; an open question proves nobody.
        holder = holder_of(tools.iam, tools.table, user, call.time, also=renames).member
        if holder is None or holder.id != member.id:
            continue
        if not is_written(fact_of(call), tools) and _is_trusted(call, tools, adders):
            write_fact(member, fact_of(call), call.time, tools)


def _memberships(tools: Tools, since: float) -> tuple[list[Call], float]:
    """Additions and removals together, newest first, and since when none of them is missing.

    Both are read whole before one is believed: an addition whose removal was not read would prove
    an administrator. A list that was cut hides its oldest calls.
    """
    found: list[Call] = []
    for name in MEMBERSHIPS:
        calls = list(_history(tools, name, since))
        if len(calls) >= HISTORY_PAGES * 50:
            since = max(since, min(call.time or tools.now for call in calls))
        found += calls
    return sorted(found, key=lambda call: call.time or 0.0, reverse=True), since


def _is_trusted(call: Call, tools: Tools, adders: int) -> bool:
    """Whether the call was an administrator's, by the rules that judge every call."""
    known = _look(call, tools, met=tools.met)
    for again in (False, True):
        standing = standing_of(call, known, tools.settings, now=tools.now)
        verdict = decide(call, standing, tools.settings, own_role_arn=tools.here.role_arn)
        if verdict.action is not Action.DEFER or again or adders <= 1:
            break
        known = search_proof(call, known, tools, adders=adders - 1)
    return verdict.reason in TRUSTED


def _look(call: Call, tools: Tools, *, met: set[str]) -> KnownFacts:
    return read_known_facts(
        call,
        table=tools.table,
        iam=lambda: tools.iam,
        settings=tools.settings,
        together=tools.together,
        met=met,
        now=tools.now,
    )


def _renames_in_history(tools: Tools, since: float) -> Iterator[Rename]:
    for call in _history(tools, "UpdateUser", since):
        rename = rename_in(call)
        if rename is not None:
            yield rename


def _history(tools: Tools, name: str, since: float) -> Iterator[Call]:
    """Calls of that name since then, newest first, a few pages at most."""
    cloudtrail: Any = tools.clients("cloudtrail", tools.here.region)
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
        # To the end by AWS's own clock, not by ours, which may be behind.
        StartTime=min(since, tools.now),
        PaginationConfig={"MaxItems": HISTORY_PAGES * 50, "PageSize": 50},
    )
    for page in pages:
        for event in page["Events"]:
            yield read_record(json.loads(event["CloudTrailEvent"]))
