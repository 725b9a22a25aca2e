"""Calls leave records as CloudTrail writes them, for each kind of caller."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.core.keys import Key
from tests.sandbox.parts import document, role

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def records_of(box: Box, account: str) -> list[dict[str, Any]]:
    return [dict(record) for record in box.records if record["recipientAccountId"] == account]


def root(box: Box, service: str, account: str) -> Any:
    """The account's root, making records."""
    return box.client(service, account, quiet=False)


def test_a_call_of_a_user_is_recorded_whole(box: Box, account: str) -> None:
    key = box.new_user(account, "alice", "iam:*")
    iam = box.client("iam", key=key, source_ip="192.0.2.1")
    made = iam.create_user(UserName="eve", Path="/team/", Tags=[{"Key": "a", "Value": "b"}])
    (record,) = records_of(box, account)
    assert GUID.fullmatch(record.pop("eventID"))
    assert TIME.fullmatch(record.pop("eventTime"))
    assert record.pop("requestID") == made["ResponseMetadata"]["RequestId"]
    assert record.pop("userAgent").startswith("Boto3/")
    date = re.compile(r"[A-Z][a-z]{2} \d\d, \d{4} \d{1,2}:\d\d:\d\d [AP]M")
    assert date.fullmatch(record["responseElements"]["user"].pop("createDate"))
    user = box.client("iam", account).get_user(UserName="alice")["User"]
    assert record == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": user["UserId"],
            "arn": f"arn:aws:iam::{account}:user/alice",
            "accountId": account,
            "accessKeyId": key.access_key,
            "userName": "alice",
        },
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "requestParameters": {
            "path": "/team/",
            "userName": "eve",
            "tags": [{"key": "a", "value": "b"}],
        },
        "responseElements": {
            "user": {
                "path": "/team/",
                "userName": "eve",
                "userId": made["User"]["UserId"],
                "arn": f"arn:aws:iam::{account}:user/team/eve",
                "tags": [{"key": "a", "value": "b"}],
            }
        },
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }


def test_a_call_of_root_names_the_account(box: Box, account: str) -> None:
    root(box, "iam", account).create_group(GroupName="g")
    assert records_of(box, account)[0]["userIdentity"] == {
        "type": "Root",
        "principalId": account,
        "arn": f"arn:aws:iam::{account}:root",
        "accountId": account,
        "accessKeyId": f"ASIAROOT{account}",
    }


def test_a_role_session_names_its_issuer_with_the_path(box: Box, account: str) -> None:
    key = box.new_session(account, "ops", "iam:*", path="/team/", session="alice")
    box.client("iam", key=key).create_group(GroupName="g")
    identity = records_of(box, account)[-1]["userIdentity"]
    role_id = box.client("iam", account).get_role(RoleName="ops")["Role"]["RoleId"]
    attributes = identity["sessionContext"].pop("attributes")
    assert TIME.fullmatch(attributes["creationDate"])
    assert attributes["mfaAuthenticated"] == "false"
    assert identity == {
        "type": "AssumedRole",
        "principalId": f"{role_id}:alice",
        "arn": f"arn:aws:sts::{account}:assumed-role/ops/alice",
        "accountId": account,
        "accessKeyId": key.access_key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": f"arn:aws:iam::{account}:role/team/ops",
                "accountId": account,
                "userName": "ops",
            }
        },
    }


def test_a_federated_user_names_the_user_who_issued_it(box: Box, account: str) -> None:
    alice = box.new_user(account, "alice", "iam:*", "sts:GetFederationToken")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    given = box.client("sts", key=alice).get_federation_token(
        Name="console", Policy=document(everything)
    )["Credentials"]
    key = Key(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    box.client("iam", key=key).create_group(GroupName="g")
    identity = records_of(box, account)[-1]["userIdentity"]
    assert identity["type"] == "FederatedUser"
    assert identity["principalId"] == f"{account}:console"
    assert identity["arn"] == f"arn:aws:sts::{account}:federated-user/console"
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert (issuer["type"], issuer["userName"]) == ("IAMUser", "alice")
    assert issuer["arn"] == f"arn:aws:iam::{account}:user/alice"


def test_a_session_token_of_a_user_is_still_the_user(box: Box, account: str) -> None:
    alice = box.new_user(account, "alice", "iam:*")
    given = box.client("sts", key=alice).get_session_token()["Credentials"]
    key = Key(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    box.client("iam", key=key).create_group(GroupName="g")
    identity = records_of(box, account)[-1]["userIdentity"]
    assert (identity["type"], identity["userName"]) == ("IAMUser", "alice")
    assert set(identity["sessionContext"]) == {"attributes"}


def test_a_refused_call_is_recorded_without_its_parameters(box: Box, account: str) -> None:
    key = box.new_user(account, "mallory", "s3:*")
    with pytest.raises(ClientError, match="AccessDenied"):
        box.client("iam", key=key).create_user(UserName="eve")
    (record,) = records_of(box, account)
    assert record["errorCode"] == "AccessDenied"
    assert "is not authorized to perform: iam:CreateUser" in record["errorMessage"]
    assert record["requestParameters"] is None
    assert record["responseElements"] is None


def test_a_failed_call_has_the_error_by_its_long_name(box: Box, account: str) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        root(box, "iam", account).delete_user(UserName="nobody")
    (record,) = records_of(box, account)
    assert record["errorCode"] == "NoSuchEntityException"
    assert record["requestParameters"] == {"userName": "nobody"}
    assert record["responseElements"] is None


def test_a_caller_whom_nobody_knows_leaves_no_record(box: Box, account: str) -> None:
    key = box.new_user(account, "alice", "iam:*")
    for stranger in (Key("AKIAIOSFODNN7EXAMPLE", "secret"), Key(key.access_key, "wrong")):
        with pytest.raises(ClientError):
            box.client("iam", key=stranger).create_user(UserName="eve")
    assert records_of(box, account) == []


def test_the_quiet_header_hides_nobody_but_the_sandbox(box: Box, account: str) -> None:
    box.client("iam", account).create_group(GroupName="quiet")
    key = box.new_user(account, "alice", "iam:*")
    iam = box.client("iam", key=key)
    iam.meta.events.register(
        "before-call", lambda params, **_: params["headers"].update({"x-sandbox-quiet": "yes"})
    )
    iam.create_group(GroupName="loud")
    assert [r["requestParameters"] for r in records_of(box, account)] == [{"groupName": "loud"}]


def test_secrets_never_reach_a_record(box: Box, account: str) -> None:
    iam = root(box, "iam", account)
    iam.create_user(UserName="alice")
    iam.create_login_profile(UserName="alice", Password="correct horse", PasswordResetRequired=True)
    secret = iam.create_access_key(UserName="alice")["AccessKey"]["SecretAccessKey"]
    written = json.dumps(records_of(box, account))
    assert "correct horse" not in written
    assert secret not in written
    profile = records_of(box, account)[1]
    assert profile["requestParameters"] == {"userName": "alice", "passwordResetRequired": True}
    key = records_of(box, account)[2]["responseElements"]["accessKey"]
    assert sorted(key) == ["accessKeyId", "createDate", "status", "userName"]


def test_reads_are_marked_and_answer_nothing(box: Box, account: str) -> None:
    iam = root(box, "iam", account)
    iam.list_users()
    iam.generate_credential_report()
    assert [
        (r["eventName"], r["readOnly"], r["responseElements"]) for r in records_of(box, account)
    ] == [
        ("ListUsers", True, None),
        ("GenerateCredentialReport", True, None),
    ]


def test_lambda_events_have_their_dated_names_and_hide_code_and_environment(
    box: Box, account: str
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return 1")
    functions = root(box, "lambda", account)
    functions.create_function(
        FunctionName="f",
        Runtime="python3.13",
        Role=role(box, account, "r", service="lambda.amazonaws.com"),
        Handler="index.handler",
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {"TOKEN": "hidden"}},
    )
    functions.update_function_configuration(FunctionName="f", Timeout=9)
    functions.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    functions.delete_function(FunctionName="f")
    records = records_of(box, account)
    assert [record["eventName"] for record in records] == [
        "CreateFunction20150331",
        "UpdateFunctionConfiguration20150331v2",
        "PutFunctionConcurrency20171031",
        "DeleteFunction20150331",
    ]
    made = records[0]["requestParameters"]
    assert (made["code"], made["environment"]) == ({}, {})
    assert records[1]["requestParameters"] == {"functionName": "f", "timeout": 9}


def test_calls_of_every_protocol_are_recorded_but_no_data_events(box: Box, account: str) -> None:
    sqs = root(box, "sqs", account)
    url = sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="data")
    table = {"TableName": "table", "BillingMode": "PAY_PER_REQUEST"}
    root(box, "dynamodb", account).create_table(
        **table,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    root(box, "dynamodb", account).put_item(TableName="table", Item={"id": {"S": "1"}})
    root(box, "events", account).put_rule(Name="r", EventPattern='{"source": ["a"]}')
    root(box, "logs", account).create_log_group(logGroupName="g")
    root(box, "sns", account).create_topic(Name="t")
    root(box, "sts", account).get_caller_identity()
    assert [(r["eventSource"], r["eventName"]) for r in records_of(box, account)] == [
        ("sqs.amazonaws.com", "CreateQueue"),
        ("dynamodb.amazonaws.com", "CreateTable"),
        ("events.amazonaws.com", "PutRule"),
        ("logs.amazonaws.com", "CreateLogGroup"),
        ("sns.amazonaws.com", "CreateTopic"),
        ("sts.amazonaws.com", "GetCallerIdentity"),
    ]
    assert records_of(box, account)[0]["requestParameters"] == {
        "queueName": "q",
        "attributes": {"DelaySeconds": "0"},
    }


def test_a_call_that_deletes_its_own_caller_still_names_her(box: Box, account: str) -> None:
    key = box.new_user(account, "alice", "iam:*")
    box.client("iam", key=key).delete_access_key(UserName="alice", AccessKeyId=key.access_key)
    assert records_of(box, account)[0]["userIdentity"]["userName"] == "alice"
