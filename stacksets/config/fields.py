"""Take typed values out of a table of the rollout file, and collect what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from stacksets.config.toml_lines import Place, line_of


@dataclass
class Problems:
    """One sentence for each bad value, with its line."""

    lines: Mapping[Place, int]
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, place: Place, sentence: str) -> None:
        self.found.append((line_of(place, self.lines), sentence))

    def sentences(self) -> list[str]:
        return [f"line {line}: {sentence}" for line, sentence in sorted(self.found)]


@dataclass
class Section:
    """One table of the file. Every method gives a usable value; a bad one is told of and replaced
    by the default. `close` tells of keys that nobody asked for."""

    place: Place
    table: Mapping[str, Any]
    problems: Problems
    asked: list[str] = field(default_factory=list)

    def text(self, key: str, default: str | None, *, shape: str = ".+", says: str) -> str:
        """A string; `default` None: it must be there. `says` ends "it must be ..."."""
        value = self._get(key)
        if value is None:
            if default is None:
                self.wrong(key, f"{self.name(key)} is missing; it must be {says}.", here=True)
            return default or ""
        if value == "" == default or (isinstance(value, str) and re.fullmatch(shape, value, re.S)):
            return str(value)
        self.wrong(key, f"{self.name(key)} is {value!r}; it must be {says}.")
        return default or ""

    def choice(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self._get(key)
        if value is None:
            return default
        if value not in allowed:
            self.wrong(key, f"{self.name(key)} is {value!r}; allowed are {quoted(allowed)}.")
            return default
        return str(value)

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        value = self._get(key)
        if value is None:
            return default
        if type(value) is not int or not least <= value <= most:
            says = f"a whole number from {least} to {most}"
            self.wrong(key, f"{self.name(key)} is {value!r}; it must be {says}.")
            return default
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(key, f"{self.name(key)} is {value!r}; allowed are true, false.")
            return default
        return value

    def day(self, key: str) -> date | None:
        value = self._get(key)
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        says = "a day without quotes, like 2026-11-01"
        self.wrong(key, f"{self.name(key)} is {value!r}; it must be {says}.")
        return None

    def texts(self, key: str, *, says: str) -> tuple[str, ...]:
        """A list of strings that are not empty, at least one."""
        value = self._get(key)
        if isinstance(value, list) and value and all(isinstance(v, str) and v for v in value):
            return tuple(value)
        reported = "is missing" if value is None else f"is {value!r}"
        self.wrong(key, f"{self.name(key)} {reported}; it must be {says}.", here=value is None)
        return ()

    def section(self, key: str) -> Section:
        """A table below this one; an empty one where there is none."""
        value = self._get(key)
        if value is not None and not isinstance(value, dict):
            self.wrong(key, f"{self.name(key)} must be a table: [{self.name(key)}].")
            value = None
        return Section((*self.place, key), value or {}, self.problems)

    def sections(self, key: str) -> list[Section]:
        """The tables of a repeated one."""
        value = self._get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.wrong(key, f"{self.name(key)} must be tables: [[{self.name(key)}]], each.")
            return []
        return [
            Section((*self.place, key, number), one, self.problems)
            for number, one in enumerate(value)
        ]

    def scalars(self) -> dict[str, str]:
        """Every value of this table as the text of a template parameter; lists by commas."""
        taken: dict[str, str] = {}
        for key in self.table:
            value = self._get(key)
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                taken[key] = ",".join(value)
            elif isinstance(value, (str, int)):
                taken[key] = str(value).lower() if isinstance(value, bool) else str(value)
            else:
                self.wrong(key, f"{self.name(key)} must be a text, a number or a list of texts.")
        return taken

    def close(self) -> None:
        """Tell of every key that nobody asked for."""
        for key in self.table:
            if key not in self.asked:
                known = quoted(tuple(self.asked))
                self.wrong(key, f"{self.name(key)} is unknown here; known are {known}.")

    def name(self, key: str) -> str:
        """How messages call a value: `ring 2: mode`, `central.account`."""
        words = [str(part) for part in self.place if isinstance(part, str)]
        number = next((part for part in self.place if isinstance(part, int)), None)
        if number is None:
            return ".".join([*words, key])
        return f"{words[0]} {number + 1}: " + ".".join([*words[1:], key])

    def wrong(self, key: str, sentence: str, *, here: bool = False) -> None:
        """Tell of a value; `here`: it is not in the file, so point to its table."""
        self.problems.add(self.place if here else (*self.place, key), sentence)

    def _get(self, key: str) -> Any:
        if key not in self.asked:
            self.asked.append(key)
        return self.table.get(key)


def quoted(values: tuple[str, ...]) -> str:
    """The values in quotes, with commas."""
    return ", ".join(f'"{value}"' for value in values)
