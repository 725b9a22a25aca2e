"""Run the commands of the installation by hand line by line with the AWS CLI against a sandbox.

Run is each block that stands after `<!-- rehearsed -->`; a name in the mark says which step it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from handler.model.names import INCIDENT_TABLE
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent
PAGES = ("install-by-hand.md", "removing.md")
MARKED = re.compile(r"<!-- rehearsed(?:: (\w+))? -->\n```bash\n(.*?)```", re.DOTALL)


def blocks(name: str) -> str:
    """The marked commands of that name, in their order."""
    text = "".join((ROOT / "docs" / page).read_text() for page in PAGES)
    found = [block for label, block in MARKED.findall(text) if label == name]
    assert found, f"no page has a block marked {name!r}"
    return "\n".join(found)


@dataclass(frozen=True)
class Shell:
    """Where the commands run: a folder that looks like a checkout, and the sandbox's profiles."""

    folder: Path
    said: Path
    environment: dict[str, str]

    def run(self, script: str, **environment: str) -> str:
        """Run a script in one bash with the names of step 1; its output, and its errors in it."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def client(self, service: str, profile: str) -> Any:
        return boto3.Session(profile_name=profile).client(service)

    def mails_about_alice(self) -> list[str]:
        """Subjects; who makes a stack by hand is told of too, under another name."""
        return re.findall(r"^Subject: (.* alice: .*)$", self.said.read_text(), re.MULTILINE)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    beside = str(Path(sys.executable).parent)
    path = f"{beside}:{os.environ['PATH']}"
    if shutil.which("aws", path=path) is None:
        pytest.skip("the AWS command line is not installed here")
    said = tmp_path / "said"
    (tmp_path / "templates").symlink_to(ROOT / "templates")
    with said.open("w") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--members", "2"],
            cwd=ROOT,
            env={"PATH": path, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
            stdout=output,
        )
        try:
            wait_until(
                lambda: "Ctrl-C ends it all" in said.read_text() or running.poll() is not None
            )
            config = said.read_text().split("export AWS_CONFIG_FILE=")[1].split()[0]
            monkeypatch.setenv("AWS_CONFIG_FILE", config)
            environment = {"PATH": path, "HOME": str(tmp_path), "AWS_CONFIG_FILE": config}
            yield Shell(folder=tmp_path, said=said, environment=environment)
        finally:
            running.terminate()
            running.wait(timeout=30)


def undo_lines(shell: Shell) -> list[str]:
    return re.findall(r"^ +(aws iam detach-user-policy .*)\n", shell.said.read_text(), re.M)


def alice(shell: Shell) -> Any:
    """The IAM client of the rogue whom the sandbox brings along, in its first member account."""
    key = re.search(
        r"AWS_ACCESS_KEY_ID=(AKIA\S+) AWS_SECRET_ACCESS_KEY=(\S+)", shell.said.read_text()
    )
    assert key is not None
    session = boto3.Session(
        aws_access_key_id=key[1], aws_secret_access_key=key[2], region_name="us-east-1"
    )
    endpoint = shell.client("iam", "member-1").meta.endpoint_url
    return session.client("iam", endpoint_url=endpoint)


def is_denied(iam: Any) -> bool:
    try:
        iam.list_users()
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == "AccessDenied")
    return False


def operations_done(shell: Shell) -> bool:
    cloudformation = shell.client("cloudformation", "management")
    found = cloudformation.list_stack_set_operations(StackSetName="iam-org-revoker")["Summaries"]
    assert {one["Status"] for one in found} <= {"SUCCEEDED", "RUNNING", "QUEUED"}
    return {one["Status"] for one in found} == {"SUCCEEDED"}


def test_the_installation_runs_as_it_stands_from_the_bucket_to_the_removal(shell: Shell) -> None:
    names = blocks("").split("aws s3 mb")[0]
    shell.run(blocks(""))
    wait_until(lambda: operations_done(shell))
    shown = shell.run(names + blocks("operations"))
    assert re.findall(r"^(\d{12})\tSUCCEEDED", shown, re.MULTILINE) == [
        "444455556666",
        "777788889991",
        "777788889992",
    ]

    rogue = alice(shell)
    rogue.create_group(GroupName="revoker-probe")
    wait_until(lambda: observed(shell) == ["777788889991"])
    assert not is_denied(rogue)

    shell.run(names + blocks("enforce"))
    wait_until(lambda: operations_done(shell))
    rogue.create_group(GroupName="another")
    wait_until(lambda: is_denied(rogue))
    wait_until(lambda: shell.mails_about_alice() != [])
    assert shell.mails_about_alice() == ["[IAM revoked] 777788889991 user alice: CreateGroup"]

    # The sandbox prints a mail's subject before its lines.
    wait_until(lambda: undo_lines(shell) != [])
    (undo,) = undo_lines(shell)
    back = blocks("enforce").replace('s/"observe"/"enforce"/', 's/"enforce"/"observe"/')
    shell.run(names + back)
    wait_until(lambda: operations_done(shell))
    assert '"UserName": "alice"' in shell.run(blocks("contained"), AWS_PROFILE="member-1")
    shell.run(undo, AWS_PROFILE="member-1")
    assert '"UserName": "alice"' not in shell.run(blocks("contained"), AWS_PROFILE="member-1")
    assert not is_denied(rogue)

    shell.run(names + blocks("remove"))
    wait_until(lambda: operations_done(shell))
    shell.run(names + blocks("rest"))
    for profile in ("management", "security", "member-1", "member-2"):
        stacks = shell.client("cloudformation", profile)
        wait_until(lambda stacks=stacks: live_stacks(stacks) == [])
        assert "iam-org-revoker" not in functions(shell, profile)


def observed(shell: Shell) -> list[str]:
    """The accounts of which the morning's digest will tell."""
    items = shell.client("dynamodb", "security").scan(TableName=INCIDENT_TABLE)["Items"]
    keys = [item["pk"]["S"].split("#") for item in items]
    return [key[1] for key in keys if key[0] == "incident" and key[2] == "would-contain"]


def live_stacks(cloudformation: Any) -> list[str]:
    found = cloudformation.describe_stacks()["Stacks"]
    return [one["StackName"] for one in found if one["StackStatus"] != "DELETE_COMPLETE"]


def functions(shell: Shell, profile: str) -> list[str]:
    found = shell.client("lambda", profile).list_functions()["Functions"]
    return [one["FunctionName"] for one in found]


def test_a_single_account_is_guarded_by_the_commands_as_they_stand(shell: Shell) -> None:
    enforce = (
        blocks("single")
        .rsplit("aws cloudformation deploy", 1)[1]
        .replace('"CentralBusArn=$BUS"', "Mode=enforce MissingGroup=treat-as-empty")
    )
    names = blocks("single").split("aws s3 mb")[0]
    shell.run(blocks("single"), AWS_PROFILE="member-1")
    shell.run(f"{names}aws cloudformation deploy {enforce}", AWS_PROFILE="member-1")
    rogue = alice(shell)
    rogue.create_group(GroupName="revoker-probe")
    wait_until(lambda: is_denied(rogue))
    wait_until(lambda: shell.mails_about_alice() != [])
    assert shell.mails_about_alice() == ["[IAM revoked] 777788889991 user alice: CreateGroup"]
