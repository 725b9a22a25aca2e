"""On which line of a TOML file a value stands, for messages only: tomllib does not tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

Place = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=""")


def line_numbers(text: str) -> Mapping[Place, int]:
    """The line (from 1) of each table and key: ("ring", 0, "mode") is that of the first ring,
    ("ring",) where the first one begins.

    A line of a multi-line string that looks like a key is taken for one; a place that is there
    already keeps its line.
    """
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    here: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            here = _table(_names(header[2]), counts, repeated=header[1] == "[[")
            found.setdefault(here, number)
            if header[1] == "[[":
                # The whole of a repeated table stands where its first one begins.
                found.setdefault(here[:-1], number)
        elif key := _KEY.match(line):
            found.setdefault((*here, *_names(key[1])), number)
    return found


def line_of(place: Place, lines: Mapping[Place, int]) -> int:
    """The line of a place, or of the nearest table above it that stands in the file; else 1."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _table(names: tuple[str, ...], counts: dict[Place, int], *, repeated: bool) -> Place:
    place: Place = ()
    for depth, name in enumerate(names):
        place = (*place, name)
        if repeated and depth == len(names) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(name.strip().strip("\"'") for name in dotted.split("."))
