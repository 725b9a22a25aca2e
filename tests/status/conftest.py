"""One small Organization, rolled out by the command line from a file, with an account for each
state.

A box of its own, since a process holds one at a time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.__main__ import profile
from sandbox.box import Box, open_box
from sandbox.demo.organization_trail import start_trail

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SWEEPS_IN_A_QUARTER = 4
BETWEEN_SWEEPS = 226
NAMES = ("covered", "ill", "drifted", "silent", "excluded", "suspended", "outdated")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: HERE not in item.path.parents)


@dataclass(frozen=True)
class Landscape:
    """The accounts by name, the units by name, and the rollout file."""

    box: Box
    accounts: dict[str, str]
    units: dict[str, str]
    file: Path
    config: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`python -m stacksets` as the management account's person."""
        command, *others = arguments
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_CONFIG_FILE": str(self.config),
            "COLUMNS": "100",
        }
        return subprocess.run(
            [
                *(sys.executable, "-m", "stacksets", command),
                *("--file", str(self.file), "--profile", "management", *others),
            ],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )

    def write(self, *, enforced: str = "") -> None:
        """The rollout file; `enforced` are parameters of the ring that enforces."""
        excluded = self.accounts["excluded"]
        self.file.write_text(
            f'''
organization = "{self.box.organization_id}"
trail = "accounts"
observe_days = 0

[access.profiles]
{self.box.security} = "security"

[central]
account = "{self.box.security}"
[central.parameters]
Email = "security@example.com"

[parameters]
MissingGroup = "treat-as-empty"

[[ring]]
name = "early"
units = ["Watched"]

[[ring]]
name = "late"
units = ["Enforced"]
mode = "enforce"
observed_since = 2026-01-01
accept_unguarded = true
[ring.parameters]
{enforced}

[[excluded]]
account = "{excluded}"
reason = "It is the vault of backups."
'''
        )

    def quarter(self, times: int = 1) -> None:
        """A quarter of an hour, with the reconciliations and sweeps in it."""
        for _ in range(times):
            # The central account calls a longer gap between two of its sweeps a sleep.
            for _ in range(SWEEPS_IN_A_QUARTER):
                self.box.advance(BETWEEN_SWEEPS)
                self.box.tick()
                self.box.settle(ignore_hidden=True)
            # The sweep that this begins reads what the reconciliations have sent.
            self.box.advance(61)
            self.box.tick()
            self.box.settle(ignore_hidden=True)


@pytest.fixture(scope="package")
def box() -> Iterator[Box]:
    with open_box(member_count=1, held=True) as opened:
        yield opened


@pytest.fixture(scope="package")
def landscape(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    organizations = box.client("organizations", box.management)
    units = {
        name: organizations.create_organizational_unit(ParentId=box.layout.root, Name=name)[
            "OrganizationalUnit"
        ]["Id"]
        for name in ("Enforced", "Watched", "Outside")
    }
    accounts = {name: box.new_account(name, parent=units["Enforced"]) for name in NAMES}
    accounts["watched"] = box.new_account("watched", parent=units["Watched"])
    accounts["outside"] = box.new_account("outside", parent=units["Outside"])
    for account in (*accounts.values(), box.management):
        start_trail(box, account)
    folder = tmp_path_factory.mktemp("rollout")
    config = folder / "config"
    config.write_text(
        "".join(
            profile(box, account, name)
            for name, account in (("management", box.management), ("security", box.security))
        )
    )
    made = Landscape(box, accounts, units, folder / "rollout.toml", config)
    made.write()
    applied = made.run("apply", "--yes", "--poll", "0.2")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    return made
