"""IAM's resources in stacks are the IAM calls that AWS makes of them, told and refused as there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.box import Box
from tests.sandbox.cloudformation.templates import (
    TRUST,
    delete,
    deny_policy,
    deploy,
    failures,
    resource,
    settled_stack,
    template,
)


def test_a_group_carries_its_policies_and_goes_with_its_stack(box: Box, account: str) -> None:
    body = template(
        Deny=deny_policy(),
        Group=resource(
            "AWS::IAM::Group",
            GroupName="denied",
            Path="/parts/",
            ManagedPolicyArns=[{"Ref": "Deny"}],
        ),
    )
    deploy(box, account, "group", body)
    iam = box.client("iam", account)
    group = iam.get_group(GroupName="denied")["Group"]
    assert group["Arn"] == f"arn:aws:iam::{account}:group/parts/denied"
    attached = iam.list_attached_group_policies(GroupName="denied")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["parts-deny"]
    assert delete(box, account, "group")["StackStatus"] == "DELETE_COMPLETE"
    assert iam.list_groups()["Groups"] == []


def test_a_group_with_members_is_not_deleted_until_they_are_out(box: Box, account: str) -> None:
    deploy(box, account, "group", template(Group=resource("AWS::IAM::Group", GroupName="denied")))
    iam = box.client("iam", account)
    iam.create_user(UserName="contained")
    iam.add_user_to_group(GroupName="denied", UserName="contained")
    stack = delete(box, account, "group")
    assert stack["StackStatus"] == "DELETE_FAILED"
    reason = failures(box, account, stack["StackId"])["Group"]
    assert "must remove users from group first" in reason
    iam.remove_user_from_group(GroupName="denied", UserName="contained")
    assert delete(box, account, "group")["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize("use", ["attached", "boundary"])
def test_a_policy_in_use_is_not_deleted_until_it_is_free(box: Box, account: str, use: str) -> None:
    deploy(box, account, "deny", template(Deny=deny_policy()))
    iam = box.client("iam", account)
    arn = f"arn:aws:iam::{account}:policy/parts/parts-deny"
    iam.create_role(RoleName="held", AssumeRolePolicyDocument=json.dumps(TRUST))
    if use == "attached":
        iam.attach_role_policy(RoleName="held", PolicyArn=arn)
    else:
        iam.put_role_permissions_boundary(RoleName="held", PermissionsBoundary=arn)
    stack = delete(box, account, "deny")
    assert stack["StackStatus"] == "DELETE_FAILED"
    reason = failures(box, account, stack["StackId"])["Deny"]
    assert "Cannot delete a policy attached to entities." in reason
    if use == "attached":
        iam.detach_role_policy(RoleName="held", PolicyArn=arn)
    else:
        iam.delete_role_permissions_boundary(RoleName="held")
    assert delete(box, account, "deny")["StackStatus"] == "DELETE_COMPLETE"


def test_a_changed_policy_gets_new_versions_and_keeps_five(box: Box, account: str) -> None:
    for number in range(7):
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": f"iam:Get{number}*", "Resource": "*"}],
        }
        deploy(box, account, "deny", template(Deny=deny_policy(PolicyDocument=document)))
    arn = f"arn:aws:iam::{account}:policy/parts/parts-deny"
    versions = box.client("iam", account).list_policy_versions(PolicyArn=arn)["Versions"]
    assert sorted((one["VersionId"], one["IsDefaultVersion"]) for one in versions) == [
        ("v3", False),
        ("v4", False),
        ("v5", False),
        ("v6", False),
        ("v7", True),
    ]


def role(**properties: Any) -> dict[str, Any]:
    given = {"RoleName": "worker", "Path": "/parts/", "AssumeRolePolicyDocument": TRUST}
    return resource("AWS::IAM::Role", **{**given, **properties})


def test_a_role_has_its_boundary_and_loses_it_again(box: Box, account: str) -> None:
    bounded = role(PermissionsBoundary={"Ref": "Deny"})
    deploy(box, account, "role", template(Deny=deny_policy(), Role=bounded))
    iam = box.client("iam", account)
    found = iam.get_role(RoleName="worker")["Role"]
    assert found["Arn"] == f"arn:aws:iam::{account}:role/parts/worker"
    boundary = f"arn:aws:iam::{account}:policy/parts/parts-deny"
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    deploy(box, account, "role", template(Deny=deny_policy(), Role=role(MaxSessionDuration=7200)))
    found = iam.get_role(RoleName="worker")["Role"]
    assert "PermissionsBoundary" not in found
    assert found["MaxSessionDuration"] == 7200


def test_a_role_that_names_a_policy_which_is_not_there_leaves_nothing(
    box: Box, account: str
) -> None:
    missing = f"arn:aws:iam::{account}:policy/nothing"
    stack = deploy(box, account, "role", template(Role=role(ManagedPolicyArns=[missing])))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    names = [one["RoleName"] for one in box.client("iam", account).list_roles()["Roles"]]
    assert "worker" not in names


def test_a_plain_stack_is_told_as_its_callers_work(box: Box, account: str) -> None:
    key = box.new_user(account, "deployer", "*")
    cloudformation = box.client("cloudformation", key=key)
    made = cloudformation.create_stack(
        StackName="plain",
        TemplateBody=template(Deny=deny_policy()),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    settled_stack(box, account, made["StackId"])
    (record,) = [
        one
        for one in box.records
        if one["recipientAccountId"] == account and one["eventName"] == "CreatePolicy"
    ]
    identity = record["userIdentity"]
    assert (identity["type"], identity["userName"]) == ("IAMUser", "deployer")
    assert identity["invokedBy"] == "cloudformation.amazonaws.com"
    assert record["responseElements"]["policy"]["arn"].endswith(":policy/parts/parts-deny")


def test_the_sandboxs_own_stacks_leave_no_record(box: Box, account: str) -> None:
    deploy(box, account, "quiet", template(Deny=deny_policy()))
    assert [one for one in box.records if one["recipientAccountId"] == account] == []


def test_an_instance_profile_is_the_calls_that_make_it(box: Box, account: str) -> None:
    body = template(
        Role=role(),
        Profile=resource(
            "AWS::IAM::InstanceProfile", InstanceProfileName="ip", Roles=[{"Ref": "Role"}]
        ),
    )
    cloudformation = box.client("cloudformation", key=box.new_user(account, "deployer", "*"))
    made = cloudformation.create_stack(
        StackName="profile", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    settled_stack(box, account, made["StackId"])
    cloudformation.delete_stack(StackName="profile")
    assert settled_stack(box, account, made["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    reported = [
        (one["eventName"], one["requestParameters"])
        for one in box.records
        if one["recipientAccountId"] == account and "InstanceProfile" in one["eventName"]
    ]
    named = {"instanceProfileName": "ip"}
    assert reported == [
        ("CreateInstanceProfile", named),
        ("AddRoleToInstanceProfile", {**named, "roleName": "worker"}),
        ("RemoveRoleFromInstanceProfile", {**named, "roleName": "worker"}),
        ("DeleteInstanceProfile", named),
    ]
