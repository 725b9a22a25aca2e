"""Steps by which the new revoker contains again whoever was kept, within a plan. Pure.

They follow from what is observed alone, so that an apply which broke off anywhere between the
freeing and the end of a keeping is gone on with by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handler.model.names import REVOKER
from stacksets.config.model import Ring
from stacksets.containments.keep import as_kept
from stacksets.containments.repair import taking_over_steps, unendable
from stacksets.observed.bearers import Holding
from stacksets.observed.model import Instance
from stacksets.steps.inputs import Given
from stacksets.steps.model import Step
from stacksets.steps.rings import leaving_accounts


def going(given: Given) -> list[Holding]:
    """Who is held where a stack is to go."""
    leaving = _leaving(given) if given.held else set()
    return [one for account, one in sorted(given.held.items()) if account in leaving]


def moved_steps(given: Given) -> Iterator[Step]:
    """Whoever was contained in an account whose old stack goes is contained by its new ring."""
    for one in _kept(given):
        if one.moves and not any(_hinders(given, one)):
            yield from taking_over_steps(given, one.ring, one.holding)


def left_over_steps(given: Given) -> Iterator[Step]:
    """The same where the old stack went in a run that broke off. They come last: whoever is kept
    stays denied, and a principal whom the revoker spares must not hold the rest back."""
    for one in _kept(given):
        if not one.moves and not any(_hinders(given, one)):
            yield from taking_over_steps(given, one.ring, one.holding)


def not_taken_over(given: Given) -> Iterator[str]:
    """A sentence for each kept deny that stays. Where somebody is to be kept first, the plan is
    refused instead."""
    for one in _kept(given):
        if not (one.moves and given.held[one.holding.account].contained):
            yield from _hinders(given, one)


@dataclass(frozen=True)
class _Kept:
    """An account of an enforcing ring in which somebody is kept, or will be, as it is then.
    `moves`: an old stack is still to go there; `instance` is the ring's own."""

    ring: Ring
    holding: Holding
    moves: bool
    instance: Instance | None


def _kept(given: Given) -> Iterator[_Kept]:
    """What takes no updates (INOPERABLE) has no revoker that could be asked."""
    leaving = _leaving(given) if given.held else set()
    for account, holding in sorted(given.held.items()):
        for ring in (one for one in given.wanted.rings if one.mode == "enforce"):
            if account not in given.ring_accounts(ring):
                continue
            seen = given.observed.stack_sets.get(ring.stack_set)
            instance = seen.instances.get(account) if seen else None
            moves = account in leaving
            if moves or instance is None or instance.status != "INOPERABLE":
                yield _Kept(ring, as_kept(holding) if moves else holding, moves, instance)


def _hinders(given: Given, one: _Kept) -> Iterator[str]:
    """Why a keeping cannot be ended: a revoker that was stopped takes nobody over, or the operator
    may not take off what is kept."""
    made_anew = one.moves or one.instance is None or not one.instance.stack_id
    if made_anew or one.holding.runs:
        yield from unendable(given, one.ring, [one.holding])
    elif any(taking_over_steps(given, one.ring, one.holding)):
        yield (
            f"A kept deny is left in {one.holding.account}, and the revoker there does not run: a "
            "drift --repair or a remove that broke off has stopped it. Run that again; or start it "
            f"(aws lambda delete-function-concurrency --function-name {REVOKER}) and run apply."
        )


def _leaving(given: Given) -> set[str]:
    return {one for ring in given.wanted.rings for one in leaving_accounts(given, ring)}
