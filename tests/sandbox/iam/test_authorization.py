"""IAM decides in the sandbox as on AWS where the emulator alone does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.core.keys import Key
from tests.sandbox.parts import allow, document, function

DENY = "arn:aws:iam::{account}:policy/ours/deny"
BOUNDARY = "arn:aws:iam::{account}:policy/ours/boundary"


def outcome(call: Any, **params: Any) -> str:
    """ "done", or the code of the refusal."""
    try:
        call(**params)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return "done"


def people(box: Box, account: str) -> None:
    """A user, a role and two groups, some with a path, and two policies."""
    iam = box.client("iam", account)
    for name in ("deny", "boundary", "other"):
        iam.create_policy(
            PolicyName=name, Path="/ours/", PolicyDocument=document(allow("s3:ListAllMyBuckets"))
        )
    iam.create_user(UserName="bob", Path="/team/")
    boundary = BOUNDARY.format(account=account)
    iam.create_user(UserName="carol", PermissionsBoundary=boundary)
    trust = allow("sts:AssumeRole") | {"Principal": {"AWS": account}}
    del trust["Resource"]
    iam.create_role(RoleName="ops", Path="/team/", AssumeRolePolicyDocument=document(trust))
    iam.create_group(GroupName="denied", Path="/ours/")
    iam.create_group(GroupName="Administrators")


CASES: list[tuple[str, dict[str, Any], str, dict[str, str], str]] = [
    # what it is about, the statement, the call, its parameters, the outcome
    (
        "the policy that may be attached",
        allow("iam:AttachUserPolicy", ArnEquals={"iam:PolicyARN": DENY}),
        "attach_user_policy",
        {"UserName": "carol", "PolicyArn": DENY},
        "done",
    ),
    (
        "another policy",
        allow("iam:AttachUserPolicy", ArnEquals={"iam:PolicyARN": DENY}),
        "attach_user_policy",
        {"UserName": "carol", "PolicyArn": DENY.replace("deny", "other")},
        "AccessDenied",
    ),
    (
        "the boundary that may be set",
        allow("iam:PutRolePermissionsBoundary", StringEquals={"iam:PermissionsBoundary": BOUNDARY}),
        "put_role_permissions_boundary",
        {"RoleName": "ops", "PermissionsBoundary": BOUNDARY},
        "done",
    ),
    (
        "another boundary",
        allow("iam:PutRolePermissionsBoundary", StringEquals={"iam:PermissionsBoundary": BOUNDARY}),
        "put_role_permissions_boundary",
        {"RoleName": "ops", "PermissionsBoundary": DENY},
        "AccessDenied",
    ),
    (
        "a user under her path",
        allow("iam:DeleteUser", "arn:aws:iam::*:user/team/*"),
        "delete_user",
        {"UserName": "bob"},
        "done",
    ),
    (
        "a user outside the path",
        allow("iam:DeleteUser", "arn:aws:iam::*:user/team/*"),
        "delete_user",
        {"UserName": "carol"},
        "AccessDenied",
    ),
    (
        "a user by her name without the path",
        allow("iam:DeleteUser", "arn:aws:iam::*:user/bob"),
        "delete_user",
        {"UserName": "bob"},
        "AccessDenied",
    ),
    (
        "a role under its path",
        allow("iam:TagRole", "arn:aws:iam::*:role/team/ops"),
        "delete_role",
        {"RoleName": "ops"},
        "AccessDenied",
    ),
    (
        "a user made below the path that is allowed",
        allow("iam:CreateUser", "arn:aws:iam::*:user/team/*"),
        "create_user",
        {"UserName": "dave", "Path": "/team/"},
        "done",
    ),
    (
        "a user made with the name of another's, outside the path",
        allow("iam:CreateUser", "arn:aws:iam::*:user/team/*"),
        "create_user",
        {"UserName": "bob", "Path": "/"},
        "AccessDenied",
    ),
    (
        "a policy made below the path that is allowed",
        allow("iam:CreatePolicy", "arn:aws:iam::*:policy/theirs/*"),
        "create_policy",
        {"PolicyName": "p", "Path": "/theirs/", "PolicyDocument": document(allow("s3:*"))},
        "done",
    ),
    (
        "the group that may be joined",
        allow("iam:AddUserToGroup", "arn:aws:iam::*:group/ours/denied"),
        "add_user_to_group",
        {"GroupName": "denied", "UserName": "bob"},
        "done",
    ),
    (
        "another group",
        allow("iam:AddUserToGroup", "arn:aws:iam::*:group/ours/denied"),
        "add_user_to_group",
        {"GroupName": "Administrators", "UserName": "bob"},
        "AccessDenied",
    ),
    (
        "a membership by the user's ARN, which is not what IAM asks",
        allow("iam:AddUserToGroup", "arn:aws:iam::*:user/*"),
        "add_user_to_group",
        {"GroupName": "denied", "UserName": "bob"},
        "AccessDenied",
    ),
    (
        "a service-linked role of the service that is allowed",
        allow("iam:CreateServiceLinkedRole", StringLike={"iam:AWSServiceName": "ecs.*"}),
        "create_service_linked_role",
        {"AWSServiceName": "ecs.amazonaws.com"},
        "done",
    ),
    (
        "a service-linked role of another service",
        allow("iam:CreateServiceLinkedRole", StringLike={"iam:AWSServiceName": "ecs.*"}),
        "create_service_linked_role",
        {"AWSServiceName": "elasticloadbalancing.amazonaws.com"},
        "AccessDenied",
    ),
    (
        "a policy's ARN, which a call carries that attaches or detaches, and no other",
        allow("iam:GetPolicy", ArnEquals={"iam:PolicyARN": DENY}),
        "get_policy",
        {"PolicyArn": DENY},
        "AccessDenied",
    ),
    (
        "the boundary of a user who joins a group, which such a call does not carry",
        allow("iam:AddUserToGroup", StringEquals={"iam:PermissionsBoundary": BOUNDARY}),
        "add_user_to_group",
        {"GroupName": "denied", "UserName": "carol"},
        "AccessDenied",
    ),
]


@pytest.mark.parametrize(
    ("statement", "call", "params", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_iam_asks_for(
    box: Box,
    account: str,
    statement: dict[str, Any],
    call: str,
    params: dict[str, str],
    expected: str,
) -> None:
    people(box, account)
    policy = json.loads(document(statement).replace("{account}", account))
    key = box.new_user(account, "caller", policy)
    filled = {name: value.replace("{account}", account) for name, value in params.items()}
    assert outcome(getattr(box.client("iam", key=key), call), **filled) == expected


def test_a_user_who_names_nobody_acts_on_herself(box: Box, account: str) -> None:
    mine = allow("iam:CreateAccessKey", "arn:aws:iam::*:user/alice")
    alice = box.new_user(account, "alice", json.loads(document(mine)))
    bob = box.new_user(account, "bob", json.loads(document(mine)))
    made = box.client("iam", key=alice).create_access_key()["AccessKey"]
    assert made["UserName"] == "alice"
    assert outcome(box.client("iam", key=bob).create_access_key) == "AccessDenied"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("arn:aws:iam::*:role/team/ops", "done"),
        ("arn:aws:iam::*:role/ops", "AccessDenied"),
        ("arn:aws:sts::*:assumed-role/ops/*", "AccessDenied"),
    ],
)
def test_the_principal_arn_of_a_session_is_the_roles_with_its_path(
    box: Box, account: str, pattern: str, expected: str
) -> None:
    statement = allow("iam:ListUsers", ArnLike={"aws:PrincipalArn": pattern})
    key = box.new_session(account, "ops", json.loads(document(statement)), path="/team/")
    assert outcome(box.client("iam", key=key).list_users) == expected


def test_the_organization_of_a_principal_is_ours_or_none(box: Box, account: str) -> None:
    ours = {"aws:PrincipalOrgID": box.organization_id}
    statement = json.loads(document(allow("iam:ListUsers", StringEquals=ours)))
    inside = box.new_user(account, "alice", statement)
    outside = box.new_user("888888888888", "alice", statement)
    assert outcome(box.client("iam", key=inside).list_users) == "done"
    assert outcome(box.client("iam", key=outside).list_users) == "AccessDenied"


def test_only_the_function_itself_has_its_source_arn(box: Box, account: str) -> None:
    arn = f"arn:aws:lambda:us-east-1:{account}:function:lister"
    statement = allow("iam:ListUsers", ArnEquals={"lambda:SourceFunctionArn": arn})
    code = """
import boto3
def handler(event, context):
    return [len(boto3.client("iam").list_users()["Users"]),
            boto3.client("sts").get_caller_identity()["UserId"]]
"""
    function(box, account, "lister", code, statement)
    answer = box.client("lambda", account).invoke(FunctionName="lister")
    iam = box.client("iam", account)
    role_id = iam.get_role(RoleName="lister-role")["Role"]["RoleId"]
    assert json.loads(answer["Payload"].read()) == [0, f"{role_id}:lister"]
    # The same role in a person's hands, with a session named like the function.
    trust = allow("sts:AssumeRole") | {"Principal": {"AWS": account}}
    del trust["Resource"]
    iam.update_assume_role_policy(RoleName="lister-role", PolicyDocument=document(trust))
    given = box.client("sts", account).assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/parts/lister-role", RoleSessionName="lister"
    )["Credentials"]
    person = Key(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert outcome(box.client("iam", key=person).list_users) == "AccessDenied"


def test_events_source_is_known_to_identity_policies(box: Box, account: str) -> None:
    statement = allow(
        "events:PutEvents", **{"ForAllValues:StringEquals": {"events:source": "ours"}}
    )
    events = box.client("events", key=box.new_user(account, "a", json.loads(document(statement))))
    entries = [{"Source": name, "DetailType": "b", "Detail": "{}"} for name in ("ours", "theirs")]
    assert outcome(events.put_events, Entries=entries[:1]) == "done"
    assert outcome(events.put_events, Entries=entries[1:]) == "AccessDeniedException"
    assert outcome(events.put_events, Entries=entries) == "AccessDeniedException"


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", "AccessDeniedException"),
        ("StringLike", "AccessDeniedException"),
        ("StringEqualsIfExists", "AccessDeniedException"),
        ("StringNotEquals", "AccessDeniedException"),
        ("ForAnyValue:StringLike", "done"),
        ("ForAllValues:StringLike", "done"),
    ],
)
def test_a_key_of_many_values_is_compared_by_a_set_operator_alone(
    box: Box, account: str, operator: str, expected: str
) -> None:
    """The Service Authorization Reference calls events:source an ArrayOfString."""
    value = "theirs" if "Not" in operator else "ours"
    statement = allow("events:PutEvents", **{operator: {"events:source": value}})
    events = box.client("events", key=box.new_user(account, "a", json.loads(document(statement))))
    entry = {"Source": "ours", "DetailType": "b", "Detail": "{}"}
    assert outcome(events.put_events, Entries=[entry]) == expected


@pytest.mark.parametrize(("named", "expected"), [("true", "AccessDenied"), ("false", "done")])
def test_a_set_without_values_is_taken_unless_null_says_no(
    box: Box, account: str, named: str, expected: str
) -> None:
    """IAM User Guide: ForAllValues is true when there is no such key in the request."""
    asked = {"Null": {"aws:TagKeys": "false"}} if named == "true" else {}
    statement = allow(
        "iam:CreateUser", **{"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, **asked
    )
    iam = box.client("iam", key=box.new_user(account, "a", json.loads(document(statement))))
    assert outcome(iam.create_user, UserName="b") == expected
    tagged = {"UserName": "c", "Tags": [{"Key": "cost", "Value": "blue"}]}
    assert outcome(iam.create_user, **tagged) == "AccessDenied"


def test_a_function_of_another_account_runs_for_whom_its_policy_names(
    box: Box, account: str
) -> None:
    runner = function(box, account, "revoker", "def handler(event, context): return event")
    other = box.new_account("central-responder")
    responder = box.new_session(other, "responder", "lambda:InvokeFunction", path="/ours/")
    person = box.new_user(other, "mallory", "lambda:InvokeFunction")
    without = box.new_session(other, "without", "s3:*")
    call = {"FunctionName": runner, "Payload": b'{"release": "bob"}'}
    assert outcome(box.client("lambda", key=responder).invoke, **call) == "AccessDeniedException"
    box.client("lambda", account).add_permission(
        FunctionName="revoker",
        StatementId="responder",
        Action="lambda:InvokeFunction",
        Principal=f"arn:aws:iam::{other}:role/ours/responder",
    )
    answer = box.client("lambda", key=responder).invoke(**call)
    assert json.loads(answer["Payload"].read()) == {"release": "bob"}
    for stranger in (person, without):
        refused = outcome(box.client("lambda", key=stranger).invoke, **call)
        assert refused == "AccessDeniedException"


def test_the_policy_of_a_table_keeps_even_its_own_account_out(box: Box, account: str) -> None:
    tables = box.client("dynamodb", account)
    arn = tables.create_table(
        TableName="state",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )["TableDescription"]["TableArn"]
    writer = box.new_session(account, "writer", "dynamodb:*")
    person = box.new_user(account, "mallory", "dynamodb:*")
    only = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{account}:role/writer"}}
    shut = allow("dynamodb:PutItem", arn, **only) | {"Effect": "Deny", "Principal": "*"}
    tables.put_resource_policy(ResourceArn=arn, Policy=document(shut))
    item = {"TableName": "state", "Item": {"id": {"S": "1"}}}
    assert outcome(box.client("dynamodb", key=writer).put_item, **item) == "done"
    refused = outcome(box.client("dynamodb", key=person).put_item, **item)
    assert refused == "AccessDeniedException"
    transaction = [{"Put": item}]
    assert (
        outcome(box.client("dynamodb", key=person).transact_write_items, TransactItems=transaction)
        == "AccessDeniedException"
    )
    removal = outcome(box.client("dynamodb", key=person).delete_resource_policy, ResourceArn=arn)
    assert removal == "done"


def test_policies_that_demand_tls_hold(box: Box, account: str) -> None:
    statement = allow("iam:ListUsers", Bool={"aws:SecureTransport": "true"})
    key = box.new_user(account, "alice", json.loads(document(statement)))
    assert outcome(box.client("iam", key=key).list_users) == "done"
