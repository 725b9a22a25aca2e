"""Identity Center answers its administrators, and refuses everybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.core.keys import allow
from sandbox.organizations.identity_center import INSTANCE, SERVICE

REGION = "us-east-1"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
def center(box: Box) -> Iterator[Any]:
    box.state.identity_center = REGION
    yield box.client("sso-admin", box.management)
    box.state.identity_center = ""


def made(center: Any, name: str) -> str:
    answer = center.create_permission_set(InstanceArn=INSTANCE, Name=name)
    return str(answer["PermissionSet"]["PermissionSetArn"])


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_without_an_instance_there_is_nothing_to_list(box: Box) -> None:
    center = box.client("sso-admin", box.management)
    assert center.list_instances()["Instances"] == []
    assert refused(center.list_permission_sets, InstanceArn=INSTANCE) == "AccessDeniedException"


def test_a_permission_set_is_made_read_and_listed_in_pages(box: Box, center: Any) -> None:
    (instance,) = center.list_instances()["Instances"]
    assert (instance["InstanceArn"], instance["OwnerAccountId"]) == (INSTANCE, box.management)
    arns = [made(center, f"Paged{number}") for number in range(3)]
    named = {"InstanceArn": INSTANCE, "PermissionSetArn": arns[0]}
    center.attach_managed_policy_to_permission_set(**named, ManagedPolicyArn=ADMINISTRATOR)
    assert center.describe_permission_set(**named)["PermissionSet"]["Name"] == "Paged0"
    held = center.list_managed_policies_in_permission_set(**named)["AttachedManagedPolicies"]
    assert held == [{"Name": "AdministratorAccess", "Arn": ADMINISTRATOR}]
    asked = center.get_paginator("list_permission_sets").paginate(
        InstanceArn=INSTANCE, PaginationConfig={"PageSize": 2}
    )
    pages = [page["PermissionSets"] for page in asked]
    assert [one for page in pages for one in page][-3:] == arns
    assert max(len(page) for page in pages) == 2
    assert refused(center.create_permission_set, InstanceArn=INSTANCE, Name="Paged0") == (
        "ConflictException"
    )
    unknown = {**named, "PermissionSetArn": f"{arns[0][:-4]}ffff"}
    assert refused(center.describe_permission_set, **unknown) == "ResourceNotFoundException"


def test_an_assignment_makes_the_role_that_nobody_may_change(
    box: Box, center: Any, account: str
) -> None:
    arn = made(center, "Assigned")
    named = {"InstanceArn": INSTANCE, "PermissionSetArn": arn}
    center.attach_managed_policy_to_permission_set(**named, ManagedPolicyArn=ADMINISTRATOR)
    center.create_account_assignment(
        **named,
        TargetId=account,
        TargetType="AWS_ACCOUNT",
        PrincipalType="USER",
        PrincipalId="01234567-0123-0123-0123-0123456789ab",
    )
    iam = box.client("iam", account)
    role = iam.get_role(RoleName=f"AWSReservedSSO_Assigned_{arn[-16:]}")["Role"]
    assert role["Path"] == "/aws-reserved/sso.amazonaws.com/"
    eve = box.client("iam", account, key=box.new_user(account, "eve", "iam:*"))
    assert refused(eve.delete_role_policy, RoleName=role["RoleName"], PolicyName="x") == (
        "UnmodifiableEntity"
    )


def test_a_member_sees_it_only_as_a_delegate_and_another_region_never(
    box: Box, center: Any, account: str
) -> None:
    member = box.client("sso-admin", account)
    assert member.list_instances()["Instances"] == []
    assert refused(member.list_permission_sets, InstanceArn=INSTANCE) == "AccessDeniedException"
    organizations = box.client("organizations", box.management)
    organizations.enable_aws_service_access(ServicePrincipal=SERVICE)
    organizations.register_delegated_administrator(AccountId=account, ServicePrincipal=SERVICE)
    assert len(member.list_instances()["Instances"]) == 1
    assert "PermissionSets" in member.list_permission_sets(InstanceArn=INSTANCE)
    elsewhere = box.client("sso-admin", box.management, region="eu-west-1")
    assert elsewhere.list_instances()["Instances"] == []


def test_iam_is_asked_for_the_permission_set_and_for_its_instance(box: Box, center: Any) -> None:
    arn = made(center, "Guarded")
    action = "sso:DescribePermissionSet"
    for number, resource in enumerate((arn, INSTANCE)):
        policy = allow(action).replace('"*"', f'"{resource}"')
        key = box.new_session(box.management, f"half-{number}", policy)
        mine = box.client("sso-admin", box.management, key=key)
        with pytest.raises(ClientError, match=action) as caught:
            mine.describe_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn)
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    key = box.new_session(box.management, "whole", action)
    whole = box.client("sso-admin", box.management, key=key)
    assert whole.describe_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn)
    assert refused(whole.list_instances) == "AccessDeniedException"
