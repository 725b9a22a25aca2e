"""All scenarios, and what becomes of them: the cases that are played, by function."""

from __future__ import annotations

from functools import cache

from tests.faults.centre_cases import CentreScenario, steps_of_centre
from tests.faults.member_cases import Scenario, steps_of
from tests.faults.scenarios_callers import CALLERS
from tests.faults.scenarios_centre import CENTRE
from tests.faults.scenarios_gains import GAINS
from tests.faults.scenarios_rounds import ROUNDS
from tests.faults.wire import Plan, Step, plans_of

MEMBER = (*CALLERS, *GAINS, *ROUNDS)
FUNCTIONS: dict[str, tuple[Scenario | CentreScenario, ...]] = {
    "revoker": MEMBER,
    "notifier": CENTRE,
}


@cache
def steps(scenario: Scenario | CentreScenario) -> list[Step]:
    """Every call that is made in it, by playing it without a fault."""
    if isinstance(scenario, Scenario):
        return steps_of(scenario)
    return steps_of_centre(scenario)


def plans(scenario: Scenario | CentreScenario) -> list[Plan]:
    return plans_of(steps(scenario))
