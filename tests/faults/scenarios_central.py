"""What reaches the central account in a fault: reports, heartbeats, tamper events, forgeries."""

from __future__ import annotations

import json

from handler.model.report import Disposition
from tests.faults.central import Central
from tests.faults.central_cases import CentralScenario
from tests.notifier.central import START, given_envelope, heartbeat_body, report_body

MINUTE = START - START % 60
# 2026-09-22T06:00:00Z, when the daily mails go.
MORNING = 1_790_056_800.0
TROUBLED = {"dead_letters": 3}


def bring(central: Central, *events: str) -> None:
    central.bring(*(report_body(event) for event in events))


def nine_calls(central: Central) -> None:
    bring(central, *(f"e-{number}" for number in range(9)))
    central.run(central.now + 5)


def ten_at_once(central: Central) -> None:
    bring(central, *(f"e-{number}" for number in range(10)))


def two_incidents(central: Central) -> None:
    """One of them critical."""
    bring(central, "e-1", "e-2")
    central.bring(
        report_body(
            "e-3",
            principal_id="AIDAEXAMPLEEVE",
            principal_name="eve",
            disposition=Disposition.CANNOT_CONTAIN,
        )
    )


def six_principals(central: Central) -> None:
    """More than the budget of a minute has single mails for."""
    central.now = MINUTE + 60
    central.next_sweep = MINUTE + 120
    for number in range(6):
        central.bring(
            report_body(f"e-{number}", principal_id=f"AIDA{number}", principal_name=f"u-{number}")
        )


def an_hour_before_the_morning(central: Central) -> None:
    central.now = MORNING - 3_600
    central.next_sweep = central.now + 60


def observed(central: Central) -> None:
    """Who would be contained: told of in the morning's digest."""
    for name in ("mallory", "eve"):
        central.bring(
            report_body(
                f"e-{name}",
                principal_id=f"AIDA{name}",
                principal_name=name,
                disposition=Disposition.WOULD_CONTAIN,
                held_by="Mode",
            )
        )


def observed_before_the_morning(central: Central) -> None:
    central.now = MORNING - 60
    observed(central)
    central.next_sweep = MORNING
    central.run(central.now + 20)


def heard(central: Central) -> None:
    """One account, and the sweep at work for so long that it may judge silence."""
    central.bring(heartbeat_body(at=central.now))
    central.run(central.now + 60)


def stops_reporting(central: Central) -> None:
    """Two heartbeats are missing; the first calls that count are those of the sweep then."""
    central.run(central.now + 2_040)


def not_reporting(central: Central) -> None:
    heard(central)
    stops_reporting(central)


def is_back(central: Central) -> None:
    not_reporting(central)
    central.run(central.now + 180)


def heard_again(central: Central) -> None:
    central.bring(heartbeat_body(at=central.now))


def nothing(central: Central) -> None:
    """Only the sweep comes."""


def unhealthy(central: Central) -> None:
    central.bring(heartbeat_body(at=central.now, **TROUBLED))


def tampered(central: Central) -> None:
    record = {
        "eventID": "tamper-1",
        "eventName": "DisableRule",
        "eventSource": "events.amazonaws.com",
        "eventTime": "2026-09-21T13:46:40Z",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLETRUDY",
            "arn": "arn:aws:iam::111122223333:user/trudy",
        },
    }
    envelope = given_envelope(record, source="aws.events")
    central.bring(json.dumps(envelope | {"detail-type": "AWS API Call via CloudTrail"}))


def critical_of_yesterday(central: Central) -> None:
    central.now = MORNING - 60
    central.next_sweep = MORNING
    tampered(central)
    central.run(central.now + 20)


def forged(central: Central) -> None:
    body = json.loads(report_body(account="999988887777"))
    central.bring(json.dumps(body), "not JSON")


def dead_letters(central: Central) -> None:
    """One that was counted before it died, and one that was not; the responder hands both over."""
    bring(central, "e-1")
    central.run(central.now + 5)
    bring(central, "e-1", "e-2")
    central.queues.dead, central.queues.reports = central.queues.reports, []


CENTRAL = (
    CentralScenario("the first report", lambda c: bring(c, "e-1"), 1),
    CentralScenario("the tenth", lambda c: bring(c, "e-9"), 10, begin=nine_calls),
    CentralScenario("ten at once", ten_at_once, 10),
    CentralScenario("two incidents in a batch", two_incidents, 3),
    CentralScenario("more than the budget", six_principals, 6, watch=70, per_minute=4),
    CentralScenario(
        "who would be contained", observed, 2, begin=an_hour_before_the_morning, settle=3_720
    ),
    CentralScenario(
        "the morning's digest", nothing, 2, begin=observed_before_the_morning, watch=70
    ),
    # A sweep that was not there for minutes judges no silence for two heartbeats.
    CentralScenario(
        "an account gone silent", nothing, 0, begin=not_reporting, watch=120, settle=2_400
    ),
    CentralScenario(
        "an account heard again", heard_again, 0, begin=is_back, watch=70, settle=2_400
    ),
    CentralScenario("an illness", unhealthy, 1),
    CentralScenario("a tamper event", tampered, 1),
    CentralScenario("a critical one still open", nothing, 1, begin=critical_of_yesterday, watch=70),
    CentralScenario("a forged report and one that is none", forged, 2),
    CentralScenario("dead letters handed over", lambda c: c.redrive(), 2, begin=dead_letters),
    CentralScenario("a quiet minute", nothing, 0, watch=70),
)
