"""Recorded CloudTrail as a stream of records, however it was packed. Judges nothing.

Memory holds one piece of one file, however large files and folders are. Read are trail files
(`{"Records": [...]}`), lists, JSON lines and values one after the other, each plain or compressed
with gzip, each record bare or in an EventBridge envelope.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TextIO

ENDINGS = (".json", ".json.gz", ".jsonl", ".jsonl.gz")
PIECE = 1 << 16
# In characters. CloudTrail's largest event has 1 MB (User Guide, "MaxEventSize").
LARGEST = 1 << 24
# Lists in lists in lists: no trail is packed like that, and each level costs memory.
DEEPEST = 4

_GAP = re.compile(r"[\s,]*")
_OPENING = re.compile(r'\[|\{\s*"Records"\s*:\s*\[')
_CLOSING = {"[": re.compile(r"\]"), "{": re.compile(r"\]\s*\}")}


@dataclass(frozen=True)
class Unreadable:
    """A file or folder, or a part of one, that could not be read, and why, as half a sentence."""

    path: Path
    why: str


def find_files(paths: Iterable[Path]) -> Iterator[Path | Unreadable]:
    """Each named file, and in each named folder, at any depth, those with one of ENDINGS."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        refused: list[OSError] = []
        for folder, folders, names in os.walk(path, onerror=refused.append):
            folders.sort()
            for name in sorted(names):
                found = Path(folder, name)
                if name.endswith(ENDINGS) and found.is_file():
                    yield found
        for error in refused:
            yield Unreadable(Path(error.filename), error.strerror or "cannot be listed")


def read_file(path: Path, *, moved: Callable[[int], None]) -> Iterator[dict[str, Any] | Unreadable]:
    """The records of one file in order; what is wrong with it comes after what could be read.

    `moved` hears how many more bytes of the file are read, as stored.
    """
    read = position = 0
    try:
        with path.open("rb") as stored:
            packed = stored.peek(2)[:2] == b"\x1f\x8b"
            plain = gzip.GzipFile(fileobj=stored) if packed else stored
            # A byte order mark is no part of JSON, yet Windows tools write one.
            text = io.TextIOWrapper(plain, encoding="utf-8-sig")
            lines = path.name.endswith((".jsonl", ".jsonl.gz"))
            for value in _line_values(text) if lines else _values(text):
                yield from _records(value)
                read += 1
                if stored.seekable() and stored.tell() != position:
                    moved(stored.tell() - position)
                    position = stored.tell()
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        yield Unreadable(path, f"{_half_sentence(error)} (after {read} readable records)")


def _half_sentence(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return "is not JSON, or cut off"
        case UnicodeDecodeError():
            return "is not UTF-8 text"
        case RecursionError():
            return "nests too deeply"
        case gzip.BadGzipFile() | EOFError() | zlib.error():
            return f"is broken gzip: {error}"
        case OSError(strerror=str(reason)):
            return f"cannot be opened or read: {reason}"
    return str(error)


def _records(value: object) -> Iterator[dict[str, Any]]:
    match value:
        case {"Records": [*records]}:
            # A trail file with something before its records, or one a line.
            for record in records:
                yield from _records(record)
        case dict():
            yield value
        case _:
            raise ValueError("holds something that is no record")


def _line_values(text: TextIO) -> Iterator[object]:
    """One value a line; a line that is none is left out and told of at the end."""
    broken: list[int] = []
    for number in count(1):
        line = text.readline(LARGEST)
        if not line:
            break
        if len(line) == LARGEST:
            raise ValueError(f"has a line {number} that is longer than any record")
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield value
        else:
            broken = [*broken[:1], number]
    if broken:
        raise ValueError(f"has lines that are no records, from line {broken[0]} to {broken[-1]}")


def _values(text: TextIO) -> Iterator[object]:
    """The values of a JSON text one after the other; lists and trail files are never held whole."""
    decoder = json.JSONDecoder()
    window, at, ended, open_lists = "", 0, False, ""
    while True:
        at = _end(_GAP.match(window, at))
        if opening := _OPENING.match(window, at):
            open_lists, at = open_lists + window[at], opening.end()
            if len(open_lists) > DEEPEST:
                raise ValueError("nests lists too deeply for recorded CloudTrail")
            continue
        if open_lists and (closing := _CLOSING[open_lists[-1]].match(window, at)):
            open_lists, at = open_lists[:-1], closing.end()
            continue
        try:
            value, at = decoder.raw_decode(window, at)
        except json.JSONDecodeError:
            # Either broken or not all here yet: only the rest of the text can tell.
            if ended and at == len(window):
                break
            if ended or len(window) - at > LARGEST:
                raise
        else:
            yield value
            continue
        # As much again as is held, so that a large value is not scanned once for each small piece.
        more = text.read(max(PIECE, len(window) - at))
        window, at, ended = window[at:] + more, 0, not more
    if open_lists:
        raise ValueError("ends in the middle of its records")


def _end(match: re.Match[str] | None) -> int:
    assert match is not None
    return match.end()
