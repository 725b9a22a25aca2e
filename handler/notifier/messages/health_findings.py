"""What is ill about an account, by its heartbeat: a notice for each illness. Pure; mails nothing.

The words for each illness, and what to do about it, stand in templates/mail/sentences.txt.j2 under
its name and its name with `-remedy`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from handler.model.heartbeat import Heartbeat
from handler.model.names import VERSION
from handler.notifier.messages.notice import OLD_VERSION, Notice, NoticeKind

ILLNESSES = (
    "dead-letters",
    "late-events",
    "calls-rule-off",
    "tamper-rule-off",
    "trail-off",
    "table-policy-off",
    "self-test-failed",
    "ledger-differs",
    OLD_VERSION,
)


def find_illnesses(heartbeat: Heartbeat, *, event_id: str) -> tuple[Notice, ...]:
    """One notice per illness that the heartbeat carries; none for a healthy account."""
    common = {
        "alias": heartbeat.alias,
        "region": heartbeat.region,
        "mode": heartbeat.mode,
        "version": heartbeat.product_version,
    }
    return tuple(
        Notice(
            kind=NoticeKind.UNHEALTHY,
            event_id=f"{event_id}-{name}",
            account=heartbeat.account,
            principal=name,
            facts={**common, "reason": name, "call": name.replace("-", " "), **facts},
            notes=notes,
        )
        for name, facts, notes in _signs(heartbeat)
    )


def _signs(heartbeat: Heartbeat) -> Iterator[tuple[str, dict[str, str], tuple[str, ...]]]:
    """Name, facts and notes of each illness."""
    if heartbeat.dead_letters > 0:
        yield "dead-letters", {"dead_letters": str(heartbeat.dead_letters)}, ()
    if heartbeat.redriven > 0:
        yield "late-events", {"redriven": str(heartbeat.redriven)}, ()
    for name, state in (
        ("calls-rule-off", heartbeat.rule),
        ("tamper-rule-off", heartbeat.tamper_rule),
    ):
        # A state that a newer EventBridge has is better asked about than trusted.
        if state and not state.startswith("ENABLED"):
            yield name, {"state": state}, ()
    if heartbeat.trail in ("stopped", "none"):
        yield "trail-off", {"state": heartbeat.trail}, ()
    if heartbeat.table_policy in ("missing", "changed"):
        yield "table-policy-off", {"state": heartbeat.table_policy}, ()
    if heartbeat.self_test.at and not heartbeat.self_test.ok:
        yield "self-test-failed", {"test_error": heartbeat.self_test.error}, ()
    if heartbeat.ledger_differences:
        yield "ledger-differs", {}, heartbeat.ledger_differences
    if _numbers(heartbeat.product_version) < _numbers(VERSION):
        yield OLD_VERSION, {"central_version": VERSION}, ()


def _numbers(version: str) -> tuple[int, ...]:
    """1.10.2 as (1, 10, 2), so that versions compare; () for what is none, which is the oldest."""
    found = re.match(r"[0-9]{1,9}(\.[0-9]{1,9})*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
