"""Order mails: accounts take turns, what is critical leads within each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, zip_longest
from typing import TypeVar

Reported = TypeVar("Reported")


def take_turns(
    things: Iterable[Reported],
    *,
    account: Callable[[Reported], str],
    critical: Callable[[Reported], bool],
) -> list[Reported]:
    """Take one of each account, then a second of each, and so on; critical ones first in each.

    However many one account has, the first of every other comes before its second.
    """
    shares: dict[str, list[Reported]] = {}
    for thing in things:
        shares.setdefault(account(thing), []).append(thing)
    lines = [sorted(share, key=lambda thing: not critical(thing)) for share in shares.values()]
    # Between accounts too: a round begins with the critical ones.
    rounds = (
        sorted((one for one in turn if one is not None), key=lambda thing: not critical(thing))
        for turn in zip_longest(*lines)
    )
    return list(chain.from_iterable(rounds))
