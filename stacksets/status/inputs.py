"""All that a status is made from, as one value. Nothing here calls AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handler.notifier.messages.liveness import SWEEP_GAP_SECONDS, Liveness, judge_liveness
from stacksets.config.model import Wanted
from stacksets.observed.heartbeats import Kept
from stacksets.observed.model import Stack, StackSet
from stacksets.observed.organization import Organization


@dataclass(frozen=True)
class StatusInputs:
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


def central_is_behind(inputs: StatusInputs) -> bool:
    """Return whether a missing heartbeat says nothing: the central account does not listen, or has
    not for long: what its last sweep could not say, no status says before it."""
    return not central_sweeps(inputs) or not _liveness(inputs).may_judge


def central_sweeps(inputs: StatusInputs) -> bool:
    """Whether its sweeps come."""
    return inputs.now - inputs.kept.central.last_sweep <= SWEEP_GAP_SECONDS


def _liveness(inputs: StatusInputs) -> Liveness:
    central = inputs.kept.central
    return judge_liveness(
        now=central.last_sweep,
        awake_since=central.awake_since,
        last_heartbeat_at=central.last_heartbeat_at,
        behind_until=central.behind_until,
    )
