"""What the roles and the queue of a member account may do, each with its reason. Data, no logic.

The revoker's role cannot grant anything to anybody: each IAM write is bound to our deny policy, to
our deny group, and to our function, and stands in the template under a condition.
"""

from __future__ import annotations

from generator.policies import Statement
from handler.names import (
    CALLS_RULE,
    DENY_GROUP,
    DENY_POLICY,
    IAM_PATH,
    MEMBER_DEAD_LETTERS,
    REVOKER,
    TAMPER_RULE,
    TRAIL,
)

IAM = "arn:${AWS::Partition}:iam::${AWS::AccountId}"
HERE = "${AWS::Region}:${AWS::AccountId}"
USERS = f"{IAM}:user/*"
ROLES = f"{IAM}:role/*"
GROUPS = f"{IAM}:group/*"
OUR_POLICY = f"{IAM}:policy{IAM_PATH}{DENY_POLICY}"
OUR_GROUP = f"{IAM}:group{IAM_PATH}{DENY_GROUP}"
OUR_ROLE = f"{IAM}:role{IAM_PATH}{REVOKER}"
OUR_FUNCTION = f"arn:${{AWS::Partition}}:lambda:{HERE}:function:{REVOKER}"
OUR_QUEUE = f"arn:${{AWS::Partition}}:sqs:{HERE}:{MEMBER_DEAD_LETTERS}"
OUR_RULES = tuple(
    f"arn:${{AWS::Partition}}:events:{HERE}:rule/{name}" for name in (CALLS_RULE, TAMPER_RULE)
)
LOG_GROUP = f"/aws/lambda/{REVOKER}"
TRAIL_LOG_GROUP = f"/aws/cloudtrail/{TRAIL}"


def log_streams(group: str, streams: str = "*") -> str:
    """ARN of what is in one log group: everything, or those streams."""
    return f"arn:${{AWS::Partition}}:logs:{HERE}:log-group:{group}:{streams}"


# lambda:SourceFunctionArn is in every call that a function makes with its role's credentials, and
# in no other: taken out of the function, the role writes nothing.
# https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
FROM_OUR_FUNCTION = {"lambda:SourceFunctionArn": OUR_FUNCTION}
ONLY_OUR_POLICY = {"ArnEquals": {"iam:PolicyARN": OUR_POLICY, **FROM_OUR_FUNCTION}}
ONLY_OUR_FUNCTION = {"ArnEquals": FROM_OUR_FUNCTION}

REVOKER_ALWAYS = (
    Statement(
        sid="ReadGroups",
        why="Who is in the administrators' group now, wherever in the account's paths it stands.",
        actions=("iam:GetGroup",),
        resources=(GROUPS,),
    ),
    Statement(
        sid="ReadCaller",
        why="IAM acts on names, which callers can change: compare the id behind the name.",
        actions=("iam:GetUser", "iam:GetRole"),
        resources=(USERS, ROLES),
    ),
    Statement(
        sid="FindCaller",
        why="Find a renamed caller by id, and name the account; IAM can limit none of them.",
        actions=("iam:ListUsers", "iam:ListRoles", "iam:ListAccountAliases"),
        resources=("*",),
    ),
    Statement(
        sid="ReadOurDeny",
        why="Contained already is judged by the deny's content, never by its name.",
        actions=("iam:GetPolicy", "iam:GetPolicyVersion"),
        resources=(OUR_POLICY,),
    ),
    Statement(
        sid="ReadOurGroup",
        why="The deny group is worth what is attached to it.",
        actions=("iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies"),
        resources=(OUR_GROUP,),
    ),
    Statement(
        sid="Report",
        why="One report for each call, straight to the central bus.",
        actions=("events:PutEvents",),
        resources=("${CentralBusArn}",),
    ),
    Statement(
        sid="KeepFailures",
        why="Lambda hands an event here when every retry has failed.",
        actions=("sqs:SendMessage",),
        resources=(OUR_QUEUE,),
    ),
    Statement(
        sid="WriteLog",
        why="The function's own log.",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(log_streams(LOG_GROUP),),
    ),
)

REVOKER_ENFORCING = (
    Statement(
        sid="DenyUser",
        why="First rung for a user, and its undo: no other policy than our deny.",
        actions=("iam:AttachUserPolicy", "iam:DetachUserPolicy"),
        resources=(USERS,),
        conditions=ONLY_OUR_POLICY,
    ),
    Statement(
        sid="DenyRole",
        why="First rung for a role, and its undo: no other policy than our deny.",
        actions=("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
        resources=(ROLES,),
        conditions=ONLY_OUR_POLICY,
    ),
    Statement(
        sid="DenyUserByGroup",
        why="Second rung for a user at her policy quota, and its undo: no other group than ours.",
        actions=("iam:AddUserToGroup", "iam:RemoveUserFromGroup"),
        resources=(OUR_GROUP,),
        conditions=ONLY_OUR_FUNCTION,
    ),
    Statement(
        sid="DenyRoleByBoundary",
        why="Second rung for a role at its quota, and its undo: no other boundary than our deny.",
        actions=("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"),
        resources=(ROLES,),
        conditions={
            "StringEquals": {"iam:PermissionsBoundary": OUR_POLICY},
            **ONLY_OUR_FUNCTION,
        },
    ),
)

REVOKER_INLINE = (
    Statement(
        sid="DenyUserInline",
        why="Last rung for a user, and its undo. IAM cannot limit its content: it could grant.",
        actions=("iam:PutUserPolicy", "iam:DeleteUserPolicy"),
        resources=(USERS,),
        conditions=ONLY_OUR_FUNCTION,
    ),
    Statement(
        sid="DenyRoleInline",
        why="Last rung for a role, and its undo. IAM cannot limit its content: it could grant.",
        actions=("iam:PutRolePolicy", "iam:DeleteRolePolicy"),
        resources=(ROLES,),
        conditions=ONLY_OUR_FUNCTION,
    ),
)

FORWARDER_ALWAYS = (
    Statement(
        sid="ForwardTamperEvents",
        why="EventBridge carries AWS's own events about our resources to the centre.",
        actions=("events:PutEvents",),
        resources=("${CentralBusArn}",),
    ),
)

TRAIL_ALWAYS = (
    Statement(
        sid="WriteTrailLog",
        why="CloudTrail writes its log stream, and no other.",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(
            log_streams(TRAIL_LOG_GROUP, "log-stream:${AWS::AccountId}_CloudTrail_${AWS::Region}*"),
        ),
    ),
)

DEAD_LETTERS = (
    Statement(
        sid="RulesMayKeepEvents",
        why="Our two rules leave here what they could not deliver within a day.",
        actions=("sqs:SendMessage",),
        resources=(OUR_QUEUE,),
        principal={"Service": "events.amazonaws.com"},
        conditions={"ArnEquals": {"aws:SourceArn": list(OUR_RULES)}},
    ),
)
