"""Tell who stands behind an access key, as CloudTrail's userIdentity does.

Reads the emulator's users, roles and sessions; checks neither signature nor permission.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.core import patches

IDENTITY = "ministack.core.iam_evaluator"


def account_of(access_key: str) -> str | None:
    """The account that an access key belongs to, None for a key that nobody has."""
    if access_key.isdigit() and len(access_key) == 12:
        return access_key
    session = patches.get("ministack.services.sts", "_sessions").get(access_key)
    if session is not None:
        return str(session.get("AccountId") or session["Arn"].split(":")[4])
    found = patches.get(IDENTITY, "find_iam_access_key_account")(access_key)
    return str(found) if found else None


def user_identity(access_key: str) -> dict[str, Any] | None:
    """Answer the record's userIdentity for a key, or None for a key that nobody has.

    Kinds: Root, IAMUser, AssumedRole, FederatedUser. The account root's key of the sandbox is
    its account number, which a record shows as ASIAROOT and the number.
    """
    account = account_of(access_key)
    if account is None:
        return None
    credential = patches.get(IDENTITY, "resolve_credential")(access_key, account)
    kind = getattr(credential, "principal_type", None)
    if kind is None:
        return None
    shown = f"ASIAROOT{account}" if access_key == account else access_key
    session = patches.get("ministack.services.sts", "_sessions").get(access_key)
    identity: dict[str, Any] = {
        "type": {"User": "IAMUser"}.get(kind, kind),
        "principalId": credential.principal_id,
        "arn": credential.principal_arn,
        "accountId": account,
        "accessKeyId": shown,
    }
    match kind:
        case "User":
            identity["userName"] = credential.principal_name
        case "AssumedRole":
            role = role_of_session(credential.principal_arn)
            identity["sessionContext"] = {"sessionIssuer": _issuer(role, "Role")} if role else {}
        case "FederatedUser":
            identity["sessionContext"] = {"sessionIssuer": _federator(session, account)}
    if session is not None:
        identity.setdefault("sessionContext", {})["attributes"] = {
            "creationDate": _iso(session["IssuedAt"]),
            "mfaAuthenticated": str(bool(session.get("Mfa"))).lower(),
        }
    return identity


def from_console(access_key: str) -> bool:
    """Whether a key is of a console session."""
    session = patches.get("ministack.services.sts", "_sessions").get(access_key) or {}
    return bool(session.get("Console"))


def role_of_session(session_arn: str) -> dict[str, Any] | None:
    """The emulator's role behind arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION, if it lives."""
    account, resource = session_arn.split(":")[4:6]
    if not resource.startswith("assumed-role/"):
        return None
    roles = patches.get("ministack.services.iam", "_roles")
    found: dict[str, Any] | None = roles.get_scoped(account, None, resource.split("/")[1])
    return found


def _issuer(entity: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "principalId": entity[f"{'User' if kind == 'IAMUser' else kind}Id"],
        "arn": entity["Arn"],
        "accountId": entity["Arn"].split(":")[4],
        "userName": entity[f"{'User' if kind == 'IAMUser' else kind}Name"],
    }


def _federator(session: dict[str, Any], account: str) -> dict[str, Any]:
    users = patches.get("ministack.services.iam", "_users")
    user = users.get_scoped(account, None, session.get("PrincipalName") or "")
    if user:
        return _issuer(user, "IAMUser")
    root = f"arn:aws:iam::{account}:root"
    return {"type": "Root", "principalId": account, "arn": root, "accountId": account}


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
