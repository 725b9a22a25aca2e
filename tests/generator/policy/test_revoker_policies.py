"""What the revoker may do in each mode, and who writes its table."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from generator.render import Rendered
from handler.model.deny_policy import deny_document, session_deny_document
from handler.model.names import DENY_GROUP, IAM_PATH, SESSION_DENY_GROUP, STATE_TABLE
from tests.doubles.rounds import Rounds
from tests.generator.documents import (
    DENY,
    FUNCTION,
    GROUP,
    ROLE,
    listed,
    statements,
)
from tests.generator.filling import ACCOUNT
from tests.generator.filling import member as fill_member

DRIFT = (Path(__file__).parents[3] / "docs" / "removing.md").read_text()
# What it writes even in observe mode: its own log, table, queue and canary.
OBSERVED_WRITES = {
    "dynamodb:DeleteItem": "table/iam-org-revoker-state",
    "dynamodb:PutItem": "table/iam-org-revoker-state",
    "dynamodb:UpdateItem": "table/iam-org-revoker-state",
    "events:PutEvents": "event-bus/iam-org-revoker",
    "iam:TagRole": "role/iam-org-revoker/iam-org-revoker-canary",
    "logs:CreateLogStream": "log-group:/aws/lambda/iam-org-revoker:*",
    "logs:PutLogEvents": "log-group:/aws/lambda/iam-org-revoker:*",
    "sqs:DeleteMessage": "iam-org-revoker-dead-letters",
    "sqs:ReceiveMessage": "iam-org-revoker-dead-letters",
    "sqs:SendMessage": "iam-org-revoker-dead-letters",
}


OBSERVED_ACTIONS = OBSERVED_WRITES.keys() | {
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:LookupEvents",
    "dynamodb:GetResourcePolicy",
    "dynamodb:BatchGetItem",
    "dynamodb:Scan",
    "events:DescribeRule",
    "iam:GetRolePolicy",
    "iam:GetUserPolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupsForUser",
    "sqs:GetQueueAttributes",
    "iam:GetGroup",
    "iam:GetUser",
    "iam:GetRole",
    "iam:ListUsers",
    "iam:ListRoles",
    "iam:ListAccountAliases",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:ListAttachedGroupPolicies",
    "iam:ListGroupPolicies",
}


@pytest.mark.parametrize("inline", ["never", "allow"])
def test_an_observing_revoker_writes_nothing_in_iam_but_tags_on_its_canary(
    member: Rendered, inline: str
) -> None:
    observing = fill_member(member.tree, Mode="observe", InlineDeny=inline)
    actions = {
        action
        for statement in statements(observing, "RevokerRole")
        for action in listed(statement["Action"])
    }
    assert actions == OBSERVED_ACTIONS
    written = {
        action: statement["Resource"].split(f"{ACCOUNT}:")[1]
        for statement in statements(observing, "RevokerRole")
        for action in listed(statement["Action"])
        if action in OBSERVED_WRITES
    }
    assert written == OBSERVED_WRITES


def test_an_enforcing_revoker_may_write_these_and_only_under_these_conditions(
    member: Rendered,
) -> None:
    enforcing = fill_member(member.tree, Mode="enforce")
    written = [
        (sorted(listed(s["Action"])), s["Resource"], s["Condition"])
        for s in statements(enforcing, "RevokerRole")
        if not set(listed(s["Action"])) <= OBSERVED_ACTIONS | {"iam:ListEntitiesForPolicy"}
    ]
    ours = {"ArnEquals": {"lambda:SourceFunctionArn": FUNCTION}}
    only_deny = {"ArnEquals": {"iam:PolicyARN": DENY, "lambda:SourceFunctionArn": FUNCTION}}
    either = {"iam:PolicyARN": [DENY, f"{DENY}-sessions"], "lambda:SourceFunctionArn": FUNCTION}
    users = f"arn:aws:iam::{ACCOUNT}:user/*"
    groups = f"arn:aws:iam::{ACCOUNT}:group"
    assert written == [
        (["iam:AttachUserPolicy", "iam:DetachUserPolicy"], users, {"ArnEquals": either}),
        (
            ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
            f"arn:aws:iam::{ACCOUNT}:role/*",
            only_deny,
        ),
        (
            ["iam:AddUserToGroup", "iam:RemoveUserFromGroup"],
            [GROUP, f"{GROUP}-sessions"],
            ours,
        ),
        (
            ["iam:PutRolePermissionsBoundary"],
            f"arn:aws:iam::{ACCOUNT}:role/*",
            {"ArnEquals": {"iam:PermissionsBoundary": DENY, "lambda:SourceFunctionArn": FUNCTION}},
        ),
        (
            [
                "iam:UpdateAccessKey",
                "iam:UpdateSSHPublicKey",
                "iam:UpdateServiceSpecificCredential",
                "iam:UpdateSigningCertificate",
            ],
            users,
            ours,
        ),
        (["iam:DeleteLoginProfile"], users, ours),
        (
            ["iam:RemoveUserFromGroup"],
            [f"{groups}/Administrators", f"{groups}/*/Administrators"],
            ours,
        ),
    ]


def test_the_inline_deny_is_a_permission_only_where_mode_and_parameter_both_ask_for_it(
    member: Rendered,
) -> None:
    def may_put_inline(**given: str) -> bool:
        found = statements(fill_member(member.tree, **given), "RevokerRole")
        return any("iam:PutUserPolicy" in listed(statement["Action"]) for statement in found)

    assert may_put_inline(Mode="enforce", InlineDeny="allow")
    assert not may_put_inline(Mode="enforce", InlineDeny="never")
    assert not may_put_inline(Mode="observe", InlineDeny="allow")


@pytest.mark.parametrize("everything", [False, True])
def test_the_template_makes_the_denies_that_the_revoker_takes_for_its_own(
    member: Rendered, everything: bool
) -> None:
    scope = "everything" if everything else "iam"
    resources = fill_member(member.tree, DenyScope=scope).resources()
    whole, sessions = (
        resources[name]["Properties"]["PolicyDocument"]
        for name in ("DenyPolicy", "SessionDenyPolicy")
    )
    assert whole == deny_document(everything=everything)
    assert sessions == session_deny_document(everything=everything)
    assert (whole["Statement"][0]["Action"] == "*") is everything


def test_each_group_carries_its_deny_and_nothing_else(member: Rendered) -> None:
    resources = member.tree["Resources"]
    assert {
        title: body["Properties"]
        for title, body in resources.items()
        if body["Type"] == "AWS::IAM::Group"
    } == {
        title: {"GroupName": name, "Path": IAM_PATH, "ManagedPolicyArns": [{"Ref": policy}]}
        for title, name, policy in (
            ("DenyGroup", DENY_GROUP, "DenyPolicy"),
            ("SessionDenyGroup", SESSION_DENY_GROUP, "SessionDenyPolicy"),
        )
    }


def test_only_the_revoker_writes_items_of_its_table_and_people_may_still_delete_the_stack(
    member: Rendered,
) -> None:
    table = fill_member(member.tree).resources()["State"]["Properties"]
    policy = table["ResourcePolicy"]["PolicyDocument"]
    (statement,) = policy["Statement"]
    # The revoker's own reading of it, under the name of the table in memory.
    world = Rounds()
    named = {"Resource": statement["Resource"].replace(STATE_TABLE, world.table.name)}
    world.dynamo.policy = {"Statement": [statement | named]}
    assert world.reconcile().table_policy == "denies"
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}
    # The document has a command that puts it back.
    (command,) = re.findall(r"^aws dynamodb put-resource-policy .*$", DRIFT, re.MULTILINE)
    given = shlex.split(command.replace("ACCOUNT", ACCOUNT))
    assert given[given.index("--resource-arn") + 1] == statement["Resource"]
    assert json.loads(given[given.index("--policy") + 1]) == policy
    assert sorted(statement["Action"]) == [
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:PartiQLDelete",
        "dynamodb:PartiQLInsert",
        "dynamodb:PartiQLUpdate",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    ]


def test_the_deny_policy_and_its_group_hold_the_deny_and_nobody(member: Rendered) -> None:
    resources = fill_member(member.tree).resources()
    policy, group = resources["DenyPolicy"]["Properties"], resources["DenyGroup"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
    assert "iam:*" in statement["Action"]
    assert not {"Users", "Roles", "Groups"} & policy.keys()
    assert group.keys() == {"GroupName", "Path", "ManagedPolicyArns"}
