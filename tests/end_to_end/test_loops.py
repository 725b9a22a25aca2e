"""The revoker's own calls are IAM calls too: they must not wake it, however it contains."""

from __future__ import annotations

from sandbox.box import Box
from sandbox.demo.product_setup import Stage, is_denied
from tests.end_to_end.coverage import invocations, judged, recorded, settle_all


def own_writes(box: Box, account: str) -> list[str]:
    """The recorded IAM writes of an account's revoker."""
    own = f"arn:aws:sts::{account}:assumed-role/iam-org-revoker/iam-org-revoker"
    return [
        record["eventName"]
        for record in box.records
        if record["userIdentity"].get("arn") == own and not record["readOnly"]
    ]


def test_one_call_is_one_invocation_though_the_deny_is_a_call_of_iam_too(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    before, judged_before = invocations(box, account), judged(box, account)
    key = box.new_user(account, "mallory", "iam:*")
    box.client("iam", account, key=key).create_instance_profile(InstanceProfileName="fleet")
    settle_all(enforcing)
    event = recorded(box, account, "CreateInstanceProfile")["eventID"]
    assert own_writes(box, account) == ["AttachUserPolicy"]
    assert invocations(box, account) - before == 1
    assert judged(box, account)[len(judged_before) :] == [
        {"eventId": event, "action": "contain", "reason": "not-an-administrator"}
    ]


def test_a_contained_callers_refused_calls_are_one_invocation_each_and_write_nothing(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    before = invocations(box, account)
    session = box.new_session(account, "deploy", "iam:*", path="/teams/")
    iam = box.client("iam", account, key=session)
    iam.create_group(GroupName="accomplices")
    box.settle()
    refused = [is_denied(lambda: iam.create_group(GroupName="more-accomplices")) for _ in range(3)]
    settle_all(enforcing)
    assert refused == [True] * 3
    assert own_writes(box, account) == ["AttachRolePolicy"]
    assert invocations(box, account) - before == 4


def test_the_rollouts_own_calls_contain_nobody(enforcing: Stage, account: str) -> None:
    box = enforcing.box
    rolled_out = [
        record["eventName"]
        for record in box.records
        if record["recipientAccountId"] == account
        and "assumed-role/stacksets-exec-" in record["userIdentity"].get("arn", "")
    ]
    assert {"CreateRole", "PutRolePolicy", "CreatePolicy", "CreateGroup"} <= set(rolled_out)
    assert own_writes(box, account) == []
    assert {line["action"] for line in judged(box, account)} <= {"ignore"}
