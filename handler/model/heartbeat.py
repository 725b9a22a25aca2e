"""The JSON of a heartbeat: how a revoker is, every 15 minutes. Pure; the reader is tolerant.

Version 1. A reader ignores fields that it does not know and takes defaults for those that are
missing or of another type, so that a member may be newer or older than the central account.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

HEARTBEAT_VERSION = 1
HEARTBEAT_SECONDS = 15 * 60
# Two heartbeats, and five minutes for the way and for clocks that differ.
NOT_REPORTING_SECONDS = 2 * HEARTBEAT_SECONDS + 300
# What the central account keeps of one: ten thousand of them are read at once.
KEPT_CHARACTERS = 160
KEPT_DIFFERENCES = 3
# How a self-test's error begins whose event was redriven, not delivered: it has its own advice.
BY_DEAD_LETTER = "its event came through the dead-letter queue"


@dataclass(frozen=True)
class SelfTest:
    """How the last test on the canary went; `at` is 0 when there was none. Times in seconds.

    `event_seconds` until its event arrived, `deny_seconds` until the deny held.
    """

    at: float = 0.0
    ok: bool = True
    event_seconds: float = 0.0
    deny_seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Heartbeat:
    """One account's revoker at one time; `at` and `last_event_at` are epoch seconds, 0 for never.

    `rule` and `tamper_rule`: ENABLED, DISABLED or missing; `trail`: logging, stopped, none or
    unknown; `table_policy`: denies, missing, changed or unknown; `dead_letters` are still in the
    queue, `redriven` events were answered from it, late; `ledger_differences` are sentences;
    `settings` is the fingerprint of the knobs.
    """

    account: str
    alias: str = ""
    region: str = ""
    product_version: str = ""
    mode: str = ""
    settings: str = ""
    at: float = 0.0
    last_event_at: float = 0.0
    rule: str = ""
    tamper_rule: str = ""
    trail: str = "unknown"
    table_policy: str = "unknown"
    dead_letters: int = 0
    redriven: int = 0
    contained: int = 0
    ledger_differences: tuple[str, ...] = ()
    self_test: SelfTest = SelfTest()


def heartbeat_detail(heartbeat: Heartbeat) -> dict[str, Any]:
    """The heartbeat as the detail of an event; `self_test` is {} when there was none."""
    detail: dict[str, Any] = {"version": HEARTBEAT_VERSION, **asdict(heartbeat)}
    detail["ledger_differences"] = list(heartbeat.ledger_differences)
    detail["self_test"] = asdict(heartbeat.self_test) if heartbeat.self_test.at else {}
    return detail


def pack_heartbeat(heartbeat: Heartbeat) -> str:
    """Return the heartbeat as ASCII JSON for the central table, with its texts cut."""
    detail = heartbeat_detail(heartbeat)
    detail["ledger_differences"] = detail["ledger_differences"][:KEPT_DIFFERENCES]
    return json.dumps(_cut(detail), separators=(",", ":"))


def unpack_heartbeat(text: str) -> Heartbeat:
    """What pack_heartbeat wrote, by this version or another; raises ValueError as reading does."""
    detail = json.loads(text)
    return read_heartbeat(detail if isinstance(detail, Mapping) else {})


def _cut(value: Any) -> Any:
    match value:
        case str():
            return value[:KEPT_CHARACTERS]
        case dict():
            return {name: _cut(one) for name, one in value.items()}
        case list():
            return [_cut(one) for one in value]
    return value


def read_heartbeat(detail: Mapping[str, Any]) -> Heartbeat:
    """The heartbeat in an event's detail.

    Raises ValueError with one sentence when it names no account or has a later version's layout.
    """
    if detail.get("version") != HEARTBEAT_VERSION:
        raise ValueError(f"heartbeat version {detail.get('version')!r} is not {HEARTBEAT_VERSION}")
    if not isinstance(detail.get("account"), str) or not detail["account"]:
        raise ValueError("heartbeat lacks account")
    values = _typed(Heartbeat, detail)
    differences = detail.get("ledger_differences")
    values["ledger_differences"] = (
        tuple(map(str, differences)) if isinstance(differences, list) else ()
    )
    test = detail.get("self_test")
    values["self_test"] = (
        SelfTest(**_typed(SelfTest, test)) if isinstance(test, Mapping) else SelfTest()
    )
    return Heartbeat(**values)


def _typed(shape: type[Any], detail: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of that dataclass that have their type; numbers are whole where they must be."""
    values: dict[str, Any] = {}
    for spec in fields(shape):
        value = detail.get(spec.name)
        # Finite, and a time that every reader can print.
        is_number = isinstance(value, int | float) and abs(value) < 1e12
        match spec.type, value:
            case ("bool", bool()) | ("str", str()):
                values[spec.name] = value
            case (("int" | "float"), int() | float()) if is_number and not isinstance(value, bool):
                values[spec.name] = int(value) if spec.type == "int" else float(value)
    return values
