"""Who may assume a role by its trust policy, as words for a mail. Evaluates no conditions. Pure.

The grammar: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from handler.model.cloudtrail import arn_field

# As many principals as a sentence can hold.
TRUSTED_LIMIT = 5
PRINCIPAL_LIMIT = 200


def trusted(document: str, *, account: str) -> str:
    """Name those that a trust policy (JSON, also URL-encoded) lets in, outside `account` first.

    Empty where the document cannot be read.
    """
    policy = _parse(document)
    if not isinstance(policy, Mapping):
        return ""
    found = dict.fromkeys(
        words
        for statement in _as_list(policy.get("Statement"))
        if isinstance(statement, Mapping) and statement.get("Effect") == "Allow"
        for words in _principals(statement, account)
    )
    ranked = [words for _, words in sorted(found, key=lambda pair: pair[0])]
    if len(ranked) > TRUSTED_LIMIT:
        ranked = [*ranked[:TRUSTED_LIMIT], f"{len(ranked) - TRUSTED_LIMIT} more"]
    return ", ".join(ranked) or "nobody"


def _parse(document: str) -> Any:
    """The document; CloudTrail shows the one in an answer as the API returns it, URL-encoded."""
    for text in (document, unquote(document)):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            continue
    return None


def _principals(statement: Mapping[str, Any], account: str) -> Iterator[tuple[int, str]]:
    """Rank and words of each; rank 0 is outside the account."""
    if "NotPrincipal" in statement:
        yield 0, "everyone except a few (NotPrincipal)"
    principal = statement.get("Principal")
    if not isinstance(principal, Mapping):
        principal = {"AWS": principal}
    for sort, values in principal.items():
        for value in _as_list(values):
            if isinstance(value, str):
                yield _principal(str(sort), value[:PRINCIPAL_LIMIT], account)


def _principal(sort: str, value: str, account: str) -> tuple[int, str]:
    if value == "*":
        return 0, "everyone"
    match sort:
        case "AWS":
            owner = arn_field(value, 4) or value
            if owner.isdigit() and owner != account:
                return 0, f"{value} (another account)"
            return 1, value
        case "Federated":
            return 0, f"identities from {value}"
        case "Service" if value == "rolesanywhere.amazonaws.com":
            return 0, f"certificates by {value}"
        case "Service":
            return 2, value
    return 0, f"{sort} {value}"


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
