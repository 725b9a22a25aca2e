"""Whether silence says anything of an account: the mail and the status judge by this. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from handler.model.heartbeat import HEARTBEAT_SECONDS, NOT_REPORTING_SECONDS

# Nobody is heard: as long as no heartbeat of any account should take.
WITHOUT_HEARTBEATS_SECONDS = HEARTBEAT_SECONDS + 120
# A sweep that comes later than this was not running in between.
SWEEP_GAP_SECONDS = 300


@dataclass(frozen=True)
class Liveness:
    """Whether silence may be judged now, and whether nobody at all is heard."""

    may_judge: bool
    none_reporting: bool


def judge_liveness(
    *, now: float, awake_since: float, last_heartbeat_at: float, behind_until: float
) -> Liveness:
    """What a sweep may say of silence, from when the sweeps began to come every minute, when any
    heartbeat was heard, and until when a backlog excuses. Epoch seconds, 0 for never."""
    without_heartbeats = now - last_heartbeat_at
    excused = (
        now - awake_since < NOT_REPORTING_SECONDS
        or now <= behind_until
        # Is it the accounts, or the central account? Another heartbeat decides, or that none comes at all.
        or WITHOUT_HEARTBEATS_SECONDS < without_heartbeats < NOT_REPORTING_SECONDS
    )
    return Liveness(
        may_judge=not excused, none_reporting=without_heartbeats >= NOT_REPORTING_SECONDS
    )
