"""A whole proof as a value, and as the JSON that can be published. Pure.

docs/proof.schema.json describes the JSON. Nothing in it tells whose Organization it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from handler.model.names import VERSION
from stacksets.prove.checks import Check
from stacksets.prove.judge import Result

PROOF_VERSION = 1
# What could tell an Organization by: ids of accounts, ARNs, ids of AWS, addresses, our names.
_TELLING = re.compile(
    r"arn:[^\s,;\"']+|\b[0-9]{12}\b|\b(?:o|r|ou)-[a-z0-9-]{4,}|\bA[A-Z]{2}A[A-Z0-9]{12,}\b"
    r"|[^\s@,;]+@[^\s@,;]+|\bproof-[0-9a-f]{4}-[\w-]+"
)


@dataclass(frozen=True)
class Proof:
    """What was found. `at` is a day; `aws` is False for any other endpoint than AWS's own."""

    at: str
    aws: bool
    region: str
    digest: str
    patience: float
    results: tuple[Result, ...]
    checks: tuple[Check, ...]
    points_to: tuple[str, ...]

    @property
    def differences(self) -> int:
        judged = [*(one.ok for one in self.results), *(one.ok for one in self.checks)]
        return judged.count(False)


def proof_json(proof: Proof) -> dict[str, Any]:
    """The proof without anything that tells where it was made."""
    plain = {
        "version": PROOF_VERSION,
        "product_version": VERSION,
        "template": proof.digest,
        "at": proof.at,
        "where": "aws" if proof.aws else "emulator",
        "region": proof.region,
        "patience_seconds": proof.patience,
        "differences": proof.differences,
        "delays": {name: delays(proof.results, name) for name in ("event", "deny", "mail")},
        "rows": [_row(one) for one in proof.results],
        "checks": [asdict(one) for one in proof.checks],
        "points_to": list(sentences(proof)),
    }
    scrubbed: dict[str, Any] = _scrubbed(plain)
    return scrubbed


def delays(results: Sequence[Result], name: str) -> dict[str, float] | None:
    """Median and longest of one delay, in seconds; None where there is none."""
    found = [value for one in results if (value := getattr(one, name)) is not None]
    return {"median": round(median(found), 1), "longest": max(found)} if found else None


def sentences(proof: Proof) -> Iterator[str]:
    """What each difference points to, once."""
    said = [one.points_to for one in proof.checks if one.ok is False and one.points_to]
    yield from dict.fromkeys((*said, *proof.points_to))


def _row(one: Result) -> dict[str, Any]:
    plain = asdict(one)
    plain["seconds"] = {name: plain.pop(name) for name in ("event", "deny", "mail")}
    return plain


def _scrubbed(value: Any) -> Any:
    """The value with everything left out that tells an account, an Organization or a person."""
    match value:
        case str():
            return _TELLING.sub("...", value)
        case dict():
            return {name: _scrubbed(one) for name, one in value.items()}
        case list():
            return [_scrubbed(one) for one in value]
    return value
