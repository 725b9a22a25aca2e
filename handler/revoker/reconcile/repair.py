"""Look after every containment: is the deny still there and ours? If not, put it back. Shell.

Only in enforce mode. Principals contained or made by an offender are found by id: names move.
Each step may be repeated: what was found missing is written down before it is put back, so that a
round which dies half-way reports it all the same, under the same event id.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from handler.model.cloudtrail import CallerKind
from handler.model.principal import DenyMethod, Target
from handler.model.reasons import Reason
from handler.model.report import Report
from handler.revoker.deny.contain import (
    Containment,
    NoSuchPrincipal,
    contain,
    contain_sessions,
    holds,
)
from handler.revoker.reconcile.repair_reports import report_contained_late, report_stripped
from handler.revoker.remediate.context import is_contained, sessions_are_denied
from handler.revoker.state.context import Tools, account_alias, attempt, send, target_of
from handler.revoker.state.marks import Contained, read_contained, write_contained
from handler.revoker.state.table import Item

# A change of IAM shows everywhere within seconds: what is younger is looked at next time.
FRESH_SECONDS = 60.0
# A new principal may be missing from IAM's list for a while; one that stays away is gone.
GONE_SECONDS = 3_600.0
# A release that died half-way does not keep reconciliation away for ever.
RELEASE_SECONDS = 900.0


def check(items: Sequence[Item], tools: Tools, troubles: list[Exception]) -> None:
    """Look at each principal of `items` that is contained or tainted."""
    if not tools.settings.enforcing:
        return
    wanted = [item for item in items if _needs_a_look(item, now=tools.now)]
    if not wanted:
        return
    named = _names_by_id(tools.iam)
    for item in wanted:
        attempt(partial(_look_at, item, named, tools), tools, troubles)


def _needs_a_look(item: Item, *, now: float) -> bool:
    if "gone" in item or not {"contained", "sessions", "tainted"} & item.keys():
        return False
    releasing = item.get("releasing")
    return not isinstance(releasing, float) or now - releasing > RELEASE_SECONDS


def _names_by_id(iam: Any) -> dict[str, str]:
    """Today's name of every user and role, by id."""
    users = iam.get_paginator("list_users").paginate()
    roles = iam.get_paginator("list_roles").paginate()
    return {u["UserId"]: u["UserName"] for page in users for u in page["Users"]} | {
        r["RoleId"]: r["RoleName"] for page in roles for r in page["Roles"]
    }


def _look_at(item: Item, named: dict[str, str], tools: Tools) -> None:
    if "releasing" in item:
        # That release died; the responder asks again.
        tools.table.update(str(item["pk"]), {}, remove=["releasing"])
    principal_id = str(item["pk"]).removeprefix("principal#")
    records = {mark: read_contained(item, mark) for mark in ("contained", "sessions")}
    if principal_id not in named:
        since = [record.at for record in records.values() if record is not None]
        if tools.now - max([*since, _tainted(item).get("at", 0.0)]) > GONE_SECONDS:
            tools.table.update(str(item["pk"]), {"gone": tools.now})
        return
    target = target_of(
        tools,
        kind=CallerKind(str(item["kind"])),
        name=named[principal_id],
        principal_id=principal_id,
    )
    for mark, record in records.items():
        if record is not None:
            _keep(record, mark, item, target, tools)
    if "tainted" in item and records["contained"] is None:
        _contain_late(item, target, tools)


def _keep(record: Contained, mark: str, item: Item, target: Target, tools: Tools) -> None:
    """Put one deny back where it is missing, and tell."""
    flag = f"stripped-{mark}"
    since = item.get(flag)
    if not isinstance(since, float):
        if tools.now - max(record.at, record.again) < FRESH_SECONDS:
            return
        if _still_holds(record, target, tools):
            return
        since = tools.now
        if not tools.table.update(str(item["pk"]), {flag: since}, unless="releasing"):
            return
    # Released meanwhile? Then it is missing because it was taken off.
    if mark not in tools.table.read([str(item["pk"])]).get(str(item["pk"]), {}):
        tools.table.update(str(item["pk"]), {}, remove=[flag])
        return
    done = put_on(mark, target, tools)
    report = report_stripped(record, done, target, tools.settings, since=since, mark=mark)
    send_from_here(report, tools)
    if done.method is None:
        # Told once under this id; every reconciliation tries again.
        return
    fresh = _renewed(record, done, done.method, now=tools.now)
    write_contained(tools.table, target.id, fresh, mark=mark)
    tools.table.update(str(item["pk"]), {}, remove=[flag])


def _still_holds(record: Contained, target: Target, tools: Tools) -> bool:
    try:
        return holds(tools.iam, target, DenyMethod(record.method))
    except NoSuchPrincipal:
        # Renamed or deleted this second: the next reconciliation finds it by id.
        return True


def put_on(
    mark: str, target: Target, tools: Tools, *, first: DenyMethod | None = None
) -> Containment:
    """Contain by the deny methods, `first` before the others; with the mark sessions only those."""
    if mark == "sessions":
        return contain_sessions(
            tools.iam, target, is_contained=lambda owner: sessions_are_denied(tools.table, owner)
        )
    return contain(
        tools.iam,
        target,
        inline=tools.settings.inline_deny,
        is_contained=lambda owner: is_contained(tools.table, owner),
        first=first,
    )


def _renewed(record: Contained, done: Containment, method: DenyMethod, *, now: float) -> Contained:
    """The record after the deny was put on again; what was there before may be there still."""
    earlier = dict.fromkeys((*record.earlier, record.method))
    earlier.pop(method.value, None)
    return replace(
        record,
        name=done.name,
        method=method.value,
        undo=done.undo,
        again=now,
        earlier=tuple(earlier),
    )


def _contain_late(item: Item, target: Target, tools: Tools) -> None:
    """Contain an offender's created principal that no deny method could hold when it was made."""
    because = _tainted(item)
    if tools.now - because.get("at", 0.0) < FRESH_SECONDS:
        return
    done = put_on("contained", target, tools)
    if done.method is None or done.gone:
        return
    send_from_here(report_contained_late(because, done, target, tools.settings), tools)
    record = Contained(
        name=done.name,
        kind=target.kind.value,
        method=done.method.value,
        at=tools.now,
        event_id=str(because.get("event_id", "")),
        call=str(because.get("call", "")),
        call_time="",
        reason=Reason.TAINTED.value,
        undo=done.undo,
    )
    write_contained(tools.table, target.id, record, mark="contained", unless="contained")


def _tainted(item: Item) -> dict[str, Any]:
    text = item.get("tainted")
    found: dict[str, Any] = json.loads(text) if isinstance(text, str) else {}
    return found


def send_from_here(report: Report, tools: Tools) -> None:
    """One report to the central bus, with the account's alias and the region."""
    send(replace(report, alias=account_alias(tools), region=tools.here.region), tools)
