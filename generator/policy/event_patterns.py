"""The event patterns of all rules. Data, no logic: strings may hold ${...} for the template.

Each is below EventBridge's default quota of 2,048 characters, counted on the filled-in JSON.
"""

from __future__ import annotations

from typing import Any

from generator.policy.arns import LOG_GROUP, OUR_ROLE
from handler.model.names import (
    CANARY_ROLE,
    DENY_GROUP,
    IAM_PATH,
    INLINE_DENY,
    PRODUCT,
    REPORT_SOURCE,
    SESSION_DENY_GROUP,
)

Pattern = dict[str, Any]


def _nobody_but(*issuers: str) -> Pattern:
    """Callers other than sessions of these roles.

    `anything-but` does not match a field that is absent, so that without `exists: false` every IAM
    user and root would be left out.
    """
    arn = [{"exists": False}, {"anything-but": {"wildcard": list(issuers)}}]
    return {"sessionContext": {"sessionIssuer": {"arn": arn}}}


# By service, never by a list of event names: IAM gains new ones. Nothing on `readOnly`, which may
# be absent: a rule in state ENABLED leaves read-only calls out by itself. Nothing on `detail-type`,
# which AWS's documentation spells differently for China.
CALLS: Pattern = {
    "source": ["aws.iam"],
    "detail": {
        "eventSource": ["iam.amazonaws.com"],
        "userIdentity": {
            "sessionContext": {
                "sessionIssuer": {"arn": [{"exists": False}, {"anything-but": [OUR_ROLE]}]}
            }
        },
    },
}

# The one call of the revoker's own that it wants to see: the self-test's.
CANARY: Pattern = {
    "source": ["aws.iam"],
    "detail": {
        "eventSource": ["iam.amazonaws.com"],
        "eventName": ["TagRole"],
        "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [OUR_ROLE]}}},
        "requestParameters": {"roleName": [CANARY_ROLE]},
    },
}

_NAMED_OURS = {"prefix": PRODUCT}


def _touches(service: str, *ways: Pattern, events: tuple[Any, ...] = ()) -> Pattern:
    """Calls of one service, by any of these request parameters, or by these event names."""
    pattern: Pattern = {"eventSource": [f"{service}.amazonaws.com"]}
    if events:
        pattern["eventName"] = list(events)
    match ways:
        case ():
            return pattern
        case (way,):
            return {**pattern, "requestParameters": way}
        case _:
            return {**pattern, "requestParameters": {"$or": list(ways)}}


# Whatever bears our name, in each form that an API takes: name, name:qualifier, ARN, URL.
_TOUCHED = (
    _touches(
        "lambda",
        {"functionName": [_NAMED_OURS, {"wildcard": f"*:function:{PRODUCT}*"}]},
        {"resourceArn": [{"wildcard": f"*:function:{PRODUCT}*"}]},
    ),
    _touches(
        "events", {"name": [_NAMED_OURS]}, {"rule": [_NAMED_OURS]}, {"eventBusName": [_NAMED_OURS]}
    ),
    _touches(
        "iam",
        {"policyArn": [{"wildcard": f"*:policy{IAM_PATH}*"}]},
        {"permissionsBoundary": [{"wildcard": f"*:policy{IAM_PATH}*"}]},
        {"policyName": [INLINE_DENY]},
        {"groupName": [DENY_GROUP, SESSION_DENY_GROUP]},
        {"roleName": [_NAMED_OURS]},
        {"path": [IAM_PATH]},
    ),
    _touches(
        "cloudtrail",
        events=("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"),
    ),
)

# Items of the table are data events, which EventBridge does not carry: its own policy keeps them.
_STORES_TOUCHED = (
    _touches("sqs", {"queueUrl": [{"wildcard": f"*/{PRODUCT}*"}]}),
    _touches(
        "dynamodb",
        {"tableName": [_NAMED_OURS, {"wildcard": f"*:table/{PRODUCT}*"}]},
        {"resourceArn": [{"wildcard": f"*:table/{PRODUCT}*"}]},
        {"targetTableName": [_NAMED_OURS]},
    ),
    _touches("scheduler", {"name": [_NAMED_OURS]}),
    _touches(
        "logs",
        {"logGroupName": [{"prefix": LOG_GROUP}]},
        events=("DeleteLogGroup", "DeleteLogStream", "PutRetentionPolicy"),
    ),
    _touches(
        "cloudformation",
        {"stackName": ["${AWS::StackName}", {"wildcard": "${AnyEndingLikeOurStackId}"}]},
        events=("DeleteStack", "UpdateStack", "ExecuteChangeSet"),
    ),
)


def _tamper(touched: tuple[Pattern, ...]) -> Pattern:
    """Whoever but the rollout and the revoker touches one of these.

    Nobody but AWS can put a source that begins with "aws.".
    """
    rollout = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/stacksets-exec-*"
    return {
        "source": [{"prefix": "aws."}],
        "detail": {"userIdentity": _nobody_but(rollout, OUR_ROLE), "$or": list(touched)},
    }


# Two rules, since one pattern of both would be above the quota.
TAMPER = _tamper(_TOUCHED)
TAMPER_STORES = _tamper(_STORES_TOUCHED)

REPORTS: Pattern = {"source": [REPORT_SOURCE, {"prefix": "aws."}]}
