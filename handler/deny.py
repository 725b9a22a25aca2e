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


def deny_document() -> dict[str, Any]:
    """The policy document, the same bytes in template, rung and content check."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "IamOrgRevokerDeny",
                "Effect": "Deny",
                "Action": sorted(DENIED_ACTIONS),
                "Resource": "*",
            }
        ],
    }
