"""Decide what happens to the caller. Pure: no clock, no environment, no AWS.

The order of the rules is the specification; tests/verdicts/*.json are its cases. Two steps, so that
the group is asked only about a caller whom nothing else decides: `settled`, then `decide`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum

from handler.settings import Answer, MissingGroup, Mode, Settings
from handler.trail import IDENTITY_CENTER_PATH, SERVICE_ROLE_PATH, Call, Caller, Kind, arn_field


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
    epoch seconds, never in the future (the table's reader drops such a one); `group_empty`: the baseline found no administrators' group or nobody in it.
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


@dataclass(frozen=True)
class Verdict:
    """An action and its reason; `held_by` names the knob that kept a containment back."""

    action: Action
    reason: Reason
    held_by: str = ""


# A device of one's own: adding one is told of, removing one is never self-service.
OWN_MFA_CALLS = frozenset({"CreateVirtualMFADevice", "EnableMFADevice", "ResyncMFADevice"})
# Calls without a parameter that could name another user.
NAMES_NOBODY = frozenset({"ChangePassword", "CreateVirtualMFADevice"})
NEVER_SELF_SERVICE = frozenset({"DeactivateMFADevice", "DeleteVirtualMFADevice"})


def settled(call: Call, *, own_role_arn: str) -> Verdict | None:
    """The verdict of the rules that need no look-up, or None when the caller's standing counts."""
    caller = call.caller
    if call.unreadable:
        return Verdict(Action.REPORT, Reason.UNREADABLE)
    if caller.kind is Kind.SERVICE or _under(call, SERVICE_ROLE_PATH):
        return Verdict(Action.IGNORE, Reason.AWS_SERVICE)
    if _is_ourselves(caller, own_role_arn=own_role_arn):
        return Verdict(Action.IGNORE, Reason.OURSELVES)
    return None


def decide(call: Call, standing: Standing, settings: Settings, *, own_role_arn: str) -> Verdict:
    """The verdict on one call, by the first rule that holds."""
    return (
        settled(call, own_role_arn=own_role_arn)
        or _known_offender(call, standing, settings)
        or _exempt(call, standing, settings)
        or _harmless(call, settings)
        or _offender(call, standing, settings)
    )


def _known_offender(call: Call, standing: Standing, settings: Settings) -> Verdict | None:
    """What an exempt pattern says does not help a principal that an offender made."""
    if not (standing.contained or standing.tainted or standing.credential_tainted):
        return None
    if call.caller.kind is Kind.ROOT or _cannot_be_denied(call):
        return None
    if standing.credential_tainted:
        reason = Reason.TAINTED_CREDENTIAL
    else:
        reason = Reason.CONTAINED_ALREADY if standing.contained else Reason.TAINTED
    if standing.contained and call.error_code:
        return Verdict(Action.COUNT, reason)
    return _held(call, reason, settings) or Verdict(Action.CONTAIN, reason)


def _exempt(call: Call, standing: Standing, settings: Settings) -> Verdict | None:
    caller = call.caller
    if _before_release(call, standing):
        return Verdict(Action.IGNORE, Reason.RELEASED)
    if caller.kind is Kind.ROOT:
        return Verdict(Action.CRITICAL, Reason.ROOT)
    if caller.kind is Kind.ROLE and _administrator_role(call, settings):
        return Verdict(Action.IGNORE, Reason.ADMINISTRATOR_ROLE)
    if caller.kind is Kind.USER and standing.administrator and not _foreign(call):
        return Verdict(Action.IGNORE, Reason.ADMINISTRATOR_USER)
    return None


def _harmless(call: Call, settings: Settings) -> Verdict | None:
    own = _on_oneself(call, settings)
    if own is not None or call.name != "CreateServiceLinkedRole":
        return own
    if _by_service(call.caller.invoked_by):
        return Verdict(Action.IGNORE, Reason.SERVICE_LINKED_ROLE_BY_SERVICE)
    return Verdict(Action.REPORT, Reason.SERVICE_LINKED_ROLE)


def _offender(call: Call, standing: Standing, settings: Settings) -> Verdict:
    reason = Reason.FAILED_CALL if call.error_code else Reason.NOT_AN_ADMINISTRATOR
    deniable = not _cannot_be_denied(call)
    role = call.caller.kind is Kind.ROLE and deniable
    if call.error_code and settings.denied_calls is Answer.IGNORE:
        return Verdict(Action.IGNORE, reason, held_by="DeniedCalls")
    if role and settings.role_callers is Answer.IGNORE:
        return Verdict(Action.IGNORE, reason, held_by="RoleCallers")
    if call.error_code and settings.denied_calls is Answer.REPORT:
        return Verdict(Action.REPORT, reason, held_by="DeniedCalls")
    if not deniable:
        return Verdict(Action.CRITICAL, Reason.CANNOT_BE_DENIED)
    if standing.unproven and not standing.waited:
        return Verdict(Action.DEFER, Reason.UNPROVEN_MEMBER)
    if standing.unproven:
        reason = Reason.UNPROVEN_MEMBER
    return (
        _held(call, reason, settings)
        or _spared(call, reason, standing, settings)
        or Verdict(Action.CONTAIN, reason)
    )


def _held(call: Call, reason: Reason, settings: Settings) -> Verdict | None:
    """What keeps back any containment, an offender's creatures included."""
    if settings.mode is Mode.OBSERVE:
        return Verdict(Action.WOULD_CONTAIN, reason, held_by="Mode")
    if call.caller.kind is Kind.ROLE and settings.role_callers is Answer.REPORT:
        return Verdict(Action.WOULD_CONTAIN, reason, held_by="RoleCallers")
    return None


def _spared(call: Call, reason: Reason, standing: Standing, settings: Settings) -> Verdict | None:
    """What keeps back a containment that rests on the caller's own standing alone."""
    nobody = standing.group_empty and settings.missing_group is MissingGroup.UNDECIDED
    if nobody and call.caller.kind is Kind.USER:
        return Verdict(Action.WOULD_CONTAIN, reason, held_by="MissingGroup")
    if standing.breaker_open:
        return Verdict(Action.WOULD_CONTAIN, reason, held_by="CircuitBreaker")
    return None


def _before_release(call: Call, standing: Standing) -> bool:
    return (
        standing.released_at is not None
        and call.time is not None
        and call.time < standing.released_at
    )


def _on_oneself(call: Call, settings: Settings) -> Verdict | None:
    if call.caller.kind is not Kind.USER or _foreign(call):
        return None
    named = call.request.get("userName")
    # A refused call carries no parameters, so that it may have named anybody.
    if call.error_code and named is None and call.name not in NAMES_NOBODY:
        return None
    # IAM user names are unique whatever their case, so folding it cannot let another user through.
    if named is not None and str(named).casefold() != call.caller.name.casefold():
        return None
    if call.name in OWN_MFA_CALLS:
        return Verdict(Action.REPORT, Reason.OWN_MFA)
    if call.name in settings.self_service - NEVER_SELF_SERVICE:
        return Verdict(Action.IGNORE, Reason.SELF_SERVICE)
    return None


def _administrator_role(call: Call, settings: Settings) -> bool:
    # Without a readable time a dated entry counts as expired: a missed exemption is told of.
    day = date.max if call.time is None else datetime.fromtimestamp(call.time, UTC).date()
    return arn_field(call.caller.arn, 4) == call.account and any(
        pattern.matches(role_arn=call.caller.arn, on=day) for pattern in settings.admin_roles
    )


def _cannot_be_denied(call: Call) -> bool:
    return call.caller.kind is Kind.OTHER or _foreign(call) or _under(call, IDENTITY_CENTER_PATH)


def _foreign(call: Call) -> bool:
    """The caller belongs to another account than the call: nothing here can be put on it."""
    return bool(call.caller.account) and call.caller.account != call.account


def _under(call: Call, path: str) -> bool:
    # From the resource's first character on: a path may hold any sign, ':role/aws-...' included.
    resource = arn_field(call.caller.arn, 5)
    return call.caller.kind is Kind.ROLE and resource.startswith(f"role{path}")


def _is_ourselves(caller: Caller, *, own_role_arn: str) -> bool:
    if caller.kind is not Kind.ROLE or not caller.arn:
        return False
    # Role names are unique in an account, whatever their path.
    head, _, tail = own_role_arn.partition(":role/")
    rebuilt = f"{head}:role/{tail.rsplit('/', 1)[-1]}"
    return caller.arn == (rebuilt if caller.path_lost else own_role_arn)


def _by_service(invoked_by: str) -> bool:
    # Console calls of people carry signin.amazonaws.com in old records.
    return bool(invoked_by) and invoked_by != "signin.amazonaws.com"
