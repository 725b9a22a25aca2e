"""When a trail of the Organization brings IAM's calls, and what is read of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stacksets.observe.observe import read_trails
from stacksets.observed.model import TrailSeen

GOOD = TrailSeen(
    name="all",
    of_organization=True,
    multi_region=True,
    home="eu-west-1",
    logging=True,
    global_events=True,
    writes=True,
)


@pytest.mark.parametrize(
    ("trail", "said"),
    [
        (GOOD, ""),
        (replace(GOOD, multi_region=False, home="us-east-1"), ""),
        (
            replace(GOOD, multi_region=False),
            "is of eu-west-1 only, and IAM's events appear in us-east-1: make it multi-region",
        ),
        (
            replace(GOOD, logging=False),
            "does not log: start it (aws cloudtrail start-logging --name all)",
        ),
        (
            replace(GOOD, global_events=False),
            (
                "leaves global services out, IAM among them: include them (aws cloudtrail "
                "update-trail --name all --include-global-service-events)"
            ),
        ),
        (
            replace(GOOD, writes=False),
            (
                "logs no management events that change something: let its event selectors take "
                "them (WriteOnly or All)"
            ),
        ),
    ],
)
def test_a_flaw_is_told_with_what_to_do(trail: TrailSeen, said: str) -> None:
    assert trail.flaw("us-east-1") == said


class CloudTrail:
    """One trail of the Organization, with these selectors or with an error in their place."""

    def __init__(self, selectors: dict[str, Any] | str) -> None:
        self.selectors = selectors

    def describe_trails(self, **_: Any) -> dict[str, Any]:
        arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/all"
        return {"trailList": [{"Name": "all", "TrailARN": arn, "IsOrganizationTrail": True}]}

    def get_trail_status(self, **_: Any) -> dict[str, Any]:
        return {"IsLogging": True}

    def get_event_selectors(self, **_: Any) -> dict[str, Any]:
        if isinstance(self.selectors, str):
            error = {"Error": {"Code": self.selectors, "Message": "no"}}
            raise ClientError(error, "GetEventSelectors")
        return self.selectors


def management(**fields: str) -> dict[str, Any]:
    chosen = {"eventCategory": "Management", **fields}
    return {"FieldSelectors": [{"Field": one, "Equals": [chosen[one]]} for one in chosen]}


@pytest.mark.parametrize(
    ("selectors", "writes"),
    [
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, True),
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly"}]}, False),
        ({"EventSelectors": [{"IncludeManagementEvents": False}]}, False),
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "All"}]}, True),
        ({"AdvancedEventSelectors": [management()]}, True),
        ({"AdvancedEventSelectors": [management(readOnly="true")]}, False),
        ({"AdvancedEventSelectors": [management(eventCategory="Data")]}, False),
        ("TrailNotFoundException", True),
    ],
)
def test_whether_it_takes_what_changes_something_is_read_from_its_selectors(
    selectors: dict[str, Any] | str, writes: bool
) -> None:
    (seen,) = read_trails(CloudTrail(selectors))
    assert seen.writes is writes


def test_whoever_may_not_ask_for_the_selectors_is_told_so() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        read_trails(CloudTrail("AccessDeniedException"))
