"""Define a verdict: its actions, its reasons with their sentences, and a caller's standing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    IGNORE = "ignore"
    REPORT = "report"
    COUNT = "count"
    DEFER = "defer"
    WOULD_CONTAIN = "would-contain"
    CONTAIN = "contain"
    CRITICAL = "critical"


class Reason(Enum):
    """Why, one per rule; REASONS has the sentence that docs and mails print."""

    UNREADABLE = "unreadable"
    AWS_SERVICE = "aws-service"
    OURSELVES = "ourselves"
    CONTAINED_ALREADY = "contained-already"
    TAINTED = "tainted"
    TAINTED_CREDENTIAL = "tainted-credential"
    RELEASED = "released"
    ROOT = "root"
    ADMINISTRATOR_ROLE = "administrator-role"
    ADMINISTRATOR_USER = "administrator-user"
    UNPROVEN_MEMBER = "unproven-member"
    SELF_SERVICE = "self-service"
    OWN_MFA = "own-mfa"
    SERVICE_LINKED_ROLE_BY_SERVICE = "service-linked-role-by-service"
    SERVICE_LINKED_ROLE = "service-linked-role"
    FAILED_CALL = "failed-call"
    CANNOT_BE_DENIED = "cannot-be-denied"
    NOT_AN_ADMINISTRATOR = "not-an-administrator"


REASONS: dict[Reason, str] = {
    Reason.UNREADABLE: "The record could not be read; no caller was judged.",
    Reason.AWS_SERVICE: "An AWS service acted for itself.",
    Reason.OURSELVES: "The revoker's own role made the call.",
    Reason.CONTAINED_ALREADY: "The caller's IAM access was already revoked.",
    Reason.TAINTED: "The caller was created by an unauthorized caller.",
    Reason.TAINTED_CREDENTIAL: (
        "The credential used was created, reset or re-activated by an unauthorized caller."
    ),
    Reason.RELEASED: "The call was made before the caller's release.",
    Reason.ROOT: "Root cannot be denied by an IAM policy.",
    Reason.ADMINISTRATOR_ROLE: "The role is an administrator by AdminRolePatterns.",
    Reason.ADMINISTRATOR_USER: "The user is in the administrators' group.",
    Reason.UNPROVEN_MEMBER: (
        "The user is in the administrators' group, but neither the ledger nor CloudTrail's event "
        "history (up to 15 minutes behind) shows who added it."
    ),
    Reason.SELF_SERVICE: "The user made a self-service call on itself.",
    Reason.OWN_MFA: "The user changed its own MFA device.",
    Reason.SERVICE_LINKED_ROLE_BY_SERVICE: (
        "An AWS service created its service-linked role on the caller's behalf."
    ),
    Reason.SERVICE_LINKED_ROLE: (
        "The caller created a service-linked role, which gives the caller nothing."
    ),
    Reason.FAILED_CALL: "The caller is not an IAM administrator, and the call failed.",
    Reason.CANNOT_BE_DENIED: (
        "The caller is not an IAM administrator, and no policy in this account can deny it."
    ),
    Reason.NOT_AN_ADMINISTRATOR: "The caller is not an IAM administrator.",
}


@dataclass(frozen=True)
class Standing:
    """What is known of a caller beside the record.

    `administrator` is as of the call, by the ledger; `unproven`: in the group now, without an
    entry, and `waited` once the wait for a proof is over; `tainted`: created by an unauthorized
    caller; `credential_tainted`: so is the key or console session used; `released_at` in epoch
    seconds, never in the future (the table's reader drops such a one); `group_empty`: the baseline
    found no administrators' group, or an empty one; `again`: the reason for which an earlier try of
    this very call contained the caller.
    """

    administrator: bool = False
    unproven: bool = False
    waited: bool = False
    contained: bool = False
    tainted: bool = False
    credential_tainted: bool = False
    released_at: float | None = None
    group_empty: bool = False
    breaker_open: bool = False
    again: str = ""


@dataclass(frozen=True)
class Verdict:
    """An action and its reason; `held_by` names the setting that blocked a containment."""

    action: Action
    reason: Reason
    held_by: str = ""
