"""Service control policies bind members, their roots and what is done in them by StackSets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.parts import allow, document, function

KIND = "SERVICE_CONTROL_POLICY"


def deny(action: Any, **conditions: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Deny", "Action": action, "Resource": "*"}
    return statement | ({"Condition": conditions} if conditions else {})


def policy(box: Box, name: str, *statements: dict[str, Any]) -> str:
    made = box.client("organizations", box.management).create_policy(
        Name=name, Description="", Type=KIND, Content=document(*statements)
    )
    return str(made["Policy"]["PolicySummary"]["Id"])


@contextmanager
def bound(box: Box, target: str, *statements: dict[str, Any]) -> Iterator[None]:
    """A policy attached to a root, OU or account for the length of a block."""
    organizations = box.client("organizations", box.management)
    made = policy(box, f"for-{target}-{len(organizations.list_policies(Filter=KIND))}", *statements)
    organizations.attach_policy(PolicyId=made, TargetId=target)
    try:
        yield
    finally:
        organizations.detach_policy(PolicyId=made, TargetId=target)
        organizations.delete_policy(PolicyId=made)


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_member_is_refused_in_the_name_of_the_policy(box: Box, account: str) -> None:
    iam = box.client("iam", key=box.new_user(account, "admin", "*"))
    with bound(box, account, deny("iam:CreateUser")):
        message = (
            f"User: arn:aws:iam::{account}:user/admin is not authorized to perform: iam:CreateUser "
            f"on resource: arn:aws:iam::{account}:user/eve with an explicit deny in a service "
            "control policy"
        )
        assert refusal(iam.create_user, UserName="eve") == ("AccessDenied", message)
        record = [one for one in box.records if one["recipientAccountId"] == account][-1]
        assert (record["errorCode"], record["errorMessage"]) == ("AccessDenied", message)
        assert record["requestParameters"] is None
        iam.create_group(GroupName="ordinary-work")
    iam.create_user(UserName="eve")


def test_the_root_of_a_member_is_bound_and_the_sandbox_itself_is_not(
    box: Box, account: str
) -> None:
    with bound(box, account, deny("iam:CreateUser")):
        root = box.client("iam", account, quiet=False)
        assert "service control policy" in refusal(root.create_user, UserName="eve")[1]
        box.client("iam", account).create_user(UserName="eve")


def test_every_protocol_hears_which_policy_it_was(box: Box, account: str) -> None:
    key = box.new_user(account, "admin", "*")
    with bound(box, account, deny("*")):
        calls: list[tuple[Any, dict[str, Any]]] = [
            (box.client("lambda", key=key).list_functions, {}),
            (
                box.client("events", key=key).put_rule,
                {"Name": "r", "ScheduleExpression": "rate(1 day)"},
            ),
            (box.client("dynamodb", key=key).list_tables, {}),
            (box.client("sqs", key=key).create_queue, {"QueueName": "q"}),
            (box.client("logs", key=key).describe_log_groups, {}),
        ]
        for call, params in calls:
            code, message = refusal(call, **params)
            assert code in ("AccessDenied", "AccessDeniedException")
            assert message.endswith("with an explicit deny in a service control policy")
        box.client("sts", key=key).get_caller_identity()


def test_policies_come_down_from_the_root_and_the_ous(box: Box) -> None:
    organizations = box.client("organizations", box.management)
    parent = organizations.create_organizational_unit(
        ParentId=box.layout.workloads, Name="inherited"
    )["OrganizationalUnit"]["Id"]
    account = box.new_account("inheriting", parent=parent)
    iam = box.client("iam", key=box.new_user(account, "admin", "*"))
    group = {"GroupName": "never-made"}
    for target in (parent, box.layout.workloads, box.layout.root):
        with bound(box, target, deny("iam:CreateGroup")):
            assert "service control policy" in refusal(iam.create_group, **group)[1]
    with bound(box, parent, deny("iam:CreateGroup")):
        organizations.move_account(
            AccountId=account, SourceParentId=parent, DestinationParentId=box.layout.sandbox
        )
        iam.create_group(**group)


def test_what_no_level_allows_is_refused(box: Box, account: str) -> None:
    iam = box.client("iam", key=box.new_user(account, "admin", "*"))
    organizations = box.client("organizations", box.management)
    with bound(box, account, allow("iam:List*")):
        iam.create_group(GroupName="g")
        organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=account)
        iam.list_groups()
        code, message = refusal(iam.create_group, GroupName="h")
        assert code == "AccessDenied"
        why = "because no service control policy allows the iam:CreateGroup action"
        assert message.endswith(why)
        organizations.attach_policy(PolicyId="p-FullAWSAccess", TargetId=account)


def test_an_allow_of_an_identity_is_needed_all_the_same(box: Box, account: str) -> None:
    iam = box.client("iam", key=box.new_user(account, "alice"))
    message = refusal(iam.list_users)[1]
    assert "because no identity-based policy allows" in message


def test_the_management_account_and_service_linked_roles_are_never_bound(
    box: Box, account: str
) -> None:
    box.client("iam", account).create_role(
        RoleName="AWSServiceRoleForSSO",
        Path="/aws-service-role/sso.amazonaws.com/",
        AssumeRolePolicyDocument=document(
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}}
        ),
    )
    box.client("iam", account).put_role_policy(
        RoleName="AWSServiceRoleForSSO", PolicyName="p", PolicyDocument=document(allow("*"))
    )
    given = box.client("sts", account).assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/aws-service-role/sso.amazonaws.com/"
        "AWSServiceRoleForSSO",
        RoleSessionName="AWS-SSO",
    )["Credentials"]
    key = type(box.new_user(account, "x"))(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    )
    with bound(box, box.layout.root, deny("iam:CreateGroup")):
        box.client("iam", box.management, quiet=False).create_group(GroupName="of-management")
        box.client("iam", key=key).create_group(GroupName="of-aws")
    box.client("iam", box.management).delete_group(GroupName="of-management")


def test_a_session_is_known_by_the_arn_of_its_role_with_the_path(box: Box, account: str) -> None:
    spared = {"aws:PrincipalArn": "arn:aws:iam::*:role/rescue/helper"}
    helper = box.client("iam", key=box.new_session(account, "helper", "*", path="/rescue/"))
    alike = box.client("iam", key=box.new_session(account, "helper-evil", "*", path="/rescue/"))
    elsewhere = box.client("iam", key=box.new_session(account, "other", "*", session="helper"))
    with bound(box, account, deny("iam:CreateGroup", ArnNotLike=spared)):
        helper.create_group(GroupName="g")
        for iam in (alike, elsewhere):
            assert refusal(iam.create_group, GroupName="h")[0] == "AccessDenied"


def test_conditions_know_policies_boundaries_and_regions(box: Box, account: str) -> None:
    key = box.new_user(account, "admin", "*")
    iam = box.client("iam", key=key)
    made = iam.create_policy(
        PolicyName="deny", Path="/ours/", PolicyDocument=document(deny("s3:*"))
    )
    ours, other = made["Policy"]["Arn"], "arn:aws:iam::aws:policy/PowerUserAccess"
    for arn in (ours, other):
        iam.attach_user_policy(UserName="admin", PolicyArn=arn)
    pattern = "arn:aws:iam::*:policy/ours/*"
    statements = [
        deny("iam:DetachUserPolicy", ArnLike={"iam:PolicyARN": pattern}),
        deny("iam:PutUserPermissionsBoundary", ArnLike={"iam:PermissionsBoundary": pattern}),
        deny("events:*", StringNotEquals={"aws:RequestedRegion": "us-east-1"}),
    ]
    with bound(box, account, *statements):
        iam.detach_user_policy(UserName="admin", PolicyArn=other)
        held = {"UserName": "admin", "PolicyArn": ours}
        assert "service control policy" in refusal(iam.detach_user_policy, **held)[1]
        limit = {"UserName": "admin", "PermissionsBoundary": ours}
        assert "service control policy" in refusal(iam.put_user_permissions_boundary, **limit)[1]
        box.client("events", key=key).list_rules()
        there = box.client("events", key=key, region="eu-west-1")
        assert "service control policy" in refusal(there.list_rules)[1]


def test_a_role_may_be_spared_in_its_function_only(box: Box, account: str) -> None:
    code = (
        "import boto3\ndef handler(*_): boto3.client('iam').create_group(GroupName='by-function')\n"
    )
    arn = function(box, account, "worker", code, allow("iam:*"))
    spared = {"lambda:SourceFunctionArn": arn}
    with bound(box, account, deny("iam:CreateGroup", ArnNotEquals=spared)):
        answer = box.client("lambda", account).invoke(FunctionName="worker")
        assert "FunctionError" not in answer
        person = box.client("iam", key=box.new_session(account, "person", "*"))
        assert refusal(person.create_group, GroupName="h")[0] == "AccessDenied"


def test_a_policy_attached_to_nothing_binds_nobody(box: Box, account: str) -> None:
    unused = policy(box, f"unused-{account}", deny("*"))
    box.client("iam", account, quiet=False).create_group(GroupName="g")
    box.client("organizations", box.management).delete_policy(PolicyId=unused)


def test_the_organization_keeps_to_its_limits(box: Box, account: str) -> None:
    organizations = box.client("organizations", box.management)
    last = {"PolicyId": "p-FullAWSAccess", "TargetId": account}
    assert refusal(organizations.detach_policy, **last)[0] == "ConstraintViolationException"
    padded = document(deny("s3:*")) + " " * 10_240
    made = {"Name": "long", "Description": "", "Type": KIND, "Content": padded}
    assert refusal(organizations.create_policy, **made)[0] == "ConstraintViolationException"
    many = [policy(box, f"many-{number}", deny("s3:*")) for number in range(10)]
    for one in many[:9]:
        organizations.attach_policy(PolicyId=one, TargetId=account)
    eleventh = {"PolicyId": many[9], "TargetId": account}
    assert refusal(organizations.attach_policy, **eleventh)[0] == "ConstraintViolationException"
    attached = organizations.list_policies_for_target(TargetId=account, Filter=KIND)["Policies"]
    assert len(attached) == 10
    (target,) = organizations.list_targets_for_policy(PolicyId=many[0])["Targets"]
    assert target["TargetId"] == account
    in_use = {"PolicyId": many[0]}
    assert refusal(organizations.delete_policy, **in_use)[0] == "PolicyInUseException"
    for one in many[:9]:
        organizations.detach_policy(PolicyId=one, TargetId=account)
    for one in many:
        organizations.delete_policy(PolicyId=one)


def test_a_policy_that_is_changed_binds_as_it_is_now(box: Box, account: str) -> None:
    iam = box.client("iam", account, quiet=False)
    organizations = box.client("organizations", box.management)
    made = policy(box, f"changing-{account}", deny("iam:CreateGroup"))
    organizations.attach_policy(PolicyId=made, TargetId=account)
    assert refusal(iam.create_group, GroupName="g")[0] == "AccessDenied"
    organizations.update_policy(PolicyId=made, Content=document(deny("s3:*")))
    iam.create_group(GroupName="g")
    described = organizations.describe_policy(PolicyId=made)["Policy"]
    assert json.loads(described["Content"])["Statement"] == [deny("s3:*")]
    organizations.detach_policy(PolicyId=made, TargetId=account)
    organizations.delete_policy(PolicyId=made)


def test_only_the_management_account_touches_policies(box: Box, account: str) -> None:
    member = box.client("organizations", account)
    attach = {"PolicyId": "p-FullAWSAccess", "TargetId": account}
    assert refusal(member.attach_policy, **attach)[0] == "AccessDeniedException"
