"""IAM, the bus or the function fail: what can be done again is, and nothing is swallowed."""

from __future__ import annotations

import json

import pytest

from handler.model.names import CALLS_RULE, REVOKER
from sandbox.core.keys import REGION
from sandbox.core.service_client import Arn, invoke
from sandbox.demo.product_setup import Stage
from tests.end_to_end.coverage import (
    calls_counted,
    judged,
    mails,
    member_dead_letters,
    recorded,
    subjects,
)

ATTACH = ("iam", "AttachUserPolicy")
SUBJECT = "[IAM revoked] {} user mallory: CreateUser"


def offend(stage: Stage, account: str) -> str:
    """mallory calls IAM; answers the id of her event."""
    key = stage.box.new_user(account, "mallory", "iam:*")
    stage.box.client("iam", account, key=key).create_user(UserName="accomplice")
    return str(recorded(stage.box, account, "CreateUser")["eventID"])


@pytest.mark.parametrize(
    ("service", "action", "times", "code"),
    [
        pytest.param("iam", "AttachUserPolicy", 2, "Throttling", id="IAM throttles"),
        pytest.param("iam", "AttachUserPolicy", 2, "ConcurrentModification", id="IAM is busy"),
        pytest.param("iam", "GetGroup", 1, "AccessDenied", id="the group cannot be read"),
        pytest.param("iam", "GetPolicy", 1, "AccessDenied", id="the deny cannot be checked"),
        pytest.param("events", "PutEvents", 2, "AccessDeniedException", id="the bus refuses"),
        pytest.param("lambda", "Throttle", 3, "", id="Lambda throttles"),
        pytest.param("lambda", "Invoke", 3, "Throttling", id="EventBridge is throttled"),
    ],
)
def test_what_fails_for_a_while_is_done_again_and_told_of_once(
    enforcing: Stage, account: str, service: str, action: str, times: int, code: str
) -> None:
    enforcing.box.fail_next(service, action, times, code or "Throttling")
    event = offend(enforcing, account)
    assert subjects(enforcing, account) == [SUBJECT.format(account)]
    assert enforcing.denied(account, user="mallory")
    assert calls_counted(enforcing, account) == {"contained": 1}
    done = [line for line in judged(enforcing.box, account) if line["eventId"] == event]
    assert done == [{"eventId": event, "action": "contain", "reason": "not-an-administrator"}]
    assert member_dead_letters(enforcing.box, account) == []


def test_an_iam_that_fails_for_good_leaves_the_event_with_the_dead_letters(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    box.fail_next(*ATTACH, 3, "ConcurrentModification")
    event = offend(enforcing, account)
    assert subjects(enforcing, account) == []
    assert not enforcing.denied(account, user="mallory")
    (kept,) = member_dead_letters(box, account)
    function = f"arn:aws:lambda:{REGION}:{account}:function:{REVOKER}"
    assert kept["requestContext"]["functionArn"] == f"{function}:$LATEST"
    assert kept["requestContext"]["condition"] == "RetriesExhausted"
    assert kept["requestContext"]["approximateInvokeCount"] == 3
    assert kept["requestPayload"]["detail"]["eventID"] == event
    assert kept["requestPayload"]["source"] == "aws.iam"
    assert kept["responseContext"]["functionError"] == "Unhandled"
    assert "ConcurrentModification" in kept["responsePayload"]["errorMessage"]
    # What was kept is whole: handed in again, it has the effect that it was to have.
    assert invoke(Arn.parse(function), kept["requestPayload"])[1] == ""
    assert subjects(enforcing, account) == [SUBJECT.format(account)]
    assert enforcing.denied(account, user="mallory")


def test_a_report_that_the_bus_refuses_leaves_the_event_with_the_dead_letters(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    policy = box.state.bus_policies[enforcing.bus_arn]["Statement"]
    (admits,) = [one for one in policy if one["Sid"] == "IamOrgRevokerAllowReports"]
    box.state.set_bus_statement(enforcing.bus_arn, "IamOrgRevokerAllowReports", None)
    try:
        event = offend(enforcing, account)
        box.settle()
    finally:
        box.state.set_bus_statement(enforcing.bus_arn, "IamOrgRevokerAllowReports", admits)
    assert enforcing.denied(account, user="mallory")
    (kept,) = member_dead_letters(box, account)
    assert kept["requestPayload"]["detail"]["eventID"] == event
    assert "AccessDeniedException" in kept["responsePayload"]["errorMessage"]
    assert mails(enforcing, account) == []


def test_a_revoker_that_may_not_be_invoked_leaves_the_event_with_the_dead_letters(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    lambdas = box.client("lambda", account)
    policy = json.loads(lambdas.get_policy(FunctionName=REVOKER)["Policy"])
    for statement in policy["Statement"]:
        if statement["Principal"] == {"Service": "events.amazonaws.com"}:
            lambdas.remove_permission(FunctionName=REVOKER, StatementId=statement["Sid"])
    event = offend(enforcing, account)
    box.settle()
    (kept,) = member_dead_letters(box, account)
    assert kept["detail"]["eventID"] == event
    assert event not in [line["eventId"] for line in judged(box, account)]


def test_a_tamper_event_is_kept_when_the_central_bus_does_not_take_it(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    box.client("iam", account).delete_role_policy(
        RoleName="iam-org-revoker-forward", PolicyName="forward"
    )
    key = box.new_user(account, "vera", "events:*")
    box.client("events", account, key=key).disable_rule(Name=CALLS_RULE)
    box.settle()
    (kept,) = member_dead_letters(box, account)
    assert kept["detail"]["eventName"] == "DisableRule"
    assert mails(enforcing, account) == []


def test_tampering_is_told_of_even_when_the_revoker_is_gone(enforcing: Stage, account: str) -> None:
    box = enforcing.box
    key = box.new_user(account, "vera", "lambda:*", "events:*")
    box.client("lambda", account, key=key).delete_function(FunctionName=REVOKER)
    assert subjects(enforcing, account) == [
        f"[Revoker tampered] {account} user vera: DeleteFunction"
    ]
    event = offend(enforcing, account)
    box.settle()
    (kept,) = member_dead_letters(box, account)
    assert kept["detail"]["eventID"] == event
