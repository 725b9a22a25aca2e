"""Each policy that we deploy decides each trial as the product needs it, by either evaluator.

The sandbox's evaluator is always asked; the second one, by other people, where it is at hand.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from generator.render import Rendered
from tests.generator.policy.questions import operations
from tests.generator.policy.revoker_world import FROM_FUNCTION, world_of
from tests.generator.policy.test_all_writes import CONTEXTS, READING, THINGS, WRITES
from tests.generator.policy.test_guardrail import (
    ALICE,
    ALLOW_ALL,
    DEPLOY,
    EVERYBODY_ELSE,
    ORDINARY,
    PRODUCT,
    ROOT,
    SSO,
    STATEMENTS,
    Call,
    guardrail,
)
from tests.second_opinion.bus_trials import BUS_TRIALS
from tests.second_opinion.central_trials import CENTRAL_TRIALS
from tests.second_opinion.differences import OF_ALL_WRITES, unexplained
from tests.second_opinion.evaluators import ALLOWED, DENIED, Document, Question, need, ours
from tests.second_opinion.member_trials import MEMBER_TRIALS
from tests.second_opinion.policies import Policies
from tests.second_opinion.trials import ACCOUNT, REVOKER, Trial, titles, uploaded

TRIALS = (*BUS_TRIALS, *CENTRAL_TRIALS, *MEMBER_TRIALS)
Identities = dict[str, tuple[Document, ...]]


@pytest.mark.parametrize("trial", TRIALS, ids=titles(TRIALS))
def test_the_sandbox_decides_as_the_product_needs_it(
    policies: Policies, identities: Identities, trial: Trial
) -> None:
    assert ours(trial.question(policies, identities)) == trial.verdict


def test_both_decide_each_trial_alike(policies: Policies, identities: Identities) -> None:
    need()
    asked = [trial.question(policies, identities) for trial in TRIALS]
    assert unexplained((one, ours(one)) for one in asked) == []


def test_both_decide_alike_what_the_guardrail_refuses_and_what_it_lets_through() -> None:
    need()
    asked = [*_under_the_guardrail()]
    assert {ours(one) for one in asked} == {ALLOWED, DENIED}
    assert unexplained((one, ours(one)) for one in asked) == []


def test_both_decide_alike_each_iam_write_of_the_revoker_on_each_target(
    rendered: dict[str, Rendered],
) -> None:
    need()
    asked = [*_writes(tuple(world_of(rendered["member"]).revoker))]
    assert unexplained(((one, ours(one)) for one in asked), OF_ALL_WRITES) == []


def test_a_difference_is_named(policies: Policies, identities: Identities) -> None:
    need()
    forged = next(trial for trial in BUS_TRIALS if trial.verdict == DENIED)
    asked = forged.question(policies, identities)
    wrong = unexplained([(asked, ALLOWED)])
    assert wrong == [f"events:PutEvents on {asked.resource} by {asked.who}: Allow here, Deny there"]


def _under_the_guardrail() -> Iterator[Question]:
    for calls, spared in STATEMENTS.values():
        for call in calls:
            for who in (*EVERYBODY_ELSE, *spared):
                yield _guarded(who, call)
    for who, call in PRODUCT:
        yield _guarded(who, call)
    for call in ORDINARY:
        for who in (ALICE, DEPLOY, SSO, ROOT):
            yield _guarded(who, call)


def _guarded(who: str, call: Call) -> Question:
    action, resource, context = call
    return Question(
        who=who,
        action=action,
        resource=resource,
        owner=ACCOUNT,
        keys={**uploaded(who, ACCOUNT), **context},
        identity=(ALLOW_ALL,),
        guardrails=((ALLOW_ALL,), (ALLOW_ALL, guardrail(without=""))),
    )


def _writes(own: tuple[Document, ...]) -> Iterator[Question]:
    """Those that it may hold with every key, in the function and out of it; all others once."""
    for action in (*operations("iam"), "PassRole"):
        if action.startswith(READING):
            continue
        contexts = CONTEXTS if action in WRITES else ({},)
        for thing in THINGS:
            for context in contexts:
                for source in (FROM_FUNCTION, {}):
                    keys = {**uploaded(REVOKER, ACCOUNT), **context, **source}
                    yield Question(REVOKER, f"iam:{action}", thing, ACCOUNT, keys, own)


def test_no_part_of_a_resources_policy_is_without_a_trial_that_needs_it(
    policies: Policies, identities: Identities
) -> None:
    for name in policies.keys() - NOT_DEPLOYED:
        before = _verdicts(name, policies[name], identities)
        for part, weaker in _weaker(policies[name]):
            assert _verdicts(name, weaker, identities) != before, (name, part)


def _verdicts(name: str, policy: Document, identities: Identities) -> list[str]:
    asked = (trial.question({name: policy}, identities) for trial in TRIALS if trial.policy == name)
    return [ours(one) for one in asked]


# How a policy must not be written, and what strangers may write.
NOT_DEPLOYED = {"bus, single-valued", "open function"}


def _weaker(policy: Document) -> Iterator[tuple[Any, Document]]:
    """The policy without each of its statements, and without each of its conditions."""
    for number, statement in enumerate(policy["Statement"]):
        left = copy.deepcopy(policy)
        del left["Statement"][number]
        yield statement, left
        for operator, keys in statement.get("Condition", {}).items():
            for key in keys:
                left = copy.deepcopy(policy)
                del left["Statement"][number]["Condition"][operator][key]
                yield (statement, key), left
