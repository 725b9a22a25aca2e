"""With the guardrail on the whole Organization the product works as before, and so do others."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handler.model.names import DENY_GROUP, MEMBER_DEAD_LETTERS, REVOKER, STATE_TABLE
from handler.model.report import Disposition
from sandbox.core.keys import Key
from sandbox.demo.product_setup import STACK_SET, Stage, change_mode, guarded
from tests.attacks.conftest import NewPlay
from tests.attacks.play import ADMINISTRATORS, Play, document, trust
from tests.attacks.responder_calls import release, responder
from tests.attacks.test_guardrail import said_by
from tests.waiting import wait_until

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
LOG_GROUP = f"/aws/lambda/{REVOKER}"


@pytest.fixture(scope="module")
def under(stage: Stage) -> Iterator[None]:
    with guarded(stage.box, stage.box.layout.root):
        yield


@pytest.fixture
def offender(under: None, new_play: NewPlay) -> Play:
    """mallory, contained."""
    play = new_play("watched")
    play.user("mallory", "iam:*")
    play.iam("mallory").create_group(GroupName=play.name("first"))
    play.hear()
    return play


def test_the_deny_lands(offender: Play) -> None:
    assert offender.is_held("mallory")
    assert offender.refused("mallory")


def test_the_deny_group_takes_a_user_without_room_and_the_boundary_a_role(
    under: None, play: Play
) -> None:
    play.user("mallory", "iam:*")
    play.role("deployer", "iam:*")
    arns = [play.policy(f"filler-{number}") for number in range(20)]
    for arn in arns[:10]:
        play.quiet.attach_user_policy(UserName=play["mallory"], PolicyArn=arn)
    for arn in arns:
        play.quiet.attach_role_policy(RoleName=play["deployer"], PolicyArn=arn)
    for word in ("mallory", "deployer"):
        play.iam(word).create_group(GroupName=play.name(f"group-of-{word}"))
    assert {report.method for report in play.hear()} == {"deny-group", "boundary"}
    assert play["mallory"] in play.members(DENY_GROUP)
    assert play.refused("mallory")
    assert play.refused("deployer")


def test_the_reconciliation_puts_back_what_the_sandbox_itself_took_off(offender: Play) -> None:
    play = offender
    play.quiet.detach_user_policy(UserName=play["mallory"], PolicyArn=play.deny)
    play.reconcile(after=61)
    reported = [one for one in play.hear() if one.principal_name == play["mallory"]]
    assert [one.disposition for one in reported] == [Disposition.DENY_REMOVED]
    assert play.is_held("mallory")


def test_a_tamper_event_reaches_the_central_account(under: None, play: Play) -> None:
    """By the break-glass role, the only one that still can."""
    key = play.box.new_session(
        play.account, "break-glass-tamper", "lambda:*", path="/iam-administrators/"
    )
    mailed = len(play.box.outbox)
    function = play.box.client("lambda", key=key)
    function.update_function_configuration(FunctionName=REVOKER, Description="touched")
    play.box.settle()
    (mail,) = list(play.box.outbox)[mailed:]
    assert mail.subject.startswith(
        f"[Revoker tampered] {play.account} role break-glass-tamper: UpdateFunctionConfiguration"
    )


def test_the_responder_releases(offender: Play) -> None:
    play = offender
    release(play, "mallory")
    assert not play.is_held("mallory")
    assert not play.refused("mallory")


def test_a_members_dead_letters_are_handed_over_by_the_reconciliation_or_the_break_glass_role(
    under: None, play: Play
) -> None:
    """Not by its administrators, nor by an administrator's role."""
    letter = json.dumps({"detail": {"userIdentity": {"type": "AWSService"}}})
    sqs = play.box.client("sqs", play.account)
    queue = sqs.get_queue_url(QueueName=MEMBER_DEAD_LETTERS)["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=letter)
    box, path = play.box, "/iam-administrators/"
    chief = box.new_session(play.account, "chief-of-letters", "*", path=path)
    refused = redriven(play, chief)
    assert refused.returncode == 1
    assert "AccessDenied" in refused.stderr
    rescue = box.new_session(play.account, "break-glass-letters", "*", path=path)
    done = redriven(play, rescue)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{MEMBER_DEAD_LETTERS}: 1 handed over, 0 left" in done.stdout
    sqs.send_message(QueueUrl=queue, MessageBody=letter)
    play.reconcile(after=61)
    assert "0 handed over, 0 left" in redriven(play, rescue).stdout


def redriven(play: Play, key: Key) -> subprocess.CompletedProcess[str]:
    """`responder redrive` with these credentials."""
    return responder(play, key, "redrive")


def test_an_upgrade_reaches_the_accounts_and_a_new_account_is_covered_and_left(
    under: None, stage: Stage, new_play: NewPlay
) -> None:
    box = stage.box
    change_mode(stage, "enforce", {"BreakerLimit": "7"})
    account = box.new_account("under-guard")
    wait_until(lambda: _status(stage, account) == "SUCCEEDED")
    for one in (box.members[0], account):
        function = box.client("lambda", one).get_function_configuration(FunctionName=REVOKER)
        assert function["Environment"]["Variables"]["BREAKER_LIMIT"] == "7"
    box.settle()
    box.client("organizations", box.management).move_account(
        AccountId=account,
        SourceParentId=box.layout.workloads,
        DestinationParentId=box.layout.root,
    )
    wait_until(lambda: _status(stage, account) == "")
    assert REVOKER not in {
        function["FunctionName"]
        for function in box.client("lambda", account).list_functions()["Functions"]
    }
    change_mode(stage, "enforce")
    box.settle()
    box.cool_down(account)


def _status(stage: Stage, account: str) -> str:
    box = stage.box
    found = box.client("cloudformation", box.management).list_stack_instances(
        StackSetName=STACK_SET, StackInstanceAccount=account
    )["Summaries"]
    return str(found[0]["StackInstanceStatus"]["DetailedStatus"]) if found else ""


def administrators_work(play: Play, key: Key) -> dict[str, Callable[[], Any]]:
    """What an administrator does on an ordinary day, and what everybody may look at."""
    iam, name = play.box.client("iam", key=key), play.name("ordinary")
    boundary = play.policy("bounds")
    return {
        "make a user": lambda: iam.create_user(UserName=name),
        "give her a key": lambda: iam.create_access_key(UserName=name),
        "attach a policy": lambda: iam.attach_user_policy(UserName=name, PolicyArn=READ_ONLY),
        "detach it": lambda: iam.detach_user_policy(UserName=name, PolicyArn=READ_ONLY),
        "make a group": lambda: iam.create_group(GroupName=name),
        "add her": lambda: iam.add_user_to_group(GroupName=name, UserName=name),
        "remove her": lambda: iam.remove_user_from_group(GroupName=name, UserName=name),
        "make an administrator": lambda: iam.add_user_to_group(
            GroupName=ADMINISTRATORS, UserName=name
        ),
        "make a role": lambda: iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=trust(play.account)
        ),
        "change its trust": lambda: iam.update_assume_role_policy(
            RoleName=name, PolicyDocument=trust(play.account)
        ),
        "write its policy": lambda: iam.put_role_policy(
            RoleName=name, PolicyName="own", PolicyDocument=document("s3:*")
        ),
        "bound it": lambda: iam.put_role_permissions_boundary(
            RoleName=name, PermissionsBoundary=boundary
        ),
        "unbind it": lambda: iam.delete_role_permissions_boundary(RoleName=name),
        "tag it": lambda: iam.tag_role(RoleName=name, Tags=[{"Key": "team", "Value": "x"}]),
        "make a policy": lambda: iam.create_policy(
            PolicyName=name, PolicyDocument=document("s3:*")
        ),
        "read the deny": lambda: iam.get_policy(PolicyArn=play.deny),
        "see who is denied": lambda: iam.get_group(GroupName=DENY_GROUP),
        "see the revoker's role": lambda: iam.get_role(RoleName=REVOKER),
    }


def developers_work(play: Play, key: Key) -> dict[str, Callable[[], Any]]:
    name = play.name("app")
    lambdas, events, logs, sqs, table = (
        play.box.client(service, key=key)
        for service in ("lambda", "events", "logs", "sqs", "dynamodb")
    )
    account, region = play.account, "us-east-1"
    return {
        "make a table": lambda: table.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        ),
        "write an item": lambda: table.put_item(TableName=name, Item={"pk": {"S": "x"}}),
        "make a queue": lambda: sqs.create_queue(QueueName=name),
        "make a rule": lambda: events.put_rule(Name=name, ScheduleExpression="rate(1 day)"),
        "drop the rule": lambda: events.delete_rule(Name=name),
        "make a log": lambda: logs.create_log_group(logGroupName=f"/aws/lambda/{name}"),
        "make a function": lambda: lambdas.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="index.handler",
            Role=f"arn:aws:iam::{account}:role/{play['worker']}",
            Code={"ZipFile": EMPTY_ZIP},
        ),
        "look at the revoker": lambda: lambdas.get_function_configuration(FunctionName=REVOKER),
        "look at its rules": lambda: events.list_rules(NamePrefix="iam-org-revoker-"),
        "look at its table": lambda: table.describe_table(TableName=STATE_TABLE),
        "read its log": lambda: logs.filter_log_events(logGroupName=LOG_GROUP),
        "put an event": lambda: events.put_events(
            Entries=[{"Source": "app", "DetailType": "x", "Detail": json.dumps({"at": region})}]
        ),
    }


# An archive without files.
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def test_an_administrators_ordinary_work_is_not_hindered(under: None, play: Play) -> None:
    play.user("carla", "*")
    play.alice.add_user_to_group(GroupName=ADMINISTRATORS, UserName=play["carla"])
    play.box.settle()
    # Nobody adds others within the second in which she was added (docs/limits.md).
    play.box.advance(1)
    refused = {
        title: why
        for title, call in administrators_work(play, play.keys["carla"]).items()
        if (why := said_by(call))
    }
    assert refused == {}
    play.box.settle()
    assert not play.is_held("carla")


def test_a_developers_ordinary_work_is_not_hindered(under: None, play: Play) -> None:
    play.quiet.create_role(
        RoleName=play.name("worker"), AssumeRolePolicyDocument=trust(service="lambda.amazonaws.com")
    )
    services = ("lambda", "events", "logs", "sqs", "dynamodb")
    actions = (*(f"{service}:*" for service in services), "iam:PassRole")
    play.user("devon", *actions)
    refused = {
        title: why
        for title, call in developers_work(play, play.keys["devon"]).items()
        if (why := said_by(call))
    }
    assert refused == {}
    play.box.settle()
    assert not play.is_held("devon")
