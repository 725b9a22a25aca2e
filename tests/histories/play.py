"""Play one history and say what is wrong at its end. A history is a value: it replays exactly."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from tests.histories.delivery import STUMBLES
from tests.histories.ending import breaches, settle
from tests.histories.moves import RIGHTFUL, WILD, rightful_player, wild_player
from tests.histories.stage import Setting, Stage

# Shares of the pauses between moves, in seconds. Moves never share a second: what happens within
# the second of an administrator's own change is nobody's to tell apart.
PAUSES = ((0.6, 1.0, 2.0), (0.85, 2.0, 12.0), (0.95, 12.0, 120.0), (0.985, 120.0, 600.0))
LONG_PAUSE = (900.0, 1_500.0)
MOVES = (*WILD, *RIGHTFUL, "stumble", "reconcile")


@dataclass(frozen=True)
class HistoryStep:
    """One move: by the player and on the target of these numbers; `chance` seeds all the rest."""

    move: str
    player: int
    target: int
    chance: int


@dataclass(frozen=True)
class History:
    setting: Setting
    steps: tuple[HistoryStep, ...]


def play(history: History) -> list[str]:
    """What is wrong at the end of this history; empty when nothing is."""
    return finish(perform(history))


def perform(history: History) -> Stage:
    """Take every step of it, and no more."""
    stage = Stage(history.setting)
    for step in history.steps:
        take(stage, step)
    return stage


def take(stage: Stage, step: HistoryStep) -> None:
    """A pause, in which events arrive, and then one move."""
    chance = Random(step.chance)
    stage.courier.run(float(int(stage.now) + 1) + _pause(chance) - 1.0 + 0.25)
    match step.move:
        case "stumble":
            stage.courier.stumble = 1 + step.target % (len(STUMBLES) - 1)
        case "reconcile":
            stage.courier.reconcile()
        case name if name in WILD:
            attacker = wild_player(stage, step.player)
            if attacker is not None:
                WILD[name](stage, attacker, step.target, chance)
        case name:
            who = rightful_player(stage, step.player)
            RIGHTFUL[name](stage, who, step.target, chance)


def finish(stage: Stage) -> list[str]:
    trouble = settle(stage)
    return [trouble] if trouble else list(breaches(stage))


def _pause(chance: Random) -> float:
    share = chance.random()
    low, high = next(((low, high) for most, low, high in PAUSES if share < most), LONG_PAUSE)
    return chance.uniform(low, high)


def to_text(history: History) -> str:
    """The history as a case file holds it."""
    steps = ",\n  ".join(json.dumps([s.move, s.player, s.target, s.chance]) for s in history.steps)
    return f'{{"setting": {json.dumps(asdict(history.setting))},\n "steps": [\n  {steps}]}}'


def from_case(case: dict[str, Any]) -> History:
    steps = tuple(HistoryStep(*step) for step in case["steps"])
    return History(setting=Setting(**case["setting"]), steps=steps)
