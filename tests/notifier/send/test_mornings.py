"""What the sweep does by the day: who would be contained, reminders, illness."""

from __future__ import annotations

import json
from typing import Any

from handler.model.report import Disposition
from tests.notifier.desk import Desk, heartbeat_body
from tests.notifier.sweeping import (
    MORNING,
    given_report_of,
)

HELD: dict[str, Any] = {
    "disposition": Disposition.WOULD_CONTAIN,
    "held_by": "Mode",
    "mode": "observe",
}


def test_observing_mails_nobody_until_the_morning_and_then_one_digest(desk: Desk) -> None:
    for number in range(3):
        desk.deliver(*[given_report_of(number, **HELD)] * 2)
        desk.sweep()
    assert desk.subjects() == []
    desk.now = MORNING - 1
    desk.sweep()
    assert desk.subjects() == []
    desk.now = MORNING
    desk.sweep()
    desk.sweep()
    assert desk.subjects() == [
        "[IAM would be revoked] 111122223333: 3 principals since the last digest"
    ]
    assert "--user-name=user-2" in desk.topic.mails[0].body


def test_the_next_morning_names_only_who_called_since(desk: Desk) -> None:
    desk.deliver(given_report_of(1, **HELD), given_report_of(2, **HELD))
    desk.now = MORNING
    desk.sweep()
    desk.now += 60
    again = json.loads(given_report_of(1, **HELD))
    again["detail"]["event_id"] = "e-again"
    desk.deliver(json.dumps(again))
    desk.now = MORNING + 86_400
    desk.sweep()
    desk.now += 86_400
    desk.sweep()
    assert len(desk.topic.mails) == 2
    assert [entry["principal"]["name"] for entry in desk.topic.mails[1].form["incidents"]] == [
        "user-1"
    ]


def test_what_a_circuit_breaker_holds_back_is_told_at_once(desk: Desk) -> None:
    held = {"disposition": Disposition.CANNOT_CONTAIN, "held_by": "CircuitBreaker"}
    desk.deliver(given_report_of(1, **(HELD | held | {"mode": "enforce"})))
    assert [subject.split("]")[0] for subject in desk.subjects()] == ["[CRITICAL: not contained"]


def test_what_a_newer_members_setting_holds_back_is_told_at_once(desk: Desk) -> None:
    desk.deliver(given_report_of(1, **(HELD | {"held_by": "NewKnob", "mode": "enforce"})))
    assert [subject.split("]")[0] for subject in desk.subjects()] == ["[IAM would be revoked"]


def test_a_critical_incident_is_reminded_of_each_morning_for_three_days(desk: Desk) -> None:
    desk.deliver(
        given_report_of(1, disposition=Disposition.CANNOT_CONTAIN),
        given_report_of(2, disposition=Disposition.NOTICE),
    )
    for day in range(6):
        desk.now = MORNING + day * 86_400
        desk.sweep()
        desk.sweep()
    assert desk.subjects()[2:] == ["[Daily reminder] 1 incident"] * 3
    assert not any("due_at" in item for item in desk.items().values())


def beats(desk: Desk, count: int, **changes: Any) -> None:
    for _ in range(count):
        desk.deliver(heartbeat_body(at=desk.now, **changes))
        desk.now += 900


def test_an_illness_is_one_mail_until_it_is_gone_and_another_when_it_is_back(desk: Desk) -> None:
    beats(desk, 30, rule="DISABLED")
    assert desk.subjects() == [
        "[Revoker unhealthy] 111122223333 (acme-dev): IAM event rule disabled, not protected"
    ]
    beats(desk, 8)
    beats(desk, 2, rule="DISABLED")
    assert len(desk.topic.mails) == 2


def test_each_illness_of_an_account_is_a_mail_of_its_own(desk: Desk) -> None:
    beats(desk, 1, rule="DISABLED", trail="stopped", dead_letters=2)
    assert sorted(desk.subjects()) == [
        "[Revoker unhealthy] 111122223333 (acme-dev): IAM event rule disabled, not protected",
        "[Revoker unhealthy] 111122223333 (acme-dev): events wait in the dead-letter queue",
        "[Revoker unhealthy] 111122223333 (acme-dev): no trail is logging, not protected",
    ]


def test_an_illness_is_reminded_of_while_it_lasts(desk: Desk) -> None:
    desk.now = MORNING - 7_200
    beats(desk, 9, trail="stopped")
    desk.sweep()
    assert desk.subjects()[1:] == ["[Daily reminder] 1 incident"]
    desk.now = MORNING + 86_400
    desk.sweep()
    assert len(desk.topic.mails) == 2


def test_an_old_version_waits_for_the_morning_and_is_forgotten_if_it_is_gone_by_then(
    desk: Desk,
) -> None:
    desk.now = MORNING - 14_400
    beats(desk, 2, product_version="0.0.9")
    beats(desk, 14)
    desk.sweep()
    assert desk.subjects() == []
    desk.now = MORNING + 86_400 - 1_800
    beats(desk, 2, product_version="0.0.9")
    desk.sweep()
    assert desk.subjects() == ["[Revoker unhealthy] 111122223333 (acme-dev): runs an old version"]
