"""Which units are a set's targets: right whether or not AWS lists those given with a filter."""

from __future__ import annotations

from dataclasses import replace

from stacksets.config.model import Wanted
from stacksets.observed.model import Observed
from stacksets.observed.organization import Unit
from stacksets.planners.rollout import plan
from stacksets.steps.inputs import Given
from tests.stacksets.scene import (
    LARGE,
    ONE,
    ROOT,
    SMALL,
    changed,
    given,
    instance,
    operations,
    organization,
    rolled_out,
    untouched,
    with_ring,
)

NEW = "ou-ab12-newnewn1"
CANARY = "iam-org-revoker-canary"
NOTE = (
    f"canary: New: no account to install in, and StackSets list no such target of {CANARY}. An "
    "account that joins there may get no stack before apply runs again; status calls it not "
    "reached until then."
)


def with_new(seen: Observed) -> Observed:
    """With a unit that holds no account."""
    units = {**organization().units, NEW: Unit(NEW, "New", ROOT, ("New",))}
    return replace(seen, organization=replace(organization(), units=units))


def naming(*units: str) -> Wanted:
    listed = ", ".join(f'"{one}"' for one in units)
    return changed(('units = ["Small"]', f"units = [{listed}]"))


def unlisted(seen: Observed) -> Observed:
    """The same as AWS shows it that lists no unit."""
    sets = {name: replace(one, units=()) for name, one in seen.stack_sets.items()}
    return replace(seen, stack_sets=sets)


def test_a_unit_that_aws_does_not_list_is_known_by_its_instances() -> None:
    assert plan(given(observed=unlisted(rolled_out()))).empty


def test_an_account_that_lost_its_instance_gets_it_back_also_in_a_unit_that_is_not_listed() -> None:
    seen = unlisted(with_ring(CANARY, instances={}))
    (step,) = plan(given(observed=seen)).steps
    (call,) = step.calls
    assert call.operation == "CreateStackInstances"
    assert call.arguments["DeploymentTargets"] == {"OrganizationalUnitIds": [SMALL]}


def test_a_unit_without_accounts_is_named_together_with_those_that_have_some() -> None:
    made = plan(given(naming("Small", "New"), with_new(untouched())))
    (call,) = [one for one in made.calls() if one.operation == "CreateStackInstances"][:1]
    assert call.arguments["DeploymentTargets"] == {"OrganizationalUnitIds": [SMALL, NEW]}
    assert NOTE not in made.notes


def test_alone_it_is_told_and_not_named_again_and_again() -> None:
    file = naming("Small", "New")
    for seen in (rolled_out(), unlisted(rolled_out())):
        made = plan(given(file, with_new(seen)))
        # The guardrail is for units, with and without accounts.
        assert operations(made) == ["AttachPolicy"]
        assert NOTE in made.notes
    listed = with_ring(CANARY, units=(SMALL, NEW))
    assert NOTE not in plan(given(file, with_new(listed))).notes


def test_a_ring_of_nothing_but_such_units_is_made_and_told() -> None:
    made = plan(given(naming("New"), with_new(untouched())))
    ring = [step for step in made.steps if step.ring == "canary"]
    assert [call.operation for step in ring for call in step.calls] == ["CreateStackSet"]
    assert NOTE in made.notes


def leaving(unit: str, status: str = "ACTIVE") -> Given:
    """The canary set has a stack in an account of a unit that is not the ring's, and AWS does not
    list the unit."""
    seen = with_ring(CANARY, instances={ONE: instance(ONE, unit)})
    accounts = seen.organization.accounts
    accounts = {**accounts, ONE: replace(accounts[ONE], status=status, unit=unit)}
    return given(observed=replace(seen, organization=replace(seen.organization, accounts=accounts)))


def test_a_unit_that_is_no_longer_the_rings_goes_also_where_it_is_not_listed() -> None:
    made = plan(leaving(LARGE))
    assert made.steps[0].calls[0].operation == "DeleteStackInstances"
    assert made.steps[0].accounts == (ONE,)
    # Nothing takes the stack of a closed account: no plan would ever be empty.
    assert "DeleteStackInstances" not in operations(plan(leaving(LARGE, "SUSPENDED")))
