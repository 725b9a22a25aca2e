"""One case of the central account: a scenario with one fault, and what is wrong at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from tests.faults.central import Central, Reported, accounts_in, incidents_in, kind_of
from tests.faults.client_faults import CallSite, Plan
from tests.faults.lambdas import notifier_works_with
from tests.faults.queues import MOST_RECEIVES, VISIBILITY_SECONDS
from tests.notifier.central import words

# Longer than a message is tried, so that what lasts ends with the dead letters.
UNHEALTHY_SECONDS = (MOST_RECEIVES + 2) * VISIBILITY_SECONDS
# A lease that nobody gives back, the visibility timeout, and a few sweeps.
SETTLE_SECONDS = 900.0


@dataclass(frozen=True, eq=False)
class CentralScenario:
    """`begin` sets the stage, `play` is what happens then.

    The calls within `watch` seconds of `play` are those that fail. `calls` are how many calls are
    counted in the end, over all incidents.
    """

    name: str
    play: Callable[[Central], None]
    calls: int
    begin: Callable[[Central], None] = lambda central: None
    watch: float = 10.0
    settle: float = SETTLE_SECONDS
    per_minute: int = 240


def steps_of_central(scenario: CentralScenario) -> list[CallSite]:
    """Every call that the function makes in this scenario, found by playing it without a fault."""
    with _central(scenario) as central:
        _play(scenario, central, None)
        return list(central.wire.steps)


def central_breaches(scenario: CentralScenario, plan: Plan | None) -> list[str]:
    """Every rule that the end of this case breaks; empty when none is."""
    with _central(scenario) as central:
        _play(scenario, central, plan)
        wrong = []
        if plan is not None and plan.lasting:
            central.run(central.now + UNHEALTHY_SECONDS)
            if not central.alarms and list(_undone(scenario, central)):
                wrong.append("something is not done, and no alarm says so")
            central.wire.repair()
            central.redrive()
        wrong += [] if plan is None or central.wire.met else ["the fault was never met"]
        central.run(central.now + scenario.settle)
        if plan is not None and not plan.lasting and central.queues.dead:
            wrong.append("one fault has killed a message")
        return [*wrong, *_undone(scenario, central), *_mails(central, _reported_of(scenario), plan)]


@contextmanager
def _central(scenario: CentralScenario) -> Iterator[Central]:
    central = Central(per_minute=scenario.per_minute)
    with notifier_works_with(
        central.wired,
        lambda: central.now,
        central.notifier.sleep,
        words=words(),
        environment=central.environment,
    ):
        yield central


def _play(scenario: CentralScenario, central: Central, plan: Plan | None) -> None:
    scenario.begin(central)
    central.wire.record(plan)
    scenario.play(central)
    central.run(central.now + scenario.watch)


@cache
def _reported_of(scenario: CentralScenario) -> Counter[Reported]:
    """What is told of how often without a fault."""
    with _central(scenario) as central:
        _play(scenario, central, None)
        central.run(central.now + scenario.settle)
        return reported(central)


def reported(central: Central) -> Counter[Reported]:
    """How often each incident or account was told of, by the sort of mail."""
    return Counter(
        (kind_of(mail), one)
        for mail in central.topic.mails
        for one in [*incidents_in(mail), *accounts_in(mail)]
    )


def _undone(scenario: CentralScenario, central: Central) -> Iterator[str]:
    """Messages that are neither counted nor gone, calls not counted, mails owed, leases held."""
    if central.queues.reports or central.queues.dead:
        yield f"messages are left: {central.queues.reports + central.queues.dead}"
    incidents = {k: v for k, v in central.notifier.items().items() if k.startswith("incident#")}
    counted = sum(item["calls"] for item in incidents.values())
    if counted != scenario.calls:
        yield f"{counted} calls counted instead of {scenario.calls}"
    for key, item in incidents.items():
        # What waits for the morning is not late before it.
        if item["next_mail"] <= item["calls"] and item.get("due_at", 0) <= central.now:
            yield f"{key} is owed a mail"
        if "lease_owner" in item:
            yield f"{key} is held by a dead one"


def _mails(central: Central, expected: Counter[Reported], plan: Plan | None) -> Iterator[str]:
    """Nothing untold, and nothing told more often than a crash after publishing allows."""
    found = reported(central)
    for which in expected.keys() - found.keys():
        yield f"nobody is told of {which}"
    for which, count in found.items():
        kind, _ = which
        if kind in ("silent", "back") and plan is not None and plan.lasting:
            # In that time the account falls silent in earnest, perhaps once more.
            continue
        if count > max(expected[which], kind == "told") + central.unmarked[which]:
            yield f"{which} is told of {count} times, {expected[which]} without the fault"
