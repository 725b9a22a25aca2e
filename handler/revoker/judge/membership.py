"""Who was an administrator, and when: membership as facts. Pure; the facts' order is of no matter.

Verifies nothing: the code that writes a fact has made sure of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

# CloudTrail's eventTime is a whole second of IAM's clock, and a call is visible a moment before it
# completes: an add dated this much after the baseline may still be the one that the baseline saw.
CLOCK_SLACK = 5.0


@dataclass(frozen=True)
class Membership:
    """What is known of one user's membership of the administrators' group; epoch seconds.

    `baseline`: when it found the user there with nothing against it. `adds`, `removes`: calls
    of administrators. `strikes`: adds by non-administrators, found to explain the baseline.
    """

    baseline: float | None = None
    adds: tuple[float, ...] = ()
    removes: tuple[float, ...] = ()
    strikes: tuple[float, ...] = ()


def administrator_at(membership: Membership, time: float | None) -> bool:
    """Whether the user was an administrator at `time`; None (unreadable): after all facts.

    The latest change at or before `time` decides. An add opens at its own second, a removal closes
    after its own: eventTime has whole seconds, and a call in the second of the removal may have
    come before it.
    """
    moment = inf if time is None else time
    opened = [add for add in membership.adds if add <= moment]
    if _baseline_holds(membership):
        # A member from ever, until told otherwise.
        opened.append(-inf)
    closed = max((remove for remove in membership.removes if remove < moment), default=None)
    return bool(opened) and (closed is None or max(opened) > closed)


def ever_known(membership: Membership) -> bool:
    """Whether any fact says that the user was a member. One without a fact is unproven."""
    return membership.baseline is not None or bool(membership.adds)


def _baseline_holds(membership: Membership) -> bool:
    """Not when an offender's add explains it: before that the user was no member either.

    A later add explains nothing: adding a member again succeeds, and must not unseat it.
    """
    baseline = membership.baseline
    return baseline is not None and not any(
        strike <= baseline + CLOCK_SLACK for strike in membership.strikes
    )
