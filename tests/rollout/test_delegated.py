"""Rolling out from the security account, which may not do everything itself."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.box import Box
from stacksets.cli.common import Stopped, read_inputs
from stacksets.observe.clients import Clients
from stacksets.planners.rollout import plan
from stacksets.steps.model import Plan, StepKind
from tests.rollout.operator import Operator, stacks

pytestmark = pytest.mark.deep

SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"


@pytest.fixture
def delegate(box: Box, operator: Operator) -> Operator:
    operator.file = f'deploy_from = "{box.security}"\n{operator.file}'
    return operator


def own(operator: Operator) -> Clients:
    """Clients of the security account, which cannot enter the management account."""
    box = operator.box

    def make(service: str, account: str) -> Any:
        assert account == box.security, f"{service} of {account}"
        return box.client(service, account)

    caller = f"arn:aws:iam::{box.security}:user/operator"
    return Clients(caller=caller, make=make, elsewhere=make)


def planned(operator: Operator) -> Plan:
    wanted = operator.wanted()
    return plan(read_inputs(wanted, operator.release, own(operator), today=operator.today))


def delegated(box: Box) -> None:
    box.client("cloudformation", box.management).activate_organizations_access()
    box.client("organizations", box.management).register_delegated_administrator(
        AccountId=box.security, ServicePrincipal=SERVICE
    )


def test_an_account_that_is_no_delegate_yet_is_told_what_lets_it(delegate: Operator) -> None:
    with pytest.raises(Stopped) as caught:
        planned(delegate)
    assert "aws cloudformation activate-organizations-access" in caught.value.said
    assert f"--account-id {delegate.box.security} --service-principal {SERVICE}" in (
        caught.value.said
    )


def test_a_delegate_covers_the_members_and_leaves_the_guardrail_to_others(
    delegate: Operator,
) -> None:
    box = delegate.box
    delegated(box)
    made = planned(delegate)
    assert made.refusals == ()
    assert [step.kind for step in made.of_others] == [StepKind.GUARDRAIL] * 3
    delegate.walker(own(delegate)).walk(made.own)
    assert all(len(list(stacks(box, one))) == 1 for one in box.members)
    left = planned(delegate)
    assert left.own == ()
    assert len(left.of_others) == 3
    # A person of the management account does what is left; then there is nothing to do.
    delegate.walker(delegate.clients()).walk(left.of_others)
    assert planned(delegate).empty
    assert list(stacks(box, box.management)) == []


def test_a_delegate_does_not_enforce_before_somebody_attached_the_guardrail(
    delegate: Operator,
) -> None:
    delegated(delegate.box)
    delegate.file += (
        'mode = "enforce"\nobserved_since = 2000-01-01\n'
        '[ring.parameters]\nMissingGroup = "treat-as-empty"\n'
    )
    (refusal,) = planned(delegate).refusals
    assert refusal.startswith("ring everyone cannot enforce without the guardrail on all its units")
