"""The central queue of reports and its dead letters, as SQS keeps them; a client for responders."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from handler.model.names import REPORTS_DEAD_LETTERS, REPORTS_QUEUE

# As generator/central/template.py says; a test holds the two together.
MOST_RECEIVES = 10
VISIBILITY_SECONDS = 180
BATCH = 100


@dataclass
class Message:
    """`sent` and `visible` are epoch seconds."""

    id: str
    body: str
    sent: float
    visible: float
    receives: int = 0


@dataclass
class Queues:
    """Both queues; a message that was received ten times in vain moves to the dead letters."""

    now: Callable[[], float]
    reports: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def send(self, body: str) -> None:
        now = self.now()
        self.reports.append(Message(f"m-{next(self._numbers)}", body, sent=now, visible=now))

    @property
    def next_visible(self) -> float:
        return min((one.visible for one in self.reports), default=float("inf"))

    def receive(self) -> list[Message]:
        """What is visible now, hidden from now on; what came too often is dead."""
        now = self.now()
        found = [one for one in self.reports if one.visible <= now][:BATCH]
        for one in found:
            one.receives += 1
            one.visible = now + VISIBILITY_SECONDS
        spent = [one for one in found if one.receives > MOST_RECEIVES]
        self.dead += spent
        self.reports = [one for one in self.reports if one not in spent]
        return [one for one in found if one not in spent]

    def delete(self, ids: set[str]) -> None:
        self.reports = [one for one in self.reports if one.id not in ids]

    # ---- the client of `python -m responder redrive`

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:
        return {"QueueUrl": f"https://sqs.example.com/{QueueName}"}

    def receive_message(self, *, QueueUrl: str, **_: Any) -> dict[str, Any]:
        if QueueUrl.endswith(REPORTS_DEAD_LETTERS):
            rows = [
                {"MessageId": one.id, "Body": one.body, "ReceiptHandle": one.id}
                for one in self.dead[:10]
            ]
            return {"Messages": rows}
        return {}

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:
        assert QueueUrl.endswith(f"/{REPORTS_QUEUE}")
        self.send(MessageBody)

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:
        assert QueueUrl.endswith(REPORTS_DEAD_LETTERS)
        self.dead = [one for one in self.dead if one.id != ReceiptHandle]
