"""Ways in which an account is not as it should be, and the row that a status has for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from stacksets.observed.heartbeats import Heard
from stacksets.observed.model import Instance
from stacksets.status.coverage import Covered, coverage
from stacksets.status.inputs import Sight
from tests.stacksets.status.inputs import (
    NOW,
    a_beat,
    a_ring,
    a_sight,
    a_stack_set,
    account_id,
)

ONE = account_id(1)


Change = Callable[[Sight], Sight]


def heard(account: str = ONE, *, at: float = NOW - 300, **changes: object) -> Change:
    def change(sight: Sight) -> Sight:
        mode = changes.pop("mode", sight.wanted.rings[0].mode)
        beat = a_beat(account, mode=str(mode), **changes)
        known = {**sight.kept.heard, account: Heard(at, beat)}
        return replace(sight, kept=replace(sight.kept, heard=known))

    return change


def unheard(account: str = ONE) -> Change:
    def change(sight: Sight) -> Sight:
        known = {key: one for key, one in sight.kept.heard.items() if key != account}
        return replace(sight, kept=replace(sight.kept, heard=known))

    return change


def rolled(*instances: Instance, **changes: object) -> Change:
    """The set with these instances only."""

    def change(sight: Sight) -> Sight:
        ring = sight.wanted.rings[0]
        return replace(sight, stack_sets={ring.stack_set: a_stack_set(ring, *instances, **changes)})

    return change


def status(said: str, account: str = ONE) -> Change:
    def change(sight: Sight) -> Sight:
        known = dict(sight.organization.accounts)
        known[account] = replace(known[account], status=said)
        return replace(sight, organization=replace(sight.organization, accounts=known))

    return change


def below_root(sight: Sight, account: str = ONE) -> Sight:
    here = sight.organization
    moved = replace(here.accounts[account], unit=here.root)
    return replace(sight, organization=replace(here, accounts={**here.accounts, account: moved}))


def row(sight: Sight, account: str = ONE) -> Covered:
    return next(one for one in coverage(sight).rows if one.account.id == account)


def given(*changes: Change, mode: str = "enforce") -> Sight:
    sight = a_sight(3, a_ring(mode=mode))
    for change in changes:
        sight = change(sight)
    return sight
