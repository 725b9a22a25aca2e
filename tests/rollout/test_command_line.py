"""The commands as a person types them: exit codes, answers, Ctrl-C, and no terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sandbox.box import Box
from sandbox.core.keys import REGION, ROOT_SECRET
from tests.rollout.operator import Operator, stacks

ROOT = Path(__file__).parents[2]
Ran = subprocess.CompletedProcess[str]


class Terminal:
    """Runs `python -m stacksets` as the root of the management account, in a folder of its own."""

    def __init__(self, box: Box, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "rollout.toml"
        config = folder / "config"
        config.write_text(
            f"[profile security]\naws_access_key_id = {box.security}\n"
            f"aws_secret_access_key = {ROOT_SECRET}\n"
        )
        self.environment = {
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": box.management,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            "AWS_ENDPOINT_URL": box.endpoint,
            "AWS_CONFIG_FILE": str(config),
            "COLUMNS": "100",
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "stacksets", *words, "--file", str(self.file)]

    def run(self, *words: str, answer: str = "") -> Ran:
        return subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env=self.environment,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def terminal(box: Box, operator: Operator, tmp_path: Path) -> Terminal:
    made = Terminal(box, tmp_path)
    made.file.write_text(f'{operator.file}[access.profiles]\n{box.security} = "security"\n')
    return made


def test_from_init_to_nothing_to_do(box: Box, terminal: Terminal) -> None:
    terminal.file.unlink()
    wrote = terminal.run("init", "--email", "security@example.com")
    assert (wrote.returncode, wrote.stderr) == (0, "")
    assert terminal.run("init").returncode == 2
    assert tomllib.loads(terminal.file.read_text())["central"]["account"] == box.security

    asked = terminal.run("apply", answer="no\n")
    assert (asked.returncode, asked.stderr) == (1, "Nothing was done.\n")
    assert list(stacks(box, box.security)) == []

    done = terminal.run("apply", "--poll", "0.1", answer="yes\n")
    assert (done.returncode, done.stderr) == (0, "")
    again = terminal.run("apply", "--yes")
    assert again.returncode == 0
    assert again.stdout.endswith("Nothing to do: everything is as the file says.\n")


def test_a_plan_is_a_table_json_or_commands_and_changes_nothing(
    box: Box, terminal: Terminal
) -> None:
    table = terminal.run("plan")
    assert table.returncode == 0
    assert table.stdout.splitlines()[-1] == "15 steps, 6 accounts."
    assert max(len(line) for line in table.stdout.splitlines()) <= 100
    assert len(json.loads(terminal.run("plan", "--json").stdout)["steps"]) == 15
    script = terminal.run("plan", "--as-cli").stdout
    assert f"aws --profile security --region {REGION} cloudformation create-stack " in script
    dry = terminal.run("apply", "--dry-run")
    assert dry.stdout.splitlines()[-1].endswith("Nothing was sent.")
    assert list(stacks(box, box.security)) == []


def test_the_commands_of_a_plan_roll_out_by_themselves(
    operator: Operator, terminal: Terminal
) -> None:
    script = terminal.run("plan", "--as-cli").stdout
    # Templates are written where the script runs.
    folder = terminal.folder / "elsewhere"
    folder.mkdir()
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**terminal.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert operator.plan().empty


def test_ctrl_c_says_what_goes_on_and_the_next_apply_waits_for_it(
    box: Box, terminal: Terminal
) -> None:
    box.stack_seconds = 600
    running = subprocess.Popen(
        terminal.command("apply", "--yes", "--poll", "0.1"),
        cwd=ROOT,
        env=terminal.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if "RUNNING" in line:
            running.send_signal(signal.SIGINT)
            break
    _, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert said == (
        "Interrupted. AWS goes on with what has begun; run apply again: it takes up from there.\n"
    )
    assert terminal.run("plan").stdout.splitlines()[-1] == (
        "1 step to wait for; the rest is planned when they have ended."
    )
    box.stack_seconds = 0
    box.advance(601)
    assert terminal.run("apply", "--yes", "--poll", "0.1").returncode == 0
    assert all(len(list(stacks(box, one))) == 1 for one in box.members)


def test_a_bad_file_is_told_of_before_anything_is_called(terminal: Terminal) -> None:
    terminal.environment["AWS_ENDPOINT_URL"] = "http://192.0.2.1"
    terminal.file.write_text(terminal.file.read_text().replace('"Sandbox"]', '"Sandbox", 1]'))
    ran = terminal.run("apply", "--yes")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "line 13: ring 1: units is ['Sandbox', 1]; it must be a list of OU ids" in ran.stderr


def test_an_account_that_cannot_be_entered_is_told_with_what_to_do(
    box: Box, terminal: Terminal
) -> None:
    text = terminal.file.read_text().replace("[access.profiles]", '[access]\nrole = "Nobody"')
    terminal.file.write_text(text.replace(f'{box.security} = "security"', ""))
    ran = terminal.run("plan")
    assert ran.returncode == 1
    assert f"Account {box.security} cannot be entered by arn:aws:iam::{box.security}:role/" in (
        ran.stderr
    )
    assert "Name a profile for it in [access.profiles]" in ran.stderr
    assert "accounts that Control Tower made have AWSControlTowerExecution" in ran.stderr


def test_where_control_tower_made_the_accounts_init_names_the_role_that_enters_them(
    box: Box, terminal: Terminal
) -> None:
    before, after = "OrganizationAccountAccessRole", "AWSControlTowerExecution"
    iam = box.client("iam", box.security)
    trust = json.dumps(iam.get_role(RoleName=before)["Role"]["AssumeRolePolicyDocument"])
    for one in iam.list_attached_role_policies(RoleName=before)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=before, PolicyArn=one["PolicyArn"])
    iam.delete_role(RoleName=before)
    iam.create_role(RoleName=after, AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName=after, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    email = ("--email", "security@example.com")

    terminal.file.unlink()
    assert terminal.run("init", *email).returncode == 0
    refused = terminal.run("plan")
    assert refused.returncode == 1
    assert f"have {after}, others {before}." in refused.stderr

    own = box.client("iam", box.management)
    own.create_role(
        RoleName="AWSControlTowerAdmin", Path="/service-role/", AssumeRolePolicyDocument=trust
    )
    terminal.file.unlink()
    assert terminal.run("init", *email).returncode == 0
    assert tomllib.loads(terminal.file.read_text())["access"]["role"] == after
    assert terminal.run("plan").stderr == ""
