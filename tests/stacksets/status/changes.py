"""Ways in which an account is not as it should be, and the row that a status has for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from stacksets.observed.heartbeats import LastHeartbeat
from stacksets.observed.model import Instance
from stacksets.status.coverage import Covered, coverage
from stacksets.status.inputs import StatusInputs
from tests.stacksets.status.inputs import (
    NOW,
    a_beat,
    a_ring,
    a_stack_set,
    account_id,
    status_inputs,
)

ONE = account_id(1)


Change = Callable[[StatusInputs], StatusInputs]


def heard(account: str = ONE, *, at: float = NOW - 300, **changes: object) -> Change:
    def change(inputs: StatusInputs) -> StatusInputs:
        mode = changes.pop("mode", inputs.wanted.rings[0].mode)
        beat = a_beat(account, mode=str(mode), **changes)
        known = {**inputs.kept.heard, account: LastHeartbeat(at, beat)}
        return replace(inputs, kept=replace(inputs.kept, heard=known))

    return change


def unheard(account: str = ONE) -> Change:
    def change(inputs: StatusInputs) -> StatusInputs:
        known = {key: one for key, one in inputs.kept.heard.items() if key != account}
        return replace(inputs, kept=replace(inputs.kept, heard=known))

    return change


def rolled(*instances: Instance, **changes: object) -> Change:
    """The set with these instances only."""

    def change(inputs: StatusInputs) -> StatusInputs:
        ring = inputs.wanted.rings[0]
        return replace(
            inputs, stack_sets={ring.stack_set: a_stack_set(ring, *instances, **changes)}
        )

    return change


def status(said: str, account: str = ONE) -> Change:
    def change(inputs: StatusInputs) -> StatusInputs:
        known = dict(inputs.organization.accounts)
        known[account] = replace(known[account], status=said)
        return replace(inputs, organization=replace(inputs.organization, accounts=known))

    return change


def below_root(inputs: StatusInputs, account: str = ONE) -> StatusInputs:
    here = inputs.organization
    moved = replace(here.accounts[account], unit=here.root)
    return replace(inputs, organization=replace(here, accounts={**here.accounts, account: moved}))


def row(inputs: StatusInputs, account: str = ONE) -> Covered:
    return next(one for one in coverage(inputs).rows if one.account.id == account)


def given(*changes: Change, mode: str = "enforce") -> StatusInputs:
    inputs = status_inputs(3, a_ring(mode=mode))
    for change in changes:
        inputs = change(inputs)
    return inputs
