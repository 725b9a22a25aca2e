"""What is known of a caller: the table and, for an unknown user, the group, read side by side.

Shell for the reading, pure for what it means. An administrator whom this process has met before
costs one table read; a caller's deny waits for one round of reading, never for two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from handler.model.cloudtrail import Call, CallerKind, seconds_of
from handler.model.reasons import Standing
from handler.model.settings import Settings
from handler.revoker.judge.membership import CLOCK_SLACK, administrator_at
from handler.revoker.state.circuit_breaker import BREAKER, existed, is_full
from handler.revoker.state.ledger import (
    BASELINE,
    Baseline,
    LiveGroup,
    added_user,
    credential_key,
    denied_by_responder,
    membership,
    principal_key,
    read_baseline,
    read_group,
    take_baseline,
)
from handler.revoker.state.marks import credential_is_tainted, read_contained, session_is_tainted
from handler.revoker.state.table import Item, Table

# Runs two readings at once and answers both; tests pass one that runs them in turn.
Together = Callable[[Callable[[], Any], Callable[[], Any]], tuple[Any, Any]]


@dataclass(frozen=True)
class KnownFacts:
    """What was read for one call; `live` is None where the group did not have to be asked.

    `existed`: the caller is older than the change that armed the breaker; asked only where the
    breaker would spare it.
    """

    baseline: Baseline
    principal: Item = field(default_factory=dict)
    credential: Item = field(default_factory=dict)
    breaker: Item = field(default_factory=dict)
    live: LiveGroup | None = None
    existed: bool = True


def read_known_facts(
    call: Call,
    *,
    table: Table,
    iam: Callable[[], Any],
    settings: Settings,
    together: Together,
    met: set[str],
    now: float,
) -> KnownFacts:
    """Read what the decision needs; takes the baseline when nobody has taken it yet.

    `met` holds ids that this process has already seen the ledger vouch for.
    """
    caller = call.caller
    keys = [BASELINE, BREAKER]
    keys += [principal_key(caller.id)] if caller.id else []
    keys += [credential_key(caller.access_key)] if caller.access_key else []
    live: LiveGroup | None = None
    if caller.kind is CallerKind.USER and caller.id not in met:
        items, live = together(
            lambda: table.read(keys), lambda: read_group(iam(), settings.admin_group)
        )
    else:
        items = table.read(keys)
    baseline = read_baseline(items.get(BASELINE))
    if baseline is None:
        live = live or read_group(iam(), settings.admin_group)
        baseline = take_baseline(table, live, call, group=settings.admin_group, now=now)
    if live is None and caller.kind is CallerKind.USER:
        # Met before, but no administrator by now: it may have been added again.
        entries = membership(baseline, caller.id, items.get(principal_key(caller.id), {}))
        if not administrator_at(entries, call.time):
            live = read_group(iam(), settings.admin_group)
    breaker = items.get(BREAKER, {})
    spares = is_full(breaker, settings, now=now)
    return KnownFacts(
        baseline=baseline,
        principal=items.get(principal_key(caller.id), {}),
        credential=items.get(credential_key(caller.access_key), {}),
        breaker=breaker,
        live=live,
        existed=not spares or existed(iam(), caller, float(breaker["since"])),
    )


def standing_of(call: Call, known: KnownFacts, settings: Settings, *, now: float) -> Standing:
    """What the readings mean for this call."""
    caller, item = call.caller, known.principal
    entries = membership(known.baseline, caller.id, item)
    # A call that adds its own caller proves that the caller was none, unless another call
    # added it before, or the baseline had found it there.
    adds_herself = _same(added_user(call, group=settings.admin_group), caller.name)
    if adds_herself and call.time is not None and call.time <= known.baseline.taken + CLOCK_SLACK:
        entries = replace(entries, baseline=None)
    if added_user(call, group=settings.admin_group) and call.time is not None:
        # Nobody adds others within the second of their own addition: two who add each other then
        # would vouch for each other for ever.
        entries = replace(entries, adds=tuple(add for add in entries.adds if add < call.time))
    administrator = caller.kind is CallerKind.USER and administrator_at(entries, call.time)
    in_group = known.live is not None and known.live.by_id(caller.id) is not None
    released = item.get("released")
    # A date to come was not written by a release.
    past = isinstance(released, float) and released <= now
    return Standing(
        administrator=administrator,
        unproven=in_group
        and not administrator
        and not (entries.strikes or adds_herself or denied_by_responder(item, call.time)),
        contained="contained" in item and not (administrator and _came_before(call, item)),
        tainted="tainted" in item,
        credential_tainted=_credential_tainted(call, known),
        released_at=float(released) if past and released is not None else None,
        group_empty=known.baseline.empty,
        breaker_open=known.existed
        and is_full(known.breaker, settings, now=now)
        and f"hit#{caller.id}" not in known.breaker,
        again=_tried_before(call, item),
    )


def _tried_before(call: Call, item: Item) -> str:
    record = read_contained(item)
    return record.reason if record and record.event_id == call.event_id else ""


def _came_before(call: Call, item: Item) -> bool:
    """Whether the call is older than the offence for which the caller was contained."""
    record = read_contained(item)
    offence = seconds_of(record.call_time) if record else None
    return (
        "tainted" not in item
        and offence is not None
        and call.time is not None
        and call.time < offence
    )


def _credential_tainted(call: Call, known: KnownFacts) -> bool:
    if credential_is_tainted(known.credential, time=call.time):
        return True
    # Not sessions of the console alone: a sign-in also gives the command line its credentials.
    began = call.caller.session_began_at
    return began is not None and session_is_tainted(known.principal, began=began)


def _same(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.casefold()
