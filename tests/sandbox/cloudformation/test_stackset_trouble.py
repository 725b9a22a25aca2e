"""StackSets in trouble, as a test wants it: slow, failing in chosen accounts, throttled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.cloudformation.rings import (
    ALL,
    REGION,
    Ring,
    fill,
    instances,
    make_set,
    queues,
    results,
    ring,
)
from tests.sandbox.cloudformation.templates import ended, queue_named

__all__ = ["ring"]


@pytest.fixture(autouse=True)
def no_trouble_is_left(box: Box) -> Iterator[None]:
    yield
    box.stack_seconds = 0
    box.state.stack_failures.clear()
    assert box.forget_faults() == []


def test_an_operation_takes_the_time_of_the_box_in_each_account(box: Box, ring: Ring) -> None:
    cloudformation = make_set(box, ring, queue_named("slow"))
    box.stack_seconds = 600
    operation = cloudformation.create_stack_instances(
        StackSetName=ring.name,
        DeploymentTargets={"OrganizationalUnitIds": [ring.ou]},
        Regions=[REGION],
        OperationPreferences=ALL,
    )["OperationId"]
    asked = {"StackSetName": ring.name, "OperationId": operation}
    time.sleep(0.1)
    running = cloudformation.describe_stack_set_operation(**asked)["StackSetOperation"]
    assert running["Status"] == "RUNNING"
    assert instances(box, ring) == dict.fromkeys(ring.accounts, ("OUTDATED", "RUNNING"))
    box.advance(601)
    assert ended(box, ring.name, operation)["Status"] == "SUCCEEDED"
    assert [queues(box, one) for one in ring.accounts] == [["slow"], ["slow"]]


def test_a_chosen_account_fails_for_the_reason_given_until_it_is_mended(
    box: Box, ring: Ring
) -> None:
    first, second = ring.accounts
    make_set(box, ring, queue_named("picky"))
    reason = f"Account {first} should have 'stacksets-exec' role with trust relationship"
    box.state.stack_failures[first] = reason
    operation = fill(box, ring)
    assert results(box, ring, operation) == {
        first: ("FAILED", reason),
        second: ("SUCCEEDED", ""),
    }
    assert instances(box, ring)[first] == ("OUTDATED", "FAILED")
    assert queues(box, first) == []
    del box.state.stack_failures[first]
    assert fill(box, ring)["Status"] == "SUCCEEDED"
    assert instances(box, ring) == dict.fromkeys(ring.accounts, ("CURRENT", "SUCCEEDED"))


def test_a_suspended_account_is_skipped(box: Box, ring: Ring) -> None:
    first, second = ring.accounts
    organizations = box.client("organizations", box.management)
    organizations.close_account(AccountId=first)
    assert organizations.describe_account(AccountId=first)["Account"]["Status"] == "SUSPENDED"
    make_set(box, ring, queue_named("skipping"))
    operation = fill(box, ring)
    assert results(box, ring, operation) == {
        first: ("CANCELLED", "The account is suspended."),
        second: ("SUCCEEDED", ""),
    }
    assert instances(box, ring)[first] == ("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT")


@pytest.mark.parametrize(
    ("code", "status"),
    [("Throttling", 400), ("OperationInProgressException", 409), ("StaleRequestException", 409)],
)
def test_what_aws_says_when_it_is_busy_reaches_the_caller(
    box: Box, ring: Ring, code: str, status: int
) -> None:
    make_set(box, ring, queue_named("busy"))
    # boto3's own tries would hide it.
    box.fail_next("cloudformation", "UpdateStackSet", times=1, code=code)
    caller = impatient(box)
    with pytest.raises(ClientError) as caught:
        caller.update_stack_set(StackSetName=ring.name, UsePreviousTemplate=True)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    operation = caller.update_stack_set(StackSetName=ring.name, UsePreviousTemplate=True)
    assert ended(box, ring.name, operation["OperationId"])["Status"] == "SUCCEEDED"


def impatient(box: Box) -> Any:
    """A client of the management account, by a user's key, that tries once."""
    key = box.new_user(box.management, f"impatient-{time.monotonic_ns()}", "*")
    return boto3.client(
        "cloudformation",
        endpoint_url=box.endpoint,
        region_name=REGION,
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret,
        config=Config(retries={"total_max_attempts": 1}),
    )
