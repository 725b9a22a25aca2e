"""A removal: the reverse order, what stands in its way, what is moved before what is deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handler.model.principal import DenyMethod
from stacksets.containments.repair import unmendable
from stacksets.observed.bearers import Bearer, Holding
from stacksets.observed.model import AutoDeployment, ControlPolicy, Observed, Operation
from stacksets.observed.organization import Organization
from stacksets.planners.removal import Choice, Removing, removal
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan
from tests.stacksets.scene import (
    GUARDRAIL,
    LARGE,
    MANAGEMENT,
    ONE,
    SMALL,
    TWO,
    given,
    rolled_out,
    untouched,
)

MALLORY = Bearer("user", "mallory", "AIDA1", frozenset({DenyMethod.MANAGED_POLICY}), policies=1)


def held(account: str) -> dict[str, Holding]:
    return {account: Holding(account, "aws", (MALLORY,), runs=True)}


def planned(
    observed: Observed | None = None,
    *,
    where: str = "",
    choice: Choice | None = None,
    ring: str = "",
) -> Plan:
    seen = observed or rolled_out()
    return removal(Removing(given(observed=seen), held(where) if where else {}, choice, ring))


def operations(made: Plan) -> list[str]:
    return [call.operation for call in made.calls()]


def closed(account: str) -> Organization:
    organization = rolled_out().organization
    shut = replace(organization.accounts[account], status="SUSPENDED")
    return replace(organization, accounts={**organization.accounts, account: shut})


def test_where_nothing_is_nothing_is_removed() -> None:
    assert planned(untouched()).empty


def test_the_order_is_that_of_a_rollout_backwards() -> None:
    made = planned()
    assert made.refusals == ()
    assert operations(made) == [
        "DeleteStack",
        "DeleteStackInstances",
        "DeleteStackSet",
        "DeleteStackInstances",
        "DeleteStackSet",
        "DetachPolicy",
        "DetachPolicy",
        "DeletePolicy",
        "DeleteStack",
        "DeleteBucket",
        "DeleteBucket",
    ]
    assert [step.ring for step in made.steps if step.ring] == [
        "everyone",
        "everyone",
        "canary",
        "canary",
    ]


def test_who_bears_an_inline_deny_is_said_not_to_be_seen() -> None:
    seen = rolled_out()
    sets = {
        name: replace(one, parameters={**one.parameters, "InlineDeny": "allow"})
        for name, one in seen.stack_sets.items()
    }
    reported = (
        "Whom only the inline policy iam-org-revoker-deny contains (InlineDeny = allow) is not "
        "seen from here and stays denied: release them first (python -m responder release)."
    )
    assert reported in planned(replace(seen, stack_sets=sets)).notes
    assert reported not in planned().notes


def test_one_ring_goes_alone() -> None:
    assert operations(planned(ring="canary")) == ["DeleteStackInstances", "DeleteStackSet"]


def test_a_set_that_the_file_does_not_name_goes_first() -> None:
    seen = rolled_out()
    old = replace(seen.stack_sets["iam-org-revoker-canary"], name="iam-org-revoker-old")
    seen = replace(seen, stack_sets={**seen.stack_sets, old.name: old})
    sets = [
        call.arguments["StackSetName"]
        for call in planned(seen).calls()
        if call.operation == "DeleteStackSet"
    ]
    assert sets == ["iam-org-revoker-old", "iam-org-revoker-everyone", "iam-org-revoker-canary"]


def test_whoever_is_contained_stops_it_until_somebody_decides() -> None:
    made = planned(where=ONE)
    (refusal,) = made.refusals
    assert refusal == (
        "1 principal is contained: say what becomes of them, with --release-all or "
        "--keep-contained."
    )


def test_what_is_kept_is_moved_right_before_the_stack_of_its_account_goes() -> None:
    made = planned(where=TWO, choice=Choice.KEEP)
    assert operations(made)[:8] == [
        "DeleteStack",
        "PutFunctionConcurrency",
        "CreatePolicy",
        "AttachUserPolicy",
        "DetachUserPolicy",
        "DeleteStackInstances",
        "DeleteStackSet",
        "DeleteStackInstances",
    ]


def test_a_name_that_is_taken_stops_a_keeping_and_no_release() -> None:
    arn = f"arn:aws:iam::{TWO}:policy/iam-org-revoker-kept"
    taken = {TWO: replace(held(TWO)[TWO], squatters=(arn,))}
    here = given(observed=rolled_out())
    (refusal,) = removal(Removing(here, taken, Choice.KEEP)).refusals
    assert refusal.startswith(f"Nobody in {TWO} can be kept contained while {arn} is there")
    assert removal(Removing(here, taken, Choice.RELEASE)).refusals == ()


def test_the_management_account_s_own_contained_are_moved_before_its_stack_goes() -> None:
    made = planned(where=MANAGEMENT, choice=Choice.RELEASE)
    assert operations(made)[:3] == ["PutFunctionConcurrency", "DetachUserPolicy", "DeleteStack"]


def under_guardrail() -> Observed:
    """Where nobody but the role break-glass takes a deny off."""
    document = (
        '{"Statement":[{"Sid":"DenyStaysTrue","Effect":"Deny","NotAction":["iam:Get*"],'
        '"Resource":["arn:*:iam::*:group/iam-org-revoker/*"],'
        '"Condition":{"ArnNotLike":{"aws:PrincipalArn":["arn:*:iam::*:role/break-glass"]}}}]}'
    )
    policies = [one for one in rolled_out().control_policies if one.content != GUARDRAIL]
    guardrail = ControlPolicy("p-guard", "iam-org-revoker", document, (SMALL, LARGE))
    return replace(rolled_out(), control_policies=(*policies, guardrail))


def test_under_the_guardrail_it_goes_before_the_first_ring_unless_the_operator_is_exempt() -> None:
    seen = under_guardrail()
    made = planned(seen, where=TWO, choice=Choice.KEEP)
    assert operations(made)[:5] == [
        "DeleteStack",
        "DetachPolicy",
        "DetachPolicy",
        "DeletePolicy",
        "PutFunctionConcurrency",
    ]
    exempt = given(observed=seen)
    access = replace(exempt.wanted.access, role="break-glass")
    exempt = replace(exempt, wanted=replace(exempt.wanted, access=access))
    made = removal(Removing(exempt, held(TWO), Choice.KEEP))
    names = operations(made)
    assert names.index("DetachPolicy") > names.index("DeleteStackInstances")
    (refusal,) = planned(seen, where=TWO, choice=Choice.KEEP, ring="everyone").refusals
    assert refusal.startswith("Under the guardrail only the break-glass role takes a deny off")


def test_stacks_of_closed_accounts_are_forgotten_since_nobody_reaches_them() -> None:
    seen = replace(rolled_out(), organization=closed(TWO))
    made = planned(seen)
    forgotten = next(call for call in made.calls() if call.operation == "DeleteStackInstances")
    assert forgotten.arguments["RetainStacks"] is True
    assert forgotten.arguments["DeploymentTargets"] == {
        "OrganizationalUnitIds": [LARGE],
        "Accounts": [TWO],
        "AccountFilterType": "INTERSECTION",
    }


def test_nothing_is_begun_while_an_operation_is_under_way() -> None:
    seen = rolled_out()
    busy = replace(
        seen.stack_sets["iam-org-revoker-canary"],
        operations=(Operation("1", "UPDATE", "RUNNING", ""),),
    )
    seen = replace(seen, stack_sets={**seen.stack_sets, busy.name: busy})
    assert planned(seen).refusals == (
        "iam-org-revoker-canary has an operation under way: wait until it has ended.",
    )


def test_a_set_whose_instances_are_gone_already_is_only_deleted() -> None:
    seen = rolled_out()
    empty = replace(
        seen.stack_sets["iam-org-revoker-canary"],
        instances={},
        units=(),
        auto_deployment=AutoDeployment(True, False),
    )
    seen = replace(seen, stack_sets={empty.name: empty})
    assert operations(planned(seen, ring="canary")) == ["DeleteStackSet"]


# Below: an account that is entered by a profile of its own, under a guardrail with a break-glass.
BREAK_GLASS = f"arn:aws:iam::{TWO}:role/break-glass"
DEVELOPER = f"arn:aws:iam::{TWO}:role/developer"


def profiled(operator: str, *, role: str = "break-glass") -> tuple[Given, dict[str, Holding]]:
    here = given(observed=under_guardrail())
    access = replace(here.wanted.access, role=role, profiles={TWO: "workload"})
    here = replace(here, wanted=replace(here.wanted, access=access))
    return here, {TWO: replace(held(TWO)[TWO], operator=operator)}


@pytest.mark.parametrize(
    ("operator", "may"), [(BREAK_GLASS, True), (DEVELOPER, False), ("", False)]
)
def test_who_enters_by_a_profile_is_judged_by_that_and_not_by_the_role_of_the_file(
    operator: str, may: bool
) -> None:
    here, holdings = profiled(operator, role="developer" if may else "break-glass")
    refusals = removal(Removing(here, holdings, Choice.KEEP, "everyone")).refusals
    reported = (
        "Under the guardrail only the break-glass role takes a deny off: let the account's profile "
        "in [access.profiles] be that role's, or remove the whole product, guardrail first."
    )
    assert refusals == (() if may else (reported,))


def test_a_profile_s_role_that_the_revoker_would_contain_is_told_of_too() -> None:
    here, holdings = profiled(DEVELOPER)
    enforcing = tuple(replace(ring, mode="enforce") for ring in here.wanted.rings)
    here = replace(here, wanted=replace(here.wanted, rings=enforcing))
    assert f"{DEVELOPER} is no administrator there" in " ".join(unmendable(here, holdings.values()))


def test_a_use_of_our_deny_that_no_deny_method_makes_is_named_and_nothing_begins() -> None:
    deny = f"arn:aws:iam::{TWO}:policy/iam-org-revoker/iam-org-revoker-deny"
    alice = Bearer("user", "alice", "AIDA2", frozenset(), odd=frozenset({deny}))
    odd = Holding(TWO, "aws", (alice,), runs=True, odd_groups=(("ops", deny),))
    made = removal(Removing(given(observed=rolled_out()), {TWO: odd}, None))
    assert made.refusals == (
        (
            f"user alice in {TWO} has {deny} as its permissions boundary, which the revoker never "
            "sets, and the stack that owns it cannot go: put the owner's own in its place, or aws "
            "iam delete-user-permissions-boundary --user-name=alice."
        ),
        (
            f"group ops in {TWO} carries {deny}, which the revoker never attaches to it, and the "
            "stack that owns it cannot go: aws iam detach-group-policy --group-name=ops "
            f"--policy-arn={deny}."
        ),
    )
