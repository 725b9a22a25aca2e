"""What is asked again, what is waited for, and what is said when a walk breaks off."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import stacksets.cli.drift
from stacksets.cli.apply import ended, standing_still
from stacksets.cli.common import TEMPLATES, Release, read_release
from stacksets.cli.render_script import as_commands
from stacksets.drift.keep_scope import with_held
from stacksets.execute.executor import StepFailed, Walker, advice
from stacksets.execute.waiters import Counted, Waiting
from stacksets.observe.clients import CONFIG, CannotEnter, Clients
from stacksets.planners.rollout import plan
from stacksets.steps.model import Call, Plan, Step, StepKind
from tests.stacksets.planners.test_removal import closed
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
    untouched,
)


class NotReporting:
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
    return Step(StepKind.CONTAINED, says=operation, target_text=account, calls=(call,))


def clients(make: Any) -> Clients:
    caller = f"arn:aws:iam::{MANAGEMENT}:user/operator"
    return Clients(caller=caller, make=make, elsewhere=make)


@pytest.mark.parametrize(
    "code", ["ConcurrentModificationException", "PolicyChangesInProgressException"]
)
def test_an_organization_that_is_still_changing_is_asked_again(code: str) -> None:
    client, slept = Organizations(code), list[float]()
    waiting = Waiting(sleep=slept.append, clock=lambda: 0.0)
    walker = Walker(clients(lambda *_: client), {}, waiting, NotReporting())
    walker.walk([step("AttachPolicy", MANAGEMENT, "organizations", PolicyId="p-1")])
    assert client.attached == [{"PolicyId": "p-1"}]
    assert slept == [15.0]


class Clock:
    """Goes on by what is slept."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def waiting(self) -> Waiting:
        return Waiting(sleep=self.sleep, clock=lambda: self.now)


class NeverOn:
    """An Organization whose policy type is never on, whatever the root says."""

    def attach_policy(self, **_: Any) -> Mapping[str, Any]:
        said = {"Code": "PolicyTypeNotEnabledException", "Message": "not enabled"}
        raise ClientError({"Error": said}, "AttachPolicy")


def test_a_policy_type_that_is_not_on_yet_is_waited_for_as_long_as_there_is_patience() -> None:
    client, clock = Organizations("PolicyTypeNotEnabledException"), Clock()
    attach = step("AttachPolicy", MANAGEMENT, "organizations", PolicyId="p-1")
    Walker(clients(lambda *_: client), {}, clock.waiting(), NotReporting()).walk([attach])
    assert client.attached == [{"PolicyId": "p-1"}]
    assert clock.now == 15.0

    never = Walker(clients(lambda *_: NeverOn()), {}, clock.waiting(), NotReporting())
    with pytest.raises(StepFailed) as failed:
        never.walk([attach])
    assert clock.now == 15.0 + 600.0
    assert failed.value.said == "PolicyTypeNotEnabledException: not enabled"
    assert failed.value.advice == (
        "Organizations is still switching service control policies on: run apply again in some "
        "minutes."
    )


class Root:
    """Says how it stands with service control policies, the last answer again and again; whoever
    enables them a second time is refused."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)

    def enable_policy_type(self, **_: Any) -> Mapping[str, Any]:
        said = {"Code": "PolicyTypeAlreadyEnabledException", "Message": "is on"}
        raise ClientError({"Error": said}, "EnablePolicyType")

    def get_paginator(self, name: str) -> Any:
        assert name == "list_roots"
        return self

    def paginate(self) -> Any:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        kinds = [{"Type": "TAG_POLICY", "Status": "ENABLED"}]
        kinds += [{"Type": "SERVICE_CONTROL_POLICY", "Status": status}] if status else []
        return [{"Roots": [{"Id": "r-ab12", "PolicyTypes": kinds}]}]


def enabling() -> Step:
    off = replace(untouched(), control_policies_enabled=False)
    return next(one for one in plan(given(observed=off)).steps if one.kind is StepKind.GUARDRAIL)


def test_the_guardrail_waits_until_policies_are_on() -> None:
    clock, root = Clock(), Root("", "PENDING_ENABLE", "PENDING_ENABLE", "ENABLED")
    Walker(clients(lambda *_: root), {}, clock.waiting(), NotReporting()).walk([enabling()])
    assert clock.now == 15.0

    stuck = Walker(clients(lambda *_: Root("PENDING_ENABLE")), {}, clock.waiting(), NotReporting())
    with pytest.raises(StepFailed) as failed:
        stuck.walk([enabling()])
    assert failed.value.said == "Service control policies are PENDING_ENABLE still"


def test_the_script_waits_for_it_too() -> None:
    lines = list(as_commands([enabling()], profiles={}, own=MANAGEMENT, region="us-east-1"))
    answers = (
        f'aws() {{ case "$*" in *sts*) echo {MANAGEMENT};; '
        '*) echo x >> "$LOG"; [ $(wc -l < "$LOG") -gt 2 ] && echo ENABLED; true;; esac; }'
    )
    script = "\n".join(["LOG=$(mktemp)", answers, "sleep() { :; }", *lines, 'wc -l < "$LOG"'])
    ran = subprocess.run(["bash"], input=script, text=True, check=True, capture_output=True)
    assert ran.stdout.split() == ["ENABLED", "3"]


def test_a_reconciliation_that_is_invoked_is_waited_for_longer_than_it_may_take() -> None:
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
    reported = (
        f"The revoker may stand still in {ONE}, and contain nobody, until drift --repair has gone "
        "through. To start it without that: aws lambda delete-function-concurrency "
        "--function-name iam-org-revoker"
    )
    assert list(standing_still(steps, keep, again="drift --repair")) == []
    assert list(standing_still(steps, stop, again="drift --repair")) == [reported]
    assert list(standing_still(steps, None, again="drift --repair")) == [
        reported.replace(ONE, f"{ONE}, {TWO}")
    ]


def test_a_repair_that_failed_somewhere_within_the_tolerance_has_not_succeeded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Plan((step("Invoke", ONE),))
    monkeypatch.setattr(stacksets.cli.drift, "to_look_into", lambda *_: set())
    monkeypatch.setattr(stacksets.cli.drift, "repairing", lambda *_: made)
    monkeypatch.setattr(stacksets.cli.drift, "walk_steps", lambda *_, **__: {ONE: "no room"})
    options = argparse.Namespace(json=True, yes=True)
    with_all = given(observed=rolled_out())
    release = Release(MEMBER, CENTRAL, GUARDRAIL)
    code = stacksets.cli.drift._repair(options, with_all, [], [], clients(None), release)
    assert code == 1
    reported = f"account {ONE} failed, within the tolerance: no room\n"
    assert capsys.readouterr().err.endswith(reported)
    assert ended({}, made) == 0


def test_a_closed_account_that_is_excluded_is_not_entered() -> None:
    def make(service: str, account: str) -> Any:
        if account == TWO:
            raise CannotEnter(f"Account {account} cannot be entered.")
        return NoTable()

    excluded = f'[[excluded]]\naccount = "{TWO}"\nreason = "closed"\n[management]'
    seen = replace(rolled_out(), organization=closed(TWO))
    shut = given(changed(("[management]", excluded)), seen)
    assert with_held(clients(make), shut).held == {}


class NoTable:
    """A central account without its table: nobody knows where incidents were."""

    def get_paginator(self, name: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Scan")


def refused_with(code: str, message: str) -> str:
    return advice(ClientError({"Error": {"Code": code, "Message": message}}, "CreateStackSet"))


def test_a_template_that_may_not_be_read_names_the_permission_and_the_other_account() -> None:
    assert refused_with("ValidationError", "S3 error: Access Denied") == (
        "CloudFormation reads the template with the operator's rights. Give the operator the "
        "permission s3:GetObject on the bucket for templates (docs/operator-permissions.md). Where "
        "a delegated administrator has it, let the management account deploy: write deploy_from = "
        '"management".'
    )


def test_a_template_whose_code_is_refused_names_the_form_with_a_bucket() -> None:
    reported = refused_with(
        "ValidationError", "ZipFile must have length less than or equal to 4096"
    )
    assert reported.startswith("If it is about the size of the code: keep the code in a bucket")
    assert refused_with("ValidationError", "Parameters: [X] do not exist in the template") == ""
