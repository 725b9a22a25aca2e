"""What makes an account covered, and why another is not: a case for each state and its opposite."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handler.model.heartbeat import BY_DEAD_LETTER, SelfTest
from stacksets.config.model import Excluded
from stacksets.observed.heartbeats import LastHeartbeat
from stacksets.status.coverage import coverage
from stacksets.status.inputs import StatusInputs
from stacksets.status.states import STATES, State
from tests.stacksets.status.changes import (
    ONE,
    Change,
    below_root,
    given,
    heard,
    rolled,
    row,
    status,
    unheard,
)
from tests.stacksets.status.inputs import (
    DAY,
    NOW,
    a_ring,
    a_wanted,
    an_instance,
    parameters,
)


def left_out(*changes: Change) -> StatusInputs:
    return replace(given(*changes), wanted=a_wanted(a_ring(), excluded=(Excluded(ONE, "A vault"),)))


CASES: list[tuple[str, StatusInputs, State, bool, str]] = [
    ("all is well", given(), State.COVERED, False, ""),
    (
        "the self-test is a day and more old",
        given(heard(self_test=SelfTest(at=NOW - 2 * DAY, deny_seconds=1.0))),
        State.COVERED,
        False,
        "",
    ),
    (
        "the self-test is older than two days",
        given(heard(self_test=SelfTest(at=NOW - 2 * DAY - 1, deny_seconds=1.0))),
        State.UNHEALTHY,
        True,
        "Its last self-test was 2 days ago.",
    ),
    (
        "the self-test failed",
        given(heard(self_test=SelfTest(at=NOW - 60, ok=False, error="no event came"))),
        State.UNHEALTHY,
        True,
        "Its self-test failed: no event came.",
    ),
    (
        "the self-test's event came through the dead-letter queue",
        given(heard(self_test=SelfTest(at=NOW - 60, ok=False, error=f"{BY_DEAD_LETTER}: x"))),
        State.UNHEALTHY,
        True,
        "Its self-test failed: its event came through the dead-letter queue: x.",
    ),
    (
        "events come through its dead-letter queue",
        given(heard(redriven=1)),
        State.UNHEALTHY,
        True,
        "1 event came through the dead-letter queue: the caller was free for up to 20 minutes.",
    ),
    (
        "the policy of its table is gone",
        given(heard(table_policy="missing")),
        State.DRIFTED,
        True,
        (
            "The resource policy of the table iam-org-revoker-state is missing: others may write "
            "the ledger."
        ),
    ),
    (
        "there was no self-test yet",
        given(heard(self_test=SelfTest())),
        State.UNHEALTHY,
        True,
        "Its self-test has not ended yet.",
    ),
    (
        "the trail is stopped",
        given(heard(trail="stopped")),
        State.UNHEALTHY,
        True,
        "The trail is stopped: no call is seen.",
    ),
    (
        "events lie in its dead-letter queue",
        given(heard(dead_letters=2)),
        State.UNHEALTHY,
        True,
        "2 events could not be handled, and the caller may be free.",
    ),
    ("the trail may not be looked at", given(heard(trail="unknown")), State.COVERED, False, ""),
    (
        "the file says observe",
        given(mode="observe"),
        State.NOT_ENFORCING,
        False,
        "It observes, as the file says.",
    ),
    (
        "the file says enforce, and it observes",
        given(heard(mode="observe")),
        State.NOT_ENFORCING,
        True,
        "It observes, and the file says enforce.",
    ),
    (
        "an older version that observes as it should",
        given(heard(product_version="0.0.9"), mode="observe"),
        State.OUTDATED,
        True,
        "Its version is 0.0.9; this release is 0.1.0.",
    ),
    (
        "the set has another template",
        given(rolled(an_instance(ONE), digest="another")),
        State.OUTDATED,
        True,
        "StackSet iam-org-revoker-all has another template than this version's.",
    ),
    (
        "the set has other parameters",
        given(
            rolled(
                an_instance(ONE),
                parameters={**parameters("enforce", BreakerLimit="9"), "CentralBusArn": "arn"},
            )
        ),
        State.OUTDATED,
        True,
        (
            "StackSet iam-org-revoker-all has other parameters than the file: BreakerLimit, "
            "CentralBusArn."
        ),
    ),
    (
        "the instance is behind its set",
        given(rolled(an_instance(ONE, status="OUTDATED", detail="SUCCEEDED"))),
        State.OUTDATED,
        True,
        "StackSet iam-org-revoker-all has not brought its newest state there.",
    ),
    (
        "the instance is being updated",
        given(rolled(an_instance(ONE, status="OUTDATED", detail="RUNNING"))),
        State.OUTDATED,
        True,
        "StackSet iam-org-revoker-all is being rolled out to it.",
    ),
    (
        "CloudFormation found drift",
        given(rolled(an_instance(ONE, drift="DRIFTED"))),
        State.DRIFTED,
        True,
        "CloudFormation finds that StackSet iam-org-revoker-all was changed there by hand.",
    ),
    (
        "CloudFormation found no drift",
        given(rolled(an_instance(ONE, drift="IN_SYNC"))),
        State.COVERED,
        False,
        "",
    ),
    (
        "the rule is off",
        given(heard(rule="DISABLED")),
        State.DRIFTED,
        True,
        "The rule iam-org-revoker-calls is DISABLED.",
    ),
    (
        "a tamper rule is gone",
        given(heard(tamper_rule="missing")),
        State.DRIFTED,
        True,
        "The rule iam-org-revoker-tamper* is missing.",
    ),
    (
        "the function has other parameters than its stack",
        given(heard(settings="0000000000000000")),
        State.DRIFTED,
        True,
        "The revoker works with other parameters than its stack.",
    ),
    (
        "its last heartbeat is 35 minutes old",
        given(heard(at=NOW - 35 * 60)),
        State.COVERED,
        False,
        "",
    ),
    (
        "its last heartbeat is older",
        given(heard(at=NOW - 35 * 60 - 1)),
        State.NOT_REPORTING,
        True,
        "Its last heartbeat was 35 minutes ago.",
    ),
    (
        "it was never heard of",
        given(unheard()),
        State.NOT_REPORTING,
        True,
        "It was never heard of.",
    ),
    (
        "CloudFormation could not make the stack",
        given(unheard(), rolled(an_instance(ONE, detail="FAILED", reason="Limit exceeded"))),
        State.FAILED,
        True,
        "StackSet iam-org-revoker-all failed there. AWS: Limit exceeded.",
    ),
    (
        "CloudFormation could not update a stack that works",
        given(rolled(an_instance(ONE, status="OUTDATED", detail="FAILED", reason="Denied."))),
        State.FAILED,
        True,
        "StackSet iam-org-revoker-all failed there. AWS: Denied.",
    ),
    (
        "the instance is inoperable",
        given(unheard(), rolled(an_instance(ONE, status="INOPERABLE", detail="INOPERABLE"))),
        State.FAILED,
        True,
        "StackSet iam-org-revoker-all failed there. AWS: AWS gave no reason.",
    ),
    (
        "its ring has no stack there",
        given(unheard(), rolled()),
        State.NOT_REACHED,
        True,
        "Nothing was rolled out to it: ring all has no stack there.",
    ),
    (
        "its ring was never rolled out",
        replace(given(unheard()), stack_sets={}),
        State.NOT_REACHED,
        True,
        "Nothing was rolled out to it: ring all has no stack there.",
    ),
    (
        "its stack is being made",
        given(unheard(), rolled(an_instance(ONE, status="OUTDATED", detail="PENDING"))),
        State.NOT_REACHED,
        True,
        "StackSet iam-org-revoker-all is being rolled out to it.",
    ),
    (
        "no ring has its unit",
        replace(given(unheard()), wanted=a_wanted(a_ring(units=("Workloads/Sandbox",)))),
        State.NOT_REACHED,
        True,
        "No ring of the file has its unit.",
    ),
    (
        "it stands right below the root",
        replace(below_root(given(unheard())), wanted=a_wanted(a_ring(units=("Workloads",)))),
        State.NOT_REACHED,
        True,
        "It stands right below the root, in no unit of a ring.",
    ),
    (
        "it stands right below the root, which is a ring's",
        below_root(given()),
        State.COVERED,
        False,
        "",
    ),
    (
        "its ring names its unit by its path",
        replace(given(), wanted=a_wanted(a_ring(units=("Workloads/Payments",)))),
        State.COVERED,
        False,
        "",
    ),
    (
        "it is left out by choice",
        left_out(unheard(), rolled()),
        State.EXCLUDED,
        False,
        "A vault.",
    ),
    (
        "it is left out by choice, and was heard of before",
        left_out(heard(at=NOW - DAY), rolled()),
        State.EXCLUDED,
        False,
        "A vault.",
    ),
    (
        "it is left out by choice, and has its stack still",
        left_out(unheard()),
        State.EXCLUDED,
        True,
        "A vault. All the same it has the product, by StackSet iam-org-revoker-all.",
    ),
    (
        "it is left out by choice, and a stack that nobody sees works there",
        left_out(rolled()),
        State.EXCLUDED,
        True,
        "A vault. All the same a revoker there sent a heartbeat 5 minutes ago.",
    ),
    (
        "it is suspended and its stack failed",
        given(status("SUSPENDED"), rolled(an_instance(ONE, detail="FAILED"))),
        State.SUSPENDED,
        False,
        "Organizations says SUSPENDED: nothing runs there.",
    ),
    (
        "it is about to be closed",
        given(status("PENDING_CLOSURE")),
        State.SUSPENDED,
        False,
        "Organizations says PENDING_CLOSURE: nothing runs there.",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_an_account_is(case: tuple[str, StatusInputs, State, bool, str]) -> None:
    _, inputs, state, amiss, why = case
    found = row(inputs)
    assert (found.state, found.amiss, found.finding.why) == (state, amiss, why)
    assert coverage(inputs).amiss is any(one.amiss for one in coverage(inputs).rows)
    if amiss:
        assert found.finding.todo.endswith((".", "now."))


def test_every_state_has_a_case_and_a_sentence() -> None:
    assert {case[2] for case in CASES} == set(State) == set(STATES)


def test_what_is_amiss_beside_the_state_is_told_too() -> None:
    found = row(given(heard(at=NOW - 90_000, rule="DISABLED", product_version="0.0.9")))
    assert found.state is State.NOT_REPORTING
    assert [one.state for one in found.also] == [State.DRIFTED, State.OUTDATED]


def test_an_account_that_a_newer_version_speaks_for_is_outdated_and_breaks_nothing() -> None:
    inputs = given()
    known = {**inputs.kept.heard, ONE: LastHeartbeat(NOW - 60, None)}
    found = row(replace(inputs, kept=replace(inputs.kept, heard=known)))
    assert found.state is State.OUTDATED
