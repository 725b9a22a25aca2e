"""One case of a member: a scenario played with one fault, and what is wrong at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from handler.model.heartbeat import HEARTBEAT_SECONDS
from tests.faults.client_faults import CallSite, Plan
from tests.faults.lambdas import revoker_works_with
from tests.faults.member import RETRIES, Account

# How long a lasting fault stays: three reconciliations; the central account misses two of them.
UNHEALTHY_SECONDS = 3 * HEARTBEAT_SECONDS + 300
# A letter, or a self-test, takes a reconciliation or two; what fails for longer than that hangs.
ROUNDS = 8
# What the central account may say besides, while something is ill.
HEALTH = frozenset({"unhealthy", "not-reporting", "no-heartbeats", "reporting-again", "reminder"})


@dataclass(frozen=True, eq=False)
class Scenario:
    """`begin` sets the stage, `play` is what happens then, `ends` says what is wrong in the end.

    The calls within `watch` seconds of `play` are those that fail. `known`: it has reported
    of this account before. `perhaps` are those of whom no mail need come.
    """

    name: str
    begin: Callable[[Account], None]
    play: Callable[[Account], None]
    ends: Callable[[Account], Iterator[str]]
    watch: float = 240.0
    known: bool = True
    perhaps: frozenset[str] = frozenset()
    variables: Mapping[str, str] = field(default_factory=dict)


def method_calls_of(scenario: Scenario) -> list[CallSite]:
    """Every call that the function makes in this scenario, found by playing it without a fault."""
    with _account(scenario) as account:
        _play(scenario, account, None)
        return list(account.wire.steps)


def breaches(scenario: Scenario, plan: Plan | None) -> list[str]:
    """Every rule that the end of this case breaks; empty when none is."""
    expected = _reported_of(scenario, Account.skew)
    with _account(scenario) as account:
        _play(scenario, account, plan)
        wrong = []
        if plan is not None and plan.lasting:
            account.run(account.now + UNHEALTHY_SECONDS)
            if not _heard_of(scenario, account):
                # A letter of just now is told of by the next reconciliation.
                account.run(account.next_reconciliation + sum(RETRIES))
            if not _heard_of(scenario, account):
                wrong.append(f"nobody heard of the dead letters {account.dead}")
            account.wire.repair()
        wrong += [] if plan is None or account.wire.met else ["the fault was never met"]
        if not _settled(account):
            wrong.append(f"never quiet: {account.dead} {list(account.waiting)}")
        wrong += _mails(account, expected)
        return wrong + list(scenario.ends(account))


@contextmanager
def _account(scenario: Scenario) -> Iterator[Account]:
    account = Account(scenario.variables)
    with revoker_works_with(
        account.wired,
        lambda: account.now + account.skew,
        signer=lambda: account.signer,
        variables=scenario.variables,
    ):
        yield account


def _play(scenario: Scenario, account: Account, plan: Plan | None) -> None:
    scenario.begin(account)
    account.sweeping = plan is not None and plan.lasting
    account.wire.record(plan)
    scenario.play(account)
    account.run(account.now + scenario.watch)


def _settled(account: Account) -> bool:
    """Let reconciliations come until nothing is left to do; whether that is so."""
    for _ in range(ROUNDS):
        account.run(account.next_reconciliation)
        account.run(account.now + sum(RETRIES))
        if account.idle:
            return True
    return False


@cache
def _reported_of(scenario: Scenario, _skew: float) -> frozenset[str]:
    """Of whom the mails are that come without a fault, with a clock so far off."""
    with _account(scenario) as account:
        _play(scenario, account, None)
        assert _settled(account), f"{scenario.name}: {account.dead}"
        return frozenset(name for _, name in _mailed(account)) - scenario.perhaps


def _mailed(account: Account) -> Counter[tuple[str, str]]:
    """How many mails there were on each incident, with its principal; none on our own health."""
    return Counter(
        (entry["incident"], entry["principal"].get("name", ""))
        for mail in account.central.topic.mails
        for entry in mail.form["incidents"]
        if mail.form["kind"] not in HEALTH and entry["kind"] not in HEALTH
    )


def _heard_of(scenario: Scenario, account: Account) -> bool:
    """Whether somebody was told that what lies in the dead-letter queue could not be done.

    By the heartbeat, which counts the letters, or by its silence.
    """
    kinds = {mail.form["kind"] for mail in account.central.topic.mails}
    return not account.dead or not scenario.known or bool(kinds & (HEALTH - {"reporting-again"}))


def _mails(account: Account, expected: frozenset[str]) -> Iterator[str]:
    """No incident unmailed, and none mailed twice: the central account has no fault of its own."""
    mails = _mailed(account)
    reported = {name for _, name in mails}
    # A created principal contained before its maker's letter is read is reported by itself; who
    # may be contained at all is the scenario's own to say.
    created = {
        item["name"]
        for item in account.table.items("principal#")
        if {"tainted", "contained"} & item.keys()
    }
    for name in expected - reported:
        yield f"no mail on {name}"
    for name in reported - expected - created:
        yield f"a mail on {name}, of whom there is none without the fault"
    # No scenario has ten calls of one principal, which would be told of again.
    for (incident, name), count in mails.items():
        if count > 1:
            yield f"{count} mails on the incident {incident} of {name}"
    for key, item in account.central.items().items():
        if key.startswith("incident#") and item["next_mail"] <= item["calls"]:
            yield f"{key} is owed a mail"
