"""What CloudTrail calls each call, and which calls it counts among management events.

Tables only; the calls are read in sandbox/core/calls.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.core.calls import Call

# Lambda's records carry the date of the API version (seen in recorded events).
_LAMBDA_2015 = [
    "AddPermission20150331v2",
    "CreateAlias20150331",
    "CreateEventSourceMapping20150331",
    "CreateFunction20150331",
    "DeleteAlias20150331",
    "DeleteEventSourceMapping20150331",
    "DeleteFunction20150331",
    "GetAlias20150331",
    "GetEventSourceMapping20150331",
    "GetFunction20150331v2",
    "GetFunctionConfiguration20150331v2",
    "GetPolicy20150331v2",
    "ListAliases20150331",
    "ListEventSourceMappings20150331",
    "ListFunctions20150331",
    "ListVersionsByFunction20150331",
    "PublishVersion20150331",
    "RemovePermission20150331v2",
    "UpdateAlias20150331",
    "UpdateEventSourceMapping20150331",
    "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration20150331v2",
]
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
        [
            "SendMessage",
            "SendMessageBatch",
            "ReceiveMessage",
            "DeleteMessage",
            "DeleteMessageBatch",
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
        ]
    ),
    "dynamodb": frozenset(
        [
            "GetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "Query",
            "Scan",
            "BatchGetItem",
            "BatchWriteItem",
            "TransactGetItems",
            "TransactWriteItems",
            "ExecuteStatement",
            "BatchExecuteStatement",
            "ExecuteTransaction",
        ]
    ),
}

_READS = ("Get", "List", "Describe", "Lookup", "Search", "Simulate", "Generate", "Test", "Validate")
_STS_READS = frozenset(
    [
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "DecodeAuthorizationMessage",
        "GetCallerIdentity",
        "GetAccessKeyInfo",
    ]
)

# CloudTrail keeps no record of a caller whom AWS could not tell who she was.
UNKNOWN_CALLER = frozenset(
    [
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "ExpiredToken",
        "ExpiredTokenException",
    ]
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})


def is_management(call: Call) -> bool:
    """Whether CloudTrail counts the call among management events."""
    return call.name not in DATA_CALLS.get(call.service, frozenset())


def is_read_only(service: str, name: str) -> bool:
    """As CloudTrail marks it: AssumeRole is read-only, GetFederationToken is not."""
    if service == "sts":
        return name in _STS_READS
    return name.startswith(_READS)
