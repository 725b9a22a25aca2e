"""The events that the benchmark of telling brings: who called, when, as queue messages."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from handler.model.report import Disposition
from tests.notifier.central import given_envelope, given_report, to_detail

START = 1_790_000_000.0 - 1_790_000_000.0 % 60


@dataclass(frozen=True)
class Event:
    """One message of the queue; `who` names its incident as the mails do."""

    at: float
    body: str
    who: tuple[str, str]


@dataclass(frozen=True)
class Load:
    """A named stream of `count` events in the order of their arrival.

    `sample`: how many of them are enough to compare all ways by, unless the whole is asked for.
    """

    title: str
    count: int
    sample: int
    events: Callable[[], Iterator[Event]]


def _event(
    number: int, at: float, account: str, name: str, kind: Disposition = Disposition.CONTAINED
) -> Event:
    report = given_report(
        f"00000000-0000-4000-8000-{number:012d}",
        account=account,
        principal_name=name,
        principal_id=f"AIDA{account}{name.upper()}",
        principal_arn=f"arn:aws:iam::{account}:user/{name}",
        disposition=kind,
    )
    body = json.dumps(given_envelope(to_detail(report), account=account, id=f"envelope-{number}"))
    return Event(at, body, (account, name))


def _one_principal() -> Iterator[Event]:
    for number in range(10_000):
        yield _event(number, START + number * 60 / 10_000, "111122223333", "mallory")


def _a_thousand_accounts() -> Iterator[Event]:
    for number in range(1_000):
        yield _event(number, START + number / 1_000, f"{number + 1:012d}", "mallory")


def _mixed() -> Iterator[Event]:
    """Ten minutes: half is ten principals of one account, a tenth comes twice, some is critical."""
    chance = random.Random(5)
    sent: list[Event] = []
    for number in range(100_000):
        at = START + number * 600 / 100_000
        if sent and chance.random() < 0.1:
            yield Event(at, (again := sent[chance.randrange(len(sent))]).body, again.who)
            continue
        if chance.random() < 0.5:
            account, name = "111122223333", f"mallory-{chance.randrange(10)}"
        else:
            account, name = f"{chance.randrange(1, 1_001):012d}", f"trent-{chance.randrange(2)}"
        kind = Disposition.CONTAINED
        if name.startswith("trent") and int(account) % 100 == 0:
            kind = Disposition.CANNOT_CONTAIN
        event = _event(number, at, account, name, kind)
        # Of those to come again, the latest; all would be too many to hold.
        sent = [*sent[-99:], event]
        yield event


LOADS = {
    "one": Load("10,000 events of one principal within a minute", 10_000, 10_000, _one_principal),
    "many": Load(
        "1,000 accounts, one incident each, within one second", 1_000, 1_000, _a_thousand_accounts
    ),
    "mixed": Load("100,000 mixed events within ten minutes", 100_000, 10_000, _mixed),
}
