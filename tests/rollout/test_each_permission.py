"""One documented permission less: every stage of a rollout names it, with what to do."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sandbox.demo.organization_trail import start_organization_trail
from stacksets.observe.clients import Clients
from stacksets.observed.templates import Template
from stacksets.permissions.operator import permissions
from tests.rollout.operator import RELEASE, Operator
from tests.rollout.test_permissions import PLACES, clients, rolled
from tests.rollout.test_rolled_back import take_the_name, with_a_role_more

pytestmark = pytest.mark.deep
# In the order in which a first rollout comes to need them: each try leaves off where it stopped.
# The central stack cannot be made at first, since somebody has the name of one of its roles.
BLOCKED = (
    "organizations:DescribeOrganization",
    "organizations:ListRoots",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListAccountsForParent",
    "organizations:ListDelegatedAdministrators",
    "organizations:ListPolicies",
    "organizations:DescribePolicy",
    "organizations:ListTargetsForPolicy",
    "cloudtrail:DescribeTrails",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:GetEventSelectors",
    "cloudformation:ListStackSets",
    "cloudformation:DescribeOrganizationsAccess",
    "cloudformation:DescribeStacks",
    "cloudformation:ActivateOrganizationsAccess",
    "organizations:EnableAWSServiceAccess",
    "iam:CreateServiceLinkedRole",
    "s3:CreateBucket",
    "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "s3:GetEncryptionConfiguration",
    "s3:ListBucket",
    "s3:PutObject",
    "s3:GetObject",
    "cloudformation:CreateStack",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DeleteStack",
)
FIRST = (
    "sns:ListSubscriptionsByTopic",
    "organizations:EnablePolicyType",
    "organizations:CreatePolicy",
    "organizations:AttachPolicy",
    "cloudformation:CreateStackSet",
    "cloudformation:CreateStackInstances",
    "cloudformation:DescribeStackSet",
    "cloudformation:ListStackInstances",
    "cloudformation:ListStackSetOperations",
    "cloudformation:DescribeStackSetOperation",
    "cloudformation:ListStackSetOperationResults",
)
UPGRADE = (
    "cloudformation:GetTemplate",
    "cloudformation:UpdateStack",
    "organizations:UpdatePolicy",
    "cloudformation:UpdateStackSet",
)
# After a ring in which an account failed.
AGAIN = ("cloudformation:UpdateStackInstances",)
# A recipient who is new, one whose accounts are others, and one whom the file no longer names.
SUBSCRIBED = ("sns:Subscribe",)
FILTERED = ("sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes")
ENDED = ("sns:Unsubscribe",)
ELSEWHERE = {"cloudformation:DeleteStackInstances": "a move, in test_removal_permissions.py"}
# Where AWS itself names no permission.
IN_OTHER_WORDS = {
    "s3:ListBucket": "Give the operator the permission s3:ListBucket on it",
    "s3:GetObject": "Give the operator the permission s3:GetObject on the bucket for templates",
}


def test_each_action_of_the_documents_is_tried_or_said_why_not() -> None:
    documented = {
        one.action for places in PLACES.values() for place in places for one in permissions(place)
    }
    tried = (*BLOCKED, *FIRST, *UPGRADE, *AGAIN, *SUBSCRIBED, *FILTERED, *ENDED)
    assert len({*tried}) == len(tried)
    assert {*tried, *ELSEWHERE} == documented
    assert not {*tried} & {*ELSEWHERE}


def test_each_missing_permission_is_named_at_the_stage_that_needs_it(operator: Operator) -> None:
    box, whole = operator.box, clients(operator.box)
    start_organization_trail(box)
    operator.file = operator.file.replace('trail = "accounts"', 'trail = "organization"')
    box.client("organizations", box.management).disable_policy_type(
        RootId=box.layout.root, PolicyType="SERVICE_CONTROL_POLICY"
    )
    operator.release = replace(RELEASE, central=with_a_role_more(RELEASE.central))
    take_the_name(box, box.security)
    each_is_named(operator, BLOCKED)
    assert "Taken: " in rolled(operator, whole)
    box.client("iam", box.security).delete_role(RoleName="taken")
    each_is_named(operator, FIRST)
    all_is_done(operator, whole)
    upgrade(operator)
    each_is_named(operator, UPGRADE)
    all_is_done(operator, whole)

    failing = operator.accounts_in("Workloads")[0]
    operator.file = operator.file.replace(
        'units = ["Workloads"]', 'units = ["Workloads"]\ntolerance_percent = 100'
    )
    operator.file += "[ring.parameters]\nBreakerLimit = 9\n"
    box.state.stack_failures[failing] = "There is no room."
    assert rolled(operator, whole) == ""
    del box.state.stack_failures[failing]
    each_is_named(operator, AGAIN)
    all_is_done(operator, whole)


def test_each_permission_that_recipients_need_is_named_by_the_apply_that_needs_it(
    operator: Operator,
) -> None:
    whole, plain = clients(operator.box), operator.file
    assert rolled(operator, whole) == ""
    table = '[[recipients]]\nou = "{}"\nemail = "unit@example.com"\n'
    operator.file = plain + table.format("Sandbox")
    each_is_named(operator, SUBSCRIBED)
    all_is_done(operator, whole)
    operator.file += table.format("Workloads")
    each_is_named(operator, FILTERED)
    all_is_done(operator, whole)
    operator.file = plain
    each_is_named(operator, ENDED)
    all_is_done(operator, whole)


def each_is_named(operator: Operator, actions: tuple[str, ...]) -> None:
    for action in actions:
        said = rolled(operator, clients(operator.box, without=action))
        assert action in said, (action, said)
        advised = IN_OTHER_WORDS.get(action, "Give the operator the permission that AWS names")
        assert advised in said, (action, said)


def all_is_done(operator: Operator, whole: Clients) -> None:
    assert rolled(operator, whole) == ""
    assert operator.plan().empty


def upgrade(operator: Operator) -> None:
    """Another release: both templates and the guardrail differ."""
    changed = {}
    for template in (RELEASE.member, RELEASE.central):
        document = json.loads(json.dumps(template.document))
        logs = [one for one in document["Resources"].values() if one["Type"].endswith("LogGroup")]
        logs[0]["Properties"]["RetentionInDays"] = 7
        changed[template.name] = Template(template.name, json.dumps(document))
    guardrail = json.loads(RELEASE.guardrail)
    guardrail["Statement"][0]["Sid"] = "AnotherName"
    operator.release = replace(RELEASE, **changed, guardrail=json.dumps(guardrail))
