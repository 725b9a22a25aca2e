"""All that a status is made from, as one value. Nothing here calls AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stacksets.heartbeats import Kept
from stacksets.observed import Stack, StackSet
from stacksets.organization import Organization
from stacksets.wanted import Wanted

# A sweep runs every minute; after five without one the centre is behind.
SWEEP_LATE_SECONDS = 300


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
    """Whether silence says nothing of an account, since the centre itself does not listen."""
    centre = sight.kept.centre
    return sight.now - centre.last_sweep > SWEEP_LATE_SECONDS or sight.now <= centre.behind_until
