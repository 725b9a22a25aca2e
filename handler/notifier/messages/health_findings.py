"""Find what is unhealthy about an account, by its heartbeat: a notice for each finding. Pure.

The words for each finding, and what to do about it, stand in templates/mail/sentences.txt.j2 under
its name and its name with `-action` and `-command`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from handler.model.heartbeat import Heartbeat
from handler.model.names import VERSION
from handler.notifier.messages.notice import OLD_VERSION, Notice, NoticeKind

LEDGER_DIFFERS = "ledger-differs"
# Each finding as a subject names it.
ILLNESSES = {
    "dead-letters": "events wait in the dead-letter queue",
    "late-events": "events arrive late",
    "calls-rule-off": "IAM event rule disabled, not protected",
    "tamper-rule-off": "tamper rule disabled",
    "trail-off": "no trail is logging, not protected",
    "table-policy-off": "policy of the state table changed",
    "self-test-failed": "self-test failed",
    LEDGER_DIFFERS: "administrators' group changed unexpectedly",
    OLD_VERSION: "runs an old version",
}


def find_illnesses(heartbeat: Heartbeat, *, event_id: str) -> tuple[Notice, ...]:
    """Return one notice per finding; none for a healthy account."""
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
            facts={**common, "reason": name, "call": ILLNESSES[name], **facts},
            notes=notes,
        )
        for name, facts, notes in _signs(heartbeat)
    )


def _signs(heartbeat: Heartbeat) -> Iterator[tuple[str, dict[str, str], tuple[str, ...]]]:
    """Name, facts and notes of each finding."""
    if heartbeat.dead_letters > 0:
        yield "dead-letters", {"dead_letters": str(heartbeat.dead_letters)}, ()
    if heartbeat.redriven > 0:
        yield "late-events", {"redriven": str(heartbeat.redriven)}, ()
    for name, state in (
        ("calls-rule-off", heartbeat.rule),
        ("tamper-rule-off", heartbeat.tamper_rule),
    ):
        # An unknown state of a newer EventBridge counts as off.
        if state and not state.startswith("ENABLED"):
            yield name, {"state": state}, ()
    if heartbeat.trail in ("stopped", "none"):
        yield "trail-off", {"state": heartbeat.trail}, ()
    if heartbeat.table_policy in ("missing", "changed"):
        yield "table-policy-off", {"state": heartbeat.table_policy}, ()
    if heartbeat.self_test.at and not heartbeat.self_test.ok:
        yield "self-test-failed", {"test_error": heartbeat.self_test.error}, ()
    if heartbeat.ledger_differences:
        yield LEDGER_DIFFERS, {}, heartbeat.ledger_differences
    if _numbers(heartbeat.product_version) < _numbers(VERSION):
        yield OLD_VERSION, {"central_version": VERSION}, ()


def _numbers(version: str) -> tuple[int, ...]:
    """1.10.2 as (1, 10, 2), so that versions compare; () for what is none, which is the oldest."""
    found = re.match(r"[0-9]{1,9}(\.[0-9]{1,9})*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
