"""Where remediations work, and what each of them asks of the table. Shell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handler.model.cloudtrail import Call
from handler.model.principal import DenyMethod
from handler.model.settings import Settings
from handler.revoker.impacts.model import Impact
from handler.revoker.judge.membership import ever_known
from handler.revoker.remediate.outcomes import GONE_ALREADY, NOT_REMEDIATED
from handler.revoker.state.ledger import (
    Baseline,
    LiveGroup,
    Member,
    ask_again,
    membership,
    principal_key,
)
from handler.revoker.state.name_history import holder_of
from handler.revoker.state.table import Item, Table


@dataclass(frozen=True)
class Scene:
    """Where a remediation works: clients, table, and what was read about the call.

    `prove` writes into the ledger what the event history proves of a member; `denied_by` is the
    method that holds the caller after this call.
    """

    iam: Any
    table: Table
    settings: Settings
    account: str
    partition: str
    baseline: Baseline
    live: LiveGroup | None
    now: float
    prove: Callable[[Member], None]
    denied_by: DenyMethod | None = None


def is_contained(table: Table, principal_id: str) -> bool:
    """Whether we contained this principal, by what was written down."""
    key = principal_key(principal_id)
    return "contained" in table.read([key]).get(key, {})


def sessions_are_denied(table: Table, principal_id: str) -> bool:
    """Whether we denied the sessions of this user, by what was written down."""
    key = principal_key(principal_id)
    return "sessions" in table.read([key]).get(key, {})


def bearer_named(impact: Impact, call: Call, scene: Scene) -> Member | None:
    """Return the user that the record names, under today's name; None when it is gone."""
    at = scene.now if call.time is None else call.time
    return holder_of(scene.iam, scene.table, impact.name, at).member


def may_be_named(impact: Impact, call: Call, scene: Scene) -> tuple[Member, ...]:
    """Return those that the record may name, where renames within one second leave it open."""
    at = scene.now if call.time is None else call.time
    return holder_of(scene.iam, scene.table, impact.name, at).perhaps


def item_of(principal_id: str, scene: Scene) -> Item:
    key = principal_key(principal_id)
    return scene.table.read([key]).get(key, {})


def ask_if_known(principal_id: str, name: str, item: Item, call: Call, scene: Scene) -> None:
    """Calls since then may have been taken for an administrator's: only this user's can have."""
    if call.time is not None and ever_known(membership(scene.baseline, principal_id, item)):
        ask_again(scene.table, principal_id=principal_id, name=name, since=call.time)


def no_answer(error: Any) -> str:
    """What AWS refused for good, as words; everything else is raised for another try."""
    code = error.response["Error"]["Code"]
    if code == "NoSuchEntity":
        return GONE_ALREADY
    if code in ("AccessDenied", "LimitExceeded", "UnmodifiableEntity"):
        return f"{NOT_REMEDIATED}reverted: IAM answered {code}"
    raise error
