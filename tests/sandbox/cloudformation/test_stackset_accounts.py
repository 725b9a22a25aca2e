"""Service-managed StackSets reach the accounts of OUs, as AWS's do, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sandbox.box import Box
from sandbox.core.unknowns import LIKELY, Unknowns
from tests.sandbox.cloudformation.rings import (
    REGION,
    Ring,
    fill,
    instances,
    latest,
    make_set,
    operations,
    queues,
    refused,
    ring,
    stop_following,
)
from tests.sandbox.cloudformation.templates import ended, queue_named, resource, template
from tests.waiting import wait_until

__all__ = ["ring"]


@pytest.fixture(autouse=True)
def likely(box: Box) -> Iterator[None]:
    """The box is shared."""
    yield
    box.state.unknowns = LIKELY


STACKSETS = "member.org.stacksets.cloudformation.amazonaws.com"


def test_a_set_reaches_every_account_of_an_ou_and_no_other(box: Box, ring: Ring) -> None:
    make_set(box, ring, queue_named("everywhere"))
    assert fill(box, ring)["Status"] == "SUCCEEDED"
    assert instances(box, ring) == dict.fromkeys(ring.accounts, ("CURRENT", "SUCCEEDED"))
    assert [queues(box, one) for one in ring.accounts] == [["everywhere"], ["everywhere"]]
    assert "everywhere" not in queues(box, box.members[0])


def test_the_root_as_target_leaves_the_management_account_out(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, queue_named("from-the-root"))
    first = ring.accounts[0]
    targets = {
        "OrganizationalUnitIds": [box.layout.root],
        "Accounts": [first, box.management],
        "AccountFilterType": "INTERSECTION",
    }
    assert fill(box, ring, DeploymentTargets=targets)["Status"] == "SUCCEEDED"
    assert list(instances(box, ring)) == [first]
    assert "from-the-root" not in queues(box, box.management)
    one = cloudformation.describe_stack_instance(
        StackSetName=ring.name, StackInstanceAccount=first, StackInstanceRegion=REGION
    )["StackInstance"]
    name = one["StackId"].split("/")[1]
    assert re.fullmatch(rf"StackSet-{ring.name}-[0-9a-f-]{{36}}", name)
    assert one["OrganizationalUnitId"] == box.layout.root


def test_a_difference_leaves_out_the_accounts_that_it_names(box: Box, ring: Ring) -> None:
    make_set(box, ring, queue_named("but-one"))
    targets = {
        "OrganizationalUnitIds": [ring.ou],
        "Accounts": [ring.accounts[0]],
        "AccountFilterType": "DIFFERENCE",
    }
    fill(box, ring, DeploymentTargets=targets)
    assert list(instances(box, ring)) == [ring.accounts[1]]


def test_accounts_alone_are_no_target(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, queue_named("nowhere"))
    code = refused(
        cloudformation.create_stack_instances,
        StackSetName=ring.name,
        Accounts=[ring.accounts[0]],
        Regions=[REGION],
    )
    assert code == "ValidationError"


def test_an_update_reaches_every_instance_with_new_values(box: Box, ring: Ring) -> None:
    parameters = {"Seconds": {"Type": "Number", "Default": "30"}}
    body = template(
        parameters,
        Queue=resource("AWS::SQS::Queue", QueueName="timed", VisibilityTimeout={"Ref": "Seconds"}),
    )
    cloudformation = make_set(box, ring, body)
    fill(box, ring)
    updated = cloudformation.update_stack_set(
        StackSetName=ring.name,
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Seconds", "ParameterValue": "77"}],
    )
    done = ended(box, ring.name, updated["OperationId"])
    assert (done["Action"], done["Status"]) == ("UPDATE", "SUCCEEDED")
    for account in ring.accounts:
        sqs = box.client("sqs", account)
        url = sqs.get_queue_url(QueueName="timed")["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        assert found["Attributes"] == {"VisibilityTimeout": "77"}
    shown = cloudformation.describe_stack_set(StackSetName=ring.name)["StackSet"]
    assert shown["Parameters"] == [{"ParameterKey": "Seconds", "ParameterValue": "77"}]


def test_accounts_that_come_and_go_are_followed(box: Box, ring: Ring) -> None:
    make_set(
        box,
        ring,
        queue_named("followed"),
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
    )
    fill(box, ring)
    org = box.client("organizations", box.management)
    newcomer = box.new_account(f"{ring.name}-late", parent=box.layout.sandbox)
    there = {"AccountId": newcomer, "SourceParentId": box.layout.sandbox}
    org.move_account(**there, DestinationParentId=ring.ou)
    assert latest(box, ring)["Action"] == "CREATE"
    assert queues(box, newcomer) == ["followed"]
    back = {"AccountId": newcomer, "SourceParentId": ring.ou}
    org.move_account(**back, DestinationParentId=box.layout.sandbox)
    assert latest(box, ring)["Action"] == "DELETE"
    assert queues(box, newcomer) == []
    assert set(instances(box, ring)) == set(ring.accounts)


def test_of_an_account_that_moves_one_set_deletes_before_the_other_creates(
    box: Box, ring: Ring
) -> None:
    """Both stacks bear one name, which they cannot at the same time."""
    org, follows = box.client("organizations", box.management), {"Enabled": True}
    make_set(
        box,
        ring,
        queue_named("moved"),
        AutoDeployment={**follows, "RetainStacksOnAccountRemoval": False},
    )
    fill(box, ring)
    made = org.create_organizational_unit(ParentId=box.layout.root, Name=f"{ring.name}-to")
    other = Ring(f"{ring.name}-to", made["OrganizationalUnit"]["Id"], ring.accounts)
    make_set(
        box,
        other,
        queue_named("moved"),
        AutoDeployment={**follows, "RetainStacksOnAccountRemoval": False},
    )
    fill(box, other)
    account = ring.accounts[0]
    box.state.stack_seconds = 600
    org.move_account(AccountId=account, SourceParentId=ring.ou, DestinationParentId=other.ou)
    wait_until(lambda: operations(box, other)[0]["Action"] == "CREATE")
    assert operations(box, ring)[0]["Status"] == "RUNNING"
    assert operations(box, other)[0]["Status"] == "QUEUED"
    box.state.stack_seconds = 0
    box.advance(601)
    assert (latest(box, ring)["Action"], latest(box, ring)["Status"]) == ("DELETE", "SUCCEEDED")
    assert (latest(box, other)["Action"], latest(box, other)["Status"]) == ("CREATE", "SUCCEEDED")
    assert queues(box, account) == ["moved"]
    assert account in instances(box, other)
    stop_following(box, other.name)


def test_an_account_added_below_a_target_is_deployed_to(box: Box, ring: Ring) -> None:
    make_set(
        box,
        ring,
        queue_named("newcomer"),
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True},
    )
    fill(box, ring)
    org = box.client("organizations", box.management)
    below = org.create_organizational_unit(ParentId=ring.ou, Name="below")["OrganizationalUnit"]
    before = len(operations(box, ring))
    account = box.new_account(f"{ring.name}-new", parent=below["Id"])
    wait_until(lambda: len(operations(box, ring)) > before)
    latest(box, ring)
    assert queues(box, account) == ["newcomer"]


def test_a_set_without_auto_deployment_follows_nobody(box: Box, ring: Ring) -> None:
    make_set(box, ring, queue_named("fixed"))
    fill(box, ring)
    org = box.client("organizations", box.management)
    newcomer = box.new_account(f"{ring.name}-late", parent=box.layout.sandbox)
    org.move_account(
        AccountId=newcomer, SourceParentId=box.layout.sandbox, DestinationParentId=ring.ou
    )
    assert len(operations(box, ring)) == 1
    assert queues(box, newcomer) == []


def test_a_delegated_administrator_rolls_out_for_the_organization(box: Box, ring: Ring) -> None:
    org = box.client("organizations", box.management)
    delegate = box.client("cloudformation", box.security)
    wanted = {
        "StackSetName": ring.name,
        "TemplateBody": queue_named("delegated"),
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": False},
    }
    assert refused(delegate.create_stack_set, **wanted) == "ValidationError"
    assert refused(delegate.create_stack_set, **wanted, CallAs="DELEGATED_ADMIN") == (
        "ValidationError"
    )
    registration = {"AccountId": box.security, "ServicePrincipal": STACKSETS}
    org.register_delegated_administrator(**registration)
    delegate.create_stack_set(**wanted, CallAs="DELEGATED_ADMIN")
    operation = delegate.create_stack_instances(
        StackSetName=ring.name,
        DeploymentTargets={"OrganizationalUnitIds": [ring.ou]},
        Regions=[REGION],
        CallAs="DELEGATED_ADMIN",
    )
    done = ended(box, ring.name, operation["OperationId"], account=box.security)
    assert done["Status"] == "SUCCEEDED"
    assert queues(box, ring.accounts[0]) == ["delegated"]
    # The set lives in the management account, which sees it too.
    seen = box.client("cloudformation", box.management).describe_stack_set(StackSetName=ring.name)
    assert seen["StackSet"]["StackSetARN"].split(":")[4] == box.management
    org.deregister_delegated_administrator(**registration)


def listed(box: Box, ring: Ring) -> list[str]:
    cloudformation = box.client("cloudformation", box.management)
    found = cloudformation.describe_stack_set(StackSetName=ring.name)["StackSet"]
    return list(found.get("OrganizationalUnitIds", []))


@pytest.mark.parametrize("lists", [True, False])
def test_a_unit_given_with_a_filter_is_listed_or_not(box: Box, ring: Ring, lists: bool) -> None:
    box.state.unknowns = Unknowns(filtered_units_are_listed=lists)
    make_set(box, ring, queue_named("filtered"))
    first, second = ring.accounts
    targets = {"OrganizationalUnitIds": [ring.ou], "AccountFilterType": "DIFFERENCE"}
    fill(box, ring, DeploymentTargets={**targets, "Accounts": [first]})
    assert listed(box, ring) == ([ring.ou] if lists else [])
    # Its instance names it all the same.
    cloudformation = box.client("cloudformation", box.management)
    (found,) = cloudformation.list_stack_instances(StackSetName=ring.name)["Summaries"]
    assert (found["Account"], found["OrganizationalUnitId"]) == (second, ring.ou)
    fill(box, ring)
    assert listed(box, ring) == [ring.ou]
    # And again with a filter it stays.
    fill(box, ring, DeploymentTargets={**targets, "Accounts": [first]})
    assert listed(box, ring) == [ring.ou]


@pytest.mark.parametrize("accepts", [True, False])
def test_a_unit_without_accounts_is_taken_or_refused(box: Box, ring: Ring, accepts: bool) -> None:
    box.state.unknowns = Unknowns(empty_units_are_accepted=accepts)
    organizations = box.client("organizations", box.management)
    made = organizations.create_organizational_unit(ParentId=ring.ou, Name="Empty")
    empty = made["OrganizationalUnit"]["Id"]
    cloudformation = make_set(box, ring, queue_named("empty"))
    targets = {"OrganizationalUnitIds": [empty]}
    if accepts:
        assert fill(box, ring, DeploymentTargets=targets)["Status"] == "SUCCEEDED"
        assert listed(box, ring) == [empty]
    else:
        call = {"StackSetName": ring.name, "DeploymentTargets": targets, "Regions": [REGION]}
        assert refused(cloudformation.create_stack_instances, **call) == "ValidationError"


def test_a_call_takes_fifty_units(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, queue_named("fifty"))
    call = {"StackSetName": ring.name, "Regions": [REGION]}
    targets = {"OrganizationalUnitIds": [ring.ou] * 51}
    create = cloudformation.create_stack_instances
    assert refused(create, **call, DeploymentTargets=targets) == "ValidationError"
    targets = {"OrganizationalUnitIds": [ring.ou] * 50}
    ended(box, ring.name, create(**call, DeploymentTargets=targets)["OperationId"])
