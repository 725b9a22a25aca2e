"""Steps by which the new revoker contains again whoever was kept, within a plan. Pure.

They follow from what is observed alone, so that an apply which broke off anywhere between the
freeing and the end of a keeping is gone on with by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator

from handler.names import REVOKER
from stacksets.bearers import Holding
from stacksets.given import Given
from stacksets.keeping import as_kept
from stacksets.mending import taking_over_steps, unendable
from stacksets.rings import leaving_accounts
from stacksets.steps import Step
from stacksets.wanted import Ring


def going(given: Given) -> list[Holding]:
    """Who is held where a stack is to go."""
    leaving = _leaving(given)
    return [one for account, one in sorted(given.held.items()) if account in leaving]


def moved_steps(given: Given) -> Iterator[Step]:
    """Whoever was contained in an account whose old stack goes is contained by its new ring."""
    leaving = _leaving(given)
    for ring, kept in _kept(given):
        if kept.account in leaving and not any(unendable(given, ring, [kept])):
            yield from taking_over_steps(given, ring, kept)


def left_over_steps(given: Given) -> Iterator[Step]:
    """The same where the old stack went in a run that broke off. They come last: whoever is kept
    stays denied, and a principal whom the revoker spares must not hold the rest back."""
    leaving = _leaving(given)
    for ring, kept in _kept(given):
        if kept.account not in leaving and not any(_hinders(given, ring, kept)):
            yield from taking_over_steps(given, ring, kept)


def not_taken_over(given: Given) -> Iterator[str]:
    """A sentence for each kept deny that stays. Where somebody is to be kept first, the plan is
    refused instead."""
    refused = {one.account for one in going(given) if one.contained}
    for ring, kept in _kept(given):
        if kept.account not in refused:
            yield from _hinders(given, ring, kept)


def _hinders(given: Given, ring: Ring, kept: Holding) -> Iterator[str]:
    """Why a keeping cannot be ended: a revoker that was stopped takes nobody over, or the operator
    may not take off what is kept."""
    seen = given.observed.stack_sets.get(ring.stack_set)
    instance = seen.instances.get(kept.account) if seen else None
    if instance is None or not instance.stack_id or kept.runs or kept.account in _leaving(given):
        yield from unendable(given, ring, [kept])
    elif any(taking_over_steps(given, ring, kept)):
        yield (
            f"A kept deny is left in {kept.account}, and the revoker there does not run: a "
            "drift --mend or a remove that broke off has stopped it. Run that again; or start it "
            f"(aws lambda delete-function-concurrency --function-name {REVOKER}) and run apply."
        )


def _kept(given: Given) -> Iterator[tuple[Ring, Holding]]:
    """Each account of an enforcing ring in which somebody is kept, or will be, as it is then. What
    takes no updates (INOPERABLE) has no revoker that could be asked."""
    leaving = _leaving(given)
    for account, holding in sorted(given.held.items()):
        rings = [ring for ring in given.wanted.rings if account in given.ring_accounts(ring)]
        for ring in rings[:1]:
            seen = given.observed.stack_sets.get(ring.stack_set)
            instance = seen.instances.get(account) if seen else None
            stands = instance is None or instance.status != "INOPERABLE"
            if ring.mode == "enforce" and (stands or account in leaving):
                yield ring, as_kept(holding) if account in leaving else holding


def _leaving(given: Given) -> set[str]:
    return {one for ring in given.wanted.rings for one in leaving_accounts(given, ring)}
