"""What makes an account covered, and why another is not: a case for each state and its opposite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handler.heartbeat import SelfTest
from stacksets.coverage import Covered, coverage, timing
from stacksets.findings import STATES, State
from stacksets.heartbeats import Centre, Heard, Kept
from stacksets.observed import Instance
from stacksets.sight import Sight
from stacksets.wanted import Excluded
from tests.stacksets.sights import (
    DAY,
    MANAGEMENT,
    NOW,
    a_beat,
    a_management_stack,
    a_mixed_sight,
    a_ring,
    a_sight,
    a_stack_set,
    a_wanted,
    account_id,
    an_instance,
    parameters,
)

ONE = account_id(1)
Change = Callable[[Sight], Sight]


def heard(account: str = ONE, *, at: float = NOW - 300, **changes: object) -> Change:
    def change(sight: Sight) -> Sight:
        mode = changes.pop("mode", sight.wanted.rings[0].mode)
        beat = a_beat(account, mode=str(mode), **changes)
        known = {**sight.kept.heard, account: Heard(at, beat)}
        return replace(sight, kept=replace(sight.kept, heard=known))

    return change


def unheard(account: str = ONE) -> Change:
    def change(sight: Sight) -> Sight:
        known = {key: one for key, one in sight.kept.heard.items() if key != account}
        return replace(sight, kept=replace(sight.kept, heard=known))

    return change


def rolled(*instances: Instance, **changes: object) -> Change:
    """The set with these instances only."""

    def change(sight: Sight) -> Sight:
        ring = sight.wanted.rings[0]
        return replace(sight, stack_sets={ring.stack_set: a_stack_set(ring, *instances, **changes)})

    return change


def status(said: str, account: str = ONE) -> Change:
    def change(sight: Sight) -> Sight:
        known = dict(sight.organization.accounts)
        known[account] = replace(known[account], status=said)
        return replace(sight, organization=replace(sight.organization, accounts=known))

    return change


def row(sight: Sight, account: str = ONE) -> Covered:
    return next(one for one in coverage(sight).rows if one.account.id == account)


def given(*changes: Change, mode: str = "enforce") -> Sight:
    sight = a_sight(3, a_ring(mode=mode))
    for change in changes:
        sight = change(sight)
    return sight


def left_out(*changes: Change) -> Sight:
    return replace(given(*changes), wanted=a_wanted(a_ring(), excluded=(Excluded(ONE, "A vault"),)))


CASES: list[tuple[str, Sight, State, bool, str]] = [
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
        State.ILL,
        True,
        "Its last self-test was 2 days ago.",
    ),
    (
        "the self-test failed",
        given(heard(self_test=SelfTest(at=NOW - 60, ok=False, error="no event came"))),
        State.ILL,
        True,
        "Its self-test failed: no event came.",
    ),
    (
        "there was no self-test yet",
        given(heard(self_test=SelfTest())),
        State.ILL,
        True,
        "Its self-test has not ended yet.",
    ),
    (
        "the trail is stopped",
        given(heard(trail="stopped")),
        State.ILL,
        True,
        "The trail is stopped: no call is seen.",
    ),
    (
        "events lie in its dead-letter queue",
        given(heard(dead_letters=2)),
        State.ILL,
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
        State.SILENT,
        True,
        "Its last heartbeat was 35 minutes ago.",
    ),
    ("it was never heard of", given(unheard()), State.SILENT, True, "It was never heard of."),
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
def test_an_account_is(case: tuple[str, Sight, State, bool, str]) -> None:
    _, sight, state, amiss, why = case
    found = row(sight)
    assert (found.state, found.amiss, found.finding.why) == (state, amiss, why)
    assert coverage(sight).amiss is any(one.amiss for one in coverage(sight).rows)
    if amiss:
        assert found.finding.todo.endswith((".", "now."))


def test_every_state_has_a_case_and_a_sentence() -> None:
    assert {case[2] for case in CASES} == set(State) == set(STATES)


def test_what_is_amiss_beside_the_state_is_told_too() -> None:
    found = row(given(heard(at=NOW - 90_000, rule="DISABLED", product_version="0.0.9")))
    assert found.state is State.SILENT
    assert [one.state for one in found.also] == [State.DRIFTED, State.OUTDATED]


def test_nobody_is_silent_while_the_centre_is_behind() -> None:
    quiet = given(heard(at=NOW - 3_600))
    assert row(quiet).state is State.SILENT
    for centre in (
        Centre(last_sweep=NOW - 301, heard_at=NOW - 60),
        Centre(last_sweep=NOW - 20, heard_at=NOW - 60, behind_until=NOW),
        Centre(),
    ):
        excused = replace(quiet, kept=replace(quiet.kept, centre=centre))
        assert row(excused).state is State.COVERED
        assert coverage(excused).notes[0].startswith("The centre itself is behind")
        never = unheard()(excused)
        assert row(never).finding.why == "It was never heard of, and the centre hears nobody."
    assert coverage(quiet).notes == ()


def test_a_centre_that_is_missing_or_older_is_said_once() -> None:
    found = coverage(replace(given(), kept=Kept(readable=False)))
    assert [note.partition(",")[0] for note in found.notes] == ["The central stack is not there"]
    assert {one.state for one in found.rows} == {State.ILL}


def test_the_management_account_is_judged_by_its_own_stack() -> None:
    sight = given()
    assert row(sight, MANAGEMENT).finding.why == "It observes, as the file says."
    bad = a_management_stack(status="UPDATE_ROLLBACK_COMPLETE", reason="The role is missing")
    failed = row(replace(sight, management_stack=bad), MANAGEMENT)
    assert failed.state is State.FAILED
    assert failed.finding.why == "Stack iam-org-revoker failed there. AWS: The role is missing."
    other = a_management_stack(digest="another")
    assert row(replace(sight, management_stack=other), MANAGEMENT).state is State.OUTDATED
    gone = unheard(MANAGEMENT)(replace(sight, management_stack=None))
    assert row(gone, MANAGEMENT).state is State.NOT_REACHED
    hidden = replace(sight, management_stack=None, management_seen=False)
    assert row(hidden, MANAGEMENT).state is State.NOT_ENFORCING
    assert "cannot be seen from here" in coverage(hidden).notes[0]
    without = replace(sight, wanted=a_wanted(a_ring(), install=False))
    assert row(without, MANAGEMENT).state is State.EXCLUDED
    assert row(without, MANAGEMENT).amiss
    gone = unheard(MANAGEMENT)(replace(without, management_stack=None))
    assert row(gone, MANAGEMENT).state is State.EXCLUDED
    assert not row(gone, MANAGEMENT).amiss


def test_the_nearest_unit_says_whose_ring_an_account_is_in() -> None:
    rings = (a_ring("early", units=("/Workloads/Payments/",), mode="observe"), a_ring("late"))
    sight = replace(given(), wanted=a_wanted(*rings))
    assert row(sight).ring == "early"
    assert row(sight, account_id(2)).ring == "late"


def test_an_account_that_a_newer_version_speaks_for_is_outdated_and_breaks_nothing() -> None:
    sight = given()
    known = {**sight.kept.heard, ONE: Heard(NOW - 60, None)}
    found = row(replace(sight, kept=replace(sight.kept, heard=known)))
    assert found.state is State.OUTDATED


def test_times_are_nearest_ranks_of_what_was_measured() -> None:
    assert timing([]) is None
    assert timing([0.0, 0.0]) is None
    one = timing([3.0, 0.0])
    assert one is not None
    assert (one.accounts, one.median, one.p99) == (1, 3.0, 3.0)
    many = timing(float(second) for second in range(1, 201))
    assert many is not None
    assert (many.accounts, many.median, many.p99) == (200, 100.0, 198.0)


def test_failed_and_missing_self_tests_do_not_count_as_times() -> None:
    bad = SelfTest(at=NOW - 60, ok=False, deny_seconds=900.0, event_seconds=900.0, error="late")
    found = coverage(given(heard(self_test=bad)))
    assert found.contained is not None
    assert (found.contained.accounts, found.contained.p99) == (1, 2.4)
    assert found.seen is not None
    assert (found.seen.accounts, found.seen.p99) == (2, 1.9)


def test_accounts_come_by_unit_and_name_and_each_once() -> None:
    rows = coverage(a_mixed_sight(500)).rows
    keys = [(one.unit, one.account.name) for one in rows]
    assert keys == sorted(keys)
    assert len({one.account.id for one in rows}) == 500
