"""What the results of an operation mean: a failure is one, whatever words it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from stacksets.execute.waiters import Failed, Waiting, wait_for
from stacksets.planners.rollout import plan
from stacksets.steps.model import Wait
from tests.stacksets.scene import ONE, THREE, TWO, given, organization, untouched

REASON = "Your use of this queue is suspended"


class Ended:
    """A set whose operation has ended so, with these results by account."""

    def __init__(self, status: str, results: Mapping[str, tuple[str, str]]) -> None:
        self.status, self.results = status, results

    def describe_stack_set_operation(self, **_: Any) -> Mapping[str, Any]:
        return {"StackSetOperation": {"Status": self.status}}

    def get_paginator(self, name: str) -> Any:
        assert name == "list_stack_set_operation_results"
        return self

    def paginate(self, **_: Any) -> Any:
        rows = [
            {"Account": account, "Status": status, "StatusReason": reason}
            for account, (status, reason) in self.results.items()
        ]
        return [{"Summaries": rows}]


def waited(status: str, results: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """With the wait of a plan for an Organization in which TWO is suspended."""
    shut = organization()
    accounts = {**shut.accounts, TWO: replace(shut.accounts[TWO], status="SUSPENDED")}
    seen = replace(untouched(), organization=replace(shut, accounts=accounts))
    (wait, *_) = [
        step.wait for step in plan(given(observed=seen)).steps if step.wait and step.wait.closed
    ]
    assert isinstance(wait, Wait)
    return wait_for(
        wait,
        Ended(status, results),
        operation="op-1",
        waiting=Waiting(sleep=lambda _: None, clock=lambda: 0.0),
        counted=lambda _: None,
    )


def test_a_failure_that_merely_speaks_of_something_suspended_is_told() -> None:
    assert waited("SUCCEEDED", {ONE: ("FAILED", REASON), TWO: ("SUCCEEDED", "")}) == {ONE: REASON}
    with pytest.raises(Failed) as failed:
        waited("FAILED", {ONE: ("FAILED", REASON), THREE: ("CANCELLED", "")})
    assert failed.value.accounts == {ONE: REASON, THREE: "CANCELLED"}


def test_an_account_that_organizations_calls_suspended_is_passed_over() -> None:
    results = {ONE: ("SUCCEEDED", ""), TWO: ("CANCELLED", "It was skipped")}
    assert waited("SUCCEEDED", results) == {}


@pytest.mark.parametrize("status", ["SUSPENDED", "PENDING_CLOSURE", "CLOSED"])
def test_nothing_runs_in_a_closed_account(status: str) -> None:
    whole = organization()
    assert whole.closed == ()
    shut = {**whole.accounts, TWO: replace(whole.accounts[TWO], status=status)}
    fresh = {**shut, ONE: replace(whole.accounts[ONE], status="PENDING_ACTIVATION")}
    assert replace(whole, accounts=fresh).closed == (TWO,)


@pytest.mark.parametrize(
    ("reason", "reported"),
    [
        ("Value at 'code.zipFile' failed to satisfy constraint", True),
        ("The code in the template is too large", True),
        ("Group with name iam-org-revoker-denied already exists", False),
    ],
)
def test_a_refusal_of_the_code_in_the_template_names_the_way_out(
    reason: str, reported: bool
) -> None:
    with pytest.raises(Failed) as failed:
        waited("FAILED", {ONE: ("FAILED", reason)})
    assert failed.value.accounts == {ONE: reason}
    assert failed.value.advice.startswith("Correct it there, and run apply again")
    assert ("--out build/s3 --code s3" in failed.value.advice) is reported
