"""CloudTrail's event history answers what was called, by whom, and on what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.core.unknowns import LIKELY


@pytest.fixture(autouse=True)
def prompt(box: Box) -> Iterator[None]:
    yield
    box.history_lag = 0


def look_up(box: Box, account: str, **wanted: Any) -> list[dict[str, Any]]:
    attributes = [
        {"AttributeKey": key, "AttributeValue": wanted.pop(key)}
        for key in list(wanted)
        if key not in ("StartTime", "EndTime", "MaxResults", "NextToken")
    ]
    answer = box.client("cloudtrail", account).lookup_events(LookupAttributes=attributes, **wanted)
    return list(answer["Events"])


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["EventName"] for event in events]


def test_a_membership_is_found_by_its_user_and_by_its_group(box: Box, account: str) -> None:
    box.new_user(account, "alice", groups=("staff",))
    key = box.new_user(account, "admin", "iam:*")
    iam = box.client("iam", key=key)
    iam.remove_user_from_group(GroupName="staff", UserName="alice")
    iam.add_user_to_group(GroupName="staff", UserName="alice")
    (event,) = look_up(box, account, EventName="AddUserToGroup")
    assert event["Resources"] == [
        {"ResourceType": "AWS::IAM::Group", "ResourceName": "staff"},
        {"ResourceType": "AWS::IAM::User", "ResourceName": "alice"},
    ]
    assert (event["Username"], event["AccessKeyId"]) == ("admin", key.access_key)
    assert (event["EventSource"], event["ReadOnly"]) == ("iam.amazonaws.com", "false")
    record = [one for one in box.records if one["recipientAccountId"] == account][-1]
    assert json.loads(event["CloudTrailEvent"]) == record
    newest_first = ["AddUserToGroup", "RemoveUserFromGroup"]
    assert names(look_up(box, account, ResourceName="alice")) == newest_first
    assert names(look_up(box, account, ResourceName="staff")) == newest_first
    assert names(look_up(box, account, Username="admin")) == newest_first
    assert names(look_up(box, account, AccessKeyId=key.access_key)) == newest_first
    assert look_up(box, account, ResourceName="bob") == []


def test_where_users_are_no_resources_their_calls_are_found_by_name_of_call_alone(
    box: Box, account: str
) -> None:
    box.new_user(account, "alice")
    iam = box.client("iam", key=box.new_user(account, "admin", "iam:*"))
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="alice")
    box.state.unknowns = replace(LIKELY, history_finds_users=False)
    try:
        assert look_up(box, account, ResourceName="alice") == []
        assert names(look_up(box, account, ResourceName="staff")) == [
            "AddUserToGroup",
            "CreateGroup",
        ]
        assert names(look_up(box, account, EventName="AddUserToGroup")) == ["AddUserToGroup"]
    finally:
        box.state.unknowns = LIKELY


def test_a_new_user_is_found_by_name_id_and_arn(box: Box, account: str) -> None:
    iam = box.client("iam", key=box.new_user(account, "admin", "iam:*"))
    made = iam.create_user(UserName="eve")["User"]
    for name in ("eve", made["UserId"], made["Arn"]):
        assert names(look_up(box, account, ResourceName=name)) == ["CreateUser"]


def test_accounts_and_regions_do_not_see_each_others_calls(box: Box, account: str) -> None:
    box.client("iam", account, quiet=False).create_group(GroupName="g")
    assert names(look_up(box, account)) == ["CreateGroup"]
    elsewhere = box.client("cloudtrail", account, region="eu-west-1").lookup_events()["Events"]
    assert elsewhere == []
    assert look_up(box, box.new_account("stranger")) == []


def test_pages_hold_fifty(box: Box, account: str) -> None:
    iam = box.client("iam", account, quiet=False)
    for number in range(60):
        iam.create_group(GroupName=f"g{number}")
    cloudtrail = box.client("cloudtrail", account)
    first = cloudtrail.lookup_events()
    assert len(first["Events"]) == 50
    rest = cloudtrail.lookup_events(NextToken=first["NextToken"])
    assert "NextToken" not in rest
    found = [*first["Events"], *rest["Events"]]
    made = [json.loads(one["CloudTrailEvent"])["requestParameters"] for one in found]
    assert made == [{"groupName": f"g{number}"} for number in reversed(range(60))]
    with pytest.raises(ClientError, match="InvalidNextTokenException"):
        cloudtrail.lookup_events(NextToken="nonsense")


def test_a_time_range_leaves_out_what_came_before_and_after(box: Box, account: str) -> None:
    box.client("iam", account, quiet=False).create_group(GroupName="g")
    now, hour = datetime.fromtimestamp(box.state.now(), UTC), timedelta(hours=1)
    assert names(look_up(box, account, StartTime=now - hour, EndTime=now + hour)) == ["CreateGroup"]
    assert look_up(box, account, StartTime=now - 2 * hour, EndTime=now - hour) == []
    with pytest.raises(ClientError, match="InvalidTimeRangeException"):
        look_up(box, account, StartTime=now, EndTime=now - hour)


def test_the_history_lags_as_long_as_it_is_told_to(box: Box, account: str) -> None:
    box.history_lag = 900
    box.client("iam", account, quiet=False).create_group(GroupName="g")
    assert look_up(box, account) == []
    box.advance(901)
    assert names(look_up(box, account)) == ["CreateGroup"]


def test_one_attribute_is_all_that_may_be_asked_for(box: Box, account: str) -> None:
    with pytest.raises(ClientError, match="InvalidLookupAttributesException"):
        look_up(box, account, EventName="CreateUser", Username="alice")


def test_whoever_looks_is_counted(box: Box, account: str) -> None:
    before = len(box.state.history_calls)
    look_up(box, account)
    look_up(box, account)
    assert [who for who, _ in box.state.history_calls[before:]] == [account, account]


def test_looking_needs_the_permission(box: Box, account: str) -> None:
    cloudtrail = box.client("cloudtrail", key=box.new_user(account, "alice"))
    with pytest.raises(ClientError, match="AccessDenied"):
        cloudtrail.lookup_events()
