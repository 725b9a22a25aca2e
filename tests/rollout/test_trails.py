"""Where the events come from: each value of `trail`, where nothing but a trail brings events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from handler.model.names import TRAIL
from sandbox.box import Box
from sandbox.core.keys import Key
from sandbox.demo.organization_trail import (
    TRAIL_NAME,
    start_organization_trail,
    start_trail,
    trail_bucket,
)
from sandbox.demo.product_setup import is_denied, to_the_team
from stacksets.execute.executor import StepFailed
from stacksets.observed.heartbeats import read_kept
from stacksets.planners.rollout import plan
from tests.rollout.operator import Operator
from tests.rollout.test_delegated import delegated, own, planned
from tests.rollout.test_permissions import clients, rolled

pytestmark = pytest.mark.deep

RINGS = """
[[ring]]
name = "canary"
units = ["Sandbox"]
mode = "enforce"
observed_since = 2026-01-01
accept_unguarded = true
[[ring]]
name = "everyone"
units = ["Workloads"]
"""
ADVANCED = "AdvancedEventSelectors"


def file_for(box: Box, trail: str, bucket: str = "") -> str:
    makes = f'TrailDestS3BucketName = "{bucket}"\n' if bucket else ""
    return f"""
organization = "{box.organization_id}"
trail = "{trail}"
[central]
account = "{box.security}"
[central.parameters]
Email = "security@example.com"
[parameters]
MissingGroup = "treat-as-empty"
{makes}{RINGS}"""


@pytest.fixture(autouse=True)
def trails_needed(box: Box) -> None:
    box.state.trails_needed = True


def everybody(box: Box) -> list[str]:
    return [*box.members, box.management]


def in_each_account(box: Box) -> str:
    for account in everybody(box):
        start_trail(box, account)
    return file_for(box, "accounts")


def for_all(box: Box) -> str:
    start_organization_trail(box)
    return file_for(box, "organization")


def by_the_stacks(box: Box) -> str:
    bucket = trail_bucket(box, box.security, dict.fromkeys(everybody(box), TRAIL))
    return file_for(box, "make", bucket)


# How the landscape is made, which trail each account then has, and whose it is.
VALUES: Mapping[str, tuple[Callable[[Box], str], str]] = {
    "accounts": (in_each_account, TRAIL_NAME),
    "organization": (for_all, TRAIL_NAME),
    "make": (by_the_stacks, TRAIL),
}


def rogue(box: Box, account: str, name: str) -> bool:
    """Whether somebody who makes a user there loses IAM."""
    key: Key = box.new_user(account, name, "iam:*")
    mine = box.client("iam", account, key=key)
    mine.create_user(UserName=f"accomplice-of-{name}")
    box.settle(ignore_hidden=True)
    return is_denied(mine.list_users)


def mails(box: Box) -> list[str]:
    return [mail.subject for mail in box.outbox if to_the_team(mail)]


def heard(box: Box) -> dict[str, str]:
    """What the heartbeats say of the trail, by account, after a round of reconciliations."""
    box.advance(901)
    box.tick()
    box.settle(ignore_hidden=True)
    kept = read_kept(box.client("dynamodb", box.security))
    return {account: one.beat.trail for account, one in kept.heard.items() if one.beat}


@pytest.mark.parametrize("trail", VALUES)
def test_a_rogue_call_is_contained_by_the_trail_of_the_file_and_not_without(
    box: Box, trail: str
) -> None:
    make, name = VALUES[trail]
    operator = Operator(box, make(box))
    operator.apply()
    made = list(operator.made)
    assert operator.plan().empty
    operator.apply()
    assert operator.made == made
    account = operator.accounts_in("Sandbox")[0]
    assert rogue(box, account, "mallory")
    assert mails(box) == [f"[IAM revoked] {account} user mallory: CreateUser"]
    assert heard(box) == dict.fromkeys(everybody(box), "logging")
    owner = box.management if trail == "organization" else account
    box.client("cloudtrail", owner).stop_logging(Name=name)
    assert not rogue(box, account, "malvina")


def test_an_account_without_a_trail_that_logs_is_told_by_its_heartbeat(box: Box) -> None:
    operator = Operator(box, file_for(box, "accounts"))
    without, stopped, *others = everybody(box)
    for account in (stopped, *others):
        start_trail(box, account)
    box.client("cloudtrail", stopped).stop_logging(Name=TRAIL_NAME)
    operator.apply()
    assert heard(box) == {without: "none", stopped: "stopped"} | dict.fromkeys(others, "logging")


def test_a_bucket_that_does_not_let_a_trail_in_stops_the_rollout_by_name(box: Box) -> None:
    bucket = trail_bucket(box, box.security, {box.management: TRAIL})
    operator = Operator(box, file_for(box, "make", bucket))
    with pytest.raises(StepFailed) as caught:
        operator.apply()
    assert set(caught.value.accounts) == set(operator.accounts_in("Sandbox"))
    for why in caught.value.accounts.values():
        assert f"Incorrect S3 bucket policy is detected for bucket: {bucket}" in why


def stopped(trail: Any) -> None:
    trail.stop_logging(Name=TRAIL_NAME)


def without_global_services(trail: Any) -> None:
    trail.update_trail(Name=TRAIL_NAME, IncludeGlobalServiceEvents=False)


def reads_only(trail: Any) -> None:
    selector = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
    trail.put_event_selectors(TrailName=TRAIL_NAME, EventSelectors=[selector])


def no_management_events(trail: Any) -> None:
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": False}
    trail.put_event_selectors(TrailName=TRAIL_NAME, EventSelectors=[selector])


def advanced(trail: Any, **fields: str) -> None:
    chosen = [{"Field": name, "Equals": [value]} for name, value in fields.items()]
    trail.put_event_selectors(
        TrailName=TRAIL_NAME, AdvancedEventSelectors=[{"FieldSelectors": chosen}]
    )


def advanced_reads_only(trail: Any) -> None:
    advanced(trail, eventCategory="Management", readOnly="true")


def for_its_own_account(trail: Any) -> None:
    trail.update_trail(Name=TRAIL_NAME, IsOrganizationTrail=False)


NO_WRITES = "logs no management events that change something"
FLAWS: Mapping[Callable[[Any], None], str] = {
    stopped: "The Organization's trail organization does not log",
    without_global_services: "The Organization's trail organization leaves global services out",
    reads_only: f"The Organization's trail organization {NO_WRITES}",
    no_management_events: f"The Organization's trail organization {NO_WRITES}",
    advanced_reads_only: f"The Organization's trail organization {NO_WRITES}",
    for_its_own_account: "No trail of the Organization logs in us-east-1",
}


def test_plan_refuses_a_trail_of_the_organization_that_does_not_bring_iams_calls(
    box: Box,
) -> None:
    operator = Operator(box, file_for(box, "organization"))
    (refusal,) = operator.plan().refusals
    assert refusal.startswith("No trail of the Organization logs in us-east-1")
    start_organization_trail(box)
    trail = box.client("cloudtrail", box.management)
    whole = {
        "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}],
    }
    for spoil, said in FLAWS.items():
        assert operator.plan().refusals == ()
        spoil(trail)
        (refusal,) = operator.plan().refusals
        assert refusal.startswith(said), refusal
        # The trail as the file says again.
        trail.start_logging(Name=TRAIL_NAME)
        trail.put_event_selectors(TrailName=TRAIL_NAME, **whole)
        trail.update_trail(
            Name=TRAIL_NAME, IncludeGlobalServiceEvents=True, IsOrganizationTrail=True
        )
    advanced(trail, eventCategory="Management", readOnly="false")
    assert operator.plan().refusals == ()
    assert operator.made == []


def test_a_trail_of_one_region_counts_where_iams_events_appear_only(box: Box) -> None:
    operator = Operator(box, for_all(box))
    trail = box.client("cloudtrail", box.management)
    trail.update_trail(Name=TRAIL_NAME, IsMultiRegionTrail=False)
    assert operator.plan().refusals == ()
    trail.delete_trail(Name=TRAIL_NAME)
    elsewhere = box.client("cloudtrail", box.management, region="eu-west-1")
    bucket = f"organization-trail-{box.management}"
    s3 = box.client("s3", box.management)
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"].replace("us-east-1", "eu-west-1")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    elsewhere.create_trail(Name=TRAIL_NAME, S3BucketName=bucket, IsOrganizationTrail=True)
    elsewhere.start_logging(Name=TRAIL_NAME)
    (refusal,) = operator.plan().refusals
    assert refusal.startswith("No trail of the Organization logs in us-east-1")


def test_a_delegate_sees_the_trail_of_the_organization_as_well(box: Box) -> None:
    start_organization_trail(box)
    text = f'deploy_from = "{box.security}"\n' + file_for(box, "organization")
    operator = Operator(box, text.replace("[[ring]]", "[management]\ninstall = false\n[[ring]]", 1))
    delegated(box)
    assert planned(operator).refusals == ()
    box.client("cloudtrail", box.management).stop_logging(Name=TRAIL_NAME)
    (refusal,) = planned(operator).refusals
    assert refusal.startswith("The Organization's trail organization does not log")
    box.client("cloudtrail", box.management).start_logging(Name=TRAIL_NAME)
    operator.walker(own(operator)).walk(planned(operator).own)
    assert planned(operator).empty
    assert rogue(box, operator.accounts_in("Sandbox")[0], "mallory")


def test_looking_for_the_trail_works_under_exactly_the_documented_permissions(box: Box) -> None:
    operator = Operator(box, for_all(box))
    for action in ("DescribeTrails", "GetTrailStatus", "GetEventSelectors"):
        said = rolled(operator, clients(box, without=f"cloudtrail:{action}"))
        assert f"cloudtrail:{action}" in said, said
    assert rolled(operator, clients(box)) == ""
    assert plan(operator.read_inputs()).empty
