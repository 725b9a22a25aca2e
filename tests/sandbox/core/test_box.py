"""The box's own doors: mail, faults, accounts, and the command line of AWS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.core.faults import KILL_AFTER, KILL_BEFORE
from sandbox.mail.mailbox import subject_problem
from tests.sandbox.parts import allow, function


def topic(box: Box, account: str) -> str:
    sns = box.client("sns", account)
    arn = str(sns.create_topic(Name="t")["TopicArn"])
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="security@example.com")
    return arn


def test_mail_can_be_read_as_it_arrived(box: Box, account: str) -> None:
    arn = topic(box, account)
    box.client("sns", account).publish(TopicArn=arn, Subject="Hello", Message="One\nTwo")
    (mail,) = box.outbox.of(arn)
    assert (mail.address, mail.subject, mail.body) == ("security@example.com", "Hello", "One\nTwo")
    assert mail.time.tzinfo is not None


@pytest.mark.parametrize(
    ("subject", "problem"),
    [
        ("x" * 99, ""),
        ("~ Printable: all of it!", ""),
        ("x" * 100, "more than 99 characters"),
        ("two\nlines", "not printable ASCII on one line"),
        ("tab\there", "not printable ASCII on one line"),
        ("Gr\u00fc\u00dfe", "not printable ASCII on one line"),
        (" leading space", "begins with a space"),
    ],
)
def test_subjects_obey_the_rules_of_sns(subject: str, problem: str) -> None:
    assert subject_problem(subject) == problem


def test_a_bad_subject_is_refused_and_nothing_is_sent(box: Box, account: str) -> None:
    arn = topic(box, account)
    with pytest.raises(ClientError, match=r"InvalidParameter.*not printable ASCII"):
        box.client("sns", account).publish(TopicArn=arn, Subject="two\nlines", Message="m")
    assert box.outbox.of(arn) == []


def test_the_next_calls_fail_as_told_and_then_succeed(box: Box, account: str) -> None:
    arn = topic(box, account)
    key = box.new_user(account, "alice", "sns:Publish")
    box.fail_next("sns", "Publish", 1, "InternalError")
    box.fail_next("sns", "Publish", 1, "AuthorizationError")
    with pytest.raises(ClientError, match="AuthorizationError"):
        box.client("sns", key=key).publish(TopicArn=arn, Message="m")
    box.client("sns", key=key).publish(TopicArn=arn, Message="m")
    assert len(box.outbox.of(arn)) == 1


def test_the_accounts_are_one_organization(box: Box, account: str) -> None:
    listed = box.client("organizations", box.management).list_accounts()["Accounts"]
    known = {one["Id"] for one in listed}
    pages = box.client("organizations", box.management).get_paginator("list_accounts").paginate()
    known = {one["Id"] for page in pages for one in page["Accounts"]}
    assert {box.management, box.security, *box.members, account} <= known
    assert len(box.members) == 3


def test_the_command_line_of_aws_reaches_it(box: Box, account: str) -> None:
    found = shutil.which("aws") or str(Path(sys.executable).parent / "aws")
    if not Path(found).exists():
        pytest.skip("the AWS command line is not installed here")
    key = box.new_user(account, "alice", "iam:GetUser")
    done = subprocess.run(
        [found, "--endpoint-url", box.endpoint, *["--output", "text", "iam", "get-user"]],
        env={
            "PATH": "/usr/bin:/bin",
            "AWS_ACCESS_KEY_ID": key.access_key,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split()[:2] == ["USER", f"arn:aws:iam::{account}:user/alice"]


@pytest.mark.parametrize(("code", "groups"), [(KILL_BEFORE, []), (KILL_AFTER, ["g"])])
def test_a_function_dies_in_the_middle_of_its_call(
    box: Box, account: str, code: str, groups: list[str]
) -> None:
    source = "import boto3\ndef handler(*a): boto3.client('iam').create_group(GroupName='g')"
    function(box, account, "f", source, allow("iam:CreateGroup"))
    box.fail_next("iam", "CreateGroup", 1, code)
    answer = box.client("lambda", account).invoke(FunctionName="f")
    assert "Worker process died" in answer["Payload"].read().decode()
    found = box.client("iam", account).list_groups()["Groups"]
    assert [group["GroupName"] for group in found] == groups


def test_hidden_messages_come_back_when_told(box: Box, account: str) -> None:
    sqs = box.client("sqs", account)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    box.unhide(f"arn:aws:sqs:us-east-1:{account}:q")
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


def test_the_running_sandbox_says_how_to_reach_it_and_leaves_on_a_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--members", "1"],
        cwd=Path(__file__).parents[3],
        env={"PATH": os.environ["PATH"], "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    said = ""
    try:
        while "Ctrl-C ends it all" not in said:
            line = running.stdout.readline()
            assert line, said
            said += line
        monkeypatch.setenv("AWS_CONFIG_FILE", said.split("export AWS_CONFIG_FILE=")[1].split()[0])
        reached = {
            name: boto3.Session(profile_name=name).client("sts").get_caller_identity()["Account"]
            for name in ("management", "security", "member-1")
        }
    finally:
        running.terminate()
        assert running.wait(timeout=30) == 0
    assert reached == {
        "management": "111122223333",
        "security": "444455556666",
        "member-1": "777788889991",
    }
    assert "Organization o-exampleorgid at http://127.0.0.1:" in said
    assert "  aws --endpoint-url http://127.0.0.1:" in said
    assert "111122223333" in said
    assert "777788889991" in said
