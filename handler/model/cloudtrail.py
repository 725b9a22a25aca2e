"""A CloudTrail record of an IAM call, read into values. Pure and total: it never raises.

Facts about the record: CloudTrail User Guide, "record contents" and "userIdentity element".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

SERVICE_ROLE_PATH = "/aws-service-role/"
IDENTITY_CENTER_PATH = "/aws-reserved/sso.amazonaws.com/"
# Identities behind which stands another one, the issuer, that IAM can act on.
ISSUED_TYPES = frozenset({"AssumedRole", "Role", "FederatedUser"})


class CallerKind(Enum):
    """What a caller is, after a federated user is resolved to its issuer."""

    ROOT = "root"
    USER = "user"
    ROLE = "role"
    SERVICE = "service"
    OTHER = "other"


@dataclass(frozen=True)
class Caller:
    """Who made a call. Text is as recorded, empty where the record has none.

    `name` is the IAM user's or role's own name (no path), `id` its unique id (AIDA..., AROA...),
    `arn` the user's or role's ARN (a role's path is lost where the record has no session issuer);
    `path_lost` says so; `session` is the role session or federated name.
    """

    kind: CallerKind
    type: str = ""
    account: str = ""
    partition: str = "aws"
    name: str = ""
    id: str = ""
    arn: str = ""
    path_lost: bool = False
    session: str = ""
    access_key: str = ""
    session_began: str = ""
    session_began_at: float | None = None
    console: bool = False
    invoked_by: str = ""


@dataclass(frozen=True)
class Call:
    """One record. `time` is epoch seconds, None where unreadable.

    `unreadable` says what is missing to decide anything, empty when nothing is.
    """

    event_id: str
    account: str
    caller: Caller
    service: str = ""
    name: str = ""
    time: float | None = None
    time_text: str = ""
    region: str = ""
    source_ip: str = ""
    user_agent: str = ""
    error_code: str = ""
    read_only: bool = False
    request: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)
    unreadable: str = ""


def read_event(event: object) -> Call:
    """The call in an EventBridge event; its account and time stand in where the record has none."""
    envelope = _mapping(event)
    return read_record(
        envelope.get("detail"), account=_text(envelope, "account"), time=_text(envelope, "time")
    )


def read_record(record: object, *, account: str = "", time: str = "") -> Call:
    """The call in a bare CloudTrail record."""
    record_map = _mapping(record)
    caller = _read_caller(record_map)
    time_text = _text(record_map, "eventTime") or time
    own_account = _text(record_map, "recipientAccountId") or account or caller.account
    name = _text(record_map, "eventName")
    return Call(
        event_id=_event_id(record_map),
        account=own_account,
        caller=caller,
        service=_text(record_map, "eventSource"),
        name=name,
        time=seconds_of(time_text),
        time_text=time_text,
        region=_text(record_map, "awsRegion"),
        source_ip=_text(record_map, "sourceIPAddress"),
        user_agent=_text(record_map, "userAgent"),
        error_code=_text(record_map, "errorCode"),
        read_only=_read_only(record_map.get("readOnly"), name=name),
        request=_mapping(record_map.get("requestParameters")),
        response=_mapping(record_map.get("responseElements")),
        unreadable=_what_is_missing(record_map, name=name, account=own_account, caller=caller),
    )


def _what_is_missing(record: Mapping[str, Any], *, name: str, account: str, caller: Caller) -> str:
    if not record:
        return "the event carries no CloudTrail record"
    if not name:
        return "the record has no eventName"
    if not account:
        return "the record names no account"
    if caller.kind is CallerKind.OTHER and not caller.type:
        return "the record has no userIdentity.type"
    if caller.kind in (CallerKind.USER, CallerKind.ROLE) and not (caller.name or caller.id):
        return f"userIdentity of type {caller.type} has neither a name nor an id"
    return ""


def _read_caller(record: Mapping[str, Any]) -> Caller:
    identity = _mapping(record.get("userIdentity"))
    context = _mapping(identity.get("sessionContext"))
    issuer = _mapping(context.get("sessionIssuer"))
    kind = _kind(
        type=_text(identity, "type"),
        issuer_type=_text(issuer, "type"),
        event_type=_text(record, "eventType"),
    )
    session_arn = _text(identity, "arn")
    arn = _principal_arn(kind=kind, identity=identity, issuer=issuer)
    began = _text(_mapping(context.get("attributes")), "creationDate")
    return Caller(
        kind=kind,
        type=_text(identity, "type"),
        account=_text(identity, "accountId") or arn_field(arn or session_arn, 4),
        partition=arn_field(arn or session_arn, 1) or "aws",
        name=_name(kind=kind, arn=arn, identity=identity, issuer=issuer),
        id=_principal_id(kind=kind, identity=identity, issuer=issuer),
        arn=arn,
        path_lost=":assumed-role/" in session_arn and not _text(issuer, "arn"),
        session=_session(session_arn),
        access_key=_text(identity, "accessKeyId"),
        session_began=began,
        session_began_at=seconds_of(began),
        console=_is_true(record.get("sessionCredentialFromConsole")),
        invoked_by=_text(identity, "invokedBy"),
    )


def _kind(*, type: str, issuer_type: str, event_type: str) -> CallerKind:
    match type, issuer_type:
        case "Root", _:
            return CallerKind.ROOT
        case "IAMUser", _:
            return CallerKind.USER
        case (("AssumedRole" | "Role"), _):
            return CallerKind.ROLE
        # IAM acts on the issuer of the federation token; the token's own session cannot be denied.
        case "FederatedUser", "IAMUser":
            return CallerKind.USER
        case "FederatedUser", "Root":
            return CallerKind.ROOT
        case "AWSService", _:
            return CallerKind.SERVICE
        # "Non-API events" of a service carry userIdentity without a type.
        case "", _ if event_type == "AwsServiceEvent":
            return CallerKind.SERVICE
    return CallerKind.OTHER


def _principal_arn(
    *, kind: CallerKind, identity: Mapping[str, Any], issuer: Mapping[str, Any]
) -> str:
    arn = _text(identity, "arn")
    issuer_arn = _text(issuer, "arn")
    # A user or root is itself, whatever the session context says of an issuer.
    if issuer_arn and _text(identity, "type") in ISSUED_TYPES:
        return issuer_arn
    if kind is CallerKind.ROLE and ":assumed-role/" in arn:
        role = arn.split(":assumed-role/", 1)[1].split("/", 1)[0]
        return f"arn:{arn_field(arn, 1)}:iam::{arn_field(arn, 4)}:role/{role}"
    return arn


def _name(
    *, kind: CallerKind, arn: str, identity: Mapping[str, Any], issuer: Mapping[str, Any]
) -> str:
    if kind not in (CallerKind.USER, CallerKind.ROLE):
        return _text(identity, "userName")
    marker = ":user/" if kind is CallerKind.USER else ":role/"
    if marker in arn:
        # The ARN is IAM's own spelling; AssumeRoot records show userName differing from it.
        return arn.rsplit("/", 1)[1]
    # A federated user's own name is whatever its issuer chose to type: never a name of IAM's.
    own = "" if _text(identity, "type") == "FederatedUser" else _text(identity, "userName")
    return _text(issuer, "userName") or own


def _principal_id(
    *, kind: CallerKind, identity: Mapping[str, Any], issuer: Mapping[str, Any]
) -> str:
    own = _text(identity, "principalId").split(":", 1)[0]
    if _text(identity, "type") == "FederatedUser":
        return _text(issuer, "principalId")
    if kind is CallerKind.ROLE:
        return _text(issuer, "principalId") or own
    # An Identity Center user has no principal in the account, only an id in its directory.
    return own or _text(_mapping(identity.get("onBehalfOf")), "userId")


def _session(arn: str) -> str:
    for marker in (":assumed-role/", ":federated-user/"):
        if marker in arn:
            return arn.split(marker, 1)[1].rsplit("/", 1)[-1]
    return ""


def _read_only(flag: object, *, name: str) -> bool:
    # Some records lack the flag, some carry it as text; the verbs are IAM's own read-only ones.
    if flag is None:
        return name.startswith(("Get", "List", "Generate", "Simulate"))
    return _is_true(flag)


def _is_true(flag: object) -> bool:
    return flag is True or (isinstance(flag, str) and flag.lower() == "true")


def _event_id(record: Mapping[str, Any]) -> str:
    # CloudTrail may re-issue a record under a new id and names the first one in an addendum.
    original = _text(_mapping(record.get("addendum")), "originalEventID")
    own = original or _text(record, "eventID")
    if own:
        return own
    content = json.dumps(record, sort_keys=True, default=str).encode()
    return "sha256-" + hashlib.sha256(content).hexdigest()[:32]


def seconds_of(text: str) -> float | None:
    """Epoch seconds of CloudTrail's time, None where it is none."""
    # This century: CloudTrail began in 2013, and the calendar's ends have no epoch seconds.
    if not re.fullmatch(
        r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z?", text
    ):
        return None
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp()


def arn_field(arn: str, index: int) -> str:
    """One field of an ARN, from 0 (1 partition, 4 account, 5 resource); empty where it is none."""
    parts = arn.split(":", 5)
    return parts[index] if len(parts) == 6 else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""
