"""What is asked again, what is waited for, and what is said when a walk breaks off."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import stacksets.drift
from stacksets.beginning import TEMPLATES, Release, read_release
from stacksets.clients import CONFIG, CannotEnter, Clients
from stacksets.holding import held_where_it_leaves
from stacksets.rollout_commands import ended, standing_still
from stacksets.steps import Call, Kind, Plan, Step
from stacksets.waiting import Counted, Waiting
from stacksets.walk import Walker
from tests.stacksets.scene import (
    CENTRAL,
    GUARDRAIL,
    MANAGEMENT,
    MEMBER,
    ONE,
    TWO,
    changed,
    given,
    rolled_out,
)
from tests.stacksets.test_removal import closed


class Silent:
    def begins(self, step: Step, number: int, of: int) -> None: ...

    def counted(self, counted: Counted) -> None: ...

    def waits(self, why: str) -> None: ...

    def ended(self) -> None: ...


class Organizations:
    """Refuses the first call with a code."""

    def __init__(self, code: str) -> None:
        self.code, self.attached = code, list[Mapping[str, Any]]()

    def attach_policy(self, **arguments: Any) -> Mapping[str, Any]:
        code, self.code = self.code, ""
        if code:
            raise ClientError({"Error": {"Code": code, "Message": "later"}}, "AttachPolicy")
        self.attached.append(arguments)
        return {}


def step(operation: str, account: str, service: str = "lambda", **arguments: Any) -> Step:
    call = Call(account, service, operation, arguments)
    return Step(Kind.CONTAINED, says=operation, whom=account, calls=(call,))


def clients(make: Any) -> Clients:
    caller = f"arn:aws:iam::{MANAGEMENT}:user/operator"
    return Clients(caller=caller, make=make, elsewhere=make)


@pytest.mark.parametrize(
    "code", ["ConcurrentModificationException", "PolicyChangesInProgressException"]
)
def test_an_organization_that_is_still_changing_is_asked_again(code: str) -> None:
    client, slept = Organizations(code), list[float]()
    waiting = Waiting(sleep=slept.append, clock=lambda: 0.0)
    walker = Walker(clients(lambda *_: client), {}, waiting, Silent())
    walker.walk([step("AttachPolicy", MANAGEMENT, "organizations", PolicyId="p-1")])
    assert client.attached == [{"PolicyId": "p-1"}]
    assert slept == [15.0]


def test_a_patrol_that_is_invoked_is_waited_for_longer_than_it_may_take() -> None:
    client = boto3.client("lambda", region_name="us-east-1", config=CONFIG)
    timeouts = [
        one["Properties"]["Timeout"]
        for one in release().member.document["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function"
    ]
    assert client.meta.config.read_timeout > max(timeouts)


def release() -> Release:
    return read_release(TEMPLATES)


def test_a_revoker_that_was_stopped_is_named_when_the_walk_breaks_off() -> None:
    stop, keep, later = (
        step("PutFunctionConcurrency", ONE),
        step("CreatePolicy", ONE, "iam"),
        step("PutFunctionConcurrency", TWO),
    )
    steps = (keep, stop, later)
    told = (
        f"The revoker may stand still in {ONE}, and contain nobody, until drift --mend has gone "
        "through. To start it without that: aws lambda delete-function-concurrency "
        "--function-name iam-org-revoker"
    )
    assert list(standing_still(steps, keep, again="drift --mend")) == []
    assert list(standing_still(steps, stop, again="drift --mend")) == [told]
    assert list(standing_still(steps, None, again="drift --mend")) == [
        told.replace(ONE, f"{ONE}, {TWO}")
    ]


def test_a_mending_that_failed_somewhere_within_the_tolerance_has_not_succeeded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Plan((step("Invoke", ONE),))
    monkeypatch.setattr(stacksets.drift, "to_look_into", lambda *_: set())
    monkeypatch.setattr(stacksets.drift, "mending", lambda *_: made)
    monkeypatch.setattr(stacksets.drift, "walk_steps", lambda *_, **__: {ONE: "no room"})
    options = argparse.Namespace(json=True, yes=True)
    with_all = given(observed=rolled_out())
    release = Release(MEMBER, CENTRAL, GUARDRAIL)
    code = stacksets.drift._mend(options, with_all, [], clients(None), release)
    assert code == 1
    told = f"account {ONE} failed, within the tolerance: no room\n"
    assert capsys.readouterr().err.endswith(told)
    assert ended({}, made) == 0


def test_a_closed_account_that_is_excluded_is_not_entered() -> None:
    def make(service: str, account: str) -> Any:
        if account == TWO:
            raise CannotEnter(f"Account {account} cannot be entered.")
        return NoTable()

    excluded = f'[[excluded]]\naccount = "{TWO}"\nreason = "closed"\n[management]'
    seen = replace(rolled_out(), organization=closed(TWO))
    shut = given(changed(("[management]", excluded)), seen)
    assert held_where_it_leaves(clients(make), shut) == {}


class NoTable:
    """A central account without its table: nobody knows where incidents were."""

    def get_paginator(self, name: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Scan")
