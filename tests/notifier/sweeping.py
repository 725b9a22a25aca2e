"""Reports by the dozen, sweeps until nothing is owed, and what was mailed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tests.notifier.central import ACCOUNT, START, NotifierWorld, report_body

MINUTE = START - START % 60
MORNING = 1_790_056_800.0  # 2026-09-22T06:00:00Z, the next one after START


def given_report_of(number: int, account: str = ACCOUNT, **changes: Any) -> str:
    body = json.loads(
        report_body(
            f"e-{account}-{number}",
            principal_id=f"AIDA{number}",
            principal_name=f"user-{number}",
            account=account,
            **changes,
        )
    )
    return json.dumps(body | {"account": account})


def mails_a_minute(notifier: NotifierWorld) -> Counter[int]:
    return Counter(int(mail.time) // 60 for mail in notifier.topic.mails)


def named(notifier: NotifierWorld) -> Counter[str]:
    """How often each incident is named in any mail."""
    return Counter(
        entry["incident"] for mail in notifier.topic.mails for entry in mail.form["incidents"]
    )


def sweep_until_done(notifier: NotifierWorld, *, most: int = 10) -> int:
    """Sweeps, one a minute, until nothing is owed; how many it took."""
    for count in range(1, most + 1):
        notifier.now = (int(notifier.now) // 60 + 1) * 60
        swept = notifier.sweep()
        assert swept.failed == ()
        if swept.longest_wait == 0:
            return count
    raise AssertionError("something is still owed")
