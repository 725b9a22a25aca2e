"""The script of a plan that waits for what is under way: run, it says that there is more to do."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from stacksets.cli.render_table import as_script
from stacksets.observed.model import Observed, Operation
from stacksets.planners.rollout import plan
from tests.stacksets.cli.test_render_script import aws
from tests.stacksets.scene import given, rolled_out, with_ring

NOT_DONE = (
    "Not done yet: what was under way has ended, and what comes next could not be planned before. "
    "Print the plan again, and run what it prints then.\n"
)


def busy() -> Observed:
    running = Operation("op-1", "UPDATE", "RUNNING", "")
    return with_ring("iam-org-revoker-canary", operations=(running,), instances={})


def run(seen: Observed, answer: str) -> subprocess.CompletedProcess[str]:
    """The printed script, with an AWS CLI that answers every look alike."""
    scene = given(observed=seen)
    script = "\n".join([aws(f"echo {answer}"), *as_script(scene, plan(scene))])
    return subprocess.run(["bash"], input=script, text=True, capture_output=True, check=False)


def moving() -> Observed:
    stack = rolled_out().management_stack
    assert stack is not None
    return replace(rolled_out(), management_stack=replace(stack, status="UPDATE_IN_PROGRESS"))


@pytest.mark.parametrize(
    ("seen", "answer"), [(busy(), "SUCCEEDED"), (moving(), "UPDATE_COMPLETE")], ids=["set", "stack"]
)
def test_a_script_that_only_waited_says_that_there_is_more_and_fails(
    seen: Observed, answer: str
) -> None:
    assert plan(given(observed=seen)).unfinished
    ran = run(seen, answer)
    assert (ran.returncode, ran.stderr) == (1, NOT_DONE)


def test_a_script_whose_wait_ended_badly_fails_at_once() -> None:
    ran = run(busy(), "FAILED")
    assert (ran.returncode, ran.stderr) == (1, "")


def test_a_script_that_does_everything_ends_well() -> None:
    ran = run(with_ring("iam-org-revoker-canary", managed=False), "SUCCEEDED")
    assert (ran.returncode, ran.stderr) == (0, "")
