"""Four ways to tell of the same events: the notifier, and what one would write without it.

Each is a function that makes an invocation: it takes a batch of the queue and mails through the
topic given. What they share is the reading of a report and the words of a mail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

from benchmarks.table import Meter, new_table, plain_table, template_table
from handler.notifier.mail.incident_mail import mail_body, mail_subject
from handler.notifier.mail.message import make_mail, sns_message
from handler.notifier.main import SINGLES_SECONDS, answer_batch
from handler.notifier.messages.notice import Incident
from handler.notifier.send.publish import Central
from handler.notifier.send.sweep import sweep_all
from handler.notifier.store.rate_limit import Limits
from handler.notifier.store.table import IncidentStore
from tests.notifier.central import read_notice, words

MAILS_PER_MINUTE = 30
DAY = 86_400
Invoke = Callable[[Mapping[str, Any]], None]


@dataclass
class Clock:
    """Simulated time, epoch seconds: sleeping moves it, calls take none of it."""

    now: float

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Topic:
    """Keeps when each incident, by account and name, was first named, and when mails went."""

    clock: Clock
    named: dict[tuple[str, str], float] = field(default_factory=dict)
    mails: list[float] = field(default_factory=list)

    def publish(self, *, Message: str, **_: Any) -> None:
        self.mails.append(self.clock.now)
        form = json.loads(json.loads(Message)["default"])
        for one in form["incidents"]:
            self.named.setdefault((one["account"], one["principal"]["name"]), self.clock.now)


@dataclass(frozen=True)
class Way:
    """`batch` messages an invocation; `sweep`, where there is one, is what each minute wakes.

    `sweep` answers whether anything is still owed.
    """

    batch: int
    invoke: Invoke
    sweep: Callable[[], bool] | None = None


def ours(clock: Clock, topic: Topic, meter: Meter, *, batch: int = 100) -> Way:
    """The notifier with the defaults of its template, the batches of its mapping."""
    client = new_table(meter, name="incidents", shape=template_table("central"))
    texts, invocations = words(), iter(range(10**9))

    def central() -> Central:
        owner = f"invocation-{next(invocations)}"
        store = IncidentStore(client, "incidents", DAY, owner, lambda: clock.now, clock.sleep)
        limits = Limits(per_minute=MAILS_PER_MINUTE)
        return Central(store, topic, "topic", texts, limits, clock.now + SINGLES_SECONDS)

    def invoke(event: Mapping[str, Any]) -> None:
        if answer_batch(event, central())["batchItemFailures"]:
            raise RuntimeError("a message was not counted")

    def sweep() -> bool:
        swept = sweep_all(central())
        if swept.failed:
            raise RuntimeError(f"the sweep failed: {swept.failed}")
        return swept.longest_wait > 0

    return Way(batch, invoke, sweep)


def without_grouping(clock: Clock, topic: Topic, meter: Meter) -> Way:
    """The same notifier, woken for each message alone."""
    return ours(clock, topic, meter, batch=1)


def powertools_by_event(clock: Clock, topic: Topic, meter: Meter) -> Way:
    """Powertools' idempotency as its documents show it for a queue: a mail for each event, once."""
    return _powertools(clock, topic, meter, key="event_id", keep=15 * DAY)


def powertools_by_principal(clock: Clock, topic: Topic, meter: Meter) -> Way:
    """The same keyed by principal: one mail a day of each, and nobody counts what follows."""
    return _powertools(clock, topic, meter, key="[account, principal]", keep=DAY)


def _powertools(_clock: Clock, topic: Topic, meter: Meter, *, key: str, keep: int) -> Way:
    client, texts = new_table(meter, name="idempotency", shape=plain_table("id")), words()
    layer = DynamoDBPersistenceLayer(table_name="idempotency", boto3_client=client)
    config = IdempotencyConfig(event_key_jmespath=key, expires_after_seconds=keep)
    processor = BatchProcessor(event_type=EventType.SQS)

    @idempotent_function(data_keyword_argument="told", persistence_store=layer, config=config)
    def tell(*, reported: dict[str, str], body: str) -> None:
        notice = read_notice(body)
        incident = Incident("", reported["event_id"], 1, 1, notice, notice)
        subject, text = mail_subject(incident), mail_body(texts, incident)
        mail = make_mail(
            subject=subject, body=text, kind=incident.kind.value, incidents=[incident], whole=True
        )
        topic.publish(Subject=mail.subject, Message=sns_message(mail))

    def one_record(record: Any) -> None:
        notice = read_notice(record.body)
        facts = {"event_id": notice.event_id, "account": notice.account}
        tell(reported=facts | {"principal": notice.principal}, body=record.body)

    def invoke(event: Mapping[str, Any]) -> None:
        context = _Context()
        config.register_lambda_context(context)
        answer = process_partial_response(dict(event), one_record, processor, context)
        if answer["batchItemFailures"]:
            raise RuntimeError("a message was not told of")

    return Way(100, invoke)


class _Context:
    """What Powertools asks of Lambda's context."""

    function_name = "notifier"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


WAYS: dict[str, tuple[str, Callable[[Clock, Topic, Meter], Way]]] = {
    "ours": ("the notifier", ours),
    "alone": ("the notifier, one message an invocation", without_grouping),
    "event": ("Powertools, by event", powertools_by_event),
    "principal": ("Powertools, by principal", powertools_by_principal),
}
