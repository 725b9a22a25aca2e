"""Whether operations of a set wait for each other is seen, and mended."""

from __future__ import annotations

from dataclasses import replace

from stacksets.observed.model import Observed
from stacksets.planners.rollout import plan
from tests.stacksets.scene import PARAMETERS, given, log, rolled_out, template


def unmanaged() -> Observed:
    """What was seen after a rollout, with managed execution of the first set off."""
    seen, name = rolled_out(), "iam-org-revoker-canary"
    off = replace(seen.stack_sets[name], managed=False)
    return replace(seen, stack_sets={**seen.stack_sets, name: off})


def test_managed_execution_that_was_switched_off_is_switched_on_again() -> None:
    (step,) = plan(given(observed=unmanaged())).steps
    assert step.says.startswith("Switch managed execution of iam-org-revoker-canary on")
    (call,) = step.calls
    assert call.operation == "UpdateStackSet"
    assert call.arguments["ManagedExecution"] == {"Active": True}
    assert call.arguments["UsePreviousTemplate"] is True
    assert call.arguments["AutoDeployment"]["Enabled"] is True


def test_an_upgrade_switches_it_on_by_itself_and_shows_it() -> None:
    newer = template("member", PARAMETERS, Log=log(30))
    made = plan(given(observed=unmanaged(), member=newer))
    first, second = [step for step in made.steps if step.ring == "canary"]
    assert "~ managed execution: on" in first.shows
    assert first.calls[0].arguments["ManagedExecution"] == {"Active": True}
    assert second.says.startswith("Switch auto-deployment of iam-org-revoker-canary on")


def test_an_upgrade_does_not_touch_it_where_it_is_on() -> None:
    """AWS takes no change of it while operations run or are queued."""
    newer = template("member", PARAMETERS, Log=log(30))
    made = plan(given(observed=rolled_out(), member=newer))
    updates = [call for call in made.calls() if call.operation == "UpdateStackSet"]
    assert len(updates) == 4
    assert not [call for call in updates if "ManagedExecution" in call.arguments]
    # Nor a second time, where the upgrade itself switches it on.
    made = plan(given(observed=unmanaged(), member=newer))
    first, second = [step.calls[0] for step in made.steps if step.ring == "canary"]
    assert "ManagedExecution" in first.arguments
    assert "ManagedExecution" not in second.arguments


def test_a_set_is_made_with_it() -> None:
    made = [call for call in plan(given()).calls() if call.operation == "CreateStackSet"]
    assert [call.arguments["ManagedExecution"] for call in made] == [{"Active": True}] * 2
