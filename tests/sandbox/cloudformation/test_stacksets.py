"""StackSets and their operations: what is refused, queued, told, updated and taken away."""

from __future__ import annotations

import json
import re

from sandbox.box import Box
from tests.sandbox.cloudformation.rings import (
    ALL,
    REGION,
    Ring,
    fill,
    instances,
    let_go,
    make_set,
    queues,
    refused,
    results,
    ring,
)
from tests.sandbox.cloudformation.templates import (
    NAMED,
    WAITING,
    deny_policy,
    ended,
    queue_named,
    resource,
    template,
)

__all__ = ["ring"]

NOTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "iam:GetUser", "Resource": "*"}],
}


def test_an_operation_runs_on_while_its_caller_has_the_answer(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, template(Wait=WAITING))
    wanted = {
        "StackSetName": ring.name,
        "DeploymentTargets": {"OrganizationalUnitIds": [ring.ou]},
        "Regions": [REGION],
    }
    first = cloudformation.create_stack_instances(**wanted, OperationId="the-first")
    assert first["OperationId"] == "the-first"
    running = cloudformation.describe_stack_set_operation(
        StackSetName=ring.name, OperationId="the-first"
    )["StackSetOperation"]
    assert running["Status"] == "RUNNING"
    assert refused(cloudformation.create_stack_instances, **wanted) == (
        "OperationInProgressException"
    )
    assert refused(cloudformation.delete_stack_set, StackSetName=ring.name) == (
        "OperationInProgressException"
    )
    for account in ring.accounts:
        let_go(box, account)
    done = ended(box, ring.name, "the-first")
    assert (done["Action"], done["Status"]) == ("CREATE", "SUCCEEDED")
    listed = cloudformation.list_stack_set_operations(StackSetName=ring.name)["Summaries"]
    assert [one["OperationId"] for one in listed] == ["the-first"]
    assert refused(cloudformation.create_stack_instances, **wanted, OperationId="the-first") == (
        "OperationIdAlreadyExistsException"
    )


def test_an_operation_that_is_stopped_begins_no_further_account(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, template(Wait=WAITING))
    operation = cloudformation.create_stack_instances(
        StackSetName=ring.name,
        DeploymentTargets={"OrganizationalUnitIds": [ring.ou]},
        Regions=[REGION],
    )["OperationId"]
    cloudformation.stop_stack_set_operation(StackSetName=ring.name, OperationId=operation)
    let_go(box, ring.accounts[0])
    done = ended(box, ring.name, operation)
    assert done["Status"] == "STOPPED"
    assert {account: one[0] for account, one in results(box, ring, done).items()} == {
        ring.accounts[0]: "SUCCEEDED",
        ring.accounts[1]: "CANCELLED",
    }


def test_with_managed_execution_operations_wait_for_each_other(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, queue_named("queued"), ManagedExecution={"Active": True})
    wanted = {
        "StackSetName": ring.name,
        "DeploymentTargets": {"OrganizationalUnitIds": [ring.ou]},
        "Regions": [REGION],
    }
    made = cloudformation.create_stack_instances(**wanted)["OperationId"]
    gone = cloudformation.delete_stack_instances(**wanted, RetainStacks=False)["OperationId"]
    assert ended(box, ring.name, made)["Status"] == "SUCCEEDED"
    assert ended(box, ring.name, gone)["Status"] == "SUCCEEDED"
    assert instances(box, ring) == {}
    assert queues(box, ring.accounts[0]) == []


def test_managed_execution_cannot_change_while_operations_run_or_are_queued(
    box: Box, ring: Ring
) -> None:
    cloudformation = make_set(box, ring, template(Wait=WAITING), ManagedExecution={"Active": True})
    running = cloudformation.create_stack_instances(
        StackSetName=ring.name,
        DeploymentTargets={"OrganizationalUnitIds": [ring.ou]},
        Regions=[REGION],
        OperationPreferences=ALL,
    )["OperationId"]
    update = {"StackSetName": ring.name, "UsePreviousTemplate": True, "Capabilities": NAMED}
    for active in (True, False):
        given = {**update, "ManagedExecution": {"Active": active}}
        assert refused(cloudformation.update_stack_set, **given) == "InvalidOperationException"
    # Without it the update is queued.
    queued = cloudformation.update_stack_set(**update)["OperationId"]
    for account in ring.accounts:
        let_go(box, account)
    assert ended(box, ring.name, running)["Status"] == "SUCCEEDED"
    ended(box, ring.name, queued)
    changed = cloudformation.update_stack_set(**update, ManagedExecution={"Active": False})
    ended(box, ring.name, changed["OperationId"])
    shown = cloudformation.describe_stack_set(StackSetName=ring.name)["StackSet"]
    assert shown["ManagedExecution"] == {"Active": False}


def test_a_failure_is_told_for_its_account_and_ends_the_operation(box: Box, ring: Ring) -> None:
    first, second = ring.accounts
    box.client("iam", first).create_policy(
        PolicyName="parts-deny", Path="/parts/", PolicyDocument=json.dumps(NOTHING)
    )
    make_set(box, ring, template(Deny=deny_policy()))
    operation = fill(box, ring, OperationPreferences={"MaxConcurrentCount": 1})
    assert operation["Status"] == "FAILED"
    assert operation["StatusDetails"] == {"FailedStackInstancesCount": 1}
    reported = results(box, ring, operation)
    assert reported[first][0] == "FAILED"
    assert reported[first][1].startswith(
        "ResourceLogicalId:Deny, ResourceType:AWS::IAM::ManagedPolicy, ResourceStatusReason:"
    )
    assert "already exists" in reported[first][1]
    assert reported[second] == ("CANCELLED", "Cancelled since failure tolerance has exceeded")
    assert instances(box, ring) == {
        first: ("OUTDATED", "FAILED"),
        second: ("OUTDATED", "CANCELLED"),
    }


def test_a_preference_is_a_count_or_a_percentage(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, queue_named("both"))
    code = refused(
        cloudformation.create_stack_instances,
        StackSetName=ring.name,
        DeploymentTargets={"OrganizationalUnitIds": [ring.ou]},
        Regions=[REGION],
        OperationPreferences={"MaxConcurrentCount": 1, "MaxConcurrentPercentage": 100},
    )
    assert code == "ValidationError"


def test_a_tolerated_failure_does_not_stop_the_others(box: Box, ring: Ring) -> None:
    first, second = ring.accounts
    box.client("iam", first).create_policy(
        PolicyName="parts-deny", Path="/parts/", PolicyDocument=json.dumps(NOTHING)
    )
    make_set(box, ring, template(Deny=deny_policy()))
    preferences = {"MaxConcurrentCount": 1, "FailureToleranceCount": 1}
    operation = fill(box, ring, OperationPreferences=preferences)
    assert operation["Status"] == "SUCCEEDED"
    assert {account: one[0] for account, one in results(box, ring, operation).items()} == {
        first: "FAILED",
        second: "SUCCEEDED",
    }
    # What stood in the way is gone: the next attempt mends the account.
    arn = f"arn:aws:iam::{first}:policy/parts/parts-deny"
    box.client("iam", first).delete_policy(PolicyArn=arn)
    assert fill(box, ring)["Status"] == "SUCCEEDED"
    assert instances(box, ring)[first] == ("CURRENT", "SUCCEEDED")


def test_overrides_hold_for_their_instances_alone(box: Box, ring: Ring) -> None:
    body = template(
        {"Name": {"Type": "String", "Default": "plain"}},
        Queue=resource("AWS::SQS::Queue", QueueName={"Ref": "Name"}),
    )
    cloudformation = make_set(box, ring, body)
    fill(box, ring)
    operation = cloudformation.update_stack_instances(
        StackSetName=ring.name,
        DeploymentTargets={
            "OrganizationalUnitIds": [ring.ou],
            "Accounts": [ring.accounts[0]],
            "AccountFilterType": "INTERSECTION",
        },
        Regions=[REGION],
        ParameterOverrides=[{"ParameterKey": "Name", "ParameterValue": "special"}],
    )
    assert ended(box, ring.name, operation["OperationId"])["Status"] == "SUCCEEDED"
    assert [queues(box, one) for one in ring.accounts] == [["special"], ["plain"]]


def test_a_set_with_instances_is_not_deleted(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, queue_named("kept"))
    fill(box, ring)
    assert refused(cloudformation.delete_stack_set, StackSetName=ring.name) == (
        "StackSetNotEmptyException"
    )
    operation = cloudformation.delete_stack_instances(
        StackSetName=ring.name,
        DeploymentTargets={"OrganizationalUnitIds": [ring.ou]},
        Regions=[REGION],
        RetainStacks=True,
    )
    ended(box, ring.name, operation["OperationId"])
    assert queues(box, ring.accounts[0]) == ["kept"]
    cloudformation.delete_stack_set(StackSetName=ring.name)
    assert refused(cloudformation.describe_stack_set, StackSetName=ring.name) == (
        "StackSetNotFoundException"
    )


def test_a_stack_that_cannot_be_deleted_is_inoperable_until_it_can(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, template(Deny=deny_policy()))
    fill(box, ring)
    first, iam = ring.accounts[0], box.client("iam", ring.accounts[0])
    iam.create_user(UserName="contained")
    attached = {
        "UserName": "contained",
        "PolicyArn": f"arn:aws:iam::{first}:policy/parts/parts-deny",
    }
    iam.attach_user_policy(**attached)
    wanted = {
        "StackSetName": ring.name,
        "DeploymentTargets": {"OrganizationalUnitIds": [ring.ou]},
        "Regions": [REGION],
        "RetainStacks": False,
        "OperationPreferences": ALL,
    }
    operation = cloudformation.delete_stack_instances(**wanted)["OperationId"]
    reported = results(box, ring, ended(box, ring.name, operation))
    assert "Cannot delete a policy attached to entities" in reported[first][1]
    assert instances(box, ring) == {first: ("INOPERABLE", "INOPERABLE")}
    iam.detach_user_policy(**attached)
    operation = cloudformation.delete_stack_instances(**wanted)["OperationId"]
    assert ended(box, ring.name, operation)["Status"] == "SUCCEEDED"
    assert instances(box, ring) == {}


def test_a_template_of_more_than_51200_bytes_goes_by_url(box: Box, ring: Ring) -> None:
    big = json.loads(queue_named("big"))
    big["Metadata"] = {"Filler": "x" * 60_000}
    body = json.dumps(big)
    cloudformation = box.client("cloudformation", box.management)
    wanted = {"StackSetName": ring.name, "PermissionModel": "SERVICE_MANAGED"}
    assert refused(cloudformation.create_stack_set, **wanted, TemplateBody=body) == (
        "ValidationError"
    )
    bucket = f"templates-{ring.accounts[0]}"
    s3 = box.client("s3", box.management)
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a/member.json", Body=body.encode())
    cloudformation.create_stack_set(
        **wanted,
        TemplateURL=f"https://{bucket}.s3.us-east-1.amazonaws.com/a/member.json",
        AutoDeployment={"Enabled": False},
    )
    assert fill(box, ring)["Status"] == "SUCCEEDED"
    assert queues(box, ring.accounts[1]) == ["big"]


def test_what_a_set_may_not_be_made_of_is_refused_at_once(box: Box, ring: Ring) -> None:
    cloudformation = box.client("cloudformation", box.management)
    wanted = {"StackSetName": ring.name, "PermissionModel": "SERVICE_MANAGED"}
    create = cloudformation.create_stack_set
    nested = template(Inner=resource("AWS::CloudFormation::Stack", TemplateURL="https://x"))
    assert refused(create, **wanted, TemplateBody=nested) == "ValidationError"
    macro = json.dumps({"Transform": "AWS::LanguageExtensions", **json.loads(queue_named("x"))})
    assert refused(create, **wanted, TemplateBody=macro) == "ValidationError"
    assert refused(create, **wanted, TemplateBody=template(Deny=deny_policy())) == (
        "InsufficientCapabilitiesException"
    )
    unknown = [{"ParameterKey": "Nonsense", "ParameterValue": "1"}]
    body = queue_named("x")
    assert refused(create, **wanted, TemplateBody=body, Parameters=unknown) == "ValidationError"
    bounded = template({"P": {"Type": "String", "AllowedPattern": "[a-z]+", "Default": "A"}})
    assert refused(create, **wanted, TemplateBody=bounded) == "ValidationError"
    create(**wanted, TemplateBody=body)
    assert refused(create, **wanted, TemplateBody=body) == "NameAlreadyExistsException"


def test_the_rollout_is_told_as_the_work_of_the_execution_role(box: Box, ring: Ring) -> None:
    make_set(box, ring, template(Deny=deny_policy()))
    fill(box, ring)
    account = ring.accounts[0]
    (record,) = [
        one
        for one in box.records
        if one["recipientAccountId"] == account and one["eventName"] == "CreatePolicy"
    ]
    issuer = record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"]
    assert re.fullmatch(rf"arn:aws:iam::{account}:role/stacksets-exec-[0-9a-f]{{32}}", issuer)
    assert record["userIdentity"]["type"] == "AssumedRole"
    assert (
        record["userIdentity"]["invokedBy"],
        record["sourceIPAddress"],
        record["userAgent"],
    ) == ("cloudformation.amazonaws.com",) * 3
    assert record["requestParameters"]["policyName"] == "parts-deny"
    roles = box.client("iam", account).list_roles()["Roles"]
    assert issuer in [one["Arn"] for one in roles]


def test_sets_need_trusted_access(box: Box, ring: Ring) -> None:
    cloudformation = box.client("cloudformation", box.management)
    cloudformation.deactivate_organizations_access()
    assert cloudformation.describe_organizations_access()["Status"] == "DISABLED"
    code = refused(
        cloudformation.create_stack_set,
        StackSetName=ring.name,
        TemplateBody=queue_named("x"),
        PermissionModel="SERVICE_MANAGED",
    )
    assert code == "ValidationError"
    cloudformation.activate_organizations_access()
    assert cloudformation.describe_organizations_access()["Status"] == "ENABLED"
