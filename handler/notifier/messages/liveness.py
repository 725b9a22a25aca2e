"""Judge whether a missing heartbeat means anything: for the mail and the status. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from handler.model.heartbeat import HEARTBEAT_SECONDS, NOT_REPORTING_SECONDS

# No account reports: longer than any heartbeat should take.
WITHOUT_HEARTBEATS_SECONDS = HEARTBEAT_SECONDS + 120
# A sweep that comes later than this was not running in between.
SWEEP_GAP_SECONDS = 300


@dataclass(frozen=True)
class Liveness:
    """Whether missing heartbeats count now, and whether no account reports at all."""

    may_judge: bool
    none_reporting: bool


def judge_liveness(
    *, now: float, awake_since: float, last_heartbeat_at: float, behind_until: float
) -> Liveness:
    """Judge missing heartbeats: by when the sweeps began to run every minute, when any heartbeat
    arrived, and until when a backlog excuses them. Epoch seconds, 0 for never."""
    without_heartbeats = now - last_heartbeat_at
    excused = (
        now - awake_since < NOT_REPORTING_SECONDS
        or now <= behind_until
        # The accounts or the central account? Another heartbeat decides, or that none comes at all.
        or WITHOUT_HEARTBEATS_SECONDS < without_heartbeats < NOT_REPORTING_SECONDS
    )
    return Liveness(
        may_judge=not excused, none_reporting=without_heartbeats >= NOT_REPORTING_SECONDS
    )
