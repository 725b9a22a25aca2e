"""How complex the wildcards of an event pattern are, as EventBridge bounds them. Pure.

"There is a limit to how complex a rule using wildcards can be" (EventBridge User Guide, "Wildcards
and event pattern complexity"); no page puts it into a number. The measure is that of AWS's own
matcher (github.com/aws/event-ruler, MachineComplexityEvaluator): how many beginnings of wildcards
one value of a field can fit at once. A rule that AWS refused scores 12, and 9 as AWS took it
(github.com/vals-ai/Valkyrie/pull/278).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

MOST = 10

# A wildcard as letters and stars.
Tokens = tuple[str, ...]
STAR = "any letters"
# How far a wildcard of a field is read: which of them, and how many of its tokens.
Place = tuple[int, int]


def complexity(pattern: dict[str, Any]) -> int:
    """The most beginnings of wildcards that a value of one field can fit at once. All wildcards of
    a field count together, also those that the matcher may keep apart, like branches of an `$or`:
    the score is the matcher's, or above it."""
    fields: dict[tuple[str, ...], list[Tokens]] = {}
    for path, tokens in _wildcards(pattern, ()):
        fields.setdefault(path, []).append(tokens)
    return max(map(_of_field, fields.values()), default=0)


def _wildcards(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Tokens]]:
    match node:
        case {"wildcard": str(text)}:
            yield path, _tokens(text)
        case {"anything-but": {"wildcard": str() | list() as texts}}:
            for text in [texts] if isinstance(texts, str) else texts:
                yield path, _tokens(text)
        case dict():
            for name, inner in node.items():
                yield from _wildcards(inner, path if name == "$or" else (*path, name))
        case list():
            for inner in node:
                yield from _wildcards(inner, path)


def _tokens(text: str) -> Tokens:
    """The matcher compares JSON, quotes included; a backslash takes a star for itself."""
    parts = re.findall(r"\\.|.", f'"{text}"', re.DOTALL)
    return tuple(STAR if part == "*" else part[-1] for part in parts)


def _of_field(wildcards: list[Tokens]) -> int:
    """Walk every set of places to which a value can lead, until one is large enough."""
    tokens = dict(enumerate(wildcards))

    def token(number: int, at: int) -> str:
        return tokens[number][at] if at < len(tokens[number]) else ""

    def with_empty_stars(places: set[Place]) -> frozenset[Place]:
        return frozenset(places | {(one, at + 1) for one, at in places if token(one, at) == STAR})

    begin = with_empty_stars({(number, 0) for number in tokens})
    known, todo, most = {begin}, [begin], 0
    while todo and most <= MOST:
        places = todo.pop()
        # STAR, read as a letter, is one that no wildcard names.
        for letter in {STAR, *(token(*place) for place in places)} - {""}:
            stay = {(one, at) for one, at in places if at and token(one, at - 1) == STAR}
            go = {(one, at + 1) for one, at in places if token(one, at) == letter}
            reached = with_empty_stars(stay | go)
            most = max(most, len(reached))
            if reached not in known:
                known.add(reached)
                todo.append(reached)
    return most
