"""What an offending call gave and what is done about it, as values; finds and judges nothing.

The words of table.py and of the files of its rows. Text in these values is as recorded, not
escaped: the code that prints it escapes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from handler.model.cloudtrail import Call, CallerKind
from handler.model.names import DENY_GROUP, FORWARDER, REVOKER, SESSION_DENY_GROUP

# A name in a sentence; IAM's longest is 128 characters, an ARN is longer.
SHOWN_LIMIT = 200
NO_OLD_VALUES = "The record does not carry the old values."


class Remediation(Enum):
    """What the revoker does about an impact, beside reporting it.

    CONTAIN: a principal that the offender made; contain and taint it by id. SILENCE: a credential;
    set it inactive and taint it. DELETE_LOGIN: a console password; delete it where its user is
    tainted as made by an offender, else as TAINT_SESSIONS. TAINT_SESSIONS: console sessions of the
    user begun after the call are the offender's. TAKE_BACK: membership of the administrators'
    group; remove it. LIST_SINCE: nobody knows what; list what was made since. TELL: nothing more.
    """

    CONTAIN = "contain"
    SILENCE = "silence"
    DELETE_LOGIN = "delete-login"
    TAINT_SESSIONS = "taint-sessions"
    REMOVE = "remove"
    LIST_SINCE = "list-since"
    REPORT = "report"


@dataclass(frozen=True)
class Impact:
    """One thing that a call gave or took.

    `row` is a key of GAIN_ROWS; `what` a sentence's object ("a new access key ..."). `kind`, `name`
    and `id` say in whose favor (kind None: no user, role or root; group: in `group`); `credential`
    is its id, `credential_kind` one of access-key, service-credential, ssh-key, certificate.
    `undo` holds one argument list per AWS CLI command, `--flag=value` in one word; `missing` is one
    or more sentences on what the record does not carry. One of the two is never empty.
    `deny_removed`: it is a deny of ours that was taken off.
    """

    row: int
    what: str
    remediation: Remediation
    kind: CallerKind | None = None
    name: str = ""
    id: str = ""
    credential: str = ""
    credential_kind: str = ""
    group: str = ""
    undo: tuple[tuple[str, ...], ...] = ()
    missing: str = ""
    critical: bool = False
    deny_removed: bool = False


@dataclass(frozen=True)
class Offence:
    """One successful call of an offender, and what its account holds dear.

    `rescue` says whether a role is one that rolls out or rescues the Organization; it is asked with
    the role's ARN where the record tells the path, else with the bare name.
    """

    call: Call
    admin_group: str
    rescue: Callable[[str], bool]


# The function of one call: its impact, or None when the record lacks the parameters to tell it.
ImpactOf = Callable[[Offence], Impact | None]


@dataclass(frozen=True)
class Owner:
    """Whose credential a call is about: a user, or root. `id` is known for the caller alone."""

    kind: CallerKind
    name: str
    id: str
    text: str


def owner_of(offence: Offence, *, within: str = "") -> Owner | None:
    """The principal that a call names, in its answer's object `within` or its request, or itself.

    None where a name was there and was left out, or where the caller owns no credentials.
    """
    caller = offence.call.caller
    named = (answered(offence, within, "userName") if within else "") or asked(offence, "userName")
    if named:
        own = is_caller(offence, named)
        text = f"the caller itself, user {shown(named)}" if own else f"user {shown(named)}"
        return Owner(kind=CallerKind.USER, name=named, id=caller.id if own else "", text=text)
    if left_out(offence) or offence.call.request.get("userName") is not None:
        return None
    match caller.kind:
        case CallerKind.USER:
            text = f"the caller itself, user {shown(caller.name)}"
            return Owner(kind=CallerKind.USER, name=caller.name, id=caller.id, text=text)
        case CallerKind.ROOT:
            return Owner(
                kind=CallerKind.ROOT, name="", id=caller.id, text="the account's root user"
            )
    return None


def is_caller(offence: Offence, user: str) -> bool:
    """IAM user names are unique whatever their case."""
    caller = offence.call.caller
    return caller.kind is CallerKind.USER and user.casefold() == caller.name.casefold()


def own_id(offence: Offence, user: str) -> str:
    """The user's id where the user is the caller; of others the record has the name alone."""
    return offence.call.caller.id if is_caller(offence, user) else ""


def owned_impact(
    owner: Owner,
    *,
    row: int,
    what: str,
    remediation: Remediation,
    credential: str = "",
    credential_kind: str = "",
    undo: tuple[tuple[str, ...], ...] = (),
    missing: str = "",
    critical: bool = False,
) -> Impact:
    """An impact on what an owner signs in with; of root it is critical and only reported."""
    root = owner.kind is CallerKind.ROOT
    why_no_undo = "Only root, or an AssumeRoot session, can undo this." if root else ""
    if not root and not owner.name:
        why_no_undo = "The record does not carry the user's name."
    return Impact(
        row=row,
        what=what,
        remediation=Remediation.REPORT if root else remediation,
        kind=owner.kind,
        name=owner.name,
        id=owner.id,
        credential=credential,
        credential_kind=credential_kind,
        undo=undo,
        missing=sentences(missing, why_no_undo),
        critical=critical or root,
    )


def owned_command(verb: str, owner: Owner, **flags: str) -> tuple[tuple[str, ...], ...]:
    """The undo of what an owner has. No flag names root: the command acts on its own caller."""
    whose = {} if owner.kind is CallerKind.ROOT else {"user_name": owner.name}
    return aws_iam(verb, **whose, **flags)


def reported_impact(
    *,
    row: int,
    what: str,
    undo: tuple[tuple[str, ...], ...] = (),
    missing: str = "",
    critical: bool = False,
) -> Impact:
    """What stands on the account and on no user, role or group of it."""
    return Impact(
        row=row,
        what=what,
        remediation=Remediation.REPORT,
        undo=undo,
        missing=missing,
        critical=critical,
    )


def asked(offence: Offence, key: str) -> str:
    """One text of the request's parameters, empty where it has none."""
    return _word(offence.call.request, key)


def answered(offence: Offence, within: str, key: str) -> str:
    """One text of the answer's object `within` (empty: of the answer itself), empty where none."""
    response = offence.call.response
    return _word(_value(response, within) if within else response, key)


def left_out(offence: Offence) -> bool:
    """CloudTrail left the parameters out: above 100 KB a field holds `omitted` in their place.

    CloudTrail User Guide, "record contents".
    """
    return bool(offence.call.request.get("omitted"))


def shown(name: str) -> str:
    """A name for a sentence."""
    return f"'{name[:SHOWN_LIMIT]}'"


def is_protected_group(offence: Offence, group: str) -> bool:
    """The administrators' group, or one that carries a deny of ours; IAM ignores case in names."""
    dear = (offence.admin_group, DENY_GROUP, SESSION_DENY_GROUP)
    return group.casefold() in [name.casefold() for name in dear]


def is_protected_role(offence: Offence, role: str) -> bool:
    """A role that rescues the Organization, or one of ours; by ARN or bare name."""
    return role.rsplit("/", 1)[-1].casefold() in (REVOKER, FORWARDER) or offence.rescue(role)


def aws_iam(verb: str, **flags: str) -> tuple[tuple[str, ...], ...]:
    """One command as the one element of an undo; no element where a flag has no value.

    `user_name="x"` becomes `--user-name=x`: in one word, because IAM names may begin with a dash.
    """
    if not all(flags.values()):
        return ()
    words = (f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items())
    return (("aws", "iam", verb, *words),)


def sentences(*parts: str) -> str:
    """The parts that say something, as one text."""
    return " ".join(part for part in parts if part)


def _word(values: object, key: str) -> str:
    value = _value(values, key)
    return value if isinstance(value, str) else ""


def _value(values: object, key: str) -> Any:
    """By name whatever the case: how CloudTrail spells sSHPublicKeyId and its like is not written.

    The keys are AWS's own, never the caller's.
    """
    if not isinstance(values, Mapping):
        return None
    if key in values:
        return values[key]
    folded = key.casefold()
    return next((v for k, v in values.items() if str(k).casefold() == folded), None)
