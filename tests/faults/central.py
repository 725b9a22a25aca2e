"""The central account whose calls may fail: its queue, its sweep each minute, its mails.

As AWS does it: a message whose invocation failed is visible again after three minutes, ten times;
a sweep that failed is not tried again, since the next one comes within the minute.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from responder.redrive import redrive_account
from tests.doubles.dynamo import MemoryTable
from tests.faults.client_faults import Wire, Wired
from tests.faults.lambdas import run_notifier
from tests.faults.queues import Queues
from tests.notifier.central import (
    QUIET,
    TABLE,
    TOPIC,
    Mail,
    NotifierWorld,
    TopicExceptions,
    new_central,
)

SWEEP_SECONDS = 60.0
# Alarms of the central template; a test looks them up in generator/central/topics_and_alarms.py.
LATE_SECONDS = 600.0
NOTIFIER_FAILS, REPORTS_DEAD, REPORTS_LATE, MAILS_DUE = (
    *("NotifierFails", "ReportsDead"),
    *("ReportsLate", "MailsDue"),
)
Reported = tuple[str, str]


@dataclass
class Metrics:
    """CloudWatch's side of the pulse: when it came last, and what it said."""

    waited: float = 0.0

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        values = {one["MetricName"]: one["Value"] for one in MetricData}
        self.waited = values["OldestDueMailSeconds"]


@dataclass
class Out:
    """A mail of this invocation, and how far each incident that it names was told of before."""

    mail: Mail
    milestones: dict[str, int]


class Central:
    """The central account at work; `unmarked` counts mails sent and not written down as sent."""

    def __init__(self, *, per_minute: int) -> None:
        self.notifier: NotifierWorld = new_central(MemoryTable())
        self.topic, self.table, self.metrics = self.notifier.topic, self.notifier.client, Metrics()
        self.queues = Queues(lambda: self.now)
        self.wire = Wire()
        self.environment = {
            "TABLE_NAME": TABLE,
            "TOPIC_ARN": TOPIC,
            "QUIET_SECONDS": str(QUIET),
            "MAILS_PER_MINUTE": str(per_minute),
            "WATCHED_TOPICS": TOPIC,
        }
        self.next_sweep = self.now + SWEEP_SECONDS
        self.unmarked: Counter[Reported] = Counter()
        self.alarms: set[str] = set()
        self._invocations = 0
        self._pulse_at = self.now
        self._out: list[Out] = []

    @property
    def now(self) -> float:
        return self.notifier.now

    @now.setter
    def now(self, seconds: float) -> None:
        self.notifier.now = seconds

    def wired(self, service: str) -> Wired:
        clients = {"dynamodb": self.table, "sns": _Publisher(self), "cloudwatch": self.metrics}
        return Wired(clients[service], service, self.wire)

    def bring(self, *bodies: str) -> None:
        for body in bodies:
            self.queues.send(body)

    def run(self, until: float) -> None:
        """Messages as they become visible, and the sweeps between them."""
        while (first := min(self.next_sweep, self.queues.next_visible)) <= until:
            self.now = max(self.now, first)
            if first == self.next_sweep:
                self.next_sweep += SWEEP_SECONDS
                self._sweep()
            else:
                self._deliver()
        self.now = max(self.now, until)

    def redrive(self) -> None:
        """What the responder does about dead letters."""
        for queue in redrive_account({"sqs": self.queues}.__getitem__):
            assert queue.left == ()

    def _deliver(self) -> None:
        messages = self.queues.receive()
        if not messages:
            return
        records = [
            {
                "messageId": one.id,
                "body": one.body,
                "attributes": {"SentTimestamp": str(int(one.sent * 1000))},
            }
            for one in messages
        ]
        answer, failed = self._invoke({"Records": records})
        if not failed:
            again = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            self.queues.delete({one.id for one in messages} - again)

    def _sweep(self) -> None:
        before = self.metrics.waited = -1.0
        self._invoke({"wake": "sweep"})
        if self.metrics.waited != before:
            self._pulse_at = self.now
        if self.metrics.waited > LATE_SECONDS or self.now - self._pulse_at > LATE_SECONDS:
            self.alarms.add(MAILS_DUE)
        if self.queues.dead:
            self.alarms.add(REPORTS_DEAD)
        if any(self.now - one.sent > LATE_SECONDS for one in self.queues.reports):
            self.alarms.add(REPORTS_LATE)

    def _invoke(self, event: dict[str, Any]) -> tuple[Any, bool]:
        self.wire.begin()
        self._invocations += 1
        self._out.clear()
        met = self.wire.met
        answer, error = run_notifier(event, f"request-{self._invocations}")
        if error is not None:
            self.alarms.add(NOTIFIER_FAILS)
        if self.wire.met > met:
            for out, before in zip(self._out, [None, *self._out], strict=False):
                self.unmarked.update(self._not_written_down(out))
                if before is not None and before.mail.form == out.mail.form:
                    # The SDK asked again; nobody here can know.
                    self.unmarked.update(_things_in(out.mail))
        return answer, error is not None

    def published(self, mail: Mail) -> None:
        self._out.append(Out(mail, {one: self._milestone(one) for one in incidents_in(mail)}))

    def _milestone(self, incident: str) -> int:
        items = self.notifier.items().values()
        return next(one["next_mail"] for one in items if one.get("incident_id") == incident)

    def _not_written_down(self, out: Out) -> list[Reported]:
        """What the mail told of, and the table does not know of having told."""
        items = self.notifier.items()
        by_incident = {one["incident_id"]: one for one in items.values() if "incident_id" in one}
        kind = kind_of(out.mail)
        if kind == "told":
            return [
                (kind, incident)
                for incident, milestone in out.milestones.items()
                if by_incident[incident]["next_mail"] == milestone
            ]
        accounts = {one: items[f"account#{one}"] for one in accounts_in(out.mail)}
        match kind:
            case "silent":
                left = [one for one, item in accounts.items() if "not_reporting_since" not in item]
            case "back":
                left = [one for one, item in accounts.items() if "not_reporting_since" in item]
            case _:
                named = accounts | {one: by_incident[one] for one in incidents_in(out.mail)}
                soon = self.now + LATE_SECONDS
                left = [one for one, item in named.items() if item.get("due_at", soon) < soon]
        return [(kind, one) for one in left]


@dataclass(frozen=True)
class _Publisher:
    """The topic, and a look at the table when a mail goes out."""

    central: Central
    exceptions = TopicExceptions

    def publish(self, **arguments: Any) -> None:
        self.central.topic.publish(**arguments)
        self.central.published(self.central.topic.mails[-1])

    def list_subscriptions_by_topic(self, **arguments: Any) -> Any:
        return self.central.topic.list_subscriptions_by_topic(**arguments)


_KINDS = {
    "reminder": "open",
    "not-reporting": "silent",
    "no-heartbeats": "silent",
    "reporting-again": "back",
}


def kind_of(mail: Mail) -> str:
    """What sort of thing the mail tells: incidents, reminders, silence, return."""
    kind = mail.form["kind"]
    return _KINDS.get(kind, "told")


def _things_in(mail: Mail) -> list[Reported]:
    return [(kind_of(mail), one) for one in [*incidents_in(mail), *accounts_in(mail)]]


def incidents_in(mail: Mail) -> list[str]:
    return [one["incident"] for one in mail.form["incidents"]]


def accounts_in(mail: Mail) -> list[str]:
    return [one["account"] for one in mail.form["not_reporting"]]
