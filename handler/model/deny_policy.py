"""The deny: which actions, and why each. Pure: the generator writes it, the revoker compares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# A principal denied iam:* alone can still reach IAM rights in other ways; each entry is one.
DENIED_ACTIONS: dict[str, str] = {
    "iam:*": "the IAM API itself, iam:PassRole included",
    "sts:AssumeRole": "a role with IAM rights, one call away",
    "sts:AssumeRoot": "a member account's root, from the management account",
    "sts:GetFederationToken": "36 hours of console session that may call IAM",
    "organizations:*": "service control policies: the guardrail itself",
    "account:*": "the account's contacts, by which root is recovered",
    "sso:*": "Identity Center permission sets become roles in every account",
    "sso-directory:*": "membership of Identity Center's groups",
    "identitystore:*": "the same directory by its newer API",
    "rolesanywhere:*": "a trust anchor makes sessions of a role from any certificate",
}


ONLY_SESSIONS = {"Null": {"aws:TokenIssueTime": "false"}}


def deny_document(*, everything: bool = False) -> dict[str, Any]:
    """The policy document, the same in template, deny method and content check."""
    return {"Version": "2012-10-17", "Statement": [_statement("IamOrgRevokerDeny", everything)]}


def session_deny_document(*, everything: bool = False) -> dict[str, Any]:
    """The same deny for temporary sessions alone: long-term keys have no aws:TokenIssueTime.

    IAM User Guide, "AWS global condition context keys".
    """
    statement = _statement("IamOrgRevokerDenySessions", everything)
    return {"Version": "2012-10-17", "Statement": [statement | {"Condition": ONLY_SESSIONS}]}


def still_denies(document: object, *, sessions_only: bool = False) -> bool:
    """Whether a policy document, as found, still is a deny of IAM and nothing else.

    Not equality: while an upgrade or another DenyScope is on its way, the policy is older or newer
    than the function for some seconds, and an honest deny must not be taken off for that. Every
    statement must deny, so that nothing can be granted, and one must cover all of IAM without a
    condition (for sessions: with exactly ours).
    """
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    if not isinstance(statements, list) or not all(isinstance(s, Mapping) for s in statements):
        return False
    if any(statement.get("Effect") != "Deny" for statement in statements):
        return False
    condition = ONLY_SESSIONS if sessions_only else None
    return any(
        statement.get("Condition") == condition
        and statement.get("Resource") in ("*", ["*"])
        and bool({"*", "iam:*"} & set(_listed(statement.get("Action"))))
        for statement in statements
    )


def _listed(value: object) -> list[str]:
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, str)]


def _statement(sid: str, everything: bool) -> dict[str, Any]:
    actions: Any = "*" if everything else sorted(DENIED_ACTIONS)
    return {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*"}
