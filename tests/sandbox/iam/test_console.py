"""Console sessions of IAM users: whose they are, and how CloudTrail shows their calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.parts import allow, document


def last(box: Box, account: str) -> dict[str, Any]:
    return [one for one in box.records if one["recipientAccountId"] == account][-1]


def test_calls_from_the_console_say_so(box: Box, account: str) -> None:
    box.new_user(account, "alice", "iam:ListUsers")
    began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    key = box.console_session(account, "alice", began=began, mfa=True)
    box.client("iam", key=key).list_users()
    record = last(box, account)
    assert record["sessionCredentialFromConsole"] == "true"
    user = box.client("iam", account).get_user(UserName="alice")["User"]
    assert record["userIdentity"] == {
        "type": "IAMUser",
        "principalId": user["UserId"],
        "arn": user["Arn"],
        "accountId": account,
        "accessKeyId": key.access_key,
        "userName": "alice",
        "sessionContext": {
            "attributes": {"creationDate": "2026-01-02T03:04:05Z", "mfaAuthenticated": "true"}
        },
    }
    assert key.access_key.startswith("ASIA")


def test_other_calls_do_not(box: Box, account: str) -> None:
    box.client("iam", key=box.new_user(account, "alice", "iam:ListUsers")).list_users()
    assert "sessionCredentialFromConsole" not in last(box, account)


def test_a_session_may_what_its_user_may(box: Box, account: str) -> None:
    box.new_user(account, "alice", "iam:ListUsers")
    hers = box.client("iam", key=box.console_session(account, "alice"))
    hers.list_users()
    with pytest.raises(ClientError, match="AccessDenied"):
        hers.list_roles()
    box.client("iam", account).delete_user_policy(UserName="alice", PolicyName="allowed-0")
    with pytest.raises(ClientError, match="AccessDenied"):
        hers.list_users()


def test_a_session_begins_now_unless_told(box: Box, account: str) -> None:
    box.new_user(account, "alice", "iam:ListUsers")
    box.client("iam", key=box.console_session(account, "alice")).list_users()
    attributes = last(box, account)["userIdentity"]["sessionContext"]["attributes"]
    began = datetime.fromisoformat(attributes["creationDate"])
    now = datetime.fromtimestamp(box.state.now(), UTC)
    assert abs(now - began) < timedelta(minutes=1)
    assert attributes["mfaAuthenticated"] == "false"


def test_a_second_factor_satisfies_policies_that_demand_one(box: Box, account: str) -> None:
    box.new_user(account, "alice")
    demand = allow("iam:ListUsers", Bool={"aws:MultiFactorAuthPresent": "true"})
    box.client("iam", account).put_user_policy(
        UserName="alice", PolicyName="p", PolicyDocument=document(demand)
    )
    box.client("iam", key=box.console_session(account, "alice", mfa=True)).list_users()
    with pytest.raises(ClientError, match="AccessDenied"):
        box.client("iam", key=box.console_session(account, "alice")).list_users()


def test_nobody_signs_in_who_is_not_there(box: Box, account: str) -> None:
    with pytest.raises(LookupError, match="no user mallory"):
        box.console_session(account, "mallory")
