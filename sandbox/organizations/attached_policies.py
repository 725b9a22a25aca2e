"""Service control policies as the emulator stores them: what is attached to what.

Every function works in the scope of the management account, whose store it is; nothing is
evaluated here.
"""

from __future__ import annotations

from typing import Any

from sandbox.core import patches

KIND = "SERVICE_CONTROL_POLICY"
# AWS attaches it to every root, OU and account when it comes into being.
FULL_ACCESS = "p-FullAWSAccess"


def types_enabled(root: str) -> list[str]:
    """The policy types that are switched on in a root."""
    kinds = (_store("_roots").get(root) or {}).get("PolicyTypes") or []
    return [one["Type"] for one in kinds if one["Status"] == "ENABLED"]


def kind_of_policy(policy: str) -> str:
    return str((_store("_policies").get(policy) or {}).get("Type", ""))


def policies_of(target: str) -> list[str]:
    """The documents of the service control policies attached to a root, OU or account."""
    return [
        policy["_Content"]
        for identity, policy in _store("_policies").items()
        if policy["Type"] == KIND and target in (_store("_attachments").get(identity) or [])
    ]


def is_attached(policy: str, target: str) -> bool:
    return target in (_store("_attachments").get(policy) or [])


def attach_full_access(target: str) -> None:
    """Idempotent."""
    attachments = _store("_attachments")
    attached = list(attachments.get(FULL_ACCESS) or [])
    if target not in attached:
        attachments[FULL_ACCESS] = [*attached, target]


def detach_everything_from(target: str) -> None:
    attachments = _store("_attachments")
    for policy, targets in list(attachments.items()):
        attachments[policy] = [one for one in targets if one != target]


def reset_attachments() -> None:
    """Leave nothing but full access on every root, OU and account."""
    attachments = _store("_attachments")
    for policy in list(attachments.keys()):
        if kind_of_policy(policy) == KIND:
            attachments[policy] = []
    for name in ("_roots", "_ous", "_accounts"):
        for target in list(_store(name)):
            attach_full_access(target)


def _store(name: str) -> Any:
    return patches.get("ministack.services.organizations", name)
