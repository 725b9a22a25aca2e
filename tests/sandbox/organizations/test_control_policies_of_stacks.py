"""Service control policies bind what CloudFormation does in a member, StackSets included."""

from __future__ import annotations

import pytest

from sandbox.box import Box
from tests.sandbox.cloudformation.rings import Ring, fill, make_set, results, ring
from tests.sandbox.cloudformation.templates import (
    deny_policy,
    failures,
    queue_named,
    resource,
    settled_stack,
    template,
)
from tests.sandbox.organizations.test_control_policies import KIND, bound, deny

__all__ = ["ring"]

IN_FORCE = "with an explicit deny in a service control policy"


def worker(role: str) -> str:
    return template(
        Role=resource(
            "AWS::IAM::Role",
            RoleName=role,
            AssumeRolePolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
        )
    )


def test_a_policy_that_denies_the_region_fails_the_rollout(box: Box, ring: Ring) -> None:
    make_set(box, ring, queue_named("never"))
    elsewhere = {"aws:RequestedRegion": "eu-west-1"}
    with bound(box, ring.ou, deny("cloudformation:*", StringNotEquals=elsewhere)):
        operation = fill(box, ring)
    outcomes = results(box, ring, operation)
    assert outcomes.keys() == set(ring.accounts)
    for status, reason in outcomes.values():
        assert status == "FAILED"
        assert "not authorized to perform: cloudformation:CreateStack on resource" in reason
        assert reason.endswith(IN_FORCE)


def test_the_execution_role_may_be_spared_by_name(box: Box, ring: Ring) -> None:
    make_set(box, ring, worker("guarded"))
    spared = {"aws:PrincipalArn": "arn:aws:iam::*:role/stacksets-exec-*"}
    with bound(box, ring.ou, deny(["iam:CreateRole", "iam:DeleteRole"], ArnNotLike=spared)):
        assert fill(box, ring)["Status"] == "SUCCEEDED"


def test_a_call_that_is_denied_fails_the_stack_and_is_told(box: Box, ring: Ring) -> None:
    make_set(box, ring, worker("forbidden"))
    with bound(box, ring.ou, deny("iam:CreateRole")):
        operation = fill(box, ring)
    reasons = [reason for _, reason in results(box, ring, operation).values()]
    assert all("is not authorized to perform: iam:CreateRole" in reason for reason in reasons)
    assert all(IN_FORCE in reason for reason in reasons)
    for account in ring.accounts:
        denied = [
            one
            for one in box.records
            if one["recipientAccountId"] == account and one["eventName"] == "CreateRole"
        ]
        assert [one["errorCode"] for one in denied] == ["AccessDenied"]
        assert denied[0]["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"].startswith(
            "stacksets-exec-"
        )


@pytest.mark.parametrize("action", ["sqs:CreateQueue", "sqs:*"])
def test_what_is_no_iam_call_is_bound_too(box: Box, account: str, action: str) -> None:
    key = box.new_user(account, "deployer", "*")
    cloudformation = box.client("cloudformation", key=key)
    with bound(box, account, deny(action)):
        made = cloudformation.create_stack(StackName="q", TemplateBody=queue_named("q"))
        stack = settled_stack(box, account, made["StackId"])
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert IN_FORCE in failures(box, account, made["StackId"])["Queue"]


def test_a_stack_that_may_not_be_deleted_stays(box: Box, account: str) -> None:
    key = box.new_user(account, "deployer", "*")
    cloudformation = box.client("cloudformation", key=key)
    body = template(Deny=deny_policy())
    made = cloudformation.create_stack(
        StackName="p", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    settled_stack(box, account, made["StackId"])
    with bound(box, account, deny("iam:DeletePolicy")):
        cloudformation.delete_stack(StackName="p")
        stack = settled_stack(box, account, made["StackId"])
        assert stack["StackStatus"] == "DELETE_FAILED"
        assert IN_FORCE in failures(box, account, made["StackId"])["Deny"]
    cloudformation.delete_stack(StackName="p")
    assert settled_stack(box, account, made["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_switched_off_no_policy_binds_and_switched_on_all_are_gone(box: Box, account: str) -> None:
    organizations = box.client("organizations", box.management)
    iam = box.client("iam", account, quiet=False)
    made = organizations.create_policy(
        Name="switched",
        Description="",
        Type=KIND,
        Content='{"Version": "2012-10-17", "Statement": '
        '[{"Effect": "Deny", "Action": "iam:CreateGroup", "Resource": "*"}]}',
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=made, TargetId=account)
    root = {"RootId": box.layout.root, "PolicyType": KIND}
    organizations.disable_policy_type(**root)
    iam.create_group(GroupName="while-off")
    organizations.enable_policy_type(**root)
    iam.create_group(GroupName="afterwards")
    attached = organizations.list_policies_for_target(TargetId=account, Filter=KIND)["Policies"]
    assert [one["Name"] for one in attached] == ["FullAWSAccess"]
    organizations.delete_policy(PolicyId=made)
