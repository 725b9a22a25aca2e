"""Reports by the dozen, sweeps until nothing is owed, and what was mailed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tests.notifier.desk import ACCOUNT, START, Desk, report_body

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


def mails_a_minute(desk: Desk) -> Counter[int]:
    return Counter(int(mail.time) // 60 for mail in desk.topic.mails)


def named(desk: Desk) -> Counter[str]:
    """How often each incident is named in any mail."""
    return Counter(
        entry["incident"] for mail in desk.topic.mails for entry in mail.form["incidents"]
    )


def sweep_until_done(desk: Desk, *, most: int = 10) -> int:
    """Sweeps, one a minute, until nothing is owed; how many it took."""
    for count in range(1, most + 1):
        desk.now = (int(desk.now) // 60 + 1) * 60
        swept = desk.sweep()
        assert swept.failed == ()
        if swept.longest_wait == 0:
            return count
    raise AssertionError("something is still owed")
