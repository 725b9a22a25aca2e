"""Whose silence a status tells of, and when it says nothing of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stacksets.observed.heartbeats import CentralState, Kept
from stacksets.status.coverage import coverage
from stacksets.status.states import State
from tests.stacksets.status.changes import (
    given,
    heard,
    row,
    unheard,
)
from tests.stacksets.status.inputs import (
    NOW,
)


def test_nobody_is_silent_while_the_central_account_is_behind() -> None:
    quiet = given(heard(at=NOW - 3_600))
    assert row(quiet).state is State.NOT_REPORTING
    for central in (
        CentralState(last_sweep=NOW - 301, last_heartbeat_at=NOW - 60),
        CentralState(),
    ):
        excused = replace(quiet, kept=replace(quiet.kept, central=central))
        assert row(excused).state is State.COVERED
        assert coverage(excused).notes[0].startswith("The central account itself is behind")
        never = unheard()(excused)
        assert (
            row(never).finding.why
            == "It was never heard of, and the central account cannot say why."
        )
    assert coverage(quiet).notes == ()


LISTENING = CentralState(last_sweep=NOW - 20, last_heartbeat_at=NOW - 60)


EXCUSED = {
    "a backlog": replace(LISTENING, behind_until=NOW),
    "sweeps that came again a moment ago": replace(LISTENING, awake_since=NOW - 60),
    "sweeps that came again half an hour ago": replace(LISTENING, awake_since=NOW - 20 - 2_099),
    "nobody heard for a while": replace(LISTENING, last_heartbeat_at=NOW - 20 - 1_021),
}


@pytest.mark.parametrize("case", EXCUSED)
def test_no_status_calls_silent_whom_the_mail_excuses(case: str) -> None:
    excused = given(heard(at=NOW - 3_600))
    excused = replace(excused, kept=replace(excused.kept, central=EXCUSED[case]))
    assert row(excused).state is State.COVERED
    assert (
        coverage(excused)
        .notes[0]
        .startswith("The central account has not listened for long enough")
    )


@pytest.mark.parametrize(
    "central",
    [
        replace(LISTENING, awake_since=NOW - 20 - 2_100),
        replace(LISTENING, last_heartbeat_at=NOW - 20 - 1_020),
        # That nobody is heard at all for so long is told as silence of all.
        replace(LISTENING, last_heartbeat_at=NOW - 20 - 2_100),
        replace(LISTENING, behind_until=NOW - 21),
    ],
)
def test_whom_the_mail_calls_silent_the_status_does_too(central: CentralState) -> None:
    quiet = given(heard(at=NOW - 3_600))
    judged = replace(quiet, kept=replace(quiet.kept, central=central))
    assert row(judged).state is State.NOT_REPORTING
    assert coverage(judged).notes == ()


def test_a_central_account_that_is_missing_or_older_is_said_once() -> None:
    found = coverage(replace(given(), kept=Kept(readable=False)))
    assert [note.partition(",")[0] for note in found.notes] == ["The central stack is not there"]
    assert {one.state for one in found.rows} == {State.UNHEALTHY}
