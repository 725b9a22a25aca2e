"""All rows, in the order of their numbers."""

from __future__ import annotations

from tests.attacks.scenarios import (
    account,
    administrators,
    credentials,
    denies,
    memberships,
    policies,
    principals,
    revoker,
    sessions,
)

PARTS = (
    credentials,
    policies,
    memberships,
    denies,
    principals,
    account,
    administrators,
    sessions,
    revoker,
)
ROWS = tuple(sorted((row for part in PARTS for row in part.ROWS), key=lambda row: row.row))
