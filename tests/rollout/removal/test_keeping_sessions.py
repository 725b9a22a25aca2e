"""An administrator in the group of denied sessions, when her account's stack is to go."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from handler.model.deny_policy import session_deny_document
from handler.model.names import (
    IAM_PATH,
    KEPT_SESSION_GROUP,
    SESSION_DENY_GROUP,
    SESSION_DENY_POLICY,
)
from handler.model.principal import DenyMethod
from sandbox.box import Box
from sandbox.demo.product_setup import is_denied
from stacksets.containments.keep import as_kept, end_step, free_step, keep_step
from stacksets.execute.executor import Walker
from stacksets.execute.waiters import Waiting
from stacksets.observe.containments import holding_of
from stacksets.observed.bearers import Holding, Way
from stacksets.steps.model import Step
from tests.end_to_end.test_deny_methods import filler
from tests.rollout.operator import NotReporting
from tests.rollout.removal.test_drift_detection import clients, follow
from tests.rollout.removal.test_removal_permissions import clients as documented

pytestmark = pytest.mark.deep


@pytest.fixture
def account(box: Box) -> str:
    """anna, at the quota of policies, is in the group as our stack and our revoker leave it."""
    account = box.members[0]
    iam = box.client("iam", account)
    text = json.dumps(session_deny_document())
    made = iam.create_policy(PolicyName=SESSION_DENY_POLICY, Path=IAM_PATH, PolicyDocument=text)
    iam.create_group(GroupName=SESSION_DENY_GROUP, Path=IAM_PATH)
    iam.attach_group_policy(GroupName=SESSION_DENY_GROUP, PolicyArn=made["Policy"]["Arn"])
    box.new_user(account, "anna", "iam:*")
    for number in range(10):
        iam.attach_user_policy(UserName="anna", PolicyArn=filler(box, account, number))
    iam.add_user_to_group(GroupName=SESSION_DENY_GROUP, UserName="anna")
    return account


@pytest.fixture
def walk(box: Box) -> Callable[[Step], Any]:
    """Takes a step under exactly the documented permissions."""
    waiting = Waiting(sleep=lambda _: None, clock=box.time, poll=0.0, patience=0.0)
    walker = Walker(documented(box), {}, waiting, NotReporting())
    return lambda step: walker.walk([step])


def seen(box: Box, account: str) -> Holding:
    return holding_of(clients(box), account)


def deny_arn(iam: Any) -> str:
    (policy,) = iam.list_attached_group_policies(GroupName=SESSION_DENY_GROUP)["AttachedPolicies"]
    return str(policy["PolicyArn"])


def test_she_is_kept_by_a_group_that_no_stack_owns_and_ours_can_be_deleted(
    box: Box, account: str, walk: Callable[[Step], None]
) -> None:
    iam = box.client("iam", account)
    session = box.client("iam", account, key=box.console_session(account, "anna"))
    held = seen(box, account)
    (anna,) = held.contained
    assert (anna.name, anna.methods, anna.whole) == ("anna", {DenyMethod.SESSION_GROUP}, False)
    assert list(held.unkeepable()) == list(held.stuck()) == []

    walk(keep_step(held))
    assert is_denied(session.list_users)
    walk(free_step(held, release=False))
    assert is_denied(session.list_users)
    kept = seen(box, account)
    assert kept.contained == ()
    (left,) = kept.left_behind
    assert (left.name, left.kept_sessions) == ("anna", {Way.GROUP})
    assert left.kept_sessions == as_kept(held).left_behind[0].kept_sessions
    # What CloudFormation does with a stack's group and policy.
    ours = deny_arn(iam)
    iam.detach_group_policy(GroupName=SESSION_DENY_GROUP, PolicyArn=ours)
    iam.delete_group(GroupName=SESSION_DENY_GROUP)
    iam.delete_policy(PolicyArn=ours)

    walk(end_step(kept))
    assert not is_denied(session.list_users)
    assert not seen(box, account).keeps


def test_a_release_takes_her_out_of_the_group(
    box: Box, account: str, walk: Callable[[Step], None]
) -> None:
    walk(free_step(seen(box, account), release=True))
    assert seen(box, account).bearers == ()


def test_another_s_group_of_the_kept_name_keeps_nobody_and_is_told_of(
    box: Box, account: str
) -> None:
    iam = box.client("iam", account)
    group = iam.create_group(GroupName=KEPT_SESSION_GROUP, Path="/team/")["Group"]["Arn"]
    iam.add_user_to_group(GroupName=KEPT_SESSION_GROUP, UserName="anna")
    held = seen(box, account)
    assert (held.left_behind, held.kept_session_group) == ((), False)
    (reported,) = held.unkeepable()
    assert reported.startswith(f"Nobody in {account} can be kept contained while {group} is there")


def test_each_deny_is_carried_by_its_own_group_alone(box: Box, account: str) -> None:
    iam = box.client("iam", account)
    iam.create_group(GroupName="ops")
    iam.attach_group_policy(GroupName="ops", PolicyArn=deny_arn(iam))
    (reported,) = seen(box, account).stuck()
    assert reported.startswith(f"group ops in {account} carries {deny_arn(iam)}")
    follow(iam, reported)
    assert list(seen(box, account).stuck()) == []
