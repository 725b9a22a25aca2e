"""All that a status is made from, as one value. Nothing here calls AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handler.notifier.messages.liveness import SWEEP_GAP_SECONDS, Hearing, judge_hearing
from stacksets.config.model import Wanted
from stacksets.observed.heartbeats import Kept
from stacksets.observed.model import Stack, StackSet
from stacksets.observed.organization import Organization


@dataclass(frozen=True)
class Sight:
    """All that a status is made from. `management_seen`: the management account's own stack could
    be looked for. `digest` names the newest member template; `now` is in epoch seconds."""

    organization: Organization
    wanted: Wanted
    partition: str
    stack_sets: Mapping[str, StackSet]
    management_seen: bool
    management_stack: Stack | None
    digest: str
    kept: Kept
    now: float


def centre_is_behind(sight: Sight) -> bool:
    """Whether silence says nothing of an account, since the centre itself does not listen, or has
    not for long: what its last sweep could not say, no status says before it."""
    return not centre_sweeps(sight) or not _hearing(sight).may_judge


def centre_sweeps(sight: Sight) -> bool:
    """Whether its sweeps come."""
    return sight.now - sight.kept.centre.last_sweep <= SWEEP_GAP_SECONDS


def _hearing(sight: Sight) -> Hearing:
    centre = sight.kept.centre
    return judge_hearing(
        now=centre.last_sweep,
        awake_since=centre.awake_since,
        heard_at=centre.heard_at,
        behind_until=centre.behind_until,
    )
