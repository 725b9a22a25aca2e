"""ARNs of what is ours in a member account, as templates and policies write them. Data, no logic.

Strings hold ${...}, which the template fills in.
"""

from __future__ import annotations

from handler.model.names import (
    CALLS_RULE,
    CANARY_ROLE,
    CANARY_RULE,
    DENY_GROUP,
    DENY_POLICY,
    IAM_PATH,
    KEPT_PATH,
    KEPT_POLICY,
    KEPT_SESSION_POLICY,
    MEMBER_DEAD_LETTERS,
    RECONCILE_ROLE,
    REVOKER,
    SESSION_DENY_GROUP,
    SESSION_DENY_POLICY,
    STATE_TABLE,
    TAMPER_RULE,
    TAMPER_STORES_RULE,
    TRAIL,
)

IAM = "arn:${AWS::Partition}:iam::${AWS::AccountId}"
HERE = "${AWS::Region}:${AWS::AccountId}"
USERS = f"{IAM}:user/*"
ROLES = f"{IAM}:role/*"
GROUPS = f"{IAM}:group/*"
# IAM's group names are unique whatever the path; a pattern's * crosses paths.
ADMIN_GROUP = (f"{IAM}:group/${{AdminGroupName}}", f"{IAM}:group/*/${{AdminGroupName}}")
OUR_POLICY = f"{IAM}:policy{IAM_PATH}{DENY_POLICY}"
OUR_SESSION_POLICY = f"{IAM}:policy{IAM_PATH}{SESSION_DENY_POLICY}"
KEPT_POLICIES = tuple(
    f"{IAM}:policy{KEPT_PATH}{name}" for name in (KEPT_POLICY, KEPT_SESSION_POLICY)
)
OUR_GROUPS = tuple(f"{IAM}:group{IAM_PATH}{name}" for name in (DENY_GROUP, SESSION_DENY_GROUP))
OUR_ROLE = f"{IAM}:role{IAM_PATH}{REVOKER}"
RECONCILE_ROLE_ARN = f"{IAM}:role{IAM_PATH}{RECONCILE_ROLE}"
OUR_CANARY = f"{IAM}:role{IAM_PATH}{CANARY_ROLE}"
OUR_FUNCTION = f"arn:${{AWS::Partition}}:lambda:{HERE}:function:{REVOKER}"
OUR_QUEUE = f"arn:${{AWS::Partition}}:sqs:{HERE}:{MEMBER_DEAD_LETTERS}"
OUR_TABLE = f"arn:${{AWS::Partition}}:dynamodb:{HERE}:table/{STATE_TABLE}"
_RULE = f"arn:${{AWS::Partition}}:events:{HERE}:rule/"
TAMPER_RULES = (f"{_RULE}{TAMPER_RULE}", f"{_RULE}{TAMPER_STORES_RULE}")
OUR_RULES = (f"{_RULE}{CALLS_RULE}", f"{_RULE}{CANARY_RULE}", *TAMPER_RULES)
LOG_GROUP = f"/aws/lambda/{REVOKER}"
TRAIL_LOG_GROUP = f"/aws/cloudtrail/{TRAIL}"


def log_streams(group: str, streams: str = "*") -> str:
    """ARN of what is in one log group: everything, or those streams."""
    return f"arn:${{AWS::Partition}}:logs:{HERE}:log-group:{group}:{streams}"
