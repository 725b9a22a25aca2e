"""Whether silence says anything of an account: the mail and the status judge by this. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from handler.model.heartbeat import HEARTBEAT_SECONDS, SILENT_SECONDS

# Nobody is heard: as long as no heartbeat of any account should take.
DEAF_SECONDS = HEARTBEAT_SECONDS + 120
# A sweep that comes later than this was not running in between.
SWEEP_GAP_SECONDS = 300


@dataclass(frozen=True)
class Hearing:
    """Whether silence may be judged now, and whether nobody at all is heard."""

    may_judge: bool
    nobody_heard: bool


def judge_hearing(
    *, now: float, awake_since: float, heard_at: float, behind_until: float
) -> Hearing:
    """What a sweep may say of silence, from when the sweeps began to come every minute, when any
    heartbeat was heard, and until when a backlog excuses. Epoch seconds, 0 for never."""
    deaf = now - heard_at
    excused = (
        now - awake_since < SILENT_SECONDS
        or now <= behind_until
        # Is it the accounts, or the centre? Another heartbeat decides, or that none comes at all.
        or DEAF_SECONDS < deaf < SILENT_SECONDS
    )
    return Hearing(may_judge=not excused, nobody_heard=deaf >= SILENT_SECONDS)
