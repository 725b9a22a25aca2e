"""Follow a name through renames: who bore it then may be called otherwise today. Pure.

Records have whole seconds: within one the order is unknown, so that there may be several answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from handler.model.cloudtrail import Call

# So many renames of one second are put in every possible order; more are given up.
RENAMES_A_SECOND = 6

# So many states of the names are followed back at once; where more are possible, nobody is named.
STATES_AT_ONCE = 40

Edge = tuple[str, str]
# Who has which name, by id, without case.
Holders = dict[str, str]


@dataclass(frozen=True)
class Rename:
    """One change of a user's name, as recorded; `at` in epoch seconds. IAM ignores names' case."""

    at: float
    old: str
    new: str


def rename_in(call: Call) -> Rename | None:
    """The rename that a call carried out; None for every other call."""
    if call.name != "UpdateUser" or call.error_code or call.time is None:
        return None
    old, new = call.request.get("userName"), call.request.get("newUserName")
    if not isinstance(old, str) or not isinstance(new, str) or old.casefold() == new.casefold():
        return None
    return Rename(at=call.time, old=old, new=new)


def spelling(renames: Iterable[Rename], name: str) -> dict[str, str]:
    """How the names are written that these functions answer without case."""
    return {rename.new.casefold(): rename.new for rename in renames} | {name.casefold(): name}


def names_today(renames: Iterable[Rename], name: str, at: float) -> frozenset[str]:
    """What the holder of `name` at that time may be called today, without case.

    Empty where another user took the name since: its holder was deleted, or left it by a rename
    that is not among these.
    """
    steps = list(_steps_since(renames, name, at))
    return steps[-1]


def names_borne(renames: Iterable[Rename], name: str, at: float) -> frozenset[str]:
    """Return every name that the holder of `name` at that time may have had since."""
    return frozenset().union(*_steps_since(renames, name, at))


def names_before(renames: Iterable[Rename], name: str) -> tuple[str, ...]:
    """Return `name` and every name from which a user came to it, the same user or not."""
    names = [name.casefold()]
    for rename in sorted(renames, key=lambda rename: rename.at, reverse=True):
        if rename.new.casefold() in names and rename.old.casefold() not in names:
            names.append(rename.old.casefold())
    return (name, *names[1:])


def names_touching(renames: Iterable[Rename], name: str, at: float) -> frozenset[str]:
    """Return every name that renames since then connect with `name`, without case."""
    edges = [(r.old.casefold(), r.new.casefold()) for r in renames if r.at >= at]
    names, before = {name.casefold()}, 0
    while len(names) > before:
        before = len(names)
        names.update(end for edge in edges if names & set(edge) for end in edge)
    return frozenset(names)


def holders_then(
    renames: Iterable[Rename],
    today: Mapping[str, str],
    made: Mapping[str, float],
    name: str,
    at: float,
) -> frozenset[str]:
    """The ids that may have borne `name` at that time: today's names, and every rename undone.

    `today` are ids by name, without case, of all that the renames touch; `made` when each was
    created, epoch seconds. Of the ways back those count that need the fewest users who are nowhere
    today (deleted, or renamed unheard of). Empty when today does not follow from these renames.
    """
    states = [dict(today)]
    later = sorted((r for r in renames if r.at >= at), key=lambda rename: rename.at, reverse=True)
    for second, found in groupby(later, key=lambda rename: rename.at):
        edges = tuple(dict.fromkeys((r.old.casefold(), r.new.casefold()) for r in found))
        # A user that has a name only since then is in nobody's way.
        fixed = {who for who, when in made.items() if when < second}
        ways = [
            way
            for state in states
            for way in _undo(edges[:RENAMES_A_SECOND], [state], fixed=fixed, lost=0)
        ]
        fewest = min((lost for lost, _ in ways), default=0)
        # Within the call's own second it may have come before or after each of them.
        states = [
            state
            for lost, way in ways
            if lost == fewest
            for state in (way if second == at else way[-1:])
        ]
        states = [dict(one) for one in {frozenset(state.items()) for state in states}]
        if len(states) > STATES_AT_ONCE:
            return frozenset()
    folded = name.casefold()
    return frozenset(state[folded] for state in states if state.get(folded) in made)


def _undo(
    edges: tuple[Edge, ...], way: list[Holders], *, fixed: set[str], lost: int
) -> Iterator[tuple[int, list[Holders]]]:
    """Undo renames in every order that IAM allows: how many users were lost, and all states
    on the way."""
    if not edges:
        yield lost, way
    state = way[-1]
    for number, (old, new) in enumerate(edges):
        holder = state.get(old, "")
        if holder in fixed or holder.startswith("lost "):
            continue
        who = state.get(new) or f"lost {new}"
        before = {name: id for name, id in state.items() if name != new} | {old: who}
        rest = edges[:number] + edges[number + 1 :]
        nowhere = lost + (new not in state)
        yield from _undo(rest, [*way, before], fixed=fixed, lost=nowhere)


def _steps_since(renames: Iterable[Rename], name: str, at: float) -> Iterator[frozenset[str]]:
    today = frozenset({name.casefold()})
    yield today
    later = sorted((r for r in renames if r.at >= at), key=lambda rename: rename.at)
    for second, found in groupby(later, key=lambda rename: rename.at):
        edges = tuple(dict.fromkeys((r.old.casefold(), r.new.casefold()) for r in found))
        # Within the call's own second a rename into the name may have come before it.
        stays = today if second == at else frozenset()
        today = frozenset(end for name in today for end in _ends(edges, name)) or stays
        yield today


def _ends(edges: tuple[Edge, ...], name: str) -> frozenset[str]:
    """Where the holder of a name may be after all renames of one second."""
    if not any(name in edge for edge in edges):
        return frozenset({name})
    return frozenset(_follow(edges[:RENAMES_A_SECOND], {name: True}))


def _follow(edges: tuple[Edge, ...], held: dict[str, bool | None]) -> Iterator[str]:
    """Carry out all renames in every order that IAM allows: it gives nobody a taken name.

    `held` says of a name whether it is the holder's (True), another's, or nobody's (None).
    """
    if not edges:
        yield next(name for name, ours in held.items() if ours)
    for number, (old, new) in enumerate(edges):
        who = held.get(old, False)
        if who is not None and held.get(new) is None:
            rest = edges[:number] + edges[number + 1 :]
            yield from _follow(rest, held | {old: None, new: who})
