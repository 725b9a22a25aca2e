"""Decide what happens to the caller. Pure: no clock, no environment, no AWS.

The order of the rules is the specification; tests/verdicts/*.json are its cases. Two steps, so that
the group is asked only about a caller that nothing else decides: `settled`, then `decide`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from handler.model.cloudtrail import (
    IDENTITY_CENTER_PATH,
    SERVICE_ROLE_PATH,
    Call,
    Caller,
    CallerKind,
    arn_field,
)
from handler.model.reasons import Action, Reason, Standing, Verdict
from handler.model.settings import Answer, MissingGroup, Mode, Settings

# A device of one's own: adding one is reported, removing one is never self-service.
OWN_MFA_CALLS = frozenset({"CreateVirtualMFADevice", "EnableMFADevice", "ResyncMFADevice"})
# Calls without a parameter that could name another user.
NAMES_NOBODY = frozenset({"ChangePassword", "CreateVirtualMFADevice"})
NEVER_SELF_SERVICE = frozenset({"DeactivateMFADevice", "DeleteVirtualMFADevice"})


def settled(call: Call, *, own_role_arn: str) -> Verdict | None:
    """The verdict of the rules that need no look-up, or None when the caller's standing counts."""
    caller = call.caller
    if call.unreadable:
        return Verdict(Action.REPORT, Reason.UNREADABLE)
    if caller.kind is CallerKind.SERVICE or _under(call, SERVICE_ROLE_PATH):
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
    # The owner of a stolen credential was released for it: its next call counts, not this.
    stolen = standing.credential_tainted and not _before_release(call, standing)
    if not (standing.contained or standing.tainted or stolen):
        return None
    if call.caller.kind is CallerKind.ROOT or _cannot_be_denied(call):
        return None
    reason = _known_for(standing)
    if standing.contained and call.error_code and not standing.again:
        return Verdict(Action.COUNT, reason)
    return _blocked(reason, settings) or Verdict(Action.CONTAIN, reason)


def _known_for(standing: Standing) -> Reason:
    # A second try of the call that got its caller contained says what the first would have said.
    for reason in Reason:
        if reason.value == standing.again:
            return reason
    if standing.credential_tainted:
        return Reason.TAINTED_CREDENTIAL
    return Reason.CONTAINED_ALREADY if standing.contained else Reason.TAINTED


def _exempt(call: Call, standing: Standing, settings: Settings) -> Verdict | None:
    caller = call.caller
    if _before_release(call, standing):
        # What an offender did with the credential is undone all the same, however late it arrives.
        stolen = standing.credential_tainted and not call.error_code
        return Verdict(Action.REPORT if stolen else Action.IGNORE, Reason.RELEASED)
    if caller.kind is CallerKind.ROOT:
        return Verdict(Action.CRITICAL, Reason.ROOT)
    if caller.kind is CallerKind.ROLE and _administrator_role(call, settings):
        return Verdict(Action.IGNORE, Reason.ADMINISTRATOR_ROLE)
    if caller.kind is CallerKind.USER and standing.administrator and not _foreign(call):
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
    role = call.caller.kind is CallerKind.ROLE and deniable
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
        _blocked(reason, settings)
        or _spared(call, reason, standing, settings)
        or Verdict(Action.CONTAIN, reason)
    )


def _blocked(reason: Reason, settings: Settings) -> Verdict | None:
    """What keeps back any containment, that of an offender's created principals included."""
    if settings.mode is Mode.OBSERVE:
        return Verdict(Action.WOULD_CONTAIN, reason, held_by="Mode")
    return None


def _spared(call: Call, reason: Reason, standing: Standing, settings: Settings) -> Verdict | None:
    """What keeps back a containment that rests on the caller's own standing alone."""
    if call.caller.kind is CallerKind.ROLE and settings.role_callers is Answer.REPORT:
        return Verdict(Action.WOULD_CONTAIN, reason, held_by="RoleCallers")
    nobody = standing.group_empty and settings.missing_group is MissingGroup.UNDECIDED
    if nobody and call.caller.kind is CallerKind.USER:
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
    if call.caller.kind is not CallerKind.USER or _foreign(call):
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
    return arn_field(call.caller.arn, 4) == call.account and any(
        pattern.matches(role_arn=call.caller.arn, on=_day(call)) for pattern in settings.admin_roles
    )


def rescue_role(role_arn_or_name: str, call: Call, settings: Settings) -> bool:
    """Whether a role of this account, by ARN or bare name, is exempt by AdminRolePatterns.

    A bare name is taken for one without a path, as CloudTrail's parameters name roles.
    """
    partition = call.caller.partition
    arn = (
        role_arn_or_name
        if role_arn_or_name.startswith("arn:")
        else f"arn:{partition}:iam::{call.account}:role/{role_arn_or_name}"
    )
    return any(p.matches(role_arn=arn, on=_day(call)) for p in settings.admin_roles)


def _day(call: Call) -> date:
    # Without a readable time a dated entry counts as expired: a missed exemption is reported.
    return date.max if call.time is None else datetime.fromtimestamp(call.time, UTC).date()


def _cannot_be_denied(call: Call) -> bool:
    return (
        call.caller.kind is CallerKind.OTHER or _foreign(call) or _under(call, IDENTITY_CENTER_PATH)
    )


def _foreign(call: Call) -> bool:
    """The caller belongs to another account than the call: nothing here can be put on it."""
    return bool(call.caller.account) and call.caller.account != call.account


def _under(call: Call, path: str) -> bool:
    # From the resource's first character on: a path may hold any sign, ':role/aws-...' included.
    resource = arn_field(call.caller.arn, 5)
    return call.caller.kind is CallerKind.ROLE and resource.startswith(f"role{path}")


def _is_ourselves(caller: Caller, *, own_role_arn: str) -> bool:
    if caller.kind is not CallerKind.ROLE or not caller.arn:
        return False
    # Role names are unique in an account, whatever their path.
    head, _, tail = own_role_arn.partition(":role/")
    rebuilt = f"{head}:role/{tail.rsplit('/', 1)[-1]}"
    return caller.arn == (rebuilt if caller.path_lost else own_role_arn)


def _by_service(invoked_by: str) -> bool:
    # Console calls of people carry signin.amazonaws.com in old records.
    return bool(invoked_by) and invoked_by != "signin.amazonaws.com"
