"""Drift and removal under exactly the documented permissions, and what is said without one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.deny_policy import deny_document
from handler.model.names import (
    DENY_GROUP,
    DENY_POLICY,
    IAM_PATH,
    KEPT_GROUP,
    KEPT_PATH,
    KEPT_POLICY,
    KEPT_SESSION_GROUP,
    KEPT_SESSION_POLICY,
)
from sandbox.box import Box
from sandbox.demo.product_setup import is_denied
from stacksets.cli.common import read_inputs
from stacksets.cli.remove import suspects
from stacksets.drift.rings import detection_steps, found_drift, repairing, to_look_into
from stacksets.drift.stacks import found_in_stacks, stack_detection_steps
from stacksets.observe.clients import Clients
from stacksets.observe.containments import look_into
from stacksets.permissions.operator import Place, document, permissions
from stacksets.planners.removal import Choice, Removing, removal
from tests.end_to_end.test_deny_methods import filler
from tests.rollout.lacking import Lacking
from tests.rollout.operator import Operator, stacks
from tests.rollout.removal.test_drift import spoil, with_break_glass
from tests.rollout.removal.test_remove import contain, enforcing, left
from tests.rollout.test_permissions import rolled
from tests.sandbox.parts import document as document_of

pytestmark = pytest.mark.deep

__all__ = ["enforcing"]

DENY = json.dumps(deny_document())
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

# What a move comes to need (the failed deletion took the function).
MOVING = (
    "dynamodb:Scan",
    "iam:ListEntitiesForPolicy",
    "iam:GetGroup",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupsForUser",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:CreatePolicy",
    "iam:AttachUserPolicy",
    "iam:DetachUserPolicy",
)


# In the move below instead: here a kept deny is there already, and made to deny again.
NOT_HERE = {Place.REMOVAL_MEMBERS: {"iam:CreatePolicy"}}

# By the kind of account: for drift and a removal, and for an apply that takes stacks away.
REMOVAL = (
    (Place.DEPLOYING, Place.MANAGEMENT, Place.REMOVAL, Place.REMOVAL_MEMBERS),
    (Place.CENTRAL, Place.REMOVAL_CENTRAL),
    (Place.REMOVAL_MEMBERS,),
)
TAKING_AWAY = ((Place.DEPLOYING, Place.GUARDRAIL, Place.MANAGEMENT), *REMOVAL[1:])


def clients(
    box: Box, *, without: str = "", places: tuple[tuple[Place, ...], ...] = REMOVAL
) -> Clients:
    """Sessions that hold the documents and nothing else; in the members the break-glass role."""
    management, security, members = places
    where = {
        box.management: management,
        box.security: security,
        **dict.fromkeys(box.members, members),
    }
    keys = {
        account: box.new_session(
            account,
            f"break-glass{abs(hash(without))}",
            *(document(place, without=without) for place in found),
            path="/iam-administrators/",
        )
        for account, found in where.items()
    }

    def make(service: str, account: str) -> Any:
        return box.client(service, account, key=keys[account])

    caller = f"arn:aws:sts::{box.management}:assumed-role/operator/somebody"
    return Clients(caller=caller, make=make, elsewhere=make)


def repair(operator: Operator, under: Clients) -> None:
    """As `drift --repair` does. Raises ClientError and StepFailed."""
    given = read_inputs(
        operator.read_inputs().wanted, operator.release, under, today=operator.today
    )
    rings = given.wanted.rings
    looking = (*detection_steps(given, rings), *stack_detection_steps(given))
    operator.walker(under).walk(looking)
    given = read_inputs(given.wanted, operator.release, under, today=operator.today)
    found_in_stacks(under, given)
    assert found_drift(under, given, rings)
    held = look_into(under, to_look_into(given, rings, under))
    made = repairing(given, rings, held)
    assert made.refusals == ()
    operator.walker(under).walk(made.own)


def hold(box: Box, account: str) -> None:
    """Put one on each deny method, and leave a kept policy that allows something by now."""
    iam = box.client("iam", account)
    deny = f"arn:aws:iam::{account}:policy{IAM_PATH}{DENY_POLICY}"
    for name in ("full", "plain"):
        iam.create_user(UserName=name)
    for number in range(10):
        iam.attach_user_policy(UserName="full", PolicyArn=filler(box, account, number))
    iam.add_user_to_group(UserName="full", GroupName=DENY_GROUP)
    iam.attach_user_policy(UserName="plain", PolicyArn=deny)
    for name in ("roomy", "bounded"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="roomy", PolicyArn=deny)
    iam.put_role_permissions_boundary(RoleName="bounded", PermissionsBoundary=deny)
    allowing = document_of({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    iam.create_policy(PolicyName=KEPT_POLICY, Path=KEPT_PATH, PolicyDocument=allowing)


def test_repair_and_removing_take_exactly_these_and_say_which_one_is_missing(
    enforcing: Operator,
) -> None:
    """Each action is refused once, by name, right before it is done."""
    box = enforcing.box
    account = box.members[0]
    contain(box, account)
    hold(box, account)
    spoil(box, account)
    box.settle(ignore_hidden=True)
    with_break_glass(enforcing)
    management, security, members = REMOVAL
    places = {box.management: management, box.security: security}
    lacking = Lacking(box, {**places, **dict.fromkeys(box.members, members)})
    under = lacking.clients()
    repair(enforcing, under)

    given = read_inputs(
        enforcing.read_inputs().wanted, enforcing.release, under, today=enforcing.today
    )
    empty = Removing(given=given, held={}, choice=Choice.RELEASE)
    held = look_into(under, suspects(empty, under, everywhere=True))
    made = removal(replace(empty, held=held))
    assert made.refusals == ()
    enforcing.walker(under).walk(made.own)
    box.settle(ignore_hidden=True)
    # The operator's own roles have nothing of ours in their names.
    assert left(box) == []
    for where, place in (
        (box.management, Place.REMOVAL),
        (box.security, Place.REMOVAL_CENTRAL),
        (account, Place.REMOVAL_MEMBERS),
    ):
        wanted = {one.action for one in permissions(place)}
        tried = {action for there, action in lacking.tried if there == where}
        assert wanted - tried == NOT_HERE.get(place, set()), place


def test_an_account_that_was_moved_or_is_excluded_takes_exactly_these_too(
    enforcing: Operator,
) -> None:
    box = enforcing.box
    account = enforcing.accounts_in("Sandbox")[0]
    mallory = box.client("iam", account, key=contain(box, account))
    box.client("organizations", box.management).move_account(
        AccountId=account,
        SourceParentId=box.layout.sandbox,
        DestinationParentId=box.layout.workloads,
    )
    enforcing.rest()
    with_break_glass(enforcing)
    # Said by the look, and by a step.
    for action in ("dynamodb:Scan", "iam:CreatePolicy"):
        assert action in rolled(enforcing, clients(box, without=action, places=TAKING_AWAY)), action
    management, security, members = TAKING_AWAY
    places = {box.management: management, box.security: security}
    lacking = Lacking(box, {**places, **dict.fromkeys(box.members, members)})
    under = lacking.clients()
    assert rolled(enforcing, under) == ""
    assert {*MOVING} <= {action for _, action in lacking.tried}
    assert enforcing.plan().empty
    assert [name for name in stacks(box, account) if "-everyone-" in name]

    enforcing.file += f'[[excluded]]\naccount = "{account}"\nreason = "It is a vault."\n'
    deleting = "cloudformation:DeleteStackInstances"
    assert deleting in rolled(enforcing, clients(box, without=deleting, places=TAKING_AWAY))
    assert rolled(enforcing, under) == ""
    assert enforcing.plan().empty
    assert not [name for name in stacks(box, account) if "iam-org-revoker" in name]
    assert is_denied(mallory.list_users)


def test_it_puts_on_and_takes_off_our_own_denies_alone(box: Box) -> None:
    account = box.members[0]
    root = box.client("iam", account)
    root.create_user(UserName="alice")
    root.create_role(RoleName="deploy", AssumeRolePolicyDocument=TRUST)
    kept, team = (
        root.create_policy(PolicyName=name, Path=path, PolicyDocument=DENY)["Policy"]["Arn"]
        for name, path in ((KEPT_POLICY, KEPT_PATH), (f"{KEPT_POLICY}-too", "/"))
    )
    iam = clients(box).of("iam", account)
    alice, deploy = {"UserName": "alice"}, {"RoleName": "deploy"}

    root.attach_user_policy(**alice, PolicyArn=team)
    root.attach_role_policy(**deploy, PolicyArn=team)
    root.put_role_permissions_boundary(**deploy, PermissionsBoundary=team)
    for refused in (
        lambda: iam.attach_user_policy(**alice, PolicyArn=ADMINISTRATOR),
        lambda: iam.detach_user_policy(**alice, PolicyArn=team),
        lambda: iam.attach_role_policy(**deploy, PolicyArn=ADMINISTRATOR),
        lambda: iam.detach_role_policy(**deploy, PolicyArn=team),
        lambda: iam.put_role_permissions_boundary(**deploy, PermissionsBoundary=ADMINISTRATOR),
        lambda: iam.delete_role_permissions_boundary(**deploy),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()

    iam.attach_user_policy(**alice, PolicyArn=kept)
    iam.detach_user_policy(**alice, PolicyArn=kept)
    iam.attach_role_policy(**deploy, PolicyArn=kept)
    iam.detach_role_policy(**deploy, PolicyArn=kept)
    iam.put_role_permissions_boundary(**deploy, PermissionsBoundary=kept)
    iam.delete_role_permissions_boundary(**deploy)


@pytest.mark.parametrize(
    ("group", "policy", "other"),
    [
        (KEPT_GROUP, KEPT_POLICY, KEPT_SESSION_POLICY),
        (KEPT_SESSION_GROUP, KEPT_SESSION_POLICY, KEPT_POLICY),
    ],
)
def test_it_attaches_to_each_group_its_kept_deny_alone(
    box: Box, group: str, policy: str, other: str
) -> None:
    account = box.members[0]
    root = box.client("iam", account)
    kept, wrong = (
        root.create_policy(PolicyName=name, Path=KEPT_PATH, PolicyDocument=DENY)["Policy"]["Arn"]
        for name in (policy, other)
    )
    iam = clients(box).of("iam", account)
    iam.create_group(GroupName=group, Path=KEPT_PATH)
    for refused in (ADMINISTRATOR, wrong):
        with pytest.raises(ClientError, match="AccessDenied"):
            iam.attach_group_policy(GroupName=group, PolicyArn=refused)
    iam.attach_group_policy(GroupName=group, PolicyArn=kept)
    iam.detach_group_policy(GroupName=group, PolicyArn=kept)
