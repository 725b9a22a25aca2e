"""The closed lists of a verdict: actions, and reasons with their sentences; what a standing is."""

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
    """Why, one per rule; REASONS has the sentence that documents and mails print."""

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
    Reason.UNREADABLE: "The record could not be read; nobody was judged.",
    Reason.AWS_SERVICE: "An AWS service acted for itself.",
    Reason.OURSELVES: "The revoker's own role made the call.",
    Reason.CONTAINED_ALREADY: "The caller is contained already, and called all the same.",
    Reason.TAINTED: "The caller was made by an offender.",
    Reason.TAINTED_CREDENTIAL: "An offender made, reset or re-activated the credential used.",
    Reason.RELEASED: "The call was made before the caller's release.",
    Reason.ROOT: "The account's root user made the call; no IAM policy binds it.",
    Reason.ADMINISTRATOR_ROLE: "The role is an administrator by AdminRolePatterns.",
    Reason.ADMINISTRATOR_USER: "The user is in the administrators' group.",
    Reason.UNPROVEN_MEMBER: (
        "The user is in the administrators' group, but nothing proves who put her there: neither "
        "the ledger nor CloudTrail's event history, which may lag 15 minutes."
    ),
    Reason.SELF_SERVICE: "The user made a self-service call on herself.",
    Reason.OWN_MFA: "The user changed her own MFA device.",
    Reason.SERVICE_LINKED_ROLE_BY_SERVICE: (
        "An AWS service made its service-linked role on the caller's behalf."
    ),
    Reason.SERVICE_LINKED_ROLE: (
        "The caller made a service-linked role, which gives the caller nothing."
    ),
    Reason.FAILED_CALL: "The caller is no administrator, and the call failed.",
    Reason.CANNOT_BE_DENIED: (
        "The caller is no administrator, and no policy in this account can deny it."
    ),
    Reason.NOT_AN_ADMINISTRATOR: "The caller is no administrator.",
}


@dataclass(frozen=True)
class Standing:
    """What is known of a caller beyond the record.

    `administrator` is as of the call, by the ledger; `unproven`: in the group now, without an
    entry, and `waited` once the wait for a proof is over; `tainted`: made by an offender;
    `credential_tainted`: the key or console session used is an offender's doing; `released_at` in
    epoch seconds, never in the future (the table's reader drops such a one); `group_empty`: the
    baseline found no administrators' group or nobody in it; `again`: the reason for which an
    earlier try of this very call contained her.
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
    """An action and its reason; `held_by` names the knob that kept a containment back."""

    action: Action
    reason: Reason
    held_by: str = ""
