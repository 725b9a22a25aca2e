"""A player who draws every move from a seed: the same seed plays the same history."""

from __future__ import annotations

from random import Random

from tests.histories.play import MOVES, History, HistoryStep
from tests.histories.stage import Setting

STEPS = 30
# What deserves to be played more often, or less, than the rest.
WEIGHTS = {
    "make_accomplice": 2.0,
    "join": 2.0,
    "add": 2.5,
    "remove": 1.5,
    "work": 1.5,
    "take_key": 1.5,
    "strip": 1.5,
    "stumble": 0.7,
    "reconcile": 0.3,
    "add_unheard": 0.2,
}
CHOICES = [WEIGHTS.get(move, 1.0) for move in MOVES]


def drawn(seed: int, *, steps: int = STEPS, installed: bool = True) -> History:
    """One history; half of them under the guardrail, IAM's delay between 0 and 5 seconds.

    With `installed`, the baseline was taken an hour before it begins.
    """
    chance = Random(seed)
    setting = Setting(
        guardrail=chance.random() < 0.5, installed=installed, delay=round(chance.uniform(0, 5), 1)
    )
    return History(
        setting=setting,
        steps=tuple(
            HistoryStep(
                move=chance.choices(MOVES, CHOICES)[0],
                player=chance.randrange(64),
                target=chance.randrange(64),
                chance=chance.randrange(1 << 30),
            )
            for _ in range(steps)
        ),
    )
