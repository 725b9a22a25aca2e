"""Nobody talks their way out: histories by seed, by a state machine, and a revoker asleep."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.histories.limits import baseline_is_ambiguous
from tests.histories.play import finish, from_case, perform, play, to_text
from tests.histories.players import drawn

# Histories that the product once failed, as short as they became.
CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))
TOP = Path(__file__).parents[2]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_failed_once_does_not_fail_again(case: Path) -> None:
    assert play(from_case(json.loads(case.read_text()))) == []


# Each of these is cut by seed, so that several processes can play.
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_no_offender_ends_free_and_no_administrator_contained(histories: int, part: int) -> None:
    for seed in range(part, histories, PARTS):
        history = drawn(seed)
        wrong = play(history)
        assert wrong == [], f"seed {seed}: {wrong}\n{to_text(history)}"


def test_no_different_where_the_first_event_of_all_is_the_attack(histories: int) -> None:
    judged = 0
    for seed in range(histories // 5):
        history = drawn(seed, installed=False)
        stage = perform(history)
        wrong = finish(stage)
        if not baseline_is_ambiguous(stage):
            judged += 1
            assert wrong == [], f"seed {seed}: {wrong}\n{to_text(history)}"
    # In the others somebody took another into the group, or out of it, before the baseline.
    assert judged > histories // 12


@pytest.mark.parametrize("part", range(PARTS))
def test_a_state_machine_finds_no_way_out_either(histories: int, part: int) -> None:
    """Play in a process of its own: hypothesis draws constants from the loaded modules, and
    its histories must not depend on which tests ran before."""
    command = [sys.executable, "-m", "tests.histories.machine", str(histories // PARTS), str(part)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-6_000:]


def test_a_revoker_that_does_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.histories.delivery.deliver", _ignore)
    assert [seed for seed in range(5) if not play(drawn(seed))] == []


def _ignore(event: Mapping[str, Any], _tools: object) -> dict[str, str]:
    return {"eventId": event["detail"]["eventID"], "action": "ignore", "reason": "nothing"}
