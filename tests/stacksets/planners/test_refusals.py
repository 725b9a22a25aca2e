"""What stops a rollout before it begins, in words, and what a policy or a date lets pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stacksets.observed.model import ControlPolicy
from stacksets.planners.rollout import plan
from tests.stacksets.scene import (
    INNER,
    LARGE,
    MANAGEMENT,
    PARAMETERS,
    REGION_DENY,
    ROOT_BUT_CENTRAL,
    SECURITY,
    TWO,
    changed,
    given,
    log,
    rolled_out,
    template,
    under,
    untouched,
)

ENFORCE = ('units = ["Small"]', 'units = ["Small"]\nmode = "enforce"\nobserved_since = 2026-11-01')


DECIDED = ("[management]", '[parameters]\nMissingGroup = "treat-as-empty"\n[management]')


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
            '"treat-as-empty" once every account has its administrators\' group.'
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
    seen = replace(seen, organization=replace(seen.organization, **about))
    assert plan(given(changed(*changes), seen)).refusals == (sentence,)


def test_a_ring_enforces_after_its_days_under_the_guardrail() -> None:
    file = changed((ENFORCE[0], ENFORCE[1].replace("2026-11-01", "2026-11-08")), DECIDED)
    made = plan(given(file, rolled_out()))
    assert made.refusals == ()
    first = next(step for step in made.steps if step.ring == "canary")
    assert "MissingGroup: undecided -> treat-as-empty" in first.shows
    assert "Mode: observe -> enforce" in first.shows


def test_the_management_account_enforces_only_where_that_is_accepted() -> None:
    decided = '[parameters]\nMissingGroup = "treat-as-empty"\n[management]\nmode = "enforce"'
    since = f"{decided}\nobserved_since = 2026-11-01"
    refused = plan(given(changed(("[management]", since)))).refusals
    assert len(refused) == 1
    assert "no policy binds that account" in refused[0]
    accepted = changed(("[management]", f"{since}\naccept_unguarded = true"))
    assert plan(given(accepted)).refusals == ()


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
    assert plan(given(observed=under(REGION_DENY % exempt, ROOT_BUT_CENTRAL))).refusals == ()


def test_a_condition_that_only_aws_can_judge_is_a_note() -> None:
    tagged = ',"StringNotEquals":{"aws:PrincipalTag/team":"platform"}'
    content = REGION_DENY.replace('"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}%s', "%s")
    policy = ControlPolicy("p-tags", "tags", content % tagged.removeprefix(","), (INNER,))
    seen = replace(untouched(), control_policies=(*untouched().control_policies, policy))
    made = plan(given(observed=seen))
    assert made.refusals == ()
    assert any("may refuse" in note for note in made.notes)
