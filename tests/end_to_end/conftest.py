"""One Organization for all end-to-end tests, with the product rolled out by its own StackSet.

A box of its own: in the one that the other tests share, the StackSet would follow their accounts
and contain their callers. A process holds one box at a time, so these tests come first.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handler.model.names import SWEEP_RULE
from sandbox.box import Box, open_box
from sandbox.core.keys import REGION, ROOT_SECRET
from sandbox.core.unknowns import LIKELY, UNLIKELY
from sandbox.demo.product_setup import STACK_SET, Stage, change_mode, install
from tests.waiting import wait_until

HERE = Path(__file__).parent
Responder = Callable[..., subprocess.CompletedProcess[str]]
_strangers = itertools.count(900000000001)


@pytest.fixture(
    scope="package",
    params=[
        pytest.param(LIKELY, id="likely"),
        pytest.param(UNLIKELY, id="unlikely", marks=pytest.mark.deep),
    ],
)
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    """One after the other: an AWS that answers as we think likelier where no page says it, and one
    that answers otherwise each time."""
    with open_box(held=True, unknowns=request.param) as opened:
        yield opened


@pytest.fixture(scope="package")
def stage(box: Box) -> Stage:
    """The product as a team installs it, in whatever mode the last test left it.

    Sweeps come at a test's word alone, and many tests in a minute share the budget of mails.
    """
    stage = install(box, mode="observe", central={"MailsPerMinute": "240"})
    box.client("events", box.security).disable_rule(Name=SWEEP_RULE)
    return stage


@pytest.fixture(scope="package")
def enforcing(stage: Stage) -> Stage:
    change_mode(stage, "enforce")
    # The revokers look at the rollout's own calls, and would take faults meant for another.
    stage.box.settle()
    return stage


@pytest.fixture(autouse=True)
def no_fault_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A fault that nothing has met has tested nothing, and would meet the next test."""
    yield
    if "box" in request.fixturenames:
        assert request.getfixturevalue("box").forget_faults() == []


@pytest.fixture
def account(enforcing: Stage, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh member account, into which the StackSet has followed."""
    box = enforcing.box
    made = box.new_account("".join(c for c in request.node.name if c.isalnum())[:40])

    def followed() -> bool:
        status = instance_status(box, made)
        assert status in ("", "PENDING", "RUNNING", "SUCCEEDED"), status
        return status == "SUCCEEDED"

    wait_until(followed, "the StackSet does not come")
    # The rollout's own calls of IAM have passed the revoker.
    box.settle()
    yield made
    _leave(box, made)


@pytest.fixture
def bare_account(stage: Stage, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh account of the Organization, below its root: no StackSet follows there."""
    name = "".join(c for c in request.node.name if c.isalnum())[:40]
    made = stage.box.new_account(name, parent=stage.box.layout.root)
    yield made
    _leave(stage.box, made)


@pytest.fixture
def stranger() -> str:
    """The number of an account that does not exist, for whoever needs a number only."""
    return str(next(_strangers))


def _leave(box: Box, account: str) -> None:
    """Its warm functions would hold memory until the box closes."""
    box.settle(ignore_hidden=True)
    box.cool_down(account)


def instance_status(box: Box, account: str) -> str:
    """How far the StackSet is with an account; "" before it has heard of it."""
    found = box.client("cloudformation", box.management).list_stack_instances(
        StackSetName=STACK_SET, StackInstanceAccount=account
    )["Summaries"]
    return str(found[0]["StackInstanceStatus"]["DetailedStatus"]) if found else ""


@pytest.fixture
def client_of(box: Box) -> Responder:
    """Run `python -m responder` as the root of an account."""

    def run(account: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            "AWS_DEFAULT_REGION": REGION,
        }
        command = [sys.executable, "-m", "responder", *arguments, "--endpoint-url", box.endpoint]
        return subprocess.run(
            command,
            cwd=HERE.parents[1],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run
