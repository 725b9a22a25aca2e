"""What a rollout reads of the Organization: real pages, policies by target, who may ask what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.cloudformation.rings import Ring, fill, make_set, ring, stop_following
from tests.sandbox.cloudformation.templates import queue_named, resource, template
from tests.sandbox.parts import document
from tests.waiting import wait_until

__all__ = ["ring"]

KIND = "SERVICE_CONTROL_POLICY"
STACKSETS = "member.org.stacksets.cloudformation.amazonaws.com"


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_twenty_come_on_a_page_whatever_is_asked_for(box: Box) -> None:
    org = box.client("organizations", box.management)
    unit = org.create_organizational_unit(ParentId=box.layout.root, Name="pages")[
        "OrganizationalUnit"
    ]["Id"]
    made = [box.new_account(f"paged-{number}", parent=unit) for number in range(21)]
    below = [
        org.create_organizational_unit(ParentId=unit, Name=f"below-{number}")["OrganizationalUnit"][
            "Id"
        ]
        for number in range(21)
    ]
    first = org.list_accounts_for_parent(ParentId=unit)
    assert len(first["Accounts"]) == 20
    second = org.list_accounts_for_parent(ParentId=unit, NextToken=first["NextToken"])
    assert [one["Id"] for one in [*first["Accounts"], *second["Accounts"]]] == made
    assert "NextToken" not in second
    pages = list(org.get_paginator("list_organizational_units_for_parent").paginate(ParentId=unit))
    assert [len(page["OrganizationalUnits"]) for page in pages] == [20, 1]
    children = list(
        org.get_paginator("list_children").paginate(ParentId=unit, ChildType="ORGANIZATIONAL_UNIT")
    )
    assert [one["Id"] for page in children for one in page["Children"]] == below
    assert org.list_parents(ChildId=made[20])["Parents"] == [
        {"Id": unit, "Type": "ORGANIZATIONAL_UNIT"}
    ]


def test_policies_are_made_attached_listed_read_and_taken_away(box: Box, account: str) -> None:
    org = box.client("organizations", box.management)
    content = document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    made = org.create_policy(Name=f"no-s3-{account}", Description="d", Type=KIND, Content=content)
    identity = made["Policy"]["PolicySummary"]["Id"]
    org.attach_policy(PolicyId=identity, TargetId=account)
    listed = org.list_policies_for_target(TargetId=account, Filter=KIND)["Policies"]
    assert [one["Name"] for one in listed] == ["FullAWSAccess", f"no-s3-{account}"]
    assert org.describe_policy(PolicyId=identity)["Policy"]["Content"] == content
    assert refused(org.delete_policy, PolicyId=identity) == "PolicyInUseException"
    org.detach_policy(PolicyId=identity, TargetId=account)
    assert refused(org.detach_policy, PolicyId=identity, TargetId=account) == (
        "PolicyNotAttachedException"
    )
    org.delete_policy(PolicyId=identity)
    assert refused(org.describe_policy, PolicyId=identity) == "PolicyNotFoundException"


def test_trusted_access_is_told_by_service(box: Box) -> None:
    org = box.client("organizations", box.management)
    org.enable_aws_service_access(ServicePrincipal=STACKSETS)
    listed = org.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert STACKSETS in [one["ServicePrincipal"] for one in listed]


def test_a_delegated_administrator_reads_and_deploys_and_changes_nothing_of_the_organization(
    box: Box, account: str
) -> None:
    management = box.client("organizations", box.management)
    management.enable_aws_service_access(ServicePrincipal=STACKSETS)
    box.client("cloudformation", box.management).activate_organizations_access()
    registration = {"AccountId": account, "ServicePrincipal": STACKSETS}
    management.register_delegated_administrator(**registration)
    org, cloudformation = (
        box.client("organizations", account),
        box.client("cloudformation", account),
    )
    assert org.list_roots()["Roots"][0]["Id"] == box.layout.root
    assert org.list_policies_for_target(TargetId=account, Filter=KIND)["Policies"]
    cloudformation.list_stack_sets(CallAs="DELEGATED_ADMIN")
    content = document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    policy = {"Name": "mine", "Description": "d", "Type": KIND, "Content": content}
    assert refused(org.create_policy, **policy) == "AccessDeniedException"
    attach = {"PolicyId": "p-FullAWSAccess", "TargetId": account}
    assert refused(org.attach_policy, **attach) == "AccessDeniedException"
    assert refused(org.enable_aws_service_access, ServicePrincipal=STACKSETS) == (
        "AccessDeniedException"
    )
    assert refused(org.register_delegated_administrator, **registration) == (
        "AccessDeniedException"
    )
    assert refused(cloudformation.activate_organizations_access) == "InvalidOperationException"
    assert refused(cloudformation.list_stack_sets, CallAs="SELF") == "ValidationError"
    management.deregister_delegated_administrator(**registration)
    assert refused(cloudformation.list_stack_sets, CallAs="DELEGATED_ADMIN") == "ValidationError"


def test_the_management_account_is_not_closed(box: Box) -> None:
    org = box.client("organizations", box.management)
    assert refused(org.close_account, AccountId=box.management) == "ConstraintViolationException"


def test_who_moves_between_two_sets_loses_the_one_and_gets_the_other(box: Box, ring: Ring) -> None:
    org, cloudformation = (
        box.client("organizations", box.management),
        box.client("cloudformation", box.management),
    )
    follow = {"AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False}}
    make_set(box, ring, queue_named("ring-one"), **follow)
    fill(box, ring)
    other = org.create_organizational_unit(ParentId=box.layout.root, Name="ring-two")[
        "OrganizationalUnit"
    ]["Id"]
    cloudformation.create_stack_set(
        StackSetName="ring-two",
        PermissionModel="SERVICE_MANAGED",
        TemplateBody=template(Queue=resource("AWS::SQS::Queue", QueueName="ring-two")),
        **follow,
    )
    cloudformation.create_stack_instances(
        StackSetName="ring-two",
        DeploymentTargets={"OrganizationalUnitIds": [other]},
        Regions=["us-east-1"],
    )
    targets = cloudformation.list_stack_set_auto_deployment_targets(StackSetName="ring-two")
    assert targets["Summaries"] == [{"OrganizationalUnitId": other, "Regions": ["us-east-1"]}]
    moving, sqs = ring.accounts[0], box.client("sqs", ring.accounts[0])
    org.move_account(AccountId=moving, SourceParentId=ring.ou, DestinationParentId=other)

    def only_the_other() -> bool:
        urls = sqs.list_queues().get("QueueUrls", [])
        return [url.rpartition("/")[2] for url in urls] == ["ring-two"]

    wait_until(only_the_other)
    stop_following(box, "ring-two")
