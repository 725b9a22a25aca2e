"""The plan: the right steps in the right order, and none where all is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stacksets.execute.dry_run import dry_run
from stacksets.observed.model import Subscription
from stacksets.planners.rollout import plan
from stacksets.steps.model import Saved, StepKind
from tests.stacksets.scene import (
    CENTRAL,
    LARGE,
    MANAGEMENT,
    MEMBER,
    ROOT,
    SECURITY,
    SMALL,
    changed,
    given,
    operations,
    rolled_out,
    untouched,
    wanted,
)


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
    assert [step.ring for step in made.steps if step.kind is StepKind.RING] == [
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
    assert (made.steps, made.unmanaged) == ((), True)
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
    assert (made.steps, made.notes, made.unmanaged) == ((), (), False)


def test_right_after_a_rollout_there_is_nothing_to_do() -> None:
    made = plan(given(observed=rolled_out()))
    assert (made.steps, made.refusals) == ((), ())


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


def test_a_mail_that_nobody_confirmed_is_waited_for_before_any_ring() -> None:
    pending = (Subscription("iam-org-revoker-health", "security@example.com", confirmed=False),)
    made = plan(given(observed=replace(rolled_out(), subscriptions=pending)))
    assert [step.kind for step in made.steps] == [StepKind.CONFIRM]


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
    assert [step.target_text for step in made.steps if step.kind is StepKind.CONFIRM] == (
        [asked] if asked else []
    )
    assert made.steps[-1].kind is (StepKind.CONFIRM if asked else StepKind.CENTRAL)


def test_a_central_stack_that_is_made_again_asks_its_addresses_again() -> None:
    seen = rolled_out()
    assert seen.central is not None
    dead = replace(seen.central, status="ROLLBACK_COMPLETE", outputs={})
    made = plan(given(observed=replace(seen, central=dead, subscriptions=())))
    assert [step.kind for step in made.steps if step.kind is not StepKind.BUCKET] == [
        StepKind.CENTRAL,
        StepKind.CENTRAL,
        StepKind.CONFIRM,
    ]
    assert made.steps[-1].target_text == "security@example.com"


def test_what_a_failed_creation_left_is_deleted_first() -> None:
    seen = rolled_out()
    assert seen.central is not None
    dead = replace(seen, central=replace(seen.central, status="ROLLBACK_COMPLETE"))
    made = plan(given(observed=dead))
    assert [name for name in operations(made) if name.endswith("Stack")] == [
        *("DeleteStack", "CreateStack")
    ]


def test_the_management_account_is_in_no_set_wherever_it_lies() -> None:
    seen = untouched()
    accounts = seen.organization.accounts
    moved = {**accounts, MANAGEMENT: replace(accounts[MANAGEMENT], unit=SMALL)}
    seen = replace(seen, organization=replace(seen.organization, accounts=moved))
    made = plan(given(observed=seen))
    assert all(MANAGEMENT not in step.accounts for step in made.steps if step.kind is StepKind.RING)


def test_a_delegated_administrator_leaves_the_guardrail_to_the_management_account() -> None:
    file = changed(('trail = "accounts"', f'trail = "accounts"\ndeploy_from = "{SECURITY}"'))
    seen = replace(untouched(), management_seen=False)
    made = plan(given(file, seen))
    assert {step.kind for step in made.of_others} == {StepKind.TRUST, StepKind.GUARDRAIL}
    sets = [call for call in made.calls() if "StackSet" in call.operation]
    assert {call.arguments["CallAs"] for call in sets} == {"DELEGATED_ADMIN"}
    assert StepKind.MANAGEMENT not in {step.kind for step in made.steps}
    assert "own stack is not seen from here" in " ".join(made.notes)


def test_parameters_reach_the_sets_whole_and_with_the_central_bus() -> None:
    made = plan(given(wanted()))
    create = next(call for call in made.calls() if call.operation == "CreateStackSet")
    values = {one["ParameterKey"]: one["ParameterValue"] for one in create.arguments["Parameters"]}
    assert values == {
        "AdminRolePatterns": "role/stacksets-exec-*",
        "CentralBusArn": f"arn:aws:events:us-east-1:{SECURITY}:event-bus/iam-org-revoker",
        "MissingGroup": "undecided",
        "Mode": "observe",
        "RoleCallers": "contain",
        "TrailDestS3BucketName": "",
    }
    assert create.arguments["TemplateURL"] == (
        "https://s3.us-east-1.amazonaws.com/iam-org-revoker-templates-111122223333/" + MEMBER.key
    )
