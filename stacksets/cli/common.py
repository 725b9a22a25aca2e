"""What each command of the rollout begins with: the release, the file, and a look around.

Reads only; each problem ends as Stopped, in words.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from handler.notifier.messages.notice import visible
from stacksets.cli.progress import looking
from stacksets.config.load import BadFile, read_wanted
from stacksets.config.model import Wanted
from stacksets.drift.keep_scope import with_held
from stacksets.execute.executor import advice
from stacksets.observe.clients import CannotEnter, Clients, sentence
from stacksets.observe.observe import HiddenBucket, NotDelegated, observe
from stacksets.observed.templates import Template, read_template
from stacksets.steps.inputs import Given

FILE = "rollout.toml"
TEMPLATES = Path(__file__).parents[2] / "templates"


class Stopped(Exception):
    """The command ends here: what to say, and the exit code."""

    def __init__(self, said: str, code: int = 1) -> None:
        super().__init__(said)
        self.said, self.code = said, code


@dataclass(frozen=True)
class Release:
    """The templates and the guardrail that are rolled out."""

    member: Template
    central: Template
    guardrail: str

    @property
    def contents(self) -> Mapping[str, str]:
        return {one.name: one.body for one in (self.member, self.central)}


def add_common_options(command: argparse.ArgumentParser) -> None:
    """The options of every command that looks at an Organization."""
    command.add_argument("--file", type=Path, default=Path(FILE), help=f"default: {FILE}")
    command.add_argument("--profile", help="AWS profile of the operator's own credentials")
    command.add_argument(
        "--templates", type=Path, default=TEMPLATES, metavar="DIR", help="default: the release's"
    )
    command.add_argument(
        "--access-role", metavar="PATH/NAME", help="instead of access.role: the break-glass role"
    )


def read_release(folder: Path) -> Release:
    """The templates of a folder. Raises Stopped where one is missing."""
    try:
        return Release(
            member=read_template(folder / "member.yaml"),
            central=read_template(folder / "central.yaml"),
            guardrail=(folder / "guardrail.json").read_text().strip(),
        )
    except OSError as error:
        raise Stopped(
            f"There is no {error.filename}: name the folder in --templates.", 2
        ) from error


def read_file(path: Path, release: Release) -> Wanted:
    """The rollout file. Raises Stopped with every bad value."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        reported = "python -m stacksets init writes one"
        raise Stopped(f"{path} cannot be read ({why}): {reported}.", 2) from error
    try:
        return read_wanted(
            text,
            member=release.member.document["Parameters"],
            central=release.central.document["Parameters"],
        )
    except BadFile as error:
        lines = "\n".join(f"{path}: {visible(one)}" for one in error.sentences)
        raise Stopped(lines, 2) from error


def read_inputs(wanted: Wanted, release: Release, clients: Clients, *, today: date) -> Given:
    """What a plan is computed from. Raises Stopped where something may not be seen."""
    try:
        with looking("the Organization"):
            given = Given(
                wanted=wanted,
                observed=observe(wanted, clients),
                member=release.member,
                central=release.central,
                guardrail=release.guardrail,
                today=today,
            )
            return with_held(clients, given)
    except (CannotEnter, NotDelegated, HiddenBucket) as error:
        raise Stopped(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        reported = advice(error)
        raise Stopped(f"AWS refused to tell: {sentence(error)}. {reported}".rstrip()) from error
