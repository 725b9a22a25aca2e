"""What reaches the centre while something fails: reports, heartbeats, tamper events, forgeries."""

from __future__ import annotations

import json

from handler.model.report import Disposition
from tests.faults.centre import Centre
from tests.faults.centre_cases import CentreScenario
from tests.notifier.desk import START, given_envelope, heartbeat_body, report_body

MINUTE = START - START % 60
# 2026-09-22T06:00:00Z, when the daily mails go.
MORNING = 1_790_056_800.0
TROUBLED = {"dead_letters": 3}


def bring(centre: Centre, *events: str) -> None:
    centre.bring(*(report_body(event) for event in events))


def nine_calls(centre: Centre) -> None:
    bring(centre, *(f"e-{number}" for number in range(9)))
    centre.run(centre.now + 5)


def ten_at_once(centre: Centre) -> None:
    bring(centre, *(f"e-{number}" for number in range(10)))


def two_incidents(centre: Centre) -> None:
    """One of them critical."""
    bring(centre, "e-1", "e-2")
    centre.bring(
        report_body(
            "e-3",
            principal_id="AIDAEXAMPLEEVE",
            principal_name="eve",
            disposition=Disposition.CANNOT_CONTAIN,
        )
    )


def six_principals(centre: Centre) -> None:
    """More than the budget of a minute has single mails for."""
    centre.now = MINUTE + 60
    centre.next_sweep = MINUTE + 120
    for number in range(6):
        centre.bring(
            report_body(f"e-{number}", principal_id=f"AIDA{number}", principal_name=f"u-{number}")
        )


def an_hour_before_the_morning(centre: Centre) -> None:
    centre.now = MORNING - 3_600
    centre.next_sweep = centre.now + 60


def observed(centre: Centre) -> None:
    """Who would be contained: told of in the morning's digest."""
    for name in ("mallory", "eve"):
        centre.bring(
            report_body(
                f"e-{name}",
                principal_id=f"AIDA{name}",
                principal_name=name,
                disposition=Disposition.WOULD_CONTAIN,
                held_by="Mode",
            )
        )


def observed_before_the_morning(centre: Centre) -> None:
    centre.now = MORNING - 60
    observed(centre)
    centre.next_sweep = MORNING
    centre.run(centre.now + 20)


def heard(centre: Centre) -> None:
    """One account, and the sweep at work for so long that it may judge silence."""
    centre.bring(heartbeat_body(at=centre.now))
    centre.run(centre.now + 60)


def goes_silent(centre: Centre) -> None:
    """Two heartbeats are missing; the first calls that count are those of the sweep then."""
    centre.run(centre.now + 2_040)


def silent(centre: Centre) -> None:
    heard(centre)
    goes_silent(centre)


def is_back(centre: Centre) -> None:
    silent(centre)
    centre.run(centre.now + 180)


def heard_again(centre: Centre) -> None:
    centre.bring(heartbeat_body(at=centre.now))


def nothing(centre: Centre) -> None:
    """Only the sweep comes."""


def ill(centre: Centre) -> None:
    centre.bring(heartbeat_body(at=centre.now, **TROUBLED))


def tampered(centre: Centre) -> None:
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
    centre.bring(json.dumps(envelope | {"detail-type": "AWS API Call via CloudTrail"}))


def critical_of_yesterday(centre: Centre) -> None:
    centre.now = MORNING - 60
    centre.next_sweep = MORNING
    tampered(centre)
    centre.run(centre.now + 20)


def forged(centre: Centre) -> None:
    body = json.loads(report_body(account="999988887777"))
    centre.bring(json.dumps(body), "not JSON")


def dead_letters(centre: Centre) -> None:
    """One that was counted before it died, and one that was not; the desk hands both over."""
    bring(centre, "e-1")
    centre.run(centre.now + 5)
    bring(centre, "e-1", "e-2")
    centre.queues.dead, centre.queues.reports = centre.queues.reports, []


CENTRE = (
    CentreScenario("the first report", lambda c: bring(c, "e-1"), 1),
    CentreScenario("the tenth", lambda c: bring(c, "e-9"), 10, begin=nine_calls),
    CentreScenario("ten at once", ten_at_once, 10),
    CentreScenario("two incidents in a batch", two_incidents, 3),
    CentreScenario("more than the budget", six_principals, 6, watch=70, per_minute=4),
    CentreScenario(
        "who would be contained", observed, 2, begin=an_hour_before_the_morning, settle=3_720
    ),
    CentreScenario("the morning's digest", nothing, 2, begin=observed_before_the_morning, watch=70),
    # A sweep that was not there for minutes judges no silence for two heartbeats.
    CentreScenario("an account gone silent", nothing, 0, begin=silent, watch=120, settle=2_400),
    CentreScenario("an account heard again", heard_again, 0, begin=is_back, watch=70, settle=2_400),
    CentreScenario("an illness", ill, 1),
    CentreScenario("a tamper event", tampered, 1),
    CentreScenario("a critical one still open", nothing, 1, begin=critical_of_yesterday, watch=70),
    CentreScenario("a forged report and one that is none", forged, 2),
    CentreScenario("dead letters handed over", lambda c: c.redrive(), 2, begin=dead_letters),
    CentreScenario("a quiet minute", nothing, 0, watch=70),
)
