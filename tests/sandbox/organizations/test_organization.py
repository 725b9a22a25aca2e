"""The Organizations API answers every account from one Organization, and each only what it may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.organizations.organization import make_role

STACKSETS = "member.org.stacksets.cloudformation.amazonaws.com"
STRANGER = "999999999999"


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_every_account_sees_the_same_organization(box: Box) -> None:
    accounts = (box.management, box.security, *box.members)
    seen = [
        box.client("organizations", account).describe_organization()["Organization"]
        for account in accounts
    ]
    assert {(one["Id"], one["MasterAccountId"], one["FeatureSet"]) for one in seen} == {
        ("o-exampleorgid", "111122223333", "ALL")
    }


def test_the_box_has_two_ous_and_a_security_account_at_the_root(box: Box) -> None:
    org = box.client("organizations", box.management)
    root = org.list_roots()["Roots"][0]["Id"]
    ous = org.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    assert {"Workloads", "Sandbox"} <= {one["Name"] for one in ous}
    assert org.list_parents(ChildId=box.security)["Parents"] == [{"Id": root, "Type": "ROOT"}]
    assert [org.list_parents(ChildId=one)["Parents"][0]["Id"] for one in box.members[:3]] == [
        box.layout.workloads,
        box.layout.sandbox,
        box.layout.workloads,
    ]


def test_a_role_that_aws_makes_under_a_protected_path_is_made_for_any_caller(box: Box) -> None:
    # As when the management account itself, not the sandbox, turns on StackSets.
    trust: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    path = "/aws-service-role/example.amazonaws.com/"
    make_role(box.members[0], "AWSServiceRoleForExample", path=path, trust=trust)
    iam = box.client("iam", box.members[0])
    attached = iam.list_attached_role_policies(RoleName="AWSServiceRoleForExample")
    assert [one["PolicyName"] for one in attached["AttachedPolicies"]] == ["AdministratorAccess"]


def test_an_account_outside_of_it_has_no_organization(box: Box) -> None:
    org = box.client("organizations", STRANGER)
    assert refused(org.describe_organization) == "AWSOrganizationsNotInUseException"
    assert refused(org.list_accounts) == "AWSOrganizationsNotInUseException"
    assert box.state.organization_of(STRANGER) is None
    assert box.state.organization_of(box.members[0]) == "o-exampleorgid"


def test_a_member_may_describe_the_organization_and_nothing_else(box: Box) -> None:
    org = box.client("organizations", box.members[0])
    assert refused(org.list_accounts) == "AccessDeniedException"
    assert refused(org.describe_account, AccountId=box.members[0]) == "AccessDeniedException"
    assert (
        refused(org.create_organizational_unit, ParentId=box.layout.root, Name="mine")
        == "AccessDeniedException"
    )


def test_nobody_founds_a_second_organization(box: Box) -> None:
    org = box.client("organizations", box.management)
    assert refused(org.create_organization) == "AlreadyInOrganizationException"


def test_lists_come_in_pages(box: Box, account: str) -> None:
    org = box.client("organizations", box.management)
    first = org.list_accounts(MaxResults=2)
    assert len(first["Accounts"]) == 2
    pages = org.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2})
    ids = [one["Id"] for page in pages for one in page["Accounts"]]
    assert len(ids) == len(set(ids))
    assert {box.management, box.security, *box.members, account} <= set(ids)
    assert refused(org.list_accounts, NextToken="bm9uc2Vuc2U=") == "InvalidInputException"


def test_an_account_carries_both_status_and_state(box: Box) -> None:
    org = box.client("organizations", box.management)
    listed = org.list_accounts_for_parent(ParentId=box.layout.workloads)["Accounts"]
    assert {(one["Status"], one["State"]) for one in listed} == {("ACTIVE", "ACTIVE")}


def test_a_created_account_joins_at_the_root_with_the_access_role(box: Box) -> None:
    org = box.client("organizations", box.management)
    status = org.create_account(Email="new@example.com", AccountName="new")["CreateAccountStatus"]
    account = status["AccountId"]
    assert org.list_parents(ChildId=account)["Parents"][0]["Id"] == box.layout.root
    role = box.client("iam", account).get_role(RoleName="OrganizationAccountAccessRole")["Role"]
    trust = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert trust == {"AWS": "arn:aws:iam::111122223333:root"}


def test_an_account_moves_from_where_it_is_and_from_nowhere_else(box: Box, account: str) -> None:
    org = box.client("organizations", box.management)
    here, there = box.layout.workloads, box.layout.sandbox
    move = {"AccountId": account, "DestinationParentId": there}
    code = refused(org.move_account, SourceParentId=there, **move)
    assert code == "SourceParentNotFoundException"
    org.move_account(SourceParentId=here, **move)
    assert org.list_parents(ChildId=account)["Parents"][0]["Id"] == there
    children = org.list_children(ParentId=there, ChildType="ACCOUNT")["Children"]
    assert {"Id": account, "Type": "ACCOUNT"} in children


def test_children_of_the_root_are_its_ous(box: Box) -> None:
    org = box.client("organizations", box.management)
    found = org.list_children(ParentId=box.layout.root, ChildType="ORGANIZATIONAL_UNIT")
    assert {box.layout.workloads, box.layout.sandbox} <= {one["Id"] for one in found["Children"]}


def test_an_account_that_is_removed_is_a_stranger(box: Box, account: str) -> None:
    org = box.client("organizations", box.management)
    org.remove_account_from_organization(AccountId=account)
    assert box.state.organization_of(account) is None
    assert refused(org.describe_account, AccountId=account) == "AccountNotFoundException"


def test_an_account_leaves_by_itself_but_the_management_account_stays(
    box: Box, account: str
) -> None:
    leaving = box.client("organizations", account)
    leaving.leave_organization()
    assert refused(leaving.describe_organization) == "AWSOrganizationsNotInUseException"
    assert refused(leaving.leave_organization) == "AWSOrganizationsNotInUseException"
    management = box.client("organizations", box.management)
    assert refused(management.leave_organization) == "MasterCannotLeaveOrganizationException"


def test_a_service_is_trusted_before_it_has_a_delegated_administrator(
    box: Box, account: str
) -> None:
    org = box.client("organizations", box.management)
    service = f"{account}.example.amazonaws.com"
    wanted = {"AccountId": account, "ServicePrincipal": service}
    assert refused(org.register_delegated_administrator, **wanted) == "ConstraintViolationException"
    org.enable_aws_service_access(ServicePrincipal=service)
    trusted = org.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert service in [one["ServicePrincipal"] for one in trusted]
    org.register_delegated_administrator(**wanted)
    assert (
        refused(org.register_delegated_administrator, **wanted)
        == "AccountAlreadyRegisteredException"
    )
    listed = org.list_delegated_administrators(ServicePrincipal=service)
    assert [one["Id"] for one in listed["DelegatedAdministrators"]] == [account]
    services = org.list_delegated_services_for_account(AccountId=account)["DelegatedServices"]
    assert [one["ServicePrincipal"] for one in services] == [service]


def test_a_delegated_administrator_reads_but_does_not_write(box: Box, account: str) -> None:
    management = box.client("organizations", box.management)
    service = f"{account}.example.amazonaws.com"
    management.enable_aws_service_access(ServicePrincipal=service)
    management.register_delegated_administrator(AccountId=account, ServicePrincipal=service)
    org = box.client("organizations", account)
    assert org.describe_account(AccountId=box.members[0])["Account"]["Name"] == "member-1"
    assert (
        refused(org.create_organizational_unit, ParentId=box.layout.root, Name="mine")
        == "AccessDeniedException"
    )
    management.deregister_delegated_administrator(AccountId=account, ServicePrincipal=service)
    assert refused(org.list_accounts) == "AccessDeniedException"


def test_the_management_account_is_never_a_delegated_administrator(box: Box) -> None:
    org = box.client("organizations", box.management)
    org.enable_aws_service_access(ServicePrincipal=STACKSETS)
    code = refused(
        org.register_delegated_administrator,
        AccountId=box.management,
        ServicePrincipal=STACKSETS,
    )
    assert code == "ConstraintViolationException"


def test_a_user_without_permission_is_refused_by_iam_first(box: Box) -> None:
    key = box.new_user(box.management, "organizations-reader", "iam:ListUsers")
    org = box.client("organizations", key=key)
    assert refused(org.list_accounts) == "AccessDeniedException"
