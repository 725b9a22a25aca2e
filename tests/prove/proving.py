"""Somebody who proves the product in a member account of a box, as a person of management."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.box import Box
from sandbox.keys import ROOT_SECRET
from sandbox.rolling_out import rollout_file
from sandbox.stage import TEAM_ADDRESS, install

ROOT = Path(__file__).parents[2]
# Every attack is to be seen in its own mail, without the sweep's digests.
CENTRAL = {"MailsPerMinute": "240"}
PARAMETERS = {"MissingGroup": "nobody"}


@dataclass(frozen=True)
class Prover:
    box: Box
    file: Path

    @property
    def account(self) -> str:
        return self.box.members[0]

    def run(self, *words: str, columns: int = 100) -> subprocess.CompletedProcess[str]:
        """`python -m stacksets prove` in the first member account."""
        return subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env=self.environment(columns),
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def command(self, *words: str) -> list[str]:
        command = [sys.executable, "-m", "stacksets", "prove", "--file", str(self.file)]
        return [*command, "--account", self.account, "--poll", "0.5", *words]

    def environment(self, columns: int = 100) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": self.box.management,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            "AWS_ENDPOINT_URL": self.box.endpoint,
            "COLUMNS": str(columns),
        }


def installed(box: Box, folder: Path) -> Prover:
    """Roll out into every member, enforcing, and write the file of it down."""
    install(box, mode="enforce", central=CENTRAL)
    file = folder / "rollout.toml"
    file.write_text(
        rollout_file(
            box, mode="enforce", email=TEAM_ADDRESS, parameters=PARAMETERS, central=CENTRAL
        )
    )
    box.settle()
    return Prover(box, file)
