"""Sign an IAM user in to the console, without a browser: a session whose calls say so.

Checks no password, and leaves no record of the sign-in itself (AWS records it in one of several
regions, as ConsoleLogin).
"""

from __future__ import annotations

import secrets
import time
from datetime import datetime

from sandbox.core import patches, service_client
from sandbox.core.keys import Key

HOURS = 12
IAM = "ministack.services.iam"


def sign_in(account: str, user: str, *, began: datetime | None, mfa: bool) -> Key:
    """Answer a key of the session; `began` is its creationDate. LookupError for no such user.

    A user who has no password gets one, quietly.
    """
    with service_client.scope(account, "us-east-1"):
        found = patches.get(IAM, "_users").get(user)
        if found is None:
            raise LookupError(f"account {account} has no user {user}")
        logins = patches.get(IAM, "_login_profiles")
        if user not in logins:
            logins[user] = {
                "UserName": user,
                "CreateDate": found["CreateDate"],
                "PasswordResetRequired": False,
            }
    key = Key(f"ASIA{secrets.token_hex(8).upper()}", secrets.token_hex(20), secrets.token_hex(64))
    patches.get("ministack.services.sts", "register_session")(
        key.access_key,
        {
            "Arn": found["Arn"],
            "UserId": found["UserId"],
            "SecretAccessKey": key.secret,
            "SessionToken": key.token,
            "AccountId": account,
            "PrincipalType": "User",
            "PrincipalName": user,
            "Expiration": time.time() + HOURS * 3600,
            "Console": True,
            "Mfa": mfa,
            **({"IssuedAt": began.timestamp()} if began else {}),
        },
    )
    return key
