"""Reconciliation as deployed: repairs removed denies, answers dead letters and self-tests."""

from __future__ import annotations

import json
from typing import Any

from handler.model.heartbeat import Heartbeat, read_heartbeat
from handler.model.names import (
    CANARY_ROLE,
    DENY_POLICY,
    MEMBER_DEAD_LETTERS,
    REVOKER,
    STATE_TABLE,
    iam_arn,
)
from sandbox.box import Box
from sandbox.demo.product_setup import Stage
from tests.end_to_end.coverage import settle_all
from tests.end_to_end.rollout import deploy_member

QUARTER = 900


def reconcile(box: Box, account: str) -> Heartbeat:
    """Reconciliation of an account, now; the heartbeat that it sent."""
    answered = box.client("lambda", account).invoke(
        FunctionName=REVOKER, Payload=json.dumps({"reconcile": True})
    )
    body: dict[str, Any] = json.loads(answered["Payload"].read())
    assert "FunctionError" not in answered, body
    return read_heartbeat(body)


def offend(stage: Stage, account: str, name: str = "mallory") -> None:
    key = stage.box.new_user(account, name, "iam:*")
    stage.box.client("iam", key=key).create_group(GroupName=f"made-by-{name}")
    settle_all(stage)
    assert stage.denied(account, user=name)


def deny_arn(account: str) -> str:
    return iam_arn(partition="aws", account=account, kind="policy", name=DENY_POLICY)


def marks(box: Box, account: str, key: str) -> dict[str, Any]:
    """An item of the state table, empty where there is none."""
    found = box.client("dynamodb", account).get_item(TableName=STATE_TABLE, Key={"pk": {"S": key}})
    return dict(found.get("Item", {}))


def test_a_stripped_deny_is_back_after_the_next_reconciliation(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    offend(enforcing, account)
    enforcing.new_mails()
    iam = box.client("iam", account)
    iam.detach_user_policy(UserName="mallory", PolicyArn=deny_arn(account))
    box.advance(QUARTER)
    assert reconcile(box, account).contained == 1
    assert enforcing.denied(account, user="mallory")
    reported = [mail.subject for mail in enforcing.new_mails() if "mallory" in mail.subject]
    assert reported == [f"[CRITICAL: deny removed] {account} user mallory: CreateGroup"]


def test_a_deny_that_somebody_rewrote_is_not_taken_for_ours(enforcing: Stage, account: str) -> None:
    box = enforcing.box
    offend(enforcing, account)
    iam = box.client("iam", account)
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.create_policy_version(
        PolicyArn=deny_arn(account),
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
        SetAsDefault=True,
    )
    box.advance(QUARTER)
    reconcile(box, account)
    # A deny that allows must be on nobody, and no deny method rests on anything else.
    assert not enforcing.denied(account, user="mallory")
    assert "stripped-contained" in marks(box, account, f"principal#{_id(box, account)}")


def test_a_rename_does_not_shake_the_reconciliation_off(enforcing: Stage, account: str) -> None:
    box = enforcing.box
    offend(enforcing, account)
    iam = box.client("iam", account)
    iam.detach_user_policy(UserName="mallory", PolicyArn=deny_arn(account))
    iam.update_user(UserName="mallory", NewUserName="innocent")
    box.advance(QUARTER)
    reconcile(box, account)
    assert enforcing.denied(account, user="innocent")


def test_dead_letters_are_tried_again(enforcing: Stage, account: str) -> None:
    box = enforcing.box
    key = box.new_user(account, "mallory", "iam:*")
    first = len(box.records)
    box.client("iam", key=key).create_group(GroupName="made-by-mallory")
    settle_all(enforcing)
    record = box.records[first]
    iam = box.client("iam", account)
    iam.detach_user_policy(UserName="mallory", PolicyArn=deny_arn(account))
    event = {"source": "aws.iam", "account": account, "detail": record}
    lost = {"version": "1.0", "requestPayload": event, "responseContext": {"statusCode": 200}}
    sqs = box.client("sqs", account)
    url = sqs.get_queue_url(QueueName=MEMBER_DEAD_LETTERS)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(lost))
    assert reconcile(box, account).dead_letters == 0
    assert enforcing.denied(account, user="mallory")


def test_the_heartbeat_tells_how_the_account_is(enforcing: Stage, account: str) -> None:
    box = enforcing.box
    beat = reconcile(box, account)
    assert (beat.account, beat.mode, beat.region) == (account, "enforce", "us-east-1")
    assert (beat.rule, beat.tamper_rule) == ("ENABLED", "ENABLED")
    assert (beat.dead_letters, beat.contained, beat.ledger_differences) == (0, 0, ())
    events = box.client("events", account)
    events.disable_rule(Name="iam-org-revoker-calls")
    assert reconcile(box, account).rule == "DISABLED"
    events.enable_rule(Name="iam-org-revoker-calls")


def test_a_lost_policy_of_the_table_is_reported_until_it_is_back(
    enforcing: Stage, account: str
) -> None:
    tables = enforcing.box.client("dynamodb", account)
    arn = tables.describe_table(TableName=STATE_TABLE)["Table"]["TableArn"]
    assert reconcile(enforcing.box, account).table_policy == "denies"
    policy = tables.get_resource_policy(ResourceArn=arn)["Policy"]
    tables.delete_resource_policy(ResourceArn=arn)
    assert reconcile(enforcing.box, account).table_policy == "missing"
    tables.put_resource_policy(ResourceArn=arn, Policy=policy)
    assert reconcile(enforcing.box, account).table_policy == "denies"


def test_a_self_test_is_measured_in_enforce_mode_and_leaves_no_deny(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    reconcile(box, account)
    settle_all(enforcing)
    box.advance(QUARTER)
    test = reconcile(box, account).self_test
    assert test.ok
    assert 0 < test.event_seconds <= test.deny_seconds < 30
    assert not enforcing.denied(account, role=CANARY_ROLE)


def test_a_self_test_is_measured_in_observe_mode_and_writes_a_tag_alone(
    stage: Stage, bare_account: str
) -> None:
    box = stage.box
    for mode in ("enforce", "observe"):
        deploy_member(
            box, bare_account, CentralBusArn=stage.bus_arn, Mode=mode, MissingGroup="treat-as-empty"
        )
        settle_all(stage)
    first = len(box.records)
    reconcile(box, bare_account)
    settle_all(stage)
    box.advance(QUARTER)
    test = reconcile(box, bare_account).self_test
    assert test.ok
    assert (test.event_seconds > 0, test.deny_seconds) == (True, 0)
    assert _writes(box, bare_account, first) == {"TagRole"}


def _writes(box: Box, account: str, first: int) -> set[str]:
    """What the revoker of an account wrote to IAM since."""
    return {
        str(record["eventName"])
        for record in box.records[first:]
        if record["recipientAccountId"] == account
        and record["eventSource"] == "iam.amazonaws.com"
        and not record["readOnly"]
        and f"assumed-role/{REVOKER}/" in record["userIdentity"].get("arn", "")
    }


def _id(box: Box, account: str) -> str:
    return str(box.client("iam", account).get_user(UserName="mallory")["User"]["UserId"])
