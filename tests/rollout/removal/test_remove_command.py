"""The commands drift and remove as a person of the management account runs them: under the
guardrail, by the break-glass role, with real credentials."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from handler.model.names import KEPT_POLICY, kept_arn
from sandbox.box import Box
from sandbox.core.keys import REGION
from sandbox.demo.product_setup import is_denied
from tests.rollout.operator import Operator
from tests.rollout.removal.test_drift import with_break_glass
from tests.rollout.removal.test_remove import contain, enforcing, left

__all__ = ["enforcing"]

ROOT = Path(__file__).parents[3]
Run = Callable[..., subprocess.CompletedProcess[str]]


def break_glass(box: Box, account: str) -> None:
    """The role that the guardrail spares, open to the management account."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{box.management}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam = box.client("iam", account)
    iam.create_role(
        RoleName="break-glass",
        Path="/iam-administrators/",
        AssumeRolePolicyDocument=json.dumps(trust),
    )
    iam.attach_role_policy(
        RoleName="break-glass", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )


@pytest.fixture
def run(enforcing: Operator, tmp_path: Path) -> Run:
    """`python -m stacksets` by a user of the management account."""
    box = enforcing.box
    for account in (box.security, *box.members):
        break_glass(box, account)
    with_break_glass(enforcing)
    file = tmp_path / "rollout.toml"
    file.write_text(enforcing.file)
    key = box.new_user(box.management, "operator", "*")
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_ACCESS_KEY_ID": key.access_key,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": box.endpoint,
        "COLUMNS": "120",
    }

    def command(*arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        name, *others = arguments
        return subprocess.run(
            [sys.executable, "-m", "stacksets", name, "--file", str(file), *others],
            cwd=ROOT,
            env=environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return command


def test_nothing_is_removed_without_a_clear_word_and_then_everything_is(
    enforcing: Operator, run: Run
) -> None:
    box = enforcing.box
    account = box.members[0]
    mallory = box.client("iam", account, key=contain(box, account))

    not_reporting = run("remove")
    assert not_reporting.returncode == 1
    assert "user mallory" in not_reporting.stdout
    assert "--release-all or --keep-contained" in " ".join(not_reporting.stdout.split())
    alone = run("remove", "--keep-contained")
    assert (alone.returncode, alone.stderr.split("\n")[1]) == (
        1,
        "Nothing was done: nobody was there to agree.",
    )
    wrong = run("remove", "--keep-contained", "--yes-remove", "o-another")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "--yes-remove says o-another, and this is o-exampleorgid.\n",
    )
    once = run("remove", "--keep-contained", said="yes\nno\n")
    assert once.returncode == 1
    assert len(left(box)) > 50

    done = run("remove", "--keep-contained", "--poll", "0.1", said="yes\no-exampleorgid\n")

    assert done.returncode == 0, done.stdout + done.stderr
    box.settle(ignore_hidden=True)
    kept = kept_arn(partition="aws", account=account, kind="policy", name=KEPT_POLICY)
    assert left(box) == [f"{account}: {kept}"]
    assert is_denied(mallory.list_users)
    calls = [one["eventName"] for one in box.records]
    # The guardrail held until the last ring was gone.
    assert calls.index("DetachPolicy") > calls.index("DeleteStackSet")
    again = run("remove", "--yes-remove", "o-exampleorgid")
    assert (again.returncode, again.stdout) == (
        0,
        "Nothing to remove: nothing of the product is left here.\n",
    )


def test_drift_is_shown_as_json_and_mended_under_the_guardrail(
    enforcing: Operator, run: Run
) -> None:
    box = enforcing.box
    account = box.members[0]
    mallory = box.client("iam", account, key=contain(box, account))
    box.client("events", account).disable_rule(Name="iam-org-revoker-calls")

    looked = run("drift", "--json", "--poll", "0.1")

    assert looked.returncode == 1, looked.stderr
    assert json.loads(looked.stdout) == {
        "drifted": [
            {
                "account": account,
                "ring": "everyone",
                "resource": "CallsRule",
                "kind": "AWS::Events::Rule",
                "status": "MODIFIED",
                "paths": ["/State"],
                "stack": "",
            }
        ],
        "not_looked_at": {},
        "by_hand": [],
    }
    repaired = run("drift", "--repair", "--yes", "--poll", "0.1")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    box.settle(ignore_hidden=True)
    assert is_denied(mallory.list_users)
    clean = run("drift", "--poll", "0.1")
    assert clean.returncode == 0
    assert clean.stdout.endswith("0 resources in 0 accounts have drifted.\n")


def test_a_ring_that_the_file_does_not_have_is_named(run: Run) -> None:
    refused = run("remove", "--ring", "nobody")
    assert refused.returncode == 2
    assert refused.stderr.endswith("has no ring nobody; it has canary, everyone.\n")
