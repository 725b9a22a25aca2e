"""The circuit breaker: a bad change of template or parameters must not lock out everybody.

Armed for some hours after a change, it counts those contained for their own calls. Once so many
are, it spares others; but only who is older than the change counts or is spared, so that an
offender's created principals neither trip it nor hide behind it. `since` is in epoch seconds.
"""

from __future__ import annotations

from typing import Any

from handler.model.cloudtrail import Caller, CallerKind
from handler.model.fingerprint import change_fingerprint
from handler.model.settings import Settings
from handler.revoker.state.table import Item, Table

# One item: what was at work last, since when, and which were contained (`hit#ID`).
BREAKER = "breaker"


def arm_breaker(table: Table, breaker: Item, settings: Settings, *, now: float) -> None:
    """Note since when this template and these parameters are at work, by whatever woke us.

    Not at the first offence: an attacker must not find the breaker freshly armed. What was at work
    last is compared, so that going back to what was once there is a change as well.
    """
    if _is_changed(breaker, settings):
        table.update(BREAKER, {"of": change_fingerprint(settings), "since": now})


def count_in_breaker(
    table: Table, iam: Any, caller: Caller, breaker: Item, settings: Settings, *, now: float
) -> None:
    """Note one principal contained for its own call; each counts once, and while armed only."""
    since = now if _is_changed(breaker, settings) else _armed_since(breaker, settings, now=now)
    if not (caller.id and settings.breaker_limit) or since is None:
        return
    if existed(iam, caller, since):
        table.update(BREAKER, {f"hit#{caller.id}": now})


def is_full(breaker: Item, settings: Settings, *, now: float) -> bool:
    """Whether it contains nobody more who is older than the change."""
    since = _armed_since(breaker, settings, now=now)
    if not settings.breaker_limit or _is_changed(breaker, settings) or since is None:
        return False
    # Older ones were counted before the last change.
    hits = [name for name, at in breaker.items() if name.startswith("hit#") and float(at) >= since]
    return len(hits) >= settings.breaker_limit


def existed(iam: Any, caller: Caller, since: float) -> bool:
    """Whether the caller was there before; not where the name has moved or is nobody's."""
    try:
        if caller.kind is CallerKind.USER:
            row = iam.get_user(UserName=caller.name)["User"]
        elif caller.kind is CallerKind.ROLE:
            row = iam.get_role(RoleName=caller.name)["Role"]
        else:
            return True
    except iam.exceptions.NoSuchEntityException:
        return False
    there = caller.id in (row.get("UserId"), row.get("RoleId"))
    return there and bool(row["CreateDate"].timestamp() < since)


def _is_changed(breaker: Item, settings: Settings) -> bool:
    return breaker.get("of") != change_fingerprint(settings)


def _armed_since(breaker: Item, settings: Settings, *, now: float) -> float | None:
    since = breaker.get("since")
    armed = isinstance(since, float) and now - since < settings.breaker_hours * 3_600
    return since if armed and isinstance(since, float) else None
