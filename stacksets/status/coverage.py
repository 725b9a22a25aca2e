"""Every account of the Organization and whether it is covered. Pure; findings.py has the words."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from handler.model.heartbeat import Heartbeat
from stacksets.config.model import Ring
from stacksets.observed.organization import Account, Organization
from stacksets.status.findings import AccountFacts, Rolled, findings
from stacksets.status.inputs import StatusInputs, central_is_behind, central_sweeps
from stacksets.status.rollout_state import rolled_by_instance, rolled_by_set, rolled_by_stack
from stacksets.status.states import LEFT_OUT, Finding, State


@dataclass(frozen=True)
class Covered:
    """One account: its state, why and what to do; `also` are its further findings.

    `unit` holds the names of the OUs from the top down; `beat` is its last heartbeat, sent at
    `last_heartbeat_at` (epoch seconds, 0 for never).
    """

    account: Account
    unit: tuple[str, ...]
    ring: str
    finding: Finding
    also: tuple[Finding, ...]
    last_heartbeat_at: float
    beat: Heartbeat | None

    @property
    def state(self) -> State:
        return self.finding.state

    @property
    def amiss(self) -> bool:
        """Whether it should be covered and is not."""
        return any(one.amiss for one in (self.finding, *self.also))


@dataclass(frozen=True)
class Timing:
    """Seconds over so many accounts; nearest rank."""

    accounts: int
    median: float
    p99: float


@dataclass(frozen=True)
class Coverage:
    """The whole answer. `contained`: from the call on the canary until the deny was on it, over the
    accounts that enforce; `seen`: until its event arrived, over all. None where nobody measured."""

    rows: tuple[Covered, ...]
    contained: Timing | None
    seen: Timing | None
    notes: tuple[str, ...]

    @property
    def counts(self) -> Mapping[State, int]:
        return Counter(row.state for row in self.rows)

    @property
    def amiss(self) -> bool:
        return any(row.amiss for row in self.rows)


def coverage(inputs: StatusInputs) -> Coverage:
    """Every account, by OU and name."""
    organization, wanted = inputs.organization, inputs.wanted
    rings = {unit: ring for ring in wanted.rings for unit in unit_ids(organization, ring)}
    olds = {ring.name: rolled_by_set(inputs, ring) for ring in wanted.rings}
    rows = [
        _row(inputs, account, _ring_above(rings, organization, account), olds)
        for account in organization.accounts.values()
    ]
    rows.sort(key=lambda row: (row.unit, row.account.name.casefold(), row.account.id))
    passed = [
        row.beat.self_test
        for row in rows
        if row.state not in LEFT_OUT
        and row.beat
        and row.beat.self_test.at
        and row.beat.self_test.ok
    ]
    return Coverage(
        rows=tuple(rows),
        contained=timing(test.deny_seconds for test in passed),
        seen=timing(test.event_seconds for test in passed),
        notes=tuple(_notes(inputs)),
    )


def timing(seconds: Iterable[float]) -> Timing | None:
    """Median and 99th percentile of what was measured; 0 is not."""
    measured = sorted(one for one in seconds if one > 0)
    if not measured:
        return None
    rank = math.ceil(0.99 * len(measured)) - 1
    return Timing(len(measured), statistics.median_low(measured), measured[rank])


def unit_ids(organization: Organization, ring: Ring) -> frozenset[str]:
    """The ids of a ring's units, which the file names by id or by path; "/" is the root."""
    named = {unit.strip("/") for unit in ring.units}
    return frozenset(
        unit.id
        for unit in organization.units.values()
        if unit.id in named or "/".join(unit.path) in named
    )


def _ring_above(
    rings: Mapping[str, Ring], organization: Organization, account: Account
) -> Ring | None:
    return next((rings[unit] for unit in organization.above(account.id) if unit in rings), None)


def _row(
    inputs: StatusInputs, account: Account, ring: Ring | None, olds: Mapping[str, Rolled]
) -> Covered:
    known = _known(inputs, account, ring, olds)
    first, *others = findings(known)
    return Covered(
        account=account,
        unit=inputs.organization.units[account.unit].path,
        ring=ring.name if ring else "",
        finding=first,
        also=tuple(one for one in others if one.state is not State.COVERED),
        last_heartbeat_at=known.heard.at if known.heard else 0.0,
        beat=known.heard.beat if known.heard else None,
    )


def _known(
    inputs: StatusInputs, account: Account, ring: Ring | None, olds: Mapping[str, Rolled]
) -> AccountFacts:
    wanted, heard = inputs.wanted, inputs.kept.heard.get(account.id)
    common = AccountFacts(
        status=account.status,
        place=f"ring {ring.name}" if ring else "",
        mode=ring.mode if ring else "",
        excluded=wanted.reason_to_exclude(account.id),
        rolled=None,
        may_look=True,
        heard=heard,
        judge_silence=not central_is_behind(inputs),
        now=inputs.now,
        below_root=account.unit == inputs.organization.root,
    )
    if account.id == inputs.organization.management:
        # StackSets never deploy there, whatever unit it stands in.
        chosen = None if wanted.management.install else "management.install is false in the file."
        return replace(
            common,
            place="the management account",
            mode=wanted.management.mode,
            excluded=common.excluded or chosen,
            rolled=rolled_by_stack(inputs),
            may_look=inputs.management_seen,
        )
    found = inputs.stack_sets.get(ring.stack_set) if ring else None
    instance = found.instances.get(account.id) if found else None
    if ring is None or instance is None:
        return common
    return replace(common, rolled=rolled_by_instance(instance, olds[ring.name]))


def _notes(inputs: StatusInputs) -> Iterable[str]:
    if not inputs.kept.readable:
        yield (
            "The central stack is not there, or of a version that keeps no heartbeats for this "
            "command: run apply. Nobody was heard of."
        )
    elif not central_sweeps(inputs):
        yield (
            "The central account itself is behind: an account that has not reported for a while is "
            "not "
            "told as silent. See the alarms of the central stack."
        )
    elif central_is_behind(inputs):
        yield (
            "The central account has not listened for long enough, works off a backlog, or hears "
            "from "
            "nobody "
            "yet: as in its mails, no account is told as silent now. Ask again in 35 minutes, and "
            "if it is still so, see the alarms of the central stack."
        )
    if not inputs.management_seen:
        yield (
            "The management account's own stack cannot be seen from here: of that account only its "
            "heartbeat counts."
        )
