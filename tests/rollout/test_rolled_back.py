"""An ordinary stack whose update was rolled back works on; it is told of, and tried again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sandbox.box import Box
from stacksets.cli.common import Stopped
from stacksets.cli.status import read_status
from stacksets.execute.executor import StepFailed
from stacksets.observe.clients import Clients
from stacksets.observed.templates import Template
from stacksets.permissions.operator import Place, document
from stacksets.status.coverage import Covered, coverage
from stacksets.status.states import State
from tests.rollout.operator import RELEASE, Operator
from tests.rollout.test_permissions import clients as under_the_documents

pytestmark = pytest.mark.deep

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


def with_a_role_more(template: Template) -> Template:
    content = json.loads(template.body)
    content["Resources"]["Taken"] = {
        "Type": "AWS::IAM::Role",
        "Properties": {"RoleName": "taken", "AssumeRolePolicyDocument": TRUST},
    }
    return Template(template.name, json.dumps(content))


def take_the_name(box: Box, account: str) -> None:
    box.client("iam", account).create_role(
        RoleName="taken", AssumeRolePolicyDocument=json.dumps(TRUST)
    )


def management_row(operator: Operator, under: Clients) -> Covered:
    member = operator.release.member
    inputs = read_status(operator.wanted(), under, member=member, now=operator.box.time())
    (row,) = [one for one in coverage(inputs).rows if one.account.id == operator.box.management]
    return row


@pytest.mark.parametrize("place", ["central", "management"])
def test_the_next_apply_tries_again_what_was_rolled_back(operator: Operator, place: str) -> None:
    box = operator.box
    operator.apply()
    account = box.security if place == "central" else box.management
    stack = "iam-org-revoker-central" if place == "central" else "iam-org-revoker"
    changed = {"central": "central", "management": "member"}[place]
    operator.release = replace(RELEASE, **{changed: with_a_role_more(getattr(RELEASE, changed))})
    take_the_name(box, account)
    for _ in range(2):
        with pytest.raises(StepFailed) as failed:
            operator.apply()
        assert failed.value.said == f"The stack {stack} ended as UPDATE_ROLLBACK_COMPLETE"
        assert failed.value.accounts[account].startswith("Taken: ")
        assert [step.calls[0].operation for step in operator.plan().steps] == ["UpdateStack"]
    if place == "management":
        row = management_row(operator, operator.clients())
        assert row.state is State.FAILED
        assert row.finding.why.startswith("Stack iam-org-revoker failed there. AWS: Taken: ")
        says_what_is_missing(operator)
        # Whoever takes the old release again has what he wants: there is nothing to update.
        newer, operator.release = operator.release, RELEASE
        assert management_row(operator, operator.clients()).state is not State.FAILED
        operator.release = newer
    box.client("iam", account).delete_role(RoleName="taken")
    operator.apply()
    assert operator.plan().empty
    if place == "management":
        assert management_row(operator, operator.clients()).state is not State.FAILED


def says_what_is_missing(operator: Operator) -> None:
    """Why a stack failed stands in its events alone."""
    box, action = operator.box, "cloudformation:DescribeStackEvents"
    key = box.new_session(box.management, "watcher", document(Place.SEEING, without=action))

    def make(service: str, account: str) -> object:
        return box.client(service, account, key=key if account == box.management else None)

    caller = f"arn:aws:sts::{box.management}:assumed-role/watcher/somebody"
    with pytest.raises(Stopped) as stopped:
        management_row(operator, Clients(caller=caller, make=make, elsewhere=make))
    assert action in stopped.value.said
    assert "Give the operator the permission that AWS names" in stopped.value.said


def test_a_guardrail_goes_on_while_policies_are_being_switched_on(operator: Operator) -> None:
    box = operator.box
    organizations = box.client("organizations", box.management)
    organizations.disable_policy_type(RootId=box.layout.root, PolicyType="SERVICE_CONTROL_POLICY")
    refused = "PolicyTypeNotEnabledException"
    box.fail_next("organizations", "AttachPolicy", times=2, code=refused)
    clients = under_the_documents(box)
    made = operator.plan()
    assert [call.operation for call in made.calls()].count("EnablePolicyType") == 1
    walker = operator.walker(clients)
    walker.waiting = replace(walker.waiting, patience=60.0)
    walker.walk(made.own)
    assert f"waits: {refused}" in " ".join(operator.listener.reported)
    assert operator.plan().empty
