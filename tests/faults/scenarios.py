"""All scenarios, and what becomes of them: the cases that are played, by function."""

from __future__ import annotations

from functools import cache

from tests.faults.central_cases import CentralScenario, steps_of_central
from tests.faults.client_faults import CallSite, Plan, plans_of
from tests.faults.member_cases import Scenario, method_calls_of
from tests.faults.scenarios_callers import CALLERS
from tests.faults.scenarios_central import CENTRAL
from tests.faults.scenarios_impacts import IMPACTS
from tests.faults.scenarios_rounds import ROUNDS

MEMBER = (*CALLERS, *IMPACTS, *ROUNDS)
FUNCTIONS: dict[str, tuple[Scenario | CentralScenario, ...]] = {
    "revoker": MEMBER,
    "notifier": CENTRAL,
}


@cache
def steps(scenario: Scenario | CentralScenario) -> list[CallSite]:
    """Every call that is made in it, by playing it without a fault."""
    if isinstance(scenario, Scenario):
        return method_calls_of(scenario)
    return steps_of_central(scenario)


def plans(scenario: Scenario | CentralScenario) -> list[Plan]:
    return plans_of(steps(scenario))
