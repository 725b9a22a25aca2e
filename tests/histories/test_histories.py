"""Nobody talks their way out: histories by seed, by a state machine, and a revoker asleep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.histories.moves import RIGHTFUL, WILD
from tests.histories.play import Step, finish, from_case, play, take, to_text
from tests.histories.players import STEPS, drawn
from tests.histories.stage import Setting, Stage

# Histories that the product once failed, as short as they became.
CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))
SMALL = st.integers(min_value=0, max_value=63)
CHANCES = st.integers(min_value=0, max_value=(1 << 30) - 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_failed_once_does_not_fail_again(case: Path) -> None:
    assert play(from_case(json.loads(case.read_text()))) == []


def test_no_offender_ends_free_and_no_administrator_contained(histories: int) -> None:
    for seed in range(histories):
        history = drawn(seed)
        wrong = play(history)
        assert wrong == [], f"seed {seed}: {wrong}\n{to_text(history)}"


class Histories(RuleBasedStateMachine):
    """The same moves, chosen by hypothesis, which makes a failing history short."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(Setting())

    @initialize(guardrail=st.booleans(), delay=st.integers(min_value=0, max_value=5))
    def raise_the_curtain(self, guardrail: bool, delay: int) -> None:
        self.stage = Stage(Setting(guardrail=guardrail, delay=float(delay)))

    @rule(move=st.sampled_from(sorted(WILD)), player=SMALL, victim=SMALL, chance=CHANCES)
    def offend(self, move: str, player: int, victim: int, chance: int) -> None:
        take(self.stage, Step(move=move, player=player, target=victim, chance=chance))

    @rule(move=st.sampled_from(sorted(RIGHTFUL)), player=SMALL, victim=SMALL, chance=CHANCES)
    def administer(self, move: str, player: int, victim: int, chance: int) -> None:
        take(self.stage, Step(move=move, player=player, target=victim, chance=chance))

    @rule(move=st.sampled_from(["patrol", "stumble"]), victim=SMALL, chance=CHANCES)
    def go_wrong(self, move: str, victim: int, chance: int) -> None:
        take(self.stage, Step(move=move, player=0, target=victim, chance=chance))

    def teardown(self) -> None:
        assert finish(self.stage) == []


def test_a_state_machine_finds_no_way_out_either(histories: int) -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=histories,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_revoker_that_does_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.histories.courier.deliver", _ignore)
    assert [seed for seed in range(5) if not play(drawn(seed))] == []


def _ignore(event: Mapping[str, Any], _tools: object) -> dict[str, str]:
    return {"eventId": event["detail"]["eventID"], "action": "ignore", "reason": "nothing"}
