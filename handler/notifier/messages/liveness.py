"""Judge whether a missing heartbeat means anything: for the mail and the status. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from handler.model.heartbeat import HEARTBEAT_SECONDS, SILENT_SECONDS

# No account reports: longer than any heartbeat should take.
DEAF_SECONDS = HEARTBEAT_SECONDS + 120
# A sweep that comes later than this was not running in between.
SWEEP_GAP_SECONDS = 300


@dataclass(frozen=True)
class Hearing:
    """Whether missing heartbeats count now, and whether no account reports at all."""

    may_judge: bool
    nobody_heard: bool


def judge_hearing(
    *, now: float, awake_since: float, heard_at: float, behind_until: float
) -> Hearing:
    """Judge missing heartbeats: by when the sweeps began to run every minute, when any heartbeat
    arrived, and until when a backlog excuses them. Epoch seconds, 0 for never."""
    deaf = now - heard_at
    excused = (
        now - awake_since < SILENT_SECONDS
        or now <= behind_until
        # The accounts or the central account? Another heartbeat decides, or that none comes at all.
        or DEAF_SECONDS < deaf < SILENT_SECONDS
    )
    return Hearing(may_judge=not excused, nobody_heard=deaf >= SILENT_SECONDS)
