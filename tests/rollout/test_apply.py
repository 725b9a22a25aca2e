"""Rolling out into the box: interrupted anywhere, failing somewhere, upgraded, and again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from botocore import xform_name

from sandbox.box import Box
from stacksets.execute.executor import StepFailed
from stacksets.observed.templates import Template
from stacksets.steps.model import StepKind
from tests.rollout.operator import RELEASE, Interrupted, Operator, stacks


def covered(box: Box) -> bool:
    """Whether each member, the management account and the central account have their stack."""
    members = all(any("StackSet-" in name for name in stacks(box, one)) for one in box.members)
    return (
        members
        and list(stacks(box, box.management)) == ["iam-org-revoker"]
        and list(stacks(box, box.security)) == ["iam-org-revoker-central"]
    )


def test_an_apply_that_is_interrupted_after_each_of_its_calls_ends_covered(
    operator: Operator,
) -> None:
    planned = operator.plan()
    calls = [call.operation for call in planned.calls()]
    operator.apply_interrupted_after_each_call()
    assert covered(operator.box)
    # Nothing was done twice; a new bucket is closed and encrypted by AWS itself, which a plan sees.
    by_aws = ("PutPublicAccessBlock", "PutBucketEncryption")
    assert operator.made == [xform_name(name) for name in calls if name not in by_aws]


def test_an_apply_that_is_interrupted_while_aws_works_on_each_step_ends_covered(
    operator: Operator,
) -> None:
    """What a call began is under way when the next apply looks, and is waited for first."""
    box = operator.box
    box.stack_seconds = 600
    waited = [*interrupted_while_aws_works(operator)]
    assert covered(box)
    assert waited == ["CREATE", "CREATE"]
    operator.file += "[ring.parameters]\nBreakerLimit = 9\n"
    # Of one ring alone: auto-deployment off with the change, and on again.
    assert [*interrupted_while_aws_works(operator)] == ["UPDATE", "UPDATE"]
    assert operator.plan().empty
    names = ("create_stack_set", "create_stack_instances", "update_stack_set")
    assert [operator.made.count(name) for name in names] == [2, 2, 2]


def interrupted_while_aws_works(operator: Operator) -> Iterator[str]:
    """Press Ctrl-C right after each changing call, and apply again while AWS still works on what
    it began; the operations that the next apply found under way."""
    for _ in range(60):
        made = operator.plan()
        assert made.refusals == ()
        if made.empty:
            return
        if made.unfinished:
            assert {step.kind for step in made.steps} == {StepKind.WAIT}
            yield from (step.says.partition("ended its ")[2].split()[0] for step in made.steps)
            operator.box.advance(601)
            operator.walk(made)
            continue
        with suppress(Interrupted):
            operator.walk(made, calls=1)
    raise AssertionError("it does not end")


def test_a_second_apply_says_that_there_is_nothing_to_do_and_changes_nothing(
    operator: Operator,
) -> None:
    operator.apply()
    assert covered(operator.box)
    before = list(operator.made)
    assert operator.plan().empty
    operator.apply()
    assert operator.made == before


def test_managed_execution_that_somebody_switched_off_is_seen_and_switched_on(
    operator: Operator,
) -> None:
    operator.apply()
    cloudformation = operator.box.client("cloudformation", operator.box.management)
    keys = operator.release.member.document["Parameters"]
    cloudformation.update_stack_set(
        StackSetName="iam-org-revoker-canary",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": key, "UsePreviousValue": True} for key in keys],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        ManagedExecution={"Active": False},
    )
    while operator.plan().unfinished:
        operator.apply()
    assert [step.target_text for step in operator.plan().steps] == ["no stack changes"]
    operator.apply()
    assert operator.plan().empty
    assert operator.read_inputs().observed.stack_sets["iam-org-revoker-canary"].managed


def test_an_account_that_joins_is_covered_without_another_apply(operator: Operator) -> None:
    operator.apply()
    before = list(operator.made)
    joined = operator.box.new_account("newcomer")
    while operator.plan().unfinished:
        operator.apply()
    assert operator.plan().empty
    assert operator.made == before
    assert len(list(stacks(operator.box, joined))) == 1


def test_an_account_that_moves_between_rings_is_covered_without_another_apply(
    operator: Operator,
) -> None:
    """AWS takes the old stack away before it gives the new one, whose names are the same."""
    operator.apply()
    box, before = operator.box, list(operator.made)
    (account,) = operator.accounts_in("Sandbox")[:1]
    box.client("organizations", box.management).move_account(
        AccountId=account,
        SourceParentId=box.layout.sandbox,
        DestinationParentId=box.layout.workloads,
    )
    operator.rest()
    (stack,) = [name for name in stacks(box, account) if "StackSet-" in name]
    assert "-everyone-" in stack
    assert operator.plan().empty
    assert operator.made == before


def test_an_upgrade_is_queued_behind_an_account_that_joins_after_the_look(
    operator: Operator,
) -> None:
    """AWS would refuse it if it named managed execution, which is on."""
    operator.apply()
    operator.file += "[ring.parameters]\nBreakerLimit = 9\n"
    box, planned = operator.box, operator.plan()
    box.stack_seconds = 600
    joined = box.new_account("newcomer")
    with pytest.raises(Interrupted):
        operator.walk(planned, calls=1)
    assert [step.kind for step in operator.plan().steps] == [StepKind.WAIT, StepKind.WAIT]
    box.stack_seconds = 0
    box.advance(601)
    operator.rest()
    operator.apply()
    assert operator.plan().empty
    assert [name for name in stacks(box, joined) if "-everyone-" in name]


def test_an_account_that_fails_stops_the_rollout_and_the_next_apply_goes_on(
    operator: Operator,
) -> None:
    box = operator.box
    bad = operator.accounts_in("Sandbox")[0]
    box.state.stack_failures[bad] = "Resource limit exceeded"
    with pytest.raises(StepFailed) as caught:
        operator.apply()
    assert caught.value.step.ring == "canary"
    assert caught.value.accounts[bad] == "Resource limit exceeded"
    workloads = [one for one in box.members if one not in caught.value.step.accounts]
    assert all(list(stacks(box, one)) == [] for one in workloads)
    box.state.stack_failures.clear()
    operator.apply()
    assert covered(box)
    assert operator.plan().empty


def test_what_fails_within_the_tolerance_is_told_and_tried_again(operator: Operator) -> None:
    box = operator.box
    operator.file += "tolerance_percent = 50\n"
    bad = operator.accounts_in("Workloads")[0]
    box.state.stack_failures[bad] = "Resource limit exceeded"
    assert operator.apply() == {bad: "Resource limit exceeded"}
    (step,) = operator.plan().steps
    assert step.accounts == (bad,)
    box.state.stack_failures.clear()
    assert operator.apply() == {}
    assert covered(box)


def test_only_an_account_that_is_really_suspended_is_passed_over(operator: Operator) -> None:
    box = operator.box
    operator.file += "tolerance_percent = 50\n"
    operator.apply()
    shut, bad = operator.accounts_in("Sandbox")[0], operator.accounts_in("Workloads")[0]
    box.client("organizations", box.management).close_account(AccountId=shut)
    said = "Your use of this service is suspended for now"
    box.state.stack_failures[bad] = said
    operator.file = operator.file.replace("[[ring]]", "[parameters]\nBreakerLimit = 9\n[[ring]]", 1)
    assert operator.apply() == {bad: said}
    (step,) = operator.plan().steps
    assert step.accounts == (bad,)


def test_an_upgrade_that_is_interrupted_after_each_of_its_calls_ends_upgraded(
    operator: Operator,
) -> None:
    operator.apply()
    document = RELEASE.member.document
    document["Resources"]["RevokerLog"]["Properties"]["RetentionInDays"] = 7
    operator.release = replace(RELEASE, member=Template("member", json.dumps(document)))
    operator.made.clear()
    first = next(step for step in operator.plan().steps if step.kind is StepKind.RING)
    assert first.shows == ("~ RevokerLog (AWS::Logs::LogGroup): RetentionInDays",)
    operator.apply_interrupted_after_each_call()
    assert operator.made == [
        "put_object",
        "update_stack_set",
        "update_stack_set",
        "update_stack_set",
        "update_stack_set",
        "update_stack",
    ]
    for account in (*operator.box.members, operator.box.management):
        logs = operator.box.client("logs", account).describe_log_groups(
            logGroupNamePrefix="/aws/lambda/iam-org-revoker"
        )["logGroups"]
        assert [one["retentionInDays"] for one in logs] == [7]


def test_a_region_that_a_policy_denies_is_found_before_anything_is_tried(
    operator: Operator,
) -> None:
    box = operator.box
    organizations = box.client("organizations", box.management)
    content = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "NotAction": ["iam:*", "organizations:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
        },
    }
    made = organizations.create_policy(
        Name="only-europe",
        Description="",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps(content),
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=made, TargetId=box.layout.workloads)
    (refusal,) = operator.plan().refusals
    assert refusal.startswith(
        "The service control policy only-europe refuses cloudformation:CreateStack in us-east-1 "
        "to StackSets in 2 accounts"
    )
    assert operator.made == []


def test_mails_that_nobody_confirms_stop_the_rollout_before_any_member(
    operator: Operator,
) -> None:
    operator.box.outbox.confirms = False
    with pytest.raises(StepFailed) as caught:
        operator.apply()
    assert caught.value.said == ("Nobody has confirmed the subscription of security@example.com")
    assert caught.value.step.kind is StepKind.CONFIRM
    assert operator.plan().steps[0].kind is StepKind.CONFIRM
    assert all(list(stacks(operator.box, one)) == [] for one in operator.box.members)


def test_an_address_that_is_changed_is_asked_before_any_member_changes(operator: Operator) -> None:
    operator.apply()
    operator.box.outbox.confirms = False
    operator.file = operator.file.replace("security@example.com", "new@example.com")
    with pytest.raises(StepFailed) as caught:
        operator.apply()
    assert caught.value.said == "Nobody has confirmed the subscription of new@example.com"
    assert [step.kind for step in operator.plan().steps] == [StepKind.CONFIRM]


def test_a_set_that_is_busy_is_waited_for(operator: Operator) -> None:
    box = operator.box
    operator.apply()
    box.stack_seconds = 600
    operator.file += "[ring.parameters]\nBreakerLimit = 9\n"
    with pytest.raises(Interrupted):
        operator.walk(operator.plan(), calls=1)
    assert [step.kind for step in operator.plan().steps] == [StepKind.WAIT]
    assert operator.plan().unfinished
    box.stack_seconds = 0
    box.advance(601)
    operator.apply()
    operator.apply()
    assert operator.plan().empty
