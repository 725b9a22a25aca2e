"""A member whose clock is five minutes off those of CloudTrail and the central account."""

from __future__ import annotations

import pytest

from tests.faults.client_faults import CallSite, Plan, faults_of
from tests.faults.member import Account
from tests.faults.member_cases import breaches
from tests.faults.scenarios import MEMBER

SKEW = 300.0
# A call that every event and every reconciliation makes.
READ = CallSite("dynamodb", "batch_get_item", 1)


@pytest.fixture(params=[-SKEW, SKEW], ids=["slow", "fast"])
def skew(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(Account, "skew", request.param)
    return float(request.param)


def test_every_scenario_ends_as_with_the_right_clock(skew: float) -> None:
    for scenario in MEMBER:
        assert breaches(scenario, None) == [], scenario.name


def test_a_table_that_fails_meanwhile_changes_nothing(skew: float) -> None:
    scenario = next(one for one in MEMBER if one.name == "a user")
    for lasting in (False, True):
        for fault in faults_of(READ):
            assert breaches(scenario, Plan(READ, fault, lasting)) == [], fault
