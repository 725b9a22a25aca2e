"""Where it is rolled out: the partition's region, its delegate, and the security account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stacksets.config.load import REGIONS
from stacksets.observed.model import Observed
from stacksets.planners.rollout import plan
from tests.stacksets.scene import MANAGEMENT, SECURITY, changed, given, untouched, wanted

ELSEWHERE = "999988887777"


def of_partition(partition: str) -> Observed:
    return replace(untouched(), partition=partition)


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "us-east-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-cn", "cn-north-1")],
)
def test_the_region_has_to_be_the_one_where_iam_s_events_of_the_partition_appear(
    partition: str, region: str
) -> None:
    assert REGIONS[partition] == region
    seen = of_partition(partition)
    assert plan(given(replace(wanted(), region=region), seen)).refusals == ()
    for other in {*REGIONS.values()} - {region}:
        (refusal,) = plan(given(replace(wanted(), region=other), seen)).refusals
        assert refusal == (
            f"IAM's events of the partition {partition} appear in {region}, not in {other}: write "
            f'region = "{region}".'
        )


@pytest.mark.parametrize("partition", REGIONS)
def test_only_in_china_a_delegate_rolls_nothing_out(partition: str) -> None:
    delegated = changed(('trail = "accounts"', f'trail = "accounts"\ndeploy_from = "{SECURITY}"'))
    file = replace(delegated, region=REGIONS[partition])
    seen = replace(of_partition(partition), management_seen=False)
    refused = (
        'In the China regions StackSets know no delegated administrator: write deploy_from = "'
        'management".'
    )
    expected = (refused,) if partition == "aws-cn" else ()
    assert plan(given(file, seen)).refusals == expected


def test_the_security_account_has_to_be_of_this_organization() -> None:
    file = changed((f'account = "{SECURITY}"', f'account = "{ELSEWHERE}"'))
    seen = untouched()
    bucket = replace(seen.buckets[SECURITY], account=ELSEWHERE)
    seen = replace(seen, buckets={**seen.buckets, ELSEWHERE: bucket})
    assert plan(given(file, seen)).refusals == (
        f"The security account {ELSEWHERE} is not in this Organization.",
    )


def test_the_security_account_is_not_the_management_account() -> None:
    file = changed((f'account = "{SECURITY}"', f'account = "{MANAGEMENT}"'))
    assert plan(given(file)).refusals == (
        (
            "The security account is the management account: whoever works there is bound by no "
            "service control policy. Take an account of its own."
        ),
    )
