"""The plan: the right steps in the right order, none where all is well, refusals in words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from handler.target import Rung
from stacksets.bearers import Bearer, Holding
from stacksets.dry import dry_run
from stacksets.observed import AutoDeployment, ControlPolicy, Observed, Operation, Subscription
from stacksets.plan import plan
from stacksets.steps import Kind, Plan, Saved, Until
from tests.stacksets.scene import (
    CENTRAL,
    INNER,
    LARGE,
    MANAGEMENT,
    MEMBER,
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
    untouched,
    wanted,
)

ENFORCE = ('units = ["Small"]', 'units = ["Small"]\nmode = "enforce"\nobserved_since = 2026-11-01')
DECIDED = ("[management]", '[parameters]\nMissingGroup = "nobody"\n[management]')


def operations(made: Plan) -> list[str]:
    return [call.operation for call in made.calls()]


def with_ring(name: str, **changes: Any) -> Observed:
    """What was seen after a rollout, with another state of one set."""
    seen = rolled_out()
    stack_set = replace(seen.stack_sets[name], **changes)
    return replace(seen, stack_sets={**seen.stack_sets, name: stack_set})


def test_a_first_rollout_goes_from_trust_to_the_management_account() -> None:
    made = plan(given())
    assert made.refusals == ()
    assert operations(made) == [
        "ActivateOrganizationsAccess",
        "CreateBucket",
        "PutPublicAccessBlock",
        "PutBucketEncryption",
        "PutObject",
        "CreateBucket",
        "PutPublicAccessBlock",
        "PutBucketEncryption",
        "PutObject",
        "CreateStack",
        "CreatePolicy",
        "AttachPolicy",
        "AttachPolicy",
        "CreateStackSet",
        "CreateStackInstances",
        "CreateStackSet",
        "CreateStackInstances",
        "CreateStack",
    ]
    assert [step.ring for step in made.steps if step.kind is Kind.RING] == [
        *("canary", "canary", "everyone", "everyone")
    ]


def test_every_call_of_a_first_rollout_has_the_shape_that_aws_takes() -> None:
    assert list(dry_run(plan(given()).steps)) == []


def test_the_canary_unit_gets_the_guardrail_before_the_rings() -> None:
    attached = [call for call in plan(given()).calls() if call.operation == "AttachPolicy"]
    assert [call.arguments for call in attached] == [
        {"PolicyId": Saved("GUARDRAIL"), "TargetId": SMALL},
        {"PolicyId": Saved("GUARDRAIL"), "TargetId": LARGE},
    ]


def test_a_canary_only_guardrail_stops_at_the_canary() -> None:
    made = plan(given(changed(('attach = "rings"', 'attach = "canary"'))))
    assert operations(made).count("AttachPolicy") == 1


def test_no_guardrail_is_attached_unless_the_file_says_so() -> None:
    made = plan(given(changed(('attach = "rings"', 'attach = "nowhere"'))))
    assert "CreatePolicy" not in operations(made)


def test_what_the_file_no_longer_asks_for_is_left_and_told_of() -> None:
    less = (('attach = "rings"', 'attach = "canary"'), ("install = true", "install = false"))
    made = plan(given(changed(*less), rolled_out()))
    assert (made.steps, made.beyond) == ((), True)
    assert made.notes == (
        (
            "The guardrail is attached to Large, where the file does not ask for it "
            '(guardrail.attach = "canary"): apply leaves it. If it is to go: aws organizations '
            f"detach-policy --policy-id p-guard --target-id {LARGE}"
        ),
        (
            "The stack iam-org-revoker stands in the management account, and the file says "
            "management.install = false: apply leaves it. If it is to go, release who is contained "
            "there (python -m responder list), then: aws cloudformation delete-stack --region "
            "us-east-1 --stack-name iam-org-revoker"
        ),
    )
    nowhere = plan(given(changed(('attach = "rings"', 'attach = "nowhere"')), rolled_out()))
    assert [note.partition(",")[0] for note in nowhere.notes] == [
        "The guardrail is attached to Small",
        "The guardrail is attached to Large",
    ]


def test_a_guardrail_above_what_the_file_names_is_not_too_much() -> None:
    seen = rolled_out()
    *others, policy = seen.control_policies
    seen = replace(seen, control_policies=(*others, replace(policy, targets=(ROOT,))))
    made = plan(given(observed=seen))
    assert (made.steps, made.notes, made.beyond) == ((), (), False)


def test_right_after_a_rollout_there_is_nothing_to_do() -> None:
    made = plan(given(observed=rolled_out()))
    assert (made.steps, made.refusals) == ((), ())


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


def test_a_stack_that_could_not_be_deleted_takes_no_updates_and_is_told_of() -> None:
    bad = instance(TWO, LARGE, status="INOPERABLE", detail="INOPERABLE")
    seen = with_ring(
        "iam-org-revoker-everyone", instances={TWO: bad, THREE: instance(THREE, LARGE)}
    )
    made = plan(given(observed=seen))
    assert made.steps == ()
    assert any(f"could not be deleted and takes no updates: {TWO}" in note for note in made.notes)


def test_a_template_that_is_in_the_bucket_is_not_carried_again() -> None:
    seen = untouched()
    buckets = {
        account: replace(one, exists=True, private=True, encrypted=True, keys=frozenset(keys))
        for (account, one), keys in zip(
            seen.buckets.items(), ([MEMBER.key], [CENTRAL.key]), strict=True
        )
    }
    made = plan(given(observed=replace(seen, buckets=buckets)))
    assert "PutObject" not in operations(made)
    assert "CreateBucket" not in operations(made)


def test_an_open_bucket_is_closed() -> None:
    seen = untouched()
    buckets = {a: replace(one, exists=True, encrypted=True) for a, one in seen.buckets.items()}
    made = plan(given(observed=replace(seen, buckets=buckets)))
    assert operations(made).count("PutPublicAccessBlock") == 2
    assert "PutBucketEncryption" not in operations(made)


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


def test_an_upgrade_that_would_replace_what_remembers_is_refused() -> None:
    renamed = log(90)
    renamed["Properties"]["LogGroupName"] = "/other"
    member = template("member", PARAMETERS, Log=renamed)
    made = plan(given(observed=rolled_out(), member=member))
    assert [refusal.partition(":")[0] for refusal in made.refusals] == [
        "iam-org-revoker",
        "iam-org-revoker-canary",
        "iam-org-revoker-everyone",
    ]
    assert "would replace or remove Log" in made.refusals[0]


def test_a_busy_set_is_waited_for_and_nothing_else_is_planned() -> None:
    running = Operation("op-1", "UPDATE", "RUNNING", "")
    seen = with_ring("iam-org-revoker-canary", operations=(running,), instances={})
    made = plan(given(observed=seen))
    (step,) = made.steps
    assert made.unfinished
    assert (step.kind, step.calls) == (Kind.WAIT, ())
    assert step.wait is not None
    assert (step.wait.until, step.wait.operation) == (Until.OPERATION, "op-1")


def test_a_mail_that_nobody_confirmed_is_waited_for_before_any_ring() -> None:
    pending = (Subscription("iam-org-revoker-health", "security@example.com", confirmed=False),)
    made = plan(given(observed=replace(rolled_out(), subscriptions=pending)))
    assert [step.kind for step in made.steps] == [Kind.CONFIRM]


@pytest.mark.parametrize(
    ("parameters", "asked"),
    [
        ('Email = "new@example.com"', "new@example.com"),
        (
            'Email = "security@example.com"\nExtraEmail = "unit@example.com"\nExtraAccounts = "1"',
            "unit@example.com",
        ),
        ('Email = "security@example.com"\nMailsPerMinute = 60', None),
    ],
)
def test_an_address_that_is_new_is_asked_before_any_ring(
    parameters: str, asked: str | None
) -> None:
    made = plan(given(changed(('Email = "security@example.com"', parameters)), rolled_out()))
    assert [step.whom for step in made.steps if step.kind is Kind.CONFIRM] == (
        [asked] if asked else []
    )
    assert made.steps[-1].kind is (Kind.CONFIRM if asked else Kind.CENTRAL)


def test_a_central_stack_that_is_made_again_asks_its_addresses_again() -> None:
    seen = rolled_out()
    assert seen.central is not None
    dead = replace(seen.central, status="ROLLBACK_COMPLETE", outputs={})
    made = plan(given(observed=replace(seen, central=dead, subscriptions=())))
    assert [step.kind for step in made.steps if step.kind is not Kind.BUCKET] == [
        Kind.CENTRAL,
        Kind.CENTRAL,
        Kind.CONFIRM,
    ]
    assert made.steps[-1].whom == "security@example.com"


def test_what_a_failed_creation_left_is_deleted_first() -> None:
    seen = rolled_out()
    assert seen.central is not None
    dead = replace(seen, central=replace(seen.central, status="ROLLBACK_COMPLETE"))
    made = plan(given(observed=dead))
    assert [name for name in operations(made) if name.endswith("Stack")] == [
        *("DeleteStack", "CreateStack")
    ]


@pytest.mark.parametrize(
    ("status", "todo"),
    [
        (
            "DELETE_FAILED",
            "end its deletion (python -m stacksets remove, or CloudFormation's console)",
        ),
        (
            "UPDATE_ROLLBACK_FAILED",
            "end its rollback (aws cloudformation continue-update-rollback)",
        ),
    ],
)
def test_a_stack_that_is_stuck_is_no_stack_that_is_as_wanted(status: str, todo: str) -> None:
    seen = rolled_out()
    assert seen.management_stack is not None
    stuck = replace(seen, management_stack=replace(seen.management_stack, status=status))
    assert plan(given(observed=stuck)).refusals == (
        (
            f"The stack iam-org-revoker in {MANAGEMENT} is {status}, not whole, and takes no "
            f"updates: {todo}, then run apply."
        ),
    )


def test_who_is_kept_where_nothing_enforces_is_told_of() -> None:
    mallory = Bearer("user", "mallory", "AIDA1", frozenset({Rung.MANAGED_POLICY}), policies=1)
    held = {TWO: Holding(TWO, "aws", (mallory,), runs=True)}
    made = plan(replace(given(observed=rolled_out()), held=held))
    assert (
        f"1 principal in {TWO} will be denied by what is kept alone, which no desk releases, since "
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
    assert made.steps[0].whom == "moved out of its units: 1 account"
    assert made.steps[0].calls[0].arguments["DeploymentTargets"] == {
        "OrganizationalUnitIds": [LARGE, SMALL],
        "Accounts": [TWO],
        "AccountFilterType": "INTERSECTION",
    }
    assert not [note for note in made.notes if "could not be deleted" in note]


def test_who_is_contained_in_an_account_that_was_moved_is_kept_meanwhile() -> None:
    seen = moved(TWO, SMALL)
    mallory = Bearer("user", "mallory", "AIDA1", frozenset({Rung.MANAGED_POLICY}), policies=1)
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


def test_the_management_account_is_in_no_set_wherever_it_lies() -> None:
    seen = untouched()
    accounts = seen.organization.accounts
    moved = {**accounts, MANAGEMENT: replace(accounts[MANAGEMENT], unit=SMALL)}
    seen = replace(seen, organization=replace(seen.organization, accounts=moved))
    made = plan(given(observed=seen))
    assert all(MANAGEMENT not in step.accounts for step in made.steps if step.kind is Kind.RING)


def test_a_delegated_administrator_leaves_the_guardrail_to_the_management_account() -> None:
    file = changed(('trail = "accounts"', f'trail = "accounts"\ndeploy_from = "{SECURITY}"'))
    seen = replace(untouched(), management_seen=False)
    made = plan(given(file, seen))
    assert {step.kind for step in made.of_others} == {Kind.TRUST, Kind.GUARDRAIL}
    sets = [call for call in made.calls() if "StackSet" in call.operation]
    assert {call.arguments["CallAs"] for call in sets} == {"DELEGATED_ADMIN"}
    assert Kind.MANAGEMENT not in {step.kind for step in made.steps}
    assert "own stack is not seen from here" in " ".join(made.notes)


def test_a_delegate_may_not_count_on_a_guardrail_that_somebody_else_has_yet_to_attach() -> None:
    delegated = ('trail = "accounts"', f'trail = "accounts"\ndeploy_from = "{SECURITY}"')
    file = changed(delegated, ENFORCE, DECIDED)
    seen = replace(untouched(), management_seen=False)
    (refusal,) = plan(given(file, seen)).refusals
    assert refusal.startswith("ring canary cannot enforce without the guardrail")


REFUSED = {
    "another Organization": (
        (),
        {"id": "o-otherotherot"},
        (
            "The file is for the Organization o-exampleorgid, and these credentials lead to "
            "o-otherotherot: take the other credentials or the other file."
        ),
    ),
    "consolidated billing": (
        (),
        {"all_features": False},
        (
            "The Organization has consolidated billing only, and StackSets need all features: the "
            "management account enables them (aws organizations enable-all-features)."
        ),
    ),
    "a unit that is not there": (
        (('units = ["Small"]', 'units = ["Smal"]'),),
        {},
        "ring canary: there is no unit 'Smal'; there are /, Large, Large/Inner, Small.",
    ),
    "a unit inside another ring's": (
        (('units = ["Small"]', 'units = ["Large/Inner"]'),),
        {},
        (
            "ring canary: Large/Inner lies inside Large of ring everyone, and an account takes one "
            "stack only: name units that do not hold one another."
        ),
    ),
    "no trail": (
        (('trail = "accounts"', 'trail = "organization"'),),
        {},
        (
            "No trail of the Organization logs in us-east-1, and without a trail no event ever "
            'arrives: make one, or write trail = "accounts" if each account has its own, or '
            "trail = "
            '"make" with TrailDestS3BucketName in [parameters].'
        ),
    ),
    "enforcing undecided": (
        (ENFORCE,),
        {},
        (
            "ring canary cannot enforce while MissingGroup is undecided: write MissingGroup = "
            '"nobody" once every account has its administrators\' group.'
        ),
    ),
    "enforcing unobserved": (
        ((ENFORCE[0], ENFORCE[1].replace("observed_since = 2026-11-01", "")), DECIDED),
        {},
        (
            "ring canary cannot enforce without observed_since, the day since which it has "
            "observed, "
            "at least 14 days ago (observe_days)."
        ),
    ),
    "enforcing too early": (
        ((ENFORCE[0], ENFORCE[1].replace("2026-11-01", "2026-11-09")), DECIDED),
        {},
        (
            "ring canary has observed since 2026-11-09 only, and observe_days wants 14 days: "
            "wait, or "
            "lower observe_days."
        ),
    ),
    "enforcing unguarded": (
        (ENFORCE, DECIDED, ('attach = "rings"', 'attach = "nowhere"')),
        {},
        (
            "ring canary cannot enforce without the guardrail on all its units: attach it "
            '(guardrail.attach = "rings"), or write accept_unguarded = true, and whoever is '
            "quick can "
            "take the deny off."
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_rollout_is_refused_in_words(case: str) -> None:
    changes, about, sentence = REFUSED[case]
    seen = untouched()
    seen = replace(seen, organization=replace(seen.organization, **about))  # type: ignore[arg-type]
    assert plan(given(changed(*changes), seen)).refusals == (sentence,)


def test_a_ring_enforces_after_its_days_under_the_guardrail() -> None:
    file = changed((ENFORCE[0], ENFORCE[1].replace("2026-11-01", "2026-11-08")), DECIDED)
    made = plan(given(file, rolled_out()))
    assert made.refusals == ()
    first = next(step for step in made.steps if step.ring == "canary")
    assert "MissingGroup: undecided -> nobody" in first.shows
    assert "Mode: observe -> enforce" in first.shows


def test_the_management_account_enforces_only_where_that_is_accepted() -> None:
    decided = '[parameters]\nMissingGroup = "nobody"\n[management]\nmode = "enforce"'
    since = f"{decided}\nobserved_since = 2026-11-01"
    refused = plan(given(changed(("[management]", since)))).refusals
    assert len(refused) == 1
    assert "no policy binds that account" in refused[0]
    accepted = changed(("[management]", f"{since}\naccept_unguarded = true"))
    assert plan(given(accepted)).refusals == ()


REGION_DENY = (
    '{"Statement":[{"Sid":"OnlyEurope","Effect":"Deny","NotAction":"iam:*","Resource":"*",'
    '"Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}%s}}]}'
)


ROOT_BUT_CENTRE = (ONE, LARGE)


def under(content: str, targets: tuple[str, ...]) -> Observed:
    """Before a rollout, with one service control policy more."""
    policy = ControlPolicy("p-more", "more", content, targets)
    return replace(untouched(), control_policies=(*untouched().control_policies, policy))


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


def test_a_policy_in_the_way_of_the_centre_is_told_of_wherever_that_account_lies() -> None:
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
    silent = '{"Statement":[{"Effect":"Deny","Action":"sns:Publish","Resource":"*"}]}'
    policy = ControlPolicy("p-more", "more", silent, (SECURITY,))
    seen = replace(rolled_out(), control_policies=(*rolled_out().control_policies, policy))
    (refusal,) = plan(given(observed=seen)).refusals
    assert "refuses sns:Publish in us-east-1 to the notifier in the security account" in refusal


def test_who_makes_the_centre_by_a_profile_is_not_known_and_stops_nothing() -> None:
    only = (
        '{"Statement":[{"Effect":"Deny","Action":"sns:CreateTopic","Resource":"*","Condition":'
        '{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/builder"}}}]}'
    )
    profile = ("[central]", f'[access.profiles]\n{SECURITY} = "security"\n[central]')
    made = plan(given(changed(profile), under(only, (SECURITY,))))
    assert made.refusals == ()
    assert any("may refuse" in note and "THE-OPERATORS-ROLE" in note for note in made.notes)


def test_a_policy_that_denies_the_region_is_named_with_its_exemption() -> None:
    policy = ControlPolicy("p-region", "regions", REGION_DENY % "", (LARGE,))
    seen = replace(untouched(), control_policies=(*untouched().control_policies, policy))
    made = plan(given(observed=seen))
    assert made.refusals == (
        (
            "The service control policy regions, statement OnlyEurope, refuses "
            f"cloudformation:CreateStack in us-east-1 to StackSets in 2 accounts, {TWO} first. "
            "Exempt "
            'both in its Condition: "ArnNotLike": {"aws:PrincipalArn": '
            '["arn:aws:iam::*:role/stacksets-exec-*", "arn:aws:iam::*:role/iam-org-revoker/*"]}'
        ),
    )


def test_that_exemption_frees_the_rollout() -> None:
    exempt = (
        ',"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/stacksets-exec-*",'
        '"arn:aws:iam::*:role/iam-org-revoker/*"]}'
    )
    assert plan(given(observed=under(REGION_DENY % exempt, ROOT_BUT_CENTRE))).refusals == ()


def test_a_condition_that_only_aws_can_judge_is_a_note() -> None:
    tagged = ',"StringNotEquals":{"aws:PrincipalTag/team":"platform"}'
    content = REGION_DENY.replace('"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}%s', "%s")
    policy = ControlPolicy("p-tags", "tags", content % tagged.removeprefix(","), (INNER,))
    seen = replace(untouched(), control_policies=(*untouched().control_policies, policy))
    made = plan(given(observed=seen))
    assert made.refusals == ()
    assert any("may refuse" in note for note in made.notes)


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
    assert "2 accounts in no ring's units: 444455556666, 777788889991." in plan(given(file)).notes


def test_parameters_reach_the_sets_whole_and_with_the_central_bus() -> None:
    made = plan(given(wanted()))
    create = next(call for call in made.calls() if call.operation == "CreateStackSet")
    values = {one["ParameterKey"]: one["ParameterValue"] for one in create.arguments["Parameters"]}
    assert values == {
        "AdminRolePatterns": "role/stacksets-exec-*",
        "CentralBusArn": f"arn:aws:events:us-east-1:{SECURITY}:event-bus/iam-org-revoker",
        "MissingGroup": "undecided",
        "Mode": "observe",
        "TrailDestS3BucketName": "",
    }
    assert create.arguments["TemplateURL"] == (
        "https://s3.us-east-1.amazonaws.com/iam-org-revoker-templates-111122223333/" + MEMBER.key
    )
