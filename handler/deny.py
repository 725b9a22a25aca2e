"""The deny: which actions, and why each. Pure: the generator writes it, the revoker compares."""

from __future__ import annotations

from typing import Any

# Whoever is denied iam:* alone can still reach IAM rights by another door; each entry is one.
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


def deny_document(*, everything: bool = False) -> dict[str, Any]:
    """The policy document, the same in template, rung and content check."""
    return {"Version": "2012-10-17", "Statement": [_statement("IamOrgRevokerDeny", everything)]}


def session_deny_document(*, everything: bool = False) -> dict[str, Any]:
    """The same deny for temporary sessions alone: long-term keys have no aws:TokenIssueTime.

    IAM User Guide, "AWS global condition context keys".
    """
    statement = _statement("IamOrgRevokerDenySessions", everything)
    condition = {"Null": {"aws:TokenIssueTime": "false"}}
    return {"Version": "2012-10-17", "Statement": [statement | {"Condition": condition}]}


def _statement(sid: str, everything: bool) -> dict[str, Any]:
    actions: Any = "*" if everything else sorted(DENIED_ACTIONS)
    return {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*"}
