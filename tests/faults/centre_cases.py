"""One case of the centre: a scenario played with one fault, and what is wrong at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from tests.faults.centre import Centre, Told, accounts_in, incidents_in, kind_of
from tests.faults.lambdas import notifier_works_with
from tests.faults.queues import MOST_RECEIVES, VISIBILITY_SECONDS
from tests.faults.wire import Plan, Step
from tests.notifier.desk import words

# Longer than a message is tried, so that what lasts ends with the dead letters.
ILL_SECONDS = (MOST_RECEIVES + 2) * VISIBILITY_SECONDS
# A lease that nobody gives back, the visibility timeout, and a few sweeps.
SETTLE_SECONDS = 900.0


@dataclass(frozen=True, eq=False)
class CentreScenario:
    """`begin` sets the stage, `play` is what happens then.

    The calls within `watch` seconds of `play` are those that fail. `calls` are how many calls are
    counted in the end, over all incidents.
    """

    name: str
    play: Callable[[Centre], None]
    calls: int
    begin: Callable[[Centre], None] = lambda centre: None
    watch: float = 10.0
    settle: float = SETTLE_SECONDS
    per_minute: int = 240


def steps_of_centre(scenario: CentreScenario) -> list[Step]:
    """Every call that the function makes in this scenario, found by playing it without a fault."""
    with _centre(scenario) as centre:
        _play(scenario, centre, None)
        return list(centre.wire.steps)


def centre_breaches(scenario: CentreScenario, plan: Plan | None) -> list[str]:
    """Every rule that the end of this case breaks; empty when none is."""
    with _centre(scenario) as centre:
        _play(scenario, centre, plan)
        wrong = []
        if plan is not None and plan.lasting:
            centre.run(centre.now + ILL_SECONDS)
            if not centre.alarms and list(_undone(scenario, centre)):
                wrong.append("something is not done, and no alarm says so")
            centre.wire.repair()
            centre.redrive()
        wrong += [] if plan is None or centre.wire.met else ["the fault was never met"]
        centre.run(centre.now + scenario.settle)
        if plan is not None and not plan.lasting and centre.queues.dead:
            wrong.append("one fault has killed a message")
        return [*wrong, *_undone(scenario, centre), *_mails(centre, _told_of(scenario), plan)]


@contextmanager
def _centre(scenario: CentreScenario) -> Iterator[Centre]:
    centre = Centre(per_minute=scenario.per_minute)
    with notifier_works_with(
        centre.wired,
        lambda: centre.now,
        centre.desk.sleep,
        words=words(),
        environment=centre.environment,
    ):
        yield centre


def _play(scenario: CentreScenario, centre: Centre, plan: Plan | None) -> None:
    scenario.begin(centre)
    centre.wire.record(plan)
    scenario.play(centre)
    centre.run(centre.now + scenario.watch)


@cache
def _told_of(scenario: CentreScenario) -> Counter[Told]:
    """What is told of how often without a fault."""
    with _centre(scenario) as centre:
        _play(scenario, centre, None)
        centre.run(centre.now + scenario.settle)
        return told(centre)


def told(centre: Centre) -> Counter[Told]:
    """How often each incident or account was told of, by the sort of mail."""
    return Counter(
        (kind_of(mail), one)
        for mail in centre.topic.mails
        for one in [*incidents_in(mail), *accounts_in(mail)]
    )


def _undone(scenario: CentreScenario, centre: Centre) -> Iterator[str]:
    """Messages that are neither counted nor gone, calls not counted, mails owed, leases held."""
    if centre.queues.reports or centre.queues.dead:
        yield f"messages are left: {centre.queues.reports + centre.queues.dead}"
    incidents = {k: v for k, v in centre.desk.items().items() if k.startswith("incident#")}
    counted = sum(item["calls"] for item in incidents.values())
    if counted != scenario.calls:
        yield f"{counted} calls counted instead of {scenario.calls}"
    for key, item in incidents.items():
        # What waits for the morning is not late before it.
        if item["next_mail"] <= item["calls"] and item.get("due_at", 0) <= centre.now:
            yield f"{key} is owed a mail"
        if "lease_owner" in item:
            yield f"{key} is held by a dead one"


def _mails(centre: Centre, expected: Counter[Told], plan: Plan | None) -> Iterator[str]:
    """Nothing untold, and nothing told more often than a crash after publishing allows."""
    found = told(centre)
    for which in expected.keys() - found.keys():
        yield f"nobody is told of {which}"
    for which, count in found.items():
        kind, _ = which
        if kind in ("silent", "back") and plan is not None and plan.lasting:
            # In that time the account falls silent in earnest, perhaps once more.
            continue
        if count > max(expected[which], kind == "told") + centre.unmarked[which]:
            yield f"{which} is told of {count} times, {expected[which]} without the fault"
