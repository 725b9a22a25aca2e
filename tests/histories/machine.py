"""A state machine of hypothesis plays histories: `python -m tests.histories.machine 5000 [SEED]`.

Without a seed it plays the same ones each time; with one, others. What fails is shown as short as
hypothesis could make it, and the exit code is 1.
"""

from __future__ import annotations

import sys

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.histories.moves import RIGHTFUL, WILD
from tests.histories.play import HistoryStep, finish, take
from tests.histories.players import STEPS
from tests.histories.stage import Setting, Stage

SMALL = st.integers(min_value=0, max_value=63)
CHANCES = st.integers(min_value=0, max_value=(1 << 30) - 1)


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
        take(self.stage, HistoryStep(move=move, player=player, target=victim, chance=chance))

    @rule(move=st.sampled_from(sorted(RIGHTFUL)), player=SMALL, victim=SMALL, chance=CHANCES)
    def administer(self, move: str, player: int, victim: int, chance: int) -> None:
        take(self.stage, HistoryStep(move=move, player=player, target=victim, chance=chance))

    @rule(move=st.sampled_from(["reconcile", "stumble"]), victim=SMALL, chance=CHANCES)
    def go_wrong(self, move: str, victim: int, chance: int) -> None:
        take(self.stage, HistoryStep(move=move, player=0, target=victim, chance=chance))

    def teardown(self) -> None:
        assert finish(self.stage) == []


def main(arguments: list[str]) -> int:
    histories, *seeds = (int(text) for text in arguments)
    machine = seed(seeds[0])(Histories) if seeds else Histories
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=histories,
            stateful_step_count=STEPS,
            derandomize=not seeds,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{histories} histories: nobody talked her way out")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
