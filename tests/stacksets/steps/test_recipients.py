"""Who hears of one unit's accounts: the steps that follow from what the file says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stacksets.execute.dry_run import dry_run
from stacksets.observed.model import Observed, Subscription
from stacksets.observed.organization import Account
from stacksets.planners.rollout import plan
from stacksets.steps.model import StepKind, Until, Wait
from stacksets.steps.recipients import MARK, MOST
from tests.stacksets.recipients_scene import (
    LARGE_TEAM,
    SMALL_TEAM,
    TEAM,
    TOPIC,
    filters,
    planned,
    recipients,
    subscribed,
)
from tests.stacksets.scene import (
    FILE,
    INNER,
    LARGE,
    MANAGEMENT,
    ONE,
    REGION_DENY,
    ROOT,
    SECURITY,
    SMALL,
    THREE,
    TWO,
    changed,
    given,
    operations,
    organization,
    rolled_out,
    under,
    untouched,
    wanted,
)


def test_a_recipient_is_subscribed_to_every_account_below_the_unit_before_any_ring() -> None:
    made = plan(given(wanted(recipients((LARGE, LARGE_TEAM), ("Small", SMALL_TEAM)))))
    assert filters(made) == {LARGE_TEAM: [MARK, TWO, THREE], SMALL_TEAM: [MARK, SECURITY, ONE]}
    assert [step.kind for step in made.steps if step.kind is not StepKind.BUCKET][:6] == [
        StepKind.TRUST,
        StepKind.CENTRAL,
        StepKind.RECIPIENT,
        StepKind.RECIPIENT,
        StepKind.CONFIRM,
        StepKind.GUARDRAIL,
    ]
    confirm = next(step for step in made.steps if step.kind is StepKind.CONFIRM)
    assert confirm.wait is not None
    assert confirm.wait.addresses == (LARGE_TEAM, "security@example.com", SMALL_TEAM)
    (call,) = next(step for step in made.steps if step.kind is StepKind.RECIPIENT).calls
    assert (call.account, call.operation) == (SECURITY, "Subscribe")
    assert {**call.arguments, "Attributes": ""} == {
        "TopicArn": TOPIC,
        "Protocol": "email",
        "Endpoint": LARGE_TEAM,
        "Attributes": "",
    }
    assert [*dry_run(made.steps)] == []


def test_the_root_is_every_account_with_the_management_account() -> None:
    made = planned(recipients((ROOT, LARGE_TEAM)))
    assert filters(made) == {LARGE_TEAM: [MARK, MANAGEMENT, SECURITY, ONE, TWO, THREE]}


def test_several_units_of_one_address_are_one_subscription() -> None:
    text = recipients((INNER, LARGE_TEAM), (SMALL, "Large@example.com"), (LARGE, LARGE_TEAM))
    assert filters(planned(text)) == {LARGE_TEAM: [MARK, SECURITY, ONE, TWO, THREE]}


def test_a_recipient_who_hears_of_the_right_accounts_is_left_alone() -> None:
    assert planned(recipients((LARGE, LARGE_TEAM)), subscribed(LARGE_TEAM, THREE, TWO)).empty


def test_an_account_that_joined_and_one_that_left_are_a_change_of_the_filter() -> None:
    made = planned(recipients((LARGE, LARGE_TEAM)), subscribed(LARGE_TEAM, ONE, TWO))
    assert operations(made) == ["SetSubscriptionAttributes"]
    assert filters(made) == {f"{TOPIC}:{LARGE_TEAM}": [MARK, TWO, THREE]}
    (step,) = made.steps
    assert step.says == f"Change of which accounts {LARGE_TEAM} hears: those of Large"
    assert step.shows == (f"- {ONE} (name-1)", f"+ {THREE} (name-3)")
    # Who had confirmed is not asked again.
    assert step.wait is None
    assert [*dry_run(made.steps)] == []


def test_whom_the_file_no_longer_names_is_unsubscribed_before_the_stack_is_updated() -> None:
    text = FILE.replace('"security@example.com"', f'"{LARGE_TEAM}"')
    made = planned(text, subscribed(LARGE_TEAM, TWO), subscribed(SMALL_TEAM, ONE))
    assert operations(made) == ["PutObject", "Unsubscribe", "Unsubscribe", "UpdateStack"]
    first = made.steps[1]
    assert first.calls[0].arguments == {"SubscriptionArn": f"{TOPIC}:{LARGE_TEAM}"}
    assert first.says == f"End the subscription of {LARGE_TEAM}, whom the file no longer names"
    assert [*dry_run(made.steps)] == []


@pytest.mark.parametrize(
    "other",
    [
        subscribed("by-hand@example.com", TWO, mark=False),
        subscribed("by-hand@example.com", filter_policy=""),
        subscribed("by-hand@example.com", filter_policy='{"kind":["ill"]}'),
        subscribed("by-hand@example.com", filter_policy=f'{{"account":["{MARK}"],"kind":["ill"]}}'),
        subscribed("by-hand@example.com", filter_policy='{"account":"x"}'),
        subscribed("by-hand@example.com", filter_policy="no JSON"),
        subscribed("by-hand@example.com", TWO, by_body=True),
        subscribed("by-hand@example.com", TWO, protocol="email-json"),
        subscribed("by-hand@example.com", TWO, topic="iam-org-revoker-health"),
    ],
)
def test_a_subscription_that_we_did_not_make_stays(other: Subscription) -> None:
    assert planned(FILE, other).empty


def test_a_list_made_by_hand_is_taken_over_when_the_file_names_its_address() -> None:
    made = planned(recipients((LARGE, LARGE_TEAM)), subscribed(LARGE_TEAM, TWO, THREE, mark=False))
    assert operations(made) == ["SetSubscriptionAttributes"]
    assert made.steps[0].shows == ("~ the filter was made by hand; from now on apply keeps it",)


@pytest.mark.parametrize(
    "policy", ["", '{"kind":["ill"]}', f'{{"account":["{TWO}"],"kind":["x"]}}']
)
def test_an_address_that_hears_by_hand_of_something_else_is_refused(policy: str) -> None:
    other = subscribed(LARGE_TEAM, filter_policy=policy)
    (said,) = planned(recipients((LARGE, LARGE_TEAM)), other).refusals
    assert said == (
        f"recipients: {LARGE_TEAM} is subscribed to iam-org-revoker-incidents by hand already, "
        "without a filter or with another: end that subscription (aws sns unsubscribe "
        f"--subscription-arn {TOPIC}:{LARGE_TEAM}), or take the address out of the file."
    )


def test_what_the_stack_subscribes_is_the_stacks() -> None:
    extra = ("security@example.com", f'security@example.com"\nExtraEmail = "{LARGE_TEAM}')
    with_extra = changed(extra, ("[guardrail]", f'ExtraAccounts = "{TWO}"\n[guardrail]'))
    before = rolled_out(with_extra)
    by_stack = subscribed(LARGE_TEAM, TWO, filter_policy="")
    before = replace(before, subscriptions=(TEAM, by_stack))
    assert plan(given(with_extra, before)).empty
    # Over to [[recipients]]: the update ends the stack's own, then the address is asked anew.
    made = plan(given(wanted(recipients((LARGE, LARGE_TEAM))), before))
    assert operations(made) == ["PutObject", "UpdateStack", "Subscribe"]
    assert made.steps[-1].wait == Wait(
        Until.CONFIRMED,
        SECURITY,
        f"{TOPIC},{TOPIC.replace('incidents', 'health')}",
        addresses=(LARGE_TEAM,),
    )


def test_who_has_not_confirmed_is_waited_for_and_compared_by_the_next_plan() -> None:
    pending = subscribed(LARGE_TEAM, confirmed=False, arn="", filter_policy="")
    made = planned(recipients((LARGE, LARGE_TEAM)), pending)
    assert [step.kind for step in made.steps] == [StepKind.CONFIRM]
    (said,) = made.notes
    assert said == (
        f"{LARGE_TEAM} has not confirmed yet, and SNS shows no filter until then: the next plan "
        "compares it."
    )


def test_who_was_asked_and_is_not_named_any_more_holds_nothing_up() -> None:
    made = planned(FILE, subscribed(LARGE_TEAM, confirmed=False, arn="", filter_policy=""))
    assert made.empty
    (said,) = made.notes
    assert said == (
        f"{LARGE_TEAM} is asked to confirm a subscription and the file does not name it: nobody "
        "can end that. AWS deletes it after 48 hours without an answer, or after 30 days where it "
        "has suspended the address for too many mails."
    )


def test_the_team_is_waited_for_however_its_address_is_spelled_in_the_list() -> None:
    spelled = replace(TEAM, address="Security@Example.com", confirmed=False)
    made = plan(given(observed=replace(rolled_out(), subscriptions=(spelled,))))
    assert [step.kind for step in made.steps] == [StepKind.CONFIRM]


def crowded(count: int) -> Observed:
    """So many accounts in Large besides THREE, which is in Inner."""
    before = organization()
    more = {
        str(number): Account(str(number), "", "", "ACTIVE", LARGE)
        for number in range(100000000000, 100000000000 + count - 1)
    }
    accounts = {key: one for key, one in before.accounts.items() if key != TWO}
    return replace(
        untouched(),
        organization=replace(before, accounts={**accounts, **more}),
        # So that no policy has to name them all.
        control_policies_enabled=False,
    )


def test_more_accounts_than_a_filter_takes_are_refused_before_anything_is_called() -> None:
    file = wanted(recipients((LARGE, LARGE_TEAM)))
    assert plan(given(file, crowded(MOST))).refusals == ()
    (listed,) = filters(plan(given(file, crowded(MOST)))).values()
    assert len(listed) == 150
    (said,) = plan(given(file, crowded(MOST + 1))).refusals
    assert said == (
        f"recipients: below Large there are 150 accounts, and a filter of SNS takes 149 at most "
        f"for {LARGE_TEAM}: name smaller units, with an address each, or subscribe that address "
        "to the whole topic by hand, without a filter, and take it out of the file."
    )
    both = wanted(recipients((LARGE, LARGE_TEAM), (SMALL, LARGE_TEAM)))
    (refusal,) = plan(given(both, crowded(MOST))).refusals
    assert refusal.startswith("recipients: below Large, Small there are 151 accounts")


def test_a_unit_without_accounts_has_a_filter_that_lets_nothing_through() -> None:
    before = rolled_out()
    there = before.organization
    accounts = {**there.accounts, THREE: replace(there.accounts[THREE], unit=LARGE)}
    empty = replace(before, organization=replace(there, accounts=accounts))
    made = plan(given(wanted(recipients((INNER, LARGE_TEAM))), empty))
    assert filters(made) == {LARGE_TEAM: [MARK]}
    assert made.notes == (f"{LARGE_TEAM} hears of nothing yet: no account is below Large/Inner.",)


def test_a_unit_that_does_not_exist_is_refused_and_ends_nothing() -> None:
    made = planned(recipients(("ou-ab12-nowhere00", LARGE_TEAM)), subscribed(LARGE_TEAM, TWO))
    (said,) = made.refusals
    assert said == (
        f"recipients: {LARGE_TEAM}: there is no unit 'ou-ab12-nowhere00'; there are /, Large, "
        "Large/Inner, Small."
    )
    assert operations(made) == []


def test_a_policy_that_refuses_the_operator_these_calls_is_told_of() -> None:
    deny = REGION_DENY.replace('"NotAction":"iam:*"', '"Action":"sns:SetSubscriptionAttributes"')
    denied = under(deny % "", (SECURITY,))
    assert plan(given(observed=denied)).refusals == ()
    (refusal,) = plan(given(wanted(recipients((LARGE, LARGE_TEAM))), denied)).refusals
    assert "refuses sns:SetSubscriptionAttributes in us-east-1 to the operator" in refusal
