"""The status of a whole Organization: order, times, rings, and the management account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handler.model.heartbeat import SelfTest
from stacksets.status.coverage import coverage, timing
from stacksets.status.states import State
from tests.stacksets.status.changes import (
    given,
    heard,
    row,
    unheard,
)
from tests.stacksets.status.inputs import (
    MANAGEMENT,
    NOW,
    a_management_stack,
    a_ring,
    a_wanted,
    account_id,
    mixed_status_inputs,
)


def test_the_management_account_is_judged_by_its_own_stack() -> None:
    inputs = given()
    assert row(inputs, MANAGEMENT).finding.why == "It observes, as the file says."
    bad = a_management_stack(status="UPDATE_FAILED", reason="The role is missing")
    failed = row(replace(inputs, management_stack=bad), MANAGEMENT)
    assert failed.state is State.FAILED
    assert failed.finding.why == "Stack iam-org-revoker failed there. AWS: The role is missing."
    drifted = row(replace(inputs, management_stack=a_management_stack(drift="DRIFTED")), MANAGEMENT)
    assert drifted.state is State.DRIFTED
    other = a_management_stack(digest="another")
    assert row(replace(inputs, management_stack=other), MANAGEMENT).state is State.OUTDATED
    gone = unheard(MANAGEMENT)(replace(inputs, management_stack=None))
    assert row(gone, MANAGEMENT).state is State.NOT_REACHED
    hidden = replace(inputs, management_stack=None, management_seen=False)
    assert row(hidden, MANAGEMENT).state is State.NOT_ENFORCING
    assert "cannot be seen from here" in coverage(hidden).notes[0]
    without = replace(inputs, wanted=a_wanted(a_ring(), install=False))
    assert row(without, MANAGEMENT).state is State.EXCLUDED
    assert row(without, MANAGEMENT).amiss
    gone = unheard(MANAGEMENT)(replace(without, management_stack=None))
    assert row(gone, MANAGEMENT).state is State.EXCLUDED
    assert not row(gone, MANAGEMENT).amiss


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"])
def test_a_stack_that_went_back_has_failed_only_for_whoever_asks_for_another(status: str) -> None:
    inputs, reason = given(), "Queue: The quota is used up"
    back = a_management_stack(status=status, reason=reason, digest="another")
    failed = row(replace(inputs, management_stack=back), MANAGEMENT)
    assert (failed.state, failed.amiss) == (State.FAILED, True)
    assert failed.finding.why == f"Stack iam-org-revoker failed there. AWS: {reason}."
    # The older release was taken again: nothing is left to update, and nothing is amiss.
    same = a_management_stack(status=status, reason=reason)
    assert not row(replace(inputs, management_stack=same), MANAGEMENT).amiss
    dead = a_management_stack(status="ROLLBACK_COMPLETE", reason=reason)
    assert row(replace(inputs, management_stack=dead), MANAGEMENT).state is State.FAILED


def test_the_nearest_unit_says_whose_ring_an_account_is_in() -> None:
    rings = (a_ring("early", units=("/Workloads/Payments/",), mode="observe"), a_ring("late"))
    inputs = replace(given(), wanted=a_wanted(*rings))
    assert row(inputs).ring == "early"
    assert row(inputs, account_id(2)).ring == "late"


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
    rows = coverage(mixed_status_inputs(500)).rows
    keys = [(one.unit, one.account.name) for one in rows]
    assert keys == sorted(keys)
    assert len({one.account.id for one in rows}) == 500
