"""An account that AWS moved between two rings: its old stack goes before its new one comes."""

from __future__ import annotations

from dataclasses import replace

from handler.model.principal import DenyMethod
from stacksets.observed.bearers import Bearer, Holding
from stacksets.observed.model import Observed
from stacksets.observed.organization import Account, Unit
from stacksets.planners.rollout import plan
from tests.stacksets.scene import (
    LARGE,
    ROOT,
    SMALL,
    TWO,
    given,
    instance,
    operations,
    rolled_out,
    with_ring,
)


def moved(account: str, unit: str, **changes: str) -> Observed:
    """After a rollout AWS was told to move an account of LARGE, whose stack could not go."""
    stays = instance(account, LARGE, status="INOPERABLE", detail="INOPERABLE", **changes)
    others = rolled_out().stack_sets["iam-org-revoker-everyone"].instances
    seen = with_ring("iam-org-revoker-everyone", instances={**others, account: stays})
    accounts = seen.organization.accounts
    accounts = {**accounts, account: replace(accounts[account], unit=unit)}
    return replace(seen, organization=replace(seen.organization, accounts=accounts))


def test_an_account_that_was_moved_loses_its_old_stack_before_its_new_ring_installs() -> None:
    seen = moved(TWO, SMALL)
    canary = seen.stack_sets["iam-org-revoker-canary"]
    failed = instance(TWO, SMALL, status="OUTDATED", detail="FAILED", stack_id="")
    canary = replace(canary, instances={**canary.instances, TWO: failed})
    seen = replace(seen, stack_sets={**seen.stack_sets, canary.name: canary})
    made = plan(given(observed=seen))
    assert [(step.calls[0].operation, step.ring, step.accounts) for step in made.steps] == [
        ("DeleteStackInstances", "everyone", (TWO,)),
        ("CreateStackInstances", "canary", (TWO,)),
    ]
    assert made.steps[0].target_text == "moved out of its units: 1 account"
    assert made.steps[0].calls[0].arguments["DeploymentTargets"] == {
        "OrganizationalUnitIds": [LARGE, SMALL],
        "Accounts": [TWO],
        "AccountFilterType": "INTERSECTION",
    }
    assert not [note for note in made.notes if "could not be deleted" in note]


def test_who_is_contained_in_an_account_that_was_moved_is_kept_meanwhile() -> None:
    seen = moved(TWO, SMALL)
    mallory = Bearer("user", "mallory", "AIDA1", frozenset({DenyMethod.MANAGED_POLICY}), policies=1)
    held = {TWO: Holding(TWO, "aws", (mallory,), runs=True)}
    made = plan(replace(given(observed=seen), held=held))
    assert operations(made)[:5] == [
        "PutFunctionConcurrency",
        "CreatePolicy",
        "AttachUserPolicy",
        "DetachUserPolicy",
        "DeleteStackInstances",
    ]


def test_a_closed_account_that_was_moved_is_nobodys_work() -> None:
    seen = moved(TWO, ROOT)
    accounts = seen.organization.accounts
    closed = {**accounts, TWO: replace(accounts[TWO], status="SUSPENDED")}
    seen = replace(seen, organization=replace(seen.organization, accounts=closed))
    assert plan(given(observed=seen)).steps == ()


def test_many_that_were_moved_are_named_in_calls_of_at_most_fifty_units() -> None:
    accounts = {f"2{number:011}": f"ou-ab12-moved{number:03}" for number in range(60)}
    seen = rolled_out()
    known = {
        account: Account(account, "moved", "a@example.com", "ACTIVE", unit)
        for account, unit in accounts.items()
    }
    units = {unit: Unit(unit, unit, ROOT, (unit,)) for unit in accounts.values()}
    organization = replace(
        seen.organization,
        accounts={**seen.organization.accounts, **known},
        units={**seen.organization.units, **units},
    )
    left = {account: instance(account, LARGE) for account in accounts}
    everyone = seen.stack_sets["iam-org-revoker-everyone"]
    everyone = replace(everyone, instances={**everyone.instances, **left})
    seen = replace(
        seen, organization=organization, stack_sets={**seen.stack_sets, everyone.name: everyone}
    )
    targets = [
        call.arguments["DeploymentTargets"]
        for call in plan(given(observed=seen)).calls()
        if call.operation == "DeleteStackInstances"
    ]
    assert [len(one["OrganizationalUnitIds"]) for one in targets] == [26, 26, 11]
    assert [account for one in targets for account in one["Accounts"]] == sorted(accounts)
