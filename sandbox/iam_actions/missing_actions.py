"""The IAM actions that the emulator lacks, put into its table, and what a user leaves behind.

Authorization, records and quotas come with the table; the actions stand in the files imported.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from sandbox.core import patches
from sandbox.core.calls import quiet
from sandbox.iam_actions.credentials import Do, Kept, change_password
from sandbox.iam_actions.federation import (
    add_client_id,
    remove_client_id,
    root_features,
    update_thumbprint,
)
from sandbox.iam_actions.renames import set_default_policy_version, update_group, update_user
from sandbox.iam_actions.replies import IAM, Action, Answer, Params, answering, value
from sandbox.iam_actions.server_certificates import server_certificates
from sandbox.organizations.organization import Organization


def install(organization: Organization) -> None:
    """Add them, until the hooks are restored."""
    kept = Kept()
    actions: dict[str, Do] = {
        "UpdateUser": update_user,
        "UpdateGroup": update_group,
        "SetDefaultPolicyVersion": set_default_policy_version,
        "ChangePassword": change_password,
        "AddClientIDToOpenIDConnectProvider": add_client_id,
        "RemoveClientIDFromOpenIDConnectProvider": remove_client_id,
        "UpdateOpenIDConnectProviderThumbprint": update_thumbprint,
        **root_features(organization),
        **server_certificates(),
        **kept.actions(),
    }
    for name, action in actions.items():
        patches.replace_entry(IAM, "_IAM_HANDLERS", name, answering(name, action))
    plain = patches.get(IAM, "_IAM_HANDLERS")["DeleteUser"]
    patches.replace_entry(IAM, "_IAM_HANDLERS", "DeleteUser", _checked(kept, plain))
    shown = patches.get(IAM, "_virtual_mfa_xml")
    patches.replace(IAM, "_virtual_mfa_xml", _seeded(shown))


def _seeded(shown: Callable[..., str]) -> Callable[..., str]:
    """Virtual MFA devices with a seed that codes can be computed from: base32, as in RFC 3548
    (API Reference, VirtualMFADevice). The emulator's own is none."""

    def xml(serial: str, *more: Any, **others: Any) -> str:
        seed = base64.b32encode(hashlib.sha1(serial.encode()).digest()).decode()
        patches.get(IAM, "_mfa_devices")[serial]["Base32StringSeed"] = seed
        return shown(serial, *more, **others)

    return xml


def _checked(kept: Kept, plain: Action) -> Action:
    def handler(params: Params) -> Answer:
        reason = "" if quiet.get() else _left_behind(kept, value(params, "UserName"))
        if reason:
            message = f"Cannot delete entity, must {reason} first."
            return patches.get(IAM, "_error")(409, "DeleteConflict", message, ns="iam")
        return plain(params)

    return handler


def _left_behind(kept: Kept, name: str) -> str:
    """What IAM wants gone before a user (API Reference, DeleteUser); the emulator itself asks for
    keys and attached policies."""
    user = patches.get(IAM, "_users").get(name)
    if user is None:
        return ""
    groups = patches.get(IAM, "_groups").values()
    devices = patches.get(IAM, "_mfa_devices").values()
    reasons = {
        "delete login profile": name in patches.get(IAM, "_login_profiles"),
        "delete policies": bool(patches.get(IAM, "_user_inline_policies").get(name)),
        "remove users from group": any(name in group["Users"] for group in groups),
        "delete MFA device": any(device.get("User") == name for device in devices),
        "delete all credentials": bool(kept.of_user(user["UserId"])),
    }
    return next((reason for reason, left in reasons.items() if left), "")
