"""Keep every e-mail that SNS delivers, and refuse the subjects that SNS refuses.

Nothing leaves the machine; other protocols stay with the emulator.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.core import patches

SNS = "ministack.services.sns"
LONGEST_SUBJECT = 99


@dataclass(frozen=True)
class Mail:
    """One e-mail as it arrived; `time` is UTC."""

    topic: str
    address: str
    subject: str
    body: str
    time: datetime


@dataclass
class Outbox:
    """The e-mails delivered so far, oldest first. `confirms`: new subscriptions are confirmed at
    once; with False each waits, and its mail with the link comes here (subscriptions.py)."""

    confirms: bool = True
    _mails: list[Mail] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __iter__(self) -> Iterator[Mail]:
        with self._lock:
            return iter(list(self._mails))

    def __len__(self) -> int:
        return len(self._mails)

    def of(self, topic: str) -> list[Mail]:
        """The mails of one topic, by its ARN."""
        return [mail for mail in self if mail.topic == topic]

    def put(self, topic: str, address: str, subject: str, body: str) -> None:
        """Deliver one e-mail."""
        with self._lock:
            self._mails.append(Mail(topic, address, subject, body, datetime.now(UTC)))

    def clear(self) -> None:
        with self._lock:
            self._mails.clear()

    def install(self) -> None:
        """Listen to the emulator's fan-out, until the hooks are restored."""

        def fanout(
            topic: str,
            message_id: str,
            message: str,
            subject: str,
            structure: str = "",
            attributes: dict[str, Any] | None = None,
            *a: Any,
            **k: Any,
        ) -> Any:
            body = patches.get(SNS, "_resolve_message_for_protocol")(message, structure, "email")
            for address in _addresses(topic, attributes or {}, body):
                self.put(topic, address, subject or "", body)
            return original(topic, message_id, message, subject, structure, attributes, *a, **k)

        def publish(params: dict[str, Any]) -> Any:
            given = params.get("Subject", "")
            subject = given[0] if isinstance(given, list) else given
            if problem := subject_problem(str(subject or "")):
                message = f"Invalid parameter: Subject ({problem})"
                return patches.get(SNS, "_error")("InvalidParameter", message, 400)
            return original_publish(params)

        original = patches.replace(SNS, "_fanout", fanout)
        original_publish = patches.replace(SNS, "_publish", publish)


def subject_problem(subject: str) -> str:
    """Why SNS refuses a subject, "" when it does not.

    Printable ASCII that does not begin with a space, no line breaks, under 100 characters
    (SNS API Reference, Publish).
    """
    if len(subject) > LONGEST_SUBJECT:
        return "more than 99 characters"
    if any(not " " <= letter <= "~" for letter in subject):
        return "not printable ASCII on one line"
    if subject.startswith(" "):
        return "begins with a space"
    return ""


def _addresses(topic: str, attributes: dict[str, Any], body: str) -> list[str]:
    """Who gets a message by e-mail, after each one's filter policy."""
    wanted = patches.get(SNS, "_matches_filter_policy")
    found = patches.get(SNS, "_topic_by_arn_any_scope")(topic)
    return [
        subscription["endpoint"]
        for subscription in (found or {}).get("subscriptions", [])
        if subscription.get("confirmed")
        and subscription.get("protocol") in ("email", "email-json")
        and wanted(subscription, attributes, body)
    ]
