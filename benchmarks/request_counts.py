"""Count the AWS requests of a reconciliation, a call and a sweep, by running the real handlers.

The member side runs on the doubles of the tests, the central side on the emulator's table. Nothing
here knows a price.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from benchmarks.table import Meter, new_table, template_table
from handler.model.heartbeat import HEARTBEAT_SECONDS
from handler.notifier.main import SINGLES_SECONDS, answer_batch
from handler.notifier.send.metrics import Pulse, publish_pulse
from handler.notifier.send.publish import Central
from handler.notifier.send.sweep import sweep_all
from handler.notifier.store.rate_limit import Limits
from handler.notifier.store.table import IncidentStore
from handler.revoker.respond.respond import answer
from handler.revoker.state.table import Table
from tests.doubles.account import a_user, call
from tests.doubles.rounds import Rounds
from tests.notifier.central import START, heartbeat_body, report_body, words

# How many are handed over at once, for what is the same for all of a batch.
BATCH = 100
RECONCILIATIONS_A_DAY = 86_400 // HEARTBEAT_SECONDS


@dataclass
class Usage:
    """Requests by service, and DynamoDB's units of reading and writing."""

    requests: Counter[str] = field(default_factory=Counter)
    reads: float = 0.0
    writes: float = 0.0

    def part(self, share: float) -> Usage:
        """The same, of so many times as much."""
        asked = Counter({name: count * share for name, count in self.requests.items()})
        return Usage(asked, self.reads * share, self.writes * share)


class Counted:
    """A client whose calls are counted as requests of its service."""

    def __init__(self, client: Any, service: str, usage: Usage) -> None:
        self._client, self._service, self._usage = client, service, usage

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name in ("exceptions", "meta") or not callable(found):
            return found

        def asked(*values: Any, **named: Any) -> Any:
            self._usage.requests[self._service] += 1
            if self._service == "dynamodb":
                self._units(name, named)
            return found(*values, **named)

        return asked

    def _units(self, name: str, named: dict[str, Any]) -> None:
        """Consistent reads take a unit for each 4 KB, writes for each KB; items of ours are small.

        A scan reads the whole table. DynamoDB Developer Guide, "Read and write operations".
        """
        match name:
            case "batch_get_item":
                [wanted] = named["RequestItems"].values()
                self._usage.reads += len(wanted["Keys"])
            case "get_paginator":
                self._usage.reads += -(-len(json.dumps(self._client.rows)) // 4_096)
            case "get_resource_policy":
                # No item is read: a request of the control plane.
                pass
            case _:
                self._usage.writes += 1


class _Account(Rounds):
    """The account in memory with every client of it counted."""

    def __init__(self) -> None:
        super().__init__()
        self.installed()
        self.usage = Usage()
        self.table = Table(Counted(self.dynamo, "dynamodb", self.usage), "state")

    def clients(self, service: str, region: str) -> Any:
        return Counted(super().clients(service, region), service, self.usage)

    def used(self) -> Usage:
        """What was used since the last look."""
        seen = Usage(self.usage.requests.copy(), self.usage.reads, self.usage.writes)
        self.usage.requests.clear()
        self.usage.reads = self.usage.writes = 0.0
        return seen


def of_a_reconciliation() -> Usage:
    """One reconciliation of a healthy account without incidents, as a share of a whole day's."""
    account = _Account()
    account.reconcile()
    account.used()
    for _ in range(RECONCILIATIONS_A_DAY):
        account.later(HEARTBEAT_SECONDS).reconcile()
    return account.used().part(1 / RECONCILIATIONS_A_DAY)


def of_an_administrators_call() -> Usage:
    """A call that the ledger vouches for, in a process that has met the caller."""
    account = _Account()
    identity = a_user("standing", account.iam.users["standing"].id)
    answer(call(identity, eventID="one"), account.tools())
    account.used()
    answer(call(identity, eventID="two"), account.tools())
    return account.used()


def of_an_offence() -> Usage:
    """The first call of somebody who is then contained, creating a user; with its report."""
    account = _Account()
    identity = a_user("mallory", account.iam.add_user("mallory"))
    answer(call(identity, eventID="one"), account.tools())
    return account.used()


class _Central:
    """The notifier over the emulator's table, its other clients counted."""

    def __init__(self) -> None:
        self.meter, self.usage, self.now = Meter(), Usage(), START
        self.client = new_table(self.meter, name="usage", shape=template_table("central"))
        self.texts = words()
        self.runs = 0
        plain = SimpleNamespace(
            publish=lambda **_: None,
            put_metric_data=lambda **_: None,
            list_subscriptions_by_topic=lambda **_: {"Subscriptions": []},
        )
        self.sns = Counted(plain, "sns", self.usage)
        self.cloudwatch = Counted(plain, "cloudwatch", self.usage)

    def close(self) -> None:
        self.client.delete_table(TableName="usage")

    def deliver(self, *bodies: str) -> None:
        records = [{"messageId": f"m-{n}", "body": body} for n, body in enumerate(bodies)]
        if answer_batch({"Records": records}, self._central())["batchItemFailures"]:
            raise RuntimeError("a message was not counted")

    def sweep(self) -> None:
        sweep_all(self._central())
        publish_pulse(Pulse(self.sns, self.cloudwatch, ["one", "two"]), longest_wait=0.0)

    def _central(self) -> Central:
        self.runs += 1
        store = IncidentStore(
            self.client, "usage", 86_400, f"run-{self.runs}", lambda: self.now, lambda _: None
        )
        limits = Limits(per_minute=30)
        return Central(store, self.sns, "topic", self.texts, limits, self.now + SINGLES_SECONDS)

    def used(self) -> Usage:
        asked = Counter(self.usage.requests) + Counter({"dynamodb": self.meter.requests})
        seen = Usage(asked, self.meter.read_units, self.meter.units)
        self.usage.requests.clear()
        self.meter.requests, self.meter.units, self.meter.read_units = 0, 0.0, 0.0
        return seen


def of_a_heartbeat() -> Usage:
    """One heartbeat at the central account, as a share of a batch of them."""
    central = _Central()
    accounts = [f"{number:012d}" for number in range(BATCH)]
    for _ in range(2):
        central.now += 900
        central.used()
        central.deliver(*[heartbeat_body(one, at=central.now) for one in accounts])
    used = central.used().part(1 / BATCH)
    central.close()
    return used


def of_a_report(*, principals: int) -> Usage:
    """One report at the central account, of a batch about so many principals; with its mails."""
    central = _Central()
    central.deliver(
        *[
            report_body(f"e-{number}", principal_id=f"AIDA{number % principals}")
            for number in range(BATCH)
        ]
    )
    central.now += 60
    central.sweep()
    used = central.used().part(1 / BATCH)
    central.close()
    return used


def of_a_sweep() -> Usage:
    """One sweep that finds nothing to do."""
    central = _Central()
    for _ in range(3):
        central.used()
        central.now += 60
        central.sweep()
    used = central.used()
    central.close()
    return used
