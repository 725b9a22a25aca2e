"""IAM changes count after a delay, in the order in which they were made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.parts import allow, document

DENY = document({"Effect": "Deny", "Action": "iam:*", "Resource": "*"})
DELAY = 1000.0


@pytest.fixture(autouse=True)
def slow(box: Box) -> Iterator[None]:
    """So slow that nothing counts before the test skips the time."""
    box.iam_delay = DELAY
    yield
    box.iam_delay = 0


@pytest.fixture
def attacker(box: Box, account: str) -> Any:
    return box.client("iam", key=box.new_user(account, "mallory", "iam:*"))


@pytest.fixture
def revoker(box: Box, account: str) -> Any:
    return box.client("iam", key=box.new_user(account, "revoker", "iam:*"))


def may_list(iam: Any) -> bool:
    try:
        iam.list_users()
    except ClientError as refusal:
        return bool(refusal.response["Error"]["Code"] != "AccessDenied")
    return True


def contain(revoker: Any) -> str:
    made = revoker.create_policy(PolicyName="deny", PolicyDocument=DENY)["Policy"]["Arn"]
    revoker.attach_user_policy(UserName="mallory", PolicyArn=made)
    return str(made)


def test_a_deny_is_seen_at_once_and_counts_later(
    box: Box, account: str, attacker: Any, revoker: Any
) -> None:
    contain(revoker)
    attached = attacker.list_attached_user_policies(UserName="mallory")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["deny"]
    assert may_list(attacker)
    box.advance(DELAY - 300)
    assert may_list(attacker)
    box.advance(301)
    assert not may_list(attacker)


def test_a_deny_that_was_stripped_in_the_window_counts_for_as_long_as_it_was_there(
    box: Box, account: str, attacker: Any, revoker: Any
) -> None:
    deny = contain(revoker)
    box.advance(500)
    attacker.detach_user_policy(UserName="mallory", PolicyArn=deny)
    box.advance(505)
    assert not may_list(attacker)
    box.advance(500)
    assert may_list(attacker)


def test_groups_and_boundaries_are_late_too(
    box: Box, account: str, attacker: Any, revoker: Any
) -> None:
    revoker.create_group(GroupName="denied")
    revoker.put_group_policy(GroupName="denied", PolicyName="p", PolicyDocument=DENY)
    revoker.add_user_to_group(GroupName="denied", UserName="mallory")
    key = box.new_session(account, "r", "iam:*")
    session = box.client("iam", key=key)
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    revoker.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=boundary)
    assert may_list(attacker)
    assert may_list(session)
    box.advance(DELAY + 1)
    assert not may_list(attacker)
    assert not may_list(session)


def test_a_rename_in_the_window_changes_nothing(
    box: Box, account: str, attacker: Any, revoker: Any
) -> None:
    contain(revoker)
    attacker.update_user(UserName="mallory", NewUserName="eve")
    assert may_list(attacker)
    box.advance(DELAY + 1)
    assert not may_list(attacker)


def test_another_version_of_a_policy_is_late_for_all_who_have_it(
    box: Box, account: str, attacker: Any, revoker: Any
) -> None:
    arn = contain(revoker)
    box.advance(DELAY + 1)
    assert not may_list(attacker)
    revoker.create_policy_version(
        PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True
    )
    assert not may_list(attacker)
    box.advance(DELAY + 1)
    assert may_list(attacker)


def test_what_the_sandbox_does_itself_counts_at_once(
    box: Box, account: str, attacker: Any, revoker: Any
) -> None:
    contain(revoker)
    quietly = box.client("iam", account)
    quietly.put_user_policy(UserName="mallory", PolicyName="q", PolicyDocument=DENY)
    assert not may_list(attacker)


def test_without_a_delay_a_change_counts_at_once(
    box: Box, account: str, attacker: Any, revoker: Any
) -> None:
    box.iam_delay = 0
    contain(revoker)
    assert not may_list(attacker)
