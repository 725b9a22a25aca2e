"""Build the CloudTrail record of a call, shaped as the real ones are.

Pure but for the clock and random ids; who called is read by sandbox/identities.py, and whether
a record reaches a bus is decided by the router.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape

from sandbox.calls import SOURCE_HEADER, Call
from sandbox.state import Record

EVENT_VERSION = "1.11"
GLOBAL = frozenset({"iam", "organizations"})

# Lambda's records carry the date of the API version (seen in recorded events).
_LAMBDA_2015 = (
    "AddPermission20150331v2 CreateAlias20150331 CreateEventSourceMapping20150331 "
    "CreateFunction20150331 DeleteAlias20150331 DeleteEventSourceMapping20150331 "
    "DeleteFunction20150331 GetAlias20150331 GetEventSourceMapping20150331 "
    "GetFunction20150331v2 GetFunctionConfiguration20150331v2 GetPolicy20150331v2 "
    "ListAliases20150331 ListEventSourceMappings20150331 ListFunctions20150331 "
    "ListVersionsByFunction20150331 PublishVersion20150331 RemovePermission20150331v2 "
    "UpdateAlias20150331 UpdateEventSourceMapping20150331 UpdateFunctionCode20150331v2 "
    "UpdateFunctionConfiguration20150331v2"
).split()
LAMBDA_NAMES = {name.partition("2015")[0]: name for name in _LAMBDA_2015} | {
    "DeleteFunctionConcurrency": "DeleteFunctionConcurrency20171031",
    "ListTags": "ListTags20170331",
    "PublishLayerVersion": "PublishLayerVersion20181031",
    "PutFunctionConcurrency": "PutFunctionConcurrency20171031",
    "TagResource": "TagResource20170331v2",
    "UntagResource": "UntagResource20170331v2",
}

# Data events: CloudTrail keeps them only when a trail asks, and EventBridge never has them here.
DATA_CALLS: Mapping[str, frozenset[str]] = {
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "events": frozenset({"PutEvents", "PutPartnerEvents"}),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "logs": frozenset({"PutLogEvents", "FilterLogEvents", "GetLogEvents", "StartQuery"}),
    "sqs": frozenset(
        "SendMessage SendMessageBatch ReceiveMessage DeleteMessage DeleteMessageBatch "
        "ChangeMessageVisibility ChangeMessageVisibilityBatch".split()
    ),
    "dynamodb": frozenset(
        "GetItem PutItem UpdateItem DeleteItem Query Scan BatchGetItem BatchWriteItem "
        "TransactGetItems TransactWriteItems ExecuteStatement BatchExecuteStatement "
        "ExecuteTransaction".split()
    ),
}

_READS = ("Get", "List", "Describe", "Lookup", "Search", "Simulate", "Generate", "Test", "Validate")
_STS_READS = frozenset(
    "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity DecodeAuthorizationMessage "
    "GetCallerIdentity GetAccessKeyInfo".split()
)

# CloudTrail keeps no record of a caller whom AWS could not tell who she was.
UNKNOWN_CALLER = frozenset(
    "IncompleteSignature InvalidClientTokenId InvalidSignatureException InvalidToken "
    "MissingAuthenticationToken MissingAuthenticationTokenException SignatureDoesNotMatch "
    "UnrecognizedClientException ExpiredToken ExpiredTokenException".split()
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})


def is_management(call: Call) -> bool:
    """Whether CloudTrail counts the call among management events."""
    return call.name not in DATA_CALLS.get(call.service, frozenset())


def is_read_only(service: str, name: str) -> bool:
    """As CloudTrail marks it: AssumeRole is read-only, GetFederationToken is not."""
    if service == "sts":
        return name in _STS_READS
    return name.startswith(_READS)


def record_of(
    call: Call, *, identity: Mapping[str, Any], account: str, answer: Mapping[str, Any], source: str
) -> Record:
    """Build the record of a call that was answered; `answer` is what the SDK read."""
    error = answer.get("Error") or {}
    code = _error_code(call, str(error.get("Code", ""))) if error else ""
    read_only = is_read_only(call.service, call.name)
    request = None if code == "AccessDenied" else lowered(call.params, call.operation.input_shape)
    response = {k: v for k, v in answer.items() if k not in ("ResponseMetadata", "Error")}
    record: Record = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": dict(identity),
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
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
        "requestParameters": request or None,
        "responseElements": None
        if error or read_only and call.service != "sts"
        else lowered(response, call.operation.output_shape) or None,
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
            members: dict[str, Shape] = shape.members  # type: ignore[attr-defined]
            return {
                name[0].lower() + name[1:]: lowered(value[name], inner)
                for name, inner in members.items()
                if name in value and not _hidden(name, inner)
            }
        case "list" if isinstance(value, list):
            return [lowered(one, shape.member) for one in value]  # type: ignore[attr-defined]
        case "map" if isinstance(value, Mapping):
            inner = shape.value  # type: ignore[attr-defined]
            return {key: lowered(one, inner) for key, one in value.items()}
        case "timestamp" if isinstance(value, datetime):
            there = value.astimezone(UTC)
            hour = there.strftime("%I").lstrip("0")
            return there.strftime(f"%b %d, %Y {hour}:%M:%S %p")
        case _:
            return value


def _hidden(name: str, shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive")) or (
        shape.type_name == "blob" or name in ("TemplateBody", "SecretAccessKey")
    )


def _error_code(call: Call, code: str) -> str:
    """Records name an error by its shape (NoSuchEntityException), and any refusal AccessDenied."""
    if code in _DENIED:
        return "AccessDenied"
    for shape in call.operation.error_shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return str(shape.name)
    return code
