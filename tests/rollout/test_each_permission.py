"""One documented permission less: every stage of a rollout names it, with what to do."""

from __future__ import annotations

import json
from dataclasses import replace

from stacksets.carry import Template
from stacksets.clients import Clients
from stacksets.permissions import permissions
from tests.rollout.operator import RELEASE, Operator
from tests.rollout.test_permissions import PLACES, clients, rolled

# In the order in which a first rollout comes to need them: each try leaves off where it stopped.
FIRST = (
    "organizations:DescribeOrganization",
    "organizations:ListRoots",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListAccountsForParent",
    "organizations:ListDelegatedAdministrators",
    "organizations:ListPolicies",
    "organizations:DescribePolicy",
    "organizations:ListTargetsForPolicy",
    "cloudformation:ListStackSets",
    "cloudformation:DescribeOrganizationsAccess",
    "cloudformation:DescribeStacks",
    "cloudformation:ActivateOrganizationsAccess",
    "s3:CreateBucket",
    "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "s3:GetEncryptionConfiguration",
    "s3:PutObject",
    "cloudformation:CreateStack",
    "sns:ListSubscriptionsByTopic",
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
ELSEWHERE = {
    "cloudformation:DeleteStackInstances": "a move, in test_removal_permissions.py",
    "cloudformation:DeleteStack": "after a failed creation, and by remove",
    "cloudformation:DescribeStackEvents": "why a stack failed",
    "cloudtrail:DescribeTrails": 'with trail = "organization", and by init',
    "cloudtrail:GetEventSelectors": 'with trail = "organization", and by init',
    "cloudtrail:GetTrailStatus": 'with trail = "organization", and by init',
    "iam:CreateServiceLinkedRole": "AWS asks for it, the sandbox does not",
    "organizations:EnableAWSServiceAccess": "AWS asks for it, the sandbox does not",
    "organizations:EnablePolicyType": "the box has policies switched on",
    "s3:GetObject": "CloudFormation reads the template, which the sandbox does for itself",
    "s3:ListBucket": "told of with the bucket, in test_permissions.py",
}


def test_each_action_of_the_documents_is_tried_or_said_why_not() -> None:
    documented = {
        one.action for places in PLACES.values() for place in places for one in permissions(place)
    }
    tried = (*FIRST, *UPGRADE, *AGAIN, *SUBSCRIBED, *FILTERED, *ENDED)
    assert len({*tried}) == len(tried)
    assert {*tried, *ELSEWHERE} == documented
    assert not {*tried} & {*ELSEWHERE}


def test_each_missing_permission_is_named_at_the_stage_that_needs_it(operator: Operator) -> None:
    whole = clients(operator.box)
    each_is_named(operator, FIRST, whole)
    upgrade(operator)
    each_is_named(operator, UPGRADE, whole)

    box, failing = operator.box, operator.accounts_in("Workloads")[0]
    operator.file = operator.file.replace(
        'units = ["Workloads"]', 'units = ["Workloads"]\ntolerance_percent = 100'
    )
    operator.file += "[ring.parameters]\nBreakerLimit = 9\n"
    box.stack_failures[failing] = "There is no room."
    assert rolled(operator, whole) == ""
    del box.stack_failures[failing]
    each_is_named(operator, AGAIN, whole)


def test_each_permission_that_recipients_need_is_named_by_the_apply_that_needs_it(
    operator: Operator,
) -> None:
    whole, plain = clients(operator.box), operator.file
    assert rolled(operator, whole) == ""
    table = '[[recipients]]\nou = "{}"\nemail = "unit@example.com"\n'
    operator.file = plain + table.format("Sandbox")
    each_is_named(operator, SUBSCRIBED, whole)
    operator.file += table.format("Workloads")
    each_is_named(operator, FILTERED, whole)
    operator.file = plain
    each_is_named(operator, ENDED, whole)


def each_is_named(operator: Operator, actions: tuple[str, ...], whole: Clients) -> None:
    for action in actions:
        said = rolled(operator, clients(operator.box, without=action))
        assert action in said, (action, said)
        assert "Give the operator the permission that AWS names" in said
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
