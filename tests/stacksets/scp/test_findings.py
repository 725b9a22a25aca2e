"""Blocking service control policies: judged for each account they name, and for the central one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from stacksets.observed.model import ControlPolicy
from stacksets.planners.rollout import plan
from tests.stacksets.scene import (
    LARGE,
    REGION_DENY,
    ROOT,
    SECURITY,
    THREE,
    TWO,
    changed,
    given,
    rolled_out,
    under,
)


def frozen(account: str) -> str:
    condition = {"StringEquals": {"aws:PrincipalAccount": account}}
    deny = {"Sid": "Frozen", "Effect": "Deny", "Action": "*", "Resource": "*"}
    return json.dumps({"Statement": [{**deny, "Condition": condition}]})


@pytest.mark.parametrize("account", [TWO, THREE])
def test_a_policy_that_names_one_account_of_a_unit_is_told_of_that_account_alone(
    account: str,
) -> None:
    seen = under(frozen(account), (LARGE,))
    accounts = seen.organization.accounts
    beside = {**accounts, THREE: replace(accounts[THREE], unit=LARGE)}
    seen = replace(seen, organization=replace(seen.organization, accounts=beside))
    (refusal,) = plan(given(observed=seen)).refusals
    assert refusal.startswith(
        "The service control policy more, statement Frozen, refuses cloudformation:CreateStack in "
        f"us-east-1 to StackSets in 1 account, {account} first."
    )


def test_a_policy_that_names_accounts_by_a_part_of_their_number_is_judged_for_each() -> None:
    some = frozen(f"*{THREE[-1]}").replace("StringEquals", "StringLike")
    seen = under(some, (LARGE,))
    accounts = seen.organization.accounts
    beside = {**accounts, THREE: replace(accounts[THREE], unit=LARGE)}
    seen = replace(seen, organization=replace(seen.organization, accounts=beside))
    (refusal,) = plan(given(observed=seen)).refusals
    assert f"in 1 account, {THREE} first." in refusal


def test_a_policy_in_the_way_of_the_central_account_is_told_of_wherever_that_account_lies() -> None:
    seen = under(REGION_DENY % "", (SECURITY,))
    accounts = seen.organization.accounts
    outside = {**accounts, SECURITY: replace(accounts[SECURITY], unit=ROOT)}
    seen = replace(seen, organization=replace(seen.organization, accounts=outside))
    (refusal,) = plan(given(observed=seen)).refusals
    assert refusal == (
        "The service control policy more, statement OnlyEurope, refuses "
        "cloudformation:CreateStack in us-east-1 to the operator in the security account "
        f"{SECURITY}. Exempt both in its Condition: "
        f'"ArnNotLike": {{"aws:PrincipalArn": ["arn:aws:iam::{SECURITY}:role/'
        'OrganizationAccountAccessRole", "arn:aws:iam::*:role/iam-org-revoker/*"]}'
    )
    freed = under(REGION_DENY % f",{refusal.partition('Condition: ')[2]}", (SECURITY,))
    exempt = replace(seen, control_policies=freed.control_policies)
    assert plan(given(observed=exempt)).refusals == ()


def test_a_policy_in_the_way_of_the_notifier_is_told_of_after_the_rollout_too() -> None:
    not_reporting = '{"Statement":[{"Effect":"Deny","Action":"sns:Publish","Resource":"*"}]}'
    policy = ControlPolicy("p-more", "more", not_reporting, (SECURITY,))
    seen = replace(rolled_out(), control_policies=(*rolled_out().control_policies, policy))
    (refusal,) = plan(given(observed=seen)).refusals
    assert "refuses sns:Publish in us-east-1 to the notifier in the security account" in refusal


def test_who_makes_the_central_account_by_a_profile_is_not_known_and_stops_nothing() -> None:
    only = (
        '{"Statement":[{"Effect":"Deny","Action":"sns:CreateTopic","Resource":"*","Condition":'
        '{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/builder"}}}]}'
    )
    profile = ("[central]", f'[access.profiles]\n{SECURITY} = "security"\n[central]')
    made = plan(given(changed(profile), under(only, (SECURITY,))))
    assert made.refusals == ()
    assert any("may refuse" in note and "THE-OPERATORS-ROLE" in note for note in made.notes)
