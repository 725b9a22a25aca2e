"""Record that an incident was opened, for a month: status counts them by account and day. Pure.

`opened#ACCOUNT#KIND#INCIDENT` holds `listed_at`, which puts it into the index that status reads.
Each incident has its own item: a counter a day would be one item that all of an account's incidents
write. It is never changed.
"""

from __future__ import annotations

import hashlib
from typing import Any

from handler.model.names import OPENED_PREFIX
from handler.notifier.messages.notice import Notice, event_key, incident_key
from handler.notifier.messages.schedule import DAY_SECONDS

LISTED_DAYS = 31


def opening_put(notice: Notice, incident_id: str, *, table: str, now: float) -> dict[str, Any]:
    """The write, for the transaction that opens the incident; a second try writes the same key."""
    return {
        "Put": {
            "TableName": table,
            "Item": {
                "pk": {"S": f"{OPENED_PREFIX}{notice.account}#{notice.kind.value}#{incident_id}"},
                "listed_at": {"N": str(int(now))},
                "expires_at": {"N": str(int(now) + LISTED_DAYS * DAY_SECONDS)},
            },
        }
    }


def incident_id_of(notice: Notice) -> str:
    """Twelve hexadecimal digits, from the event that opens it: a repeated try gives the same."""
    keys = f"{incident_key(notice)} {event_key(notice)}"
    return hashlib.sha256(keys.encode()).hexdigest()[:12]
