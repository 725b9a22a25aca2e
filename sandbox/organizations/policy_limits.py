"""What Organizations refuses about service control policies, and the emulator does not.

Figures: AWS Organizations User Guide, "Quotas and service limits" (as raised in 2026): 10,240
characters, 10 policies on each root, OU and account, and never fewer than one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.organizations.attached_policies import (
    KIND,
    is_attached,
    kind_of_policy,
    policies_of,
    reset_attachments,
)
from sandbox.organizations.organization import Refused

Payload = dict[str, Any]

LONGEST = 10_240
MOST = 10


def _size(payload: Payload) -> None:
    kind = payload.get("Type") or kind_of_policy(str(payload.get("PolicyId")))
    if kind == KIND and len(payload.get("Content") or "") > LONGEST:
        message = "You have exceeded the maximum policy size."
        raise Refused("ConstraintViolationException", message, "POLICY_CONTENT_LIMIT_EXCEEDED")


def _attach(payload: Payload) -> None:
    if kind_of_policy(payload["PolicyId"]) != KIND:
        return
    if len(policies_of(payload["TargetId"])) >= MOST:
        message = "You have attached the maximum number of policies to the target."
        reason = "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
        raise Refused("ConstraintViolationException", message, reason)


def _detach(payload: Payload) -> None:
    if kind_of_policy(payload["PolicyId"]) != KIND:
        return
    target = payload["TargetId"]
    if is_attached(payload["PolicyId"], target) and len(policies_of(target)) == 1:
        message = "You cannot remove the last policy attached to the specified target."
        reason = "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
        raise Refused("ConstraintViolationException", message, reason)


def _switched(payload: Payload) -> None:
    """Whoever switches the type off loses every attachment; on again, everything is allowed."""
    if payload.get("PolicyType") == KIND:
        reset_attachments()


BEFORE: dict[str, Callable[[Payload], None]] = {
    "CreatePolicy": _size,
    "UpdatePolicy": _size,
    "AttachPolicy": _attach,
    "DetachPolicy": _detach,
}
AFTER: dict[str, Callable[[Payload], None]] = {"DisablePolicyType": _switched}
