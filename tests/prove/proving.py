"""An operator who proves the product in a member account of a box, from the management account."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.box import Box
from sandbox.core.keys import ROOT_SECRET, Key
from sandbox.demo.product_setup import TEAM_ADDRESS, install
from sandbox.demo.rolling_out import TEMPLATES, rollout_file
from sandbox.organizations.organization import ACCESS_ROLE
from stacksets.cli.common import read_file, read_inputs, read_release
from stacksets.execute.waiters import Waiting
from stacksets.observe.clients import Clients
from stacksets.prove.attacks.catalog import ROWS
from stacksets.prove.attacks.scene import PATH, Scene
from stacksets.prove.clean import Left
from stacksets.prove.command import entered, proved
from stacksets.prove.proof import Proof
from stacksets.steps.inputs import Given

ROOT = Path(__file__).parents[2]
# Every attack has its own mail; with fewer the sweep, which is held here, sends digests.
CENTRAL = {"MailsPerMinute": "240"}
PARAMETERS = {"MissingGroup": "treat-as-empty"}
# One of a key, one of a membership, one of a principal made by the attack.
FEW = (
    "A new access key for another user",
    "A friend put into a group with rights",
    "A new user with rights and a key",
)


@dataclass(frozen=True)
class Prover:
    """Runs the command as a process, or a few rows of it in this one; enters accounts by `role`."""

    box: Box
    file: Path
    role: str = ACCESS_ROLE

    @property
    def account(self) -> str:
        return self.box.members[0]

    def command(self, *words: str) -> list[str]:
        written = [sys.executable, "-m", "stacksets", "prove", "--file", str(self.file)]
        return [*written, "--account", self.account, "--poll", "0.3", *words]

    def popen(self, *words: str, columns: int = 100) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words),
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "COLUMNS": str(columns),
                "AWS_ACCESS_KEY_ID": self.box.management,
                "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
                "AWS_ENDPOINT_URL": self.box.endpoint,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, columns: int = 100) -> tuple[int, str, str]:
        """Exit code, output, errors of `python -m stacksets prove`."""
        running = self.popen(*words, columns=columns)
        out, errors = running.communicate(timeout=240)
        return running.returncode, out, errors

    @cached_property
    def looked(self) -> tuple[Given, Clients]:
        """As the command looks around before it plays; once for all tests."""
        release = read_release(TEMPLATES)
        wanted = read_file(self.file, release).entered_by(self.role)
        clients = self.clients()
        today = datetime.fromtimestamp(self.box.time(), UTC).date()
        return read_inputs(wanted, release, clients, today=today), clients

    def clients(self) -> Clients:
        """As the command opens them, without the environment, which functions would inherit."""
        keys = {self.box.management: Key(self.box.management, ROOT_SECRET)}

        def make(service: str, account: str) -> Any:
            if account not in keys:
                keys[account] = self.entered(account)
            return self.box.client(service, key=keys[account])

        return Clients(f"arn:aws:iam::{self.box.management}:root", make, make)

    def entered(self, account: str) -> Key:
        given = self.box.client("sts", self.box.management).assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/{self.role}", RoleSessionName="operator"
        )["Credentials"]
        return Key(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def scene(self, *, patience: float = 60.0) -> Scene:
        given, clients = self.looked
        waiting = Waiting(time.sleep, time.time, poll=0.2, patience=patience)
        return entered(given, clients, self.account, waiting, understood=False)

    def prove(self, *, patience: float = 60.0) -> Proof:
        """Play a few rows; nothing of them is left."""
        proof, left = self.play(self.scene(patience=patience))
        assert left == []
        assert self.remains() == []
        return proof

    def play(self, scene: Scene) -> tuple[Proof, list[Left]]:
        """Play a few rows; the proof, and what could not be removed."""
        given, clients = self.looked
        left: list[Left] = []
        rows = [row for row in ROWS if row.title in FEW]
        return proved(given, clients, scene, rows, progress=_quiet, left=left), left

    def remains(self) -> list[str]:
        """What stands under the path of the proof."""
        iam: Any = self.box.client("iam", self.account)
        return [
            one["Arn"]
            for call, kind in (
                ("list_users", "Users"),
                ("list_roles", "Roles"),
                ("list_groups", "Groups"),
                ("list_policies", "Policies"),
                ("list_instance_profiles", "InstanceProfiles"),
            )
            for one in getattr(iam, call)(PathPrefix=PATH)[kind]
        ] + [
            one
            for one in (
                *(
                    one["SerialNumber"]
                    for one in iam.list_virtual_mfa_devices()["VirtualMFADevices"]
                ),
                *(
                    one["Arn"]
                    for one in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
                ),
            )
            if "proof" in one
        ]


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


def wrong(proof: Proof) -> dict[str, str]:
    """What differs: rows by their title, checks by their name."""
    rows = {one.title: one.seen for one in proof.results if one.ok is False}
    return rows | {one.name: one.seen for one in proof.checks if one.ok is False}


def _quiet(_line: str) -> None:
    """Nobody looks."""
