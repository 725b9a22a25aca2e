"""A keeping that has not ended: the next plan ends it, from what is observed alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.names import KEPT_POLICY, kept_arn
from handler.model.principal import DenyMethod
from stacksets.config.model import Wanted
from stacksets.drift.keep_scope import with_held
from stacksets.observe.clients import CannotEnter, Clients
from stacksets.observed.bearers import Bearer, Holding, Way
from stacksets.observed.model import ControlPolicy, Observed
from stacksets.planners.rollout import plan
from stacksets.steps.inputs import Given
from stacksets.steps.model import Until
from tests.stacksets.planners.test_moved_accounts import moved
from tests.stacksets.scene import (
    LARGE,
    SMALL,
    THREE,
    TWO,
    changed,
    given,
    instance,
    operations,
    rolled_out,
)

KEPT = kept_arn(partition="aws", account=TWO, kind="policy", name=KEPT_POLICY)
DENY = f"arn:aws:iam::{TWO}:policy/iam-org-revoker/iam-org-revoker-deny"
FREED = Bearer("user", "mallory", "AIDA1", frozenset(), policies=1, kept=frozenset({Way.POLICY}))
AGAIN = replace(FREED, methods=frozenset({DenyMethod.MANAGED_POLICY}), policies=2)
ADMITTED = (
    '[parameters]\nMissingGroup = "treat-as-empty"\n'
    'AdminRolePatterns = ["role/stacksets-exec-*", "role/OrganizationAccountAccessRole"]\n'
)


def enforcing() -> Wanted:
    rule = 'mode = "enforce"\nobserved_since = 2026-09-01\n'
    return changed(
        ('[[ring]]\nname = "canary"', f'{ADMITTED}[[ring]]\nname = "canary"\n{rule}'),
        ('name = "everyone"\n', f'name = "everyone"\n{rule}'),
    )


def holding(*bearers: Bearer, **changes: Any) -> Holding:
    kept = frozenset({KEPT})
    return replace(Holding(TWO, "aws", bearers, runs=True, kept_policies=kept), **changes)


def keeping(*bearers: Bearer, seen: Observed | None = None, **changes: Any) -> Given:
    """The whole file is applied, and in one account a kept deny is left."""
    scene = given(enforcing(), seen or rolled_out(enforcing()))
    return replace(scene, held={TWO: holding(*bearers, **changes)})


def test_who_is_kept_though_the_new_stack_stands_is_contained_by_it() -> None:
    made = plan(keeping(FREED))
    assert made.refusals == ()
    assert operations(made) == ["Invoke", "DetachUserPolicy", "DeletePolicy"]
    wait = made.steps[1].wait
    assert wait is not None
    assert (wait.until, wait.account, wait.name) == (Until.CONTAINED, TWO, f"{DENY},AIDA1")


def test_who_bears_ours_again_is_freed_of_the_kept_deny_alone() -> None:
    assert operations(plan(keeping(AGAIN))) == ["DetachUserPolicy", "DeletePolicy"]


def test_a_kept_deny_that_nobody_bears_any_more_goes() -> None:
    assert operations(plan(keeping())) == ["DeletePolicy"]


def test_where_nothing_is_kept_there_is_nothing_to_do() -> None:
    contained = replace(AGAIN, kept=frozenset())
    assert plan(keeping(contained, kept_policies=frozenset())).empty


def test_a_stack_that_is_not_there_yet_is_made_first() -> None:
    seen = rolled_out(enforcing())
    everyone = seen.stack_sets["iam-org-revoker-everyone"]
    others = {account: one for account, one in everyone.instances.items() if account != TWO}
    sets = {**seen.stack_sets, everyone.name: replace(everyone, instances=others)}
    made = plan(keeping(FREED, seen=replace(seen, stack_sets=sets), runs=False))
    assert operations(made) == [
        "CreateStackInstances",
        "Invoke",
        "DetachUserPolicy",
        "DeletePolicy",
    ]


def test_an_account_that_is_freed_and_whose_old_stack_still_stands_is_gone_on_with() -> None:
    seen = moved(TWO, SMALL)
    whole = rolled_out(enforcing())
    sets = {
        name: replace(whole.stack_sets[name], instances=one.instances)
        for name, one in seen.stack_sets.items()
    }
    seen = replace(whole, organization=seen.organization, stack_sets=sets)
    made = plan(keeping(FREED, seen=seen, runs=False))
    assert operations(made) == [
        "DeleteStackInstances",
        "CreateStackInstances",
        "Invoke",
        "DetachUserPolicy",
        "DeletePolicy",
    ]


def test_no_round_is_asked_of_a_stack_that_takes_no_updates() -> None:
    seen = rolled_out(enforcing())
    everyone = seen.stack_sets["iam-org-revoker-everyone"]
    broken = instance(TWO, LARGE, status="INOPERABLE", detail="INOPERABLE")
    instances = {**everyone.instances, TWO: broken}
    sets = {**seen.stack_sets, everyone.name: replace(everyone, instances=instances)}
    assert plan(keeping(FREED, seen=replace(seen, stack_sets=sets))).steps == ()


def test_a_kept_deny_that_the_operator_may_not_take_off_is_told_of_and_stops_nothing() -> None:
    seen = rolled_out(enforcing())
    only = (
        '{"Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":'
        '{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::*:role/stacksets-exec-*",'
        '"arn:aws:iam::*:role/iam-org-revoker/*"]}}}]}'
    )
    policy = ControlPolicy("p-more", "more", only, (TWO,))
    made = plan(
        keeping(FREED, seen=replace(seen, control_policies=(*seen.control_policies, policy)))
    )
    assert (made.steps, made.refusals, made.unmanaged) == ((), (), True)
    assert (
        f"A kept deny is to go in {TWO}, and under the guardrail only the break-glass role takes "
        "one off: name it in --access-role."
    ) in made.notes


def test_a_revoker_that_was_stopped_by_a_repair_is_told_of_and_asked_nothing() -> None:
    made = plan(keeping(FREED, runs=False))
    assert (made.steps, made.refusals, made.unmanaged) == ((), (), True)
    assert (
        f"A kept deny is left in {TWO}, and the revoker there does not run: a drift --repair or a "
        "remove that broke off has stopped it. Run that again; or start it (aws lambda "
        "delete-function-concurrency --function-name iam-org-revoker) and run apply."
    ) in made.notes


def test_whom_the_revoker_would_contain_for_it_is_told_how_to_be_exempt() -> None:
    wanted = enforcing()
    rings = tuple(
        replace(ring, parameters={**ring.parameters, "AdminRolePatterns": "role/another"})
        for ring in wanted.rings
    )
    wanted = replace(wanted, rings=rings)
    held = {TWO: holding(FREED)}
    made = plan(replace(given(wanted, rolled_out(wanted)), held=held))
    assert made.steps == ()
    assert any("OrganizationAccountAccessRole is no administrator there" in n for n in made.notes)


class NoSuchEntity(ClientError):
    """What nobody answers here."""


class Clientele:
    """The table of incidents; counts what is asked. In the accounts `keeps` a kept deny is seen,
    and who bears it is not."""

    def __init__(
        self,
        *,
        reported: tuple[str, ...],
        refuses: type[Exception] | None = None,
        keeps: tuple[str, ...] = (),
    ) -> None:
        self.reported, self.refuses, self.keeps = reported, refuses, keeps
        self.asked: list[tuple[str, str]] = []

    def make(self, service: str, account: str) -> Any:
        if service == "iam" and self.refuses is CannotEnter:
            raise CannotEnter(f"Account {account} cannot be entered.")
        whole = self

        class Client:
            exceptions = SimpleNamespace(NoSuchEntityException=NoSuchEntity)

            def get_paginator(self, operation: str) -> Any:
                class Paginator:
                    def paginate(self, **_: Any) -> Iterator[Any]:
                        whole.asked.append((operation, account))
                        seen = operation in ("scan", "list_policies")
                        if whole.refuses is ClientError or not seen:
                            reported = {"Code": "AccessDenied", "Message": f"not {operation}"}
                            raise ClientError({"Error": reported}, operation)
                        items = [{"pk": {"S": f"incident#{one}#x"}} for one in whole.reported]
                        yield {"Items": items, "Policies": [{}] * (account in whole.keeps)}

                return Paginator()

        return Client()

    def clients(self) -> Clients:
        caller = "arn:aws:iam::111122223333:user/operator"
        return Clients(caller=caller, make=self.make, elsewhere=self.make)


def test_only_accounts_that_were_told_of_are_asked_and_once_each() -> None:
    scene, asked = given(enforcing(), rolled_out(enforcing())), Clientele(reported=(TWO,))
    assert with_held(asked.clients(), scene) == scene
    assert [(one, where) for one, where in asked.asked if one != "scan"] == [("list_policies", TWO)]


def test_where_nothing_enforces_and_nothing_goes_nobody_is_asked() -> None:
    scene, asked = given(observed=rolled_out()), Clientele(reported=(TWO,))
    assert with_held(asked.clients(), scene) == scene
    assert asked.asked == []


@pytest.mark.parametrize(
    ("refuses", "said"),
    [
        (ClientError, "in any account could not be seen: AccessDenied: not scan."),
        (CannotEnter, f"in 2 accounts ({TWO} first) could not be seen: Account {TWO} cannot be "),
    ],
)
def test_who_may_not_look_is_told_so_and_the_plan_goes_on(
    refuses: type[Exception], said: str
) -> None:
    scene = given(enforcing(), rolled_out(enforcing()))
    asked = Clientele(reported=(TWO, THREE), refuses=refuses)
    made = plan(with_held(asked.clients(), scene))
    assert made.refusals == ()
    (note,) = [one for one in made.notes if "kept deny" in one]
    assert said in note


def test_who_sees_a_kept_deny_and_may_not_see_its_bearers_is_told_so_too() -> None:
    scene = given(enforcing(), rolled_out(enforcing()))
    made = plan(with_held(Clientele(reported=(TWO,), keeps=(TWO,)).clients(), scene))
    assert made.refusals == ()
    (note,) = [one for one in made.notes if "kept deny" in one]
    assert "in 1 account could not be seen: AccessDenied: not list_entities_for_policy" in note


def test_a_stack_that_is_to_go_is_not_touched_by_whoever_cannot_look() -> None:
    excluded = f'[[excluded]]\naccount = "{TWO}"\nreason = "closed soon"\n[management]'
    scene = given(changed(("[management]", excluded)), rolled_out())
    with pytest.raises(ClientError):
        with_held(Clientele(reported=(TWO,), refuses=ClientError).clients(), scene)
