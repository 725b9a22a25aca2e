"""All rows, in the order of their numbers."""

from __future__ import annotations

from tests.attacks import (
    scenarios_account,
    scenarios_administrators,
    scenarios_credentials,
    scenarios_denies,
    scenarios_memberships,
    scenarios_policies,
    scenarios_principals,
    scenarios_revoker,
    scenarios_sessions,
)

PARTS = (
    scenarios_credentials,
    scenarios_policies,
    scenarios_memberships,
    scenarios_denies,
    scenarios_principals,
    scenarios_account,
    scenarios_administrators,
    scenarios_sessions,
    scenarios_revoker,
)
ROWS = tuple(sorted((row for part in PARTS for row in part.ROWS), key=lambda row: row.row))
