"""Build the CloudTrail record of a call, shaped as the real ones are.

Pure but for random ids; who called is read by sandbox/core/identities.py, and whether
a record reaches a bus is decided by the router.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape

from sandbox.core.calls import SOURCE_HEADER, Call
from sandbox.core.event_names import DENIED, LAMBDA_NAMES, is_read_only
from sandbox.core.state import Record

EVENT_VERSION = "1.11"
# Left out of records, besides what the models call sensitive.
UNTOLD = frozenset(
    {"TemplateBody", "SecretAccessKey", "AuthenticationCode1", "AuthenticationCode2"}
)
GLOBAL = frozenset({"iam", "organizations"})
# Bytes of one field, above which CloudTrail leaves its content out (CloudTrail User Guide, "record
# contents").
FIELD_LIMIT = 102_400


def record_of(
    call: Call,
    *,
    identity: Mapping[str, Any],
    account: str,
    answer: Mapping[str, Any],
    source: str,
    when: float,
) -> Record:
    """Build the record of a call that was answered; `answer` is what the SDK read, `when` epoch
    seconds."""
    error = answer.get("Error") or {}
    code = _error_code(call, str(error.get("Code", ""))) if error else ""
    read_only = is_read_only(call.service, call.name)
    request = None if code == "AccessDenied" else lowered(call.params, call.operation.input_shape)
    response = {k: v for k, v in answer.items() if k not in ("ResponseMetadata", "Error")}
    record: Record = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": dict(identity),
        "eventTime": datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": LAMBDA_NAMES.get(call.name, call.name)
        if call.service == "lambda"
        else call.name,
        "awsRegion": "us-east-1" if call.service in GLOBAL else call.region,
        "sourceIPAddress": call.headers.get(SOURCE_HEADER, source),
        "userAgent": call.headers.get("user-agent", ""),
    }
    if error:
        record |= {"errorCode": code, "errorMessage": str(error.get("Message", ""))}
    record |= {
        "requestParameters": _fitting("requestParameters", request or None),
        "responseElements": None
        if error or (read_only and call.service != "sts")
        else _fitting("responseElements", lowered(response, call.operation.output_shape) or None),
        "requestID": str(answer.get("ResponseMetadata", {}).get("RequestId") or uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    return record


def lowered(value: Any, shape: Shape | None) -> Any:
    """Spell parameters as CloudTrail does: first letter small, no secrets, no binary content."""
    if shape is None:
        return value
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            members: dict[str, Shape] = shape.members
            return {
                name[0].lower() + name[1:]: lowered(value[name], inner)
                for name, inner in members.items()
                if name in value and not _hidden(name, inner)
            }
        case "list" if isinstance(value, list):
            return [lowered(one, shape.member) for one in value]
        case "map" if isinstance(value, Mapping):
            inner = shape.value
            return {key: lowered(one, inner) for key, one in value.items()}
        case "timestamp" if isinstance(value, datetime):
            there = value.astimezone(UTC)
            hour = there.strftime("%I").lstrip("0")
            return there.strftime(f"%b %d, %Y {hour}:%M:%S %p")
        case _:
            return value


def _fitting(field: str, value: Any) -> Any:
    size = len(json.dumps(value, default=str).encode())
    if size <= FIELD_LIMIT:
        return value
    return {"omitted": True, "originalSize": size, "reason": f"{field} too large"}


def _hidden(name: str, shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive")) or (shape.type_name == "blob" or name in UNTOLD)


def _error_code(call: Call, code: str) -> str:
    """Records name an error by its shape (NoSuchEntityException), and any refusal AccessDenied."""
    if code in DENIED:
        return "AccessDenied"
    for shape in call.operation.error_shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return str(shape.name)
    return code
