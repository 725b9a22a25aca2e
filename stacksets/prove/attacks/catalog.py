"""All rows that a proof plays, in the order of their numbers."""

from __future__ import annotations

from stacksets.prove.attacks import credentials, policies, principals

PARTS = (credentials, policies, principals)
ROWS = tuple(sorted((row for part in PARTS for row in part.ROWS), key=lambda row: row.row))
