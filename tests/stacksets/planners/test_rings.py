"""The plan of a ring: which accounts get, keep or lose a stack of it, and who is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handler.model.principal import DenyMethod
from stacksets.execute.dry_run import dry_run
from stacksets.observed.bearers import Bearer, Holding
from stacksets.observed.model import AutoDeployment, Observed, Operation
from stacksets.planners.rollout import plan
from stacksets.steps.model import StepKind, Until
from tests.stacksets.scene import (
    LARGE,
    ONE,
    PARAMETERS,
    ROOT,
    SECURITY,
    SMALL,
    THREE,
    TWO,
    changed,
    given,
    instance,
    log,
    rolled_out,
    template,
    with_ring,
)


def test_an_account_that_came_while_auto_deployment_was_off_gets_its_stack() -> None:
    seen = with_ring("iam-org-revoker-everyone", instances={TWO: instance(TWO, LARGE)})
    (step,) = plan(given(observed=seen)).steps
    assert step.accounts == (THREE,)
    assert step.calls[0].operation == "CreateStackInstances"
    assert step.calls[0].arguments["DeploymentTargets"] == {
        "OrganizationalUnitIds": [LARGE],
        "Accounts": [THREE],
        "AccountFilterType": "INTERSECTION",
    }


def test_a_stack_that_failed_is_tried_again_and_no_other_is_touched() -> None:
    bad = instance(TWO, LARGE, status="OUTDATED", detail="FAILED")
    seen = with_ring(
        "iam-org-revoker-everyone", instances={TWO: bad, THREE: instance(THREE, LARGE)}
    )
    (step,) = plan(given(observed=seen)).steps
    assert (step.calls[0].operation, step.accounts) == ("UpdateStackInstances", (TWO,))


def test_a_stack_that_never_came_to_be_is_made_not_updated() -> None:
    bad = instance(TWO, LARGE, status="OUTDATED", detail="FAILED", stack_id="")
    seen = with_ring(
        "iam-org-revoker-everyone", instances={TWO: bad, THREE: instance(THREE, LARGE)}
    )
    (step,) = plan(given(observed=seen)).steps
    assert (step.calls[0].operation, step.accounts) == ("CreateStackInstances", (TWO,))


def test_above_a_hundred_accounts_the_call_names_the_unit_instead() -> None:
    seen = with_ring("iam-org-revoker-everyone", instances={})
    accounts = dict(seen.organization.accounts)
    for number in range(99):
        account = str(500_000_000_000 + number)
        accounts[account] = replace(accounts[TWO], id=account)
    few = replace(seen, organization=replace(seen.organization, accounts=dict(accounts)))
    (step,) = plan(given(observed=few)).steps
    assert step.calls[0].arguments["DeploymentTargets"] == {"OrganizationalUnitIds": [LARGE]}
    assert len(step.accounts) == 101
    del accounts[THREE]
    fewer = replace(seen, organization=replace(seen.organization, accounts=accounts))
    (step,) = plan(given(observed=fewer)).steps
    targets = step.calls[0].arguments["DeploymentTargets"]
    assert targets["AccountFilterType"] == "INTERSECTION"
    assert len(targets["Accounts"]) == 100


def test_a_suspended_account_is_nobodys_work() -> None:
    seen = with_ring("iam-org-revoker-everyone", instances={TWO: instance(TWO, LARGE)})
    accounts = seen.organization.accounts
    suspended = {**accounts, THREE: replace(accounts[THREE], status="SUSPENDED")}
    seen = replace(seen, organization=replace(seen.organization, accounts=suspended))
    assert plan(given(observed=seen)).steps == ()


def test_an_upgrade_switches_auto_deployment_off_and_on_again_and_shows_the_difference() -> None:
    member = template("member", PARAMETERS, Log=log(30), More=log(1))
    made = plan(given(observed=rolled_out(), member=member))
    updates = [call for call in made.calls() if call.operation == "UpdateStackSet"]
    assert [call.arguments["AutoDeployment"] for call in updates] == [
        {"Enabled": False},
        {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        {"Enabled": False},
        {"Enabled": True, "RetainStacksOnAccountRemoval": False},
    ]
    first = next(step for step in made.steps if step.ring == "canary")
    assert first.shows == (
        "~ Log (AWS::Logs::LogGroup): RetentionInDays",
        "+ More (AWS::Logs::LogGroup)",
    )
    assert first.accounts == (SECURITY, ONE)
    assert list(dry_run(made.steps)) == []


def test_an_upgrade_that_was_interrupted_ends_with_auto_deployment_on() -> None:
    seen = with_ring("iam-org-revoker-canary", auto_deployment=AutoDeployment(False, False))
    (step,) = plan(given(observed=seen)).steps
    assert step.calls[0].arguments["AutoDeployment"]["Enabled"] is True
    assert step.calls[0].arguments["UsePreviousTemplate"] is True


def test_a_busy_set_is_waited_for_and_nothing_else_is_planned() -> None:
    running = Operation("op-1", "UPDATE", "RUNNING", "")
    seen = with_ring("iam-org-revoker-canary", operations=(running,), instances={})
    made = plan(given(observed=seen))
    (step,) = made.steps
    assert made.unfinished
    assert (step.kind, step.calls) == (StepKind.WAIT, ())
    assert step.wait is not None
    assert (step.wait.until, step.wait.operation) == (Until.OPERATION, "op-1")


def test_who_is_kept_where_nothing_enforces_is_told_of() -> None:
    mallory = Bearer("user", "mallory", "AIDA1", frozenset({DenyMethod.MANAGED_POLICY}), policies=1)
    held = {TWO: Holding(TWO, "aws", (mallory,), runs=True)}
    excluded = f'[[excluded]]\naccount = "{TWO}"\nreason = "closed soon"\n[management]'
    file = changed(("[management]", excluded))
    made = plan(replace(given(file, rolled_out()), held=held))
    assert (
        f"1 principal in {TWO} will be denied by what is kept alone, which no responder releases, "
        "since "
        "no ring enforces there: docs/removing.md says how to take it off."
    ) in made.notes


def test_an_excluded_account_gets_no_stack_and_loses_the_one_it_has() -> None:
    excluded = f'[[excluded]]\naccount = "{TWO}"\nreason = "closed soon"\n[management]'
    file = changed(("[management]", excluded))
    fresh = [call for call in plan(given(file)).calls() if call.operation == "CreateStackInstances"]
    assert fresh[1].arguments["DeploymentTargets"] == {
        "OrganizationalUnitIds": [LARGE],
        "Accounts": [TWO],
        "AccountFilterType": "DIFFERENCE",
    }
    (step,) = plan(given(file, rolled_out())).steps
    assert (step.calls[0].operation, step.accounts) == ("DeleteStackInstances", (TWO,))


def renamed(instances: dict[str, Any]) -> Observed:
    """After a rollout: one set more, that no ring of the file has."""
    seen = rolled_out()
    old = replace(seen.stack_sets["iam-org-revoker-canary"], instances=instances)
    return replace(seen, stack_sets={**seen.stack_sets, "iam-org-revoker": old})


def test_a_set_that_no_ring_names_is_told_of_and_left_alone() -> None:
    made = plan(given(observed=renamed({})))
    assert made.steps == ()
    assert made.notes == (
        (
            "The StackSet iam-org-revoker belongs to no ring of the file: name its ring again, or "
            "take it back with remove."
        ),
    )


def test_a_set_that_no_ring_names_but_holds_its_accounts_stops_the_rollout() -> None:
    made = plan(given(observed=renamed({ONE: instance(ONE, SMALL)})))
    assert made.refusals == (
        (
            "The StackSet iam-org-revoker is in 1 account that ring canary should cover, "
            f"{ONE} first, and an account takes one stack only: write takes_over = "
            '"iam-org-revoker" into that ring, or take the set back first (docs/removing.md).'
        ),
    )


def test_a_ring_takes_over_a_set_that_was_there_before() -> None:
    over = ('units = ["Small"]', 'units = ["Small"]\ntakes_over = "iam-org-revoker"')
    seen = rolled_out()
    before = seen.stack_sets["iam-org-revoker-canary"]
    sets = {"iam-org-revoker": before, **seen.stack_sets}
    del sets["iam-org-revoker-canary"]
    made = plan(given(changed(over), replace(seen, stack_sets=sets)))
    assert (made.steps, made.refusals) == ((), ())


def test_an_account_in_no_ring_is_told_of() -> None:
    file = changed(('[[ring]]\nname = "canary"\nunits = ["Small"]\n', ""))
    (note,) = plan(given(file)).notes
    assert note == (
        "2 accounts in no ring's units: 444455556666, 777788889991. Add the units to a ring, or "
        "the accounts to [[excluded]] with the reason."
    )


def test_an_account_right_below_the_root_is_told_of_with_what_moves_it() -> None:
    seen = rolled_out()
    accounts = seen.organization.accounts
    loose = {**accounts, "777788889999": replace(accounts[ONE], id="777788889999", unit=ROOT)}
    made = plan(
        given(observed=replace(seen, organization=replace(seen.organization, accounts=loose)))
    )
    assert made.steps == ()
    assert made.notes == (
        (
            "1 account right below the root, in no ring's units: 777788889999. Move each into a "
            "unit of a ring (aws organizations move-account), or add it to [[excluded]] with the "
            "reason."
        ),
    )
