"""Render the words of the mails into the source of one module; facts come at run time, not here."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

MODULE = "handler.notifier.mail.templates"
CONSTANT = "MAIL_WORDS"
_SUFFIX = ".txt.j2"
_WIDTH = 84


@dataclass(frozen=True)
class House:
    """What belongs to the organization: what its security team is called, where its runbook is."""

    team: str = "the security team"
    runbook: str = ""


def read_house(*, team: str, runbook: str) -> House:
    """The two options, checked; raises ValueError with one sentence."""
    if not team.strip() or len(team) > 80 or not team.isprintable():
        raise ValueError(f"--team {team!r}: give one line of at most 80 characters")
    if runbook and not re.fullmatch(r"https?://[\x21-\x7e]{1,500}", runbook):
        raise ValueError(f"--runbook {runbook!r}: give a URL that begins with https://")
    return House(team=team, runbook=runbook)


def render_words(folder: Path, house: House) -> dict[str, str]:
    """Text of each mail by file stem; files that begin with _ are parts of others."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    names = sorted(path.name for path in folder.glob(f"*{_SUFFIX}") if path.name[0] != "_")
    return {
        name.removesuffix(_SUFFIX): environment.get_template(name).render(
            team=house.team, runbook=house.runbook
        )
        for name in names
    }


def words_module(words: dict[str, str]) -> str:
    """Source of the module that holds the words: ASCII whatever they contain, readable lines."""
    lines = [
        '"""The words of the mails, rendered from templates/mail."""',
        "",
        f"{CONSTANT}: dict[str, str] = {{",
    ]
    for name, text in words.items():
        lines += [f'    "{name}": (', *(f"        {piece}" for piece in _pieces(text)), "    ),"]
    return "\n".join([*lines, "}"]) + "\n"


def _pieces(text: str) -> list[str]:
    """String literals that Python joins to the text again, none much longer than a line."""
    pieces = []
    for line in text.splitlines(keepends=True) or [""]:
        parts = textwrap.wrap(
            line, _WIDTH, drop_whitespace=False, replace_whitespace=False, break_long_words=False
        )
        pieces += [ascii(part) for part in parts or [line]]
    return pieces
