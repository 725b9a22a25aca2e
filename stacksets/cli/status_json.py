"""A status as JSON, for machines. Pure; docs/status.schema.json describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from stacksets.status.coverage import Coverage, Covered, Timing
from stacksets.status.inputs import StatusInputs, central_is_behind
from stacksets.status.states import Finding, State

STATUS_VERSION = 1


def status_json(found: Coverage, inputs: StatusInputs) -> dict[str, Any]:
    """The whole answer; times are epoch seconds, 0 for never, delays in seconds."""
    return {
        "version": STATUS_VERSION,
        "organization": inputs.organization.id,
        "at": round(inputs.now, 3),
        "covered": not found.amiss,
        "counts": {state.value: found.counts.get(state, 0) for state in State},
        "seconds_to_contain": _timing(found.contained),
        "seconds_to_see": _timing(found.seen),
        "central_behind": central_is_behind(inputs),
        "notes": list(found.notes),
        "accounts": [_account(row) for row in found.rows],
    }


def _timing(timing: Timing | None) -> dict[str, Any] | None:
    return asdict(timing) if timing else None


def _account(row: Covered) -> dict[str, Any]:
    return {
        "account": row.account.id,
        "name": row.account.name,
        "unit": list(row.unit),
        "ring": row.ring,
        "amiss": row.amiss,
        **_finding(row.finding),
        "also": [_finding(one) for one in row.also],
        "last_heartbeat_at": row.last_heartbeat_at,
        "heartbeat": _heartbeat(row),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {"state": finding.state.value, "why": finding.why, "todo": finding.todo}


def _heartbeat(row: Covered) -> dict[str, Any] | None:
    beat = row.beat
    if beat is None:
        return None
    return {
        "version": beat.product_version,
        "mode": beat.mode,
        "rule": beat.rule,
        "tamper_rule": beat.tamper_rule,
        "trail": beat.trail,
        "table_policy": beat.table_policy,
        "last_event_at": beat.last_event_at,
        "dead_letters": beat.dead_letters,
        "redriven": beat.redriven,
        "contained": beat.contained,
        "ledger_differences": list(beat.ledger_differences),
        "self_test": asdict(beat.self_test) if beat.self_test.at else None,
    }
