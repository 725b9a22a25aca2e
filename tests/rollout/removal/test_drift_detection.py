"""What a look into an account finds: who bears our deny, and what would stop a keeping."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.deny_policy import deny_document
from handler.model.names import DENY_POLICY, IAM_PATH, KEPT_GROUP, KEPT_PATH, KEPT_POLICY
from sandbox.box import Box
from sandbox.core.keys import allow
from stacksets.containments.keep import keep_step
from stacksets.execute.executor import Walker
from stacksets.execute.waiters import Waiting
from stacksets.observe.clients import Clients
from stacksets.observe.containments import holding_of, look_into
from stacksets.observed.bearers import Holding
from tests.end_to_end.test_deny_methods import filler
from tests.rollout.operator import NotReporting
from tests.rollout.removal.test_removal_permissions import TRUST

pytestmark = pytest.mark.deep

DENY = json.dumps(deny_document())


def looked_into(box: Box, account: str) -> Holding:
    return holding_of(clients(box), account)


def clients(box: Box) -> Clients:
    def make(service: str, account: str) -> Any:
        return box.client(service, account)

    caller = f"arn:aws:iam::{box.management}:root"
    return Clients(caller=caller, make=make, elsewhere=make)


def denied(box: Box, account: str) -> Any:
    """mallory under our deny, as a stack of ours would have left her; the account's IAM."""
    iam = box.client("iam", account)
    deny = iam.create_policy(PolicyName=DENY_POLICY, Path=IAM_PATH, PolicyDocument=DENY)["Policy"]
    iam.create_user(UserName="mallory")
    iam.attach_user_policy(UserName="mallory", PolicyArn=deny["Arn"])
    return iam


def keep(box: Box, held: Holding) -> None:
    waiting = Waiting(sleep=lambda _: None, clock=box.time, poll=0.0, patience=0.0)
    Walker(clients(box), {}, waiting, NotReporting()).walk([keep_step(held)])


def test_a_name_that_somebody_has_taken_is_told_of_and_making_ours_would_have_failed(
    box: Box,
) -> None:
    account = box.members[0]
    iam = denied(box, account)
    taken = iam.create_policy(PolicyName=KEPT_POLICY, PolicyDocument=allow("s3:*"))["Policy"]
    operator = box.client("iam", account, key=box.new_user(account, "operator", "iam:*"))
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        operator.create_policy(PolicyName=KEPT_POLICY, Path=KEPT_PATH, PolicyDocument=DENY)
    (reported,) = looked_into(box, account).unkeepable()
    assert reported.startswith(
        f"Nobody in {account} can be kept contained while {taken['Arn']} is there: it is not ours"
    )
    iam.delete_policy(PolicyArn=taken["Arn"])
    held = looked_into(box, account)
    assert list(held.unkeepable()) == []
    keep(box, held)
    assert {one.name for one in looked_into(box, account).left_behind} == {"mallory"}


def test_another_s_group_of_the_name_keeps_nobody_and_is_told_of_where_ours_is_needed(
    box: Box,
) -> None:
    account = box.members[0]
    iam = denied(box, account)
    group = iam.create_group(GroupName=KEPT_GROUP, Path="/team/")["Group"]["Arn"]
    iam.add_user_to_group(GroupName=KEPT_GROUP, UserName="mallory")
    held = looked_into(box, account)
    # She has room for the kept policy, and being in that group is no keeping.
    assert (list(held.unkeepable()), held.left_behind, held.kept_group) == ([], (), False)
    for number in range(9):
        iam.attach_user_policy(UserName="mallory", PolicyArn=filler(box, account, number))
    (reported,) = looked_into(box, account).unkeepable()
    assert reported.startswith(f"Nobody in {account} can be kept contained while {group} is there")


def test_a_user_s_boundary_and_another_s_group_hold_a_stack_back_and_are_found(box: Box) -> None:
    """No deny method sets a boundary on a user; a role with one is contained by it."""
    account = box.members[0]
    iam = denied(box, account)
    deny = iam.list_attached_user_policies(UserName="mallory")["AttachedPolicies"][0]["PolicyArn"]
    iam.create_user(UserName="alice")
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=deny)
    iam.create_role(RoleName="robot", AssumeRolePolicyDocument=TRUST)
    iam.put_role_permissions_boundary(RoleName="robot", PermissionsBoundary=deny)
    iam.create_group(GroupName="ops")
    iam.attach_group_policy(GroupName="ops", PolicyArn=deny)
    held = looked_into(box, account)
    assert [one.name for one in held.contained] == ["mallory", "robot"]
    reported = list(held.stuck())
    assert [one.partition(" in ")[0] for one in reported] == ["user alice", "group ops"]
    for sentence in reported:
        follow(iam, sentence)
    assert list(looked_into(box, account).stuck()) == []


def follow(iam: Any, sentence: str) -> None:
    """Do what the sentence says, as a person would."""
    operation, *options = sentence.rpartition("aws iam ")[2].rstrip(".").split()
    named = [option.lstrip("-").split("=", 1) for option in options]
    arguments = {"".join(map(str.title, name.split("-"))): value for name, value in named}
    getattr(iam, operation.replace("-", "_"))(**arguments)


def test_who_enters_by_a_profile_is_known_by_the_role_with_its_path(box: Box) -> None:
    """A session's own ARN lacks the path, by which the guardrail knows the break-glass role."""
    account, other = box.members[:2]
    policies = ("iam:*", "lambda:*")
    key = box.new_session(account, "break-glass", *policies, path="/iam-administrators/")

    def make(service: str, where: str) -> Any:
        return box.client(service, where, key=key if where == account else None)

    entered = Clients(caller=f"arn:aws:iam::{box.management}:root", make=make, elsewhere=make)
    found = look_into(entered, [account, other], profiled={account: "workload"})
    assert found[account].operator == (
        f"arn:aws:iam::{account}:role/iam-administrators/break-glass"
    )
    assert found[other].operator == ""
