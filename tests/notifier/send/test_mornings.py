"""What the sweep does by the day: who would be contained, reminders, illness."""

from __future__ import annotations

import json
from typing import Any

from handler.model.report import Disposition
from tests.notifier.central import NotifierWorld, heartbeat_body
from tests.notifier.sweeping import (
    MORNING,
    given_report_of,
)

HELD: dict[str, Any] = {
    "disposition": Disposition.WOULD_CONTAIN,
    "held_by": "Mode",
    "mode": "observe",
}


def test_observing_mails_nobody_until_the_morning_and_then_one_digest(
    notifier: NotifierWorld,
) -> None:
    for number in range(3):
        notifier.deliver(*[given_report_of(number, **HELD)] * 2)
        notifier.sweep()
    assert notifier.subjects() == []
    notifier.now = MORNING - 1
    notifier.sweep()
    assert notifier.subjects() == []
    notifier.now = MORNING
    notifier.sweep()
    notifier.sweep()
    assert notifier.subjects() == [
        "[IAM would be revoked] 111122223333: 3 principals since the last digest"
    ]
    assert "--user-name=user-2" in notifier.topic.mails[0].body


def test_the_next_morning_names_only_who_called_since(notifier: NotifierWorld) -> None:
    notifier.deliver(given_report_of(1, **HELD), given_report_of(2, **HELD))
    notifier.now = MORNING
    notifier.sweep()
    notifier.now += 60
    again = json.loads(given_report_of(1, **HELD))
    again["detail"]["event_id"] = "e-again"
    notifier.deliver(json.dumps(again))
    notifier.now = MORNING + 86_400
    notifier.sweep()
    notifier.now += 86_400
    notifier.sweep()
    assert len(notifier.topic.mails) == 2
    assert [entry["principal"]["name"] for entry in notifier.topic.mails[1].form["incidents"]] == [
        "user-1"
    ]


def test_what_a_circuit_breaker_holds_back_is_told_at_once(notifier: NotifierWorld) -> None:
    held = {"disposition": Disposition.CANNOT_CONTAIN, "held_by": "CircuitBreaker"}
    notifier.deliver(given_report_of(1, **(HELD | held | {"mode": "enforce"})))
    assert [subject.split("]")[0] for subject in notifier.subjects()] == [
        "[CRITICAL: not contained"
    ]


def test_what_a_newer_members_setting_holds_back_is_told_at_once(notifier: NotifierWorld) -> None:
    notifier.deliver(given_report_of(1, **(HELD | {"held_by": "NewKnob", "mode": "enforce"})))
    assert [subject.split("]")[0] for subject in notifier.subjects()] == ["[IAM would be revoked"]


def test_a_critical_incident_is_reminded_of_each_morning_for_three_days(
    notifier: NotifierWorld,
) -> None:
    notifier.deliver(
        given_report_of(1, disposition=Disposition.CANNOT_CONTAIN),
        given_report_of(2, disposition=Disposition.NOTICE),
    )
    for day in range(6):
        notifier.now = MORNING + day * 86_400
        notifier.sweep()
        notifier.sweep()
    assert notifier.subjects()[2:] == ["[Daily reminder] 1 incident"] * 3
    assert not any("due_at" in item for item in notifier.items().values())


def beats(notifier: NotifierWorld, count: int, **changes: Any) -> None:
    for _ in range(count):
        notifier.deliver(heartbeat_body(at=notifier.now, **changes))
        notifier.now += 900


def test_an_illness_is_one_mail_until_it_is_gone_and_another_when_it_is_back(
    notifier: NotifierWorld,
) -> None:
    beats(notifier, 30, rule="DISABLED")
    assert notifier.subjects() == [
        "[Revoker unhealthy] 111122223333 (acme-dev): IAM event rule disabled, not protected"
    ]
    beats(notifier, 8)
    beats(notifier, 2, rule="DISABLED")
    assert len(notifier.topic.mails) == 2


def test_each_illness_of_an_account_is_a_mail_of_its_own(notifier: NotifierWorld) -> None:
    beats(notifier, 1, rule="DISABLED", trail="stopped", dead_letters=2)
    assert sorted(notifier.subjects()) == [
        "[Revoker unhealthy] 111122223333 (acme-dev): IAM event rule disabled, not protected",
        "[Revoker unhealthy] 111122223333 (acme-dev): events wait in the dead-letter queue",
        "[Revoker unhealthy] 111122223333 (acme-dev): no trail is logging, not protected",
    ]


def test_an_illness_is_reminded_of_while_it_lasts(notifier: NotifierWorld) -> None:
    notifier.now = MORNING - 7_200
    beats(notifier, 9, trail="stopped")
    notifier.sweep()
    assert notifier.subjects()[1:] == ["[Daily reminder] 1 incident"]
    notifier.now = MORNING + 86_400
    notifier.sweep()
    assert len(notifier.topic.mails) == 2


def test_an_old_version_waits_for_the_morning_and_is_forgotten_if_it_is_gone_by_then(
    notifier: NotifierWorld,
) -> None:
    notifier.now = MORNING - 14_400
    beats(notifier, 2, product_version="0.0.9")
    beats(notifier, 14)
    notifier.sweep()
    assert notifier.subjects() == []
    notifier.now = MORNING + 86_400 - 1_800
    beats(notifier, 2, product_version="0.0.9")
    notifier.sweep()
    assert notifier.subjects() == [
        "[Revoker unhealthy] 111122223333 (acme-dev): runs an old version"
    ]
