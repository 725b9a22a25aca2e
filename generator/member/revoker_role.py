"""What the revoker's role may do, each statement with its reason. Data, no logic.

Each IAM write is bound to our own denies, to our deny groups or to taking away, and to our
function; those that contain stand under a condition. Three could give back what somebody had taken
away, for want of a condition in IAM: docs/permissions.md names them, a test finds no other.
"""

from __future__ import annotations

from generator.policy.arns import (
    ADMIN_GROUP,
    GROUPS,
    KEPT_POLICIES,
    LOG_GROUP,
    OUR_CANARY,
    OUR_FUNCTION,
    OUR_GROUPS,
    OUR_POLICY,
    OUR_QUEUE,
    OUR_RULES,
    OUR_SESSION_POLICY,
    OUR_TABLE,
    ROLES,
    USERS,
    log_streams,
)
from generator.policy.statements import Statement

# lambda:SourceFunctionArn is in every call that a function makes with its role's credentials, and
# in no other: taken out of the function, the role writes nothing.
# https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
FROM_OUR_FUNCTION = {"lambda:SourceFunctionArn": OUR_FUNCTION}
ONLY_OUR_FUNCTION = {"ArnEquals": FROM_OUR_FUNCTION}

_READING = (
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
        sid="SeeWhatHolds",
        why="Reconciliation looks whether each deny that was put on is still there.",
        actions=(
            "iam:ListAttachedUserPolicies",
            "iam:ListAttachedRolePolicies",
            "iam:ListGroupsForUser",
            "iam:GetUserPolicy",
            "iam:GetRolePolicy",
        ),
        resources=(USERS, ROLES),
    ),
    Statement(
        sid="ReadOurDeny",
        why="Contained already is judged by the deny's content, never by its name.",
        actions=("iam:GetPolicy", "iam:GetPolicyVersion"),
        resources=(OUR_POLICY, OUR_SESSION_POLICY),
    ),
    Statement(
        sid="ReadOurGroups",
        why="A deny group is worth what is attached to it.",
        actions=("iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies"),
        resources=OUR_GROUPS,
    ),
    Statement(
        sid="SearchHistory",
        why="The proof that a member is an administrator, when its event was lost; * is AWS's.",
        actions=("cloudtrail:LookupEvents",),
        resources=("*",),
    ),
    Statement(
        sid="ReadRules",
        why="Reconciliation tells the central account when one of our rules is disabled or gone.",
        actions=("events:DescribeRule",),
        resources=OUR_RULES,
    ),
    Statement(
        sid="ReadTablePolicy",
        why="Whether the ledger's own policy is there: no drift shows it, no update restores it.",
        actions=("dynamodb:GetResourcePolicy",),
        resources=(OUR_TABLE,),
    ),
    Statement(
        sid="FindTrails",
        why="Reconciliation checks that a trail brings IAM's calls; IAM cannot limit the list.",
        actions=("cloudtrail:DescribeTrails",),
        resources=("*",),
    ),
    Statement(
        sid="ReadTrails",
        why="Whether it is logging; an Organization's trail is the management account's.",
        actions=("cloudtrail:GetTrailStatus",),
        resources=("arn:${AWS::Partition}:cloudtrail:*:*:trail/*",),
    ),
)

REVOKER_ALWAYS = (
    *_READING,
    Statement(
        sid="ReadState",
        why="Who was an administrator, what is tainted, what is contained and how.",
        actions=("dynamodb:BatchGetItem", "dynamodb:Scan"),
        resources=(OUR_TABLE,),
    ),
    Statement(
        sid="WriteState",
        why="The ledger and the marks; the table's own policy keeps everybody else out.",
        actions=("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
        resources=(OUR_TABLE,),
        conditions=ONLY_OUR_FUNCTION,
    ),
    Statement(
        sid="TagCanary",
        why="The self-test: call IAM on a role that nobody can use, to see the event arrive.",
        actions=("iam:TagRole",),
        resources=(OUR_CANARY,),
        conditions=ONLY_OUR_FUNCTION,
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
        sid="RedriveFailures",
        why="Reconciliation counts what is kept there and answers it once more.",
        actions=("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        resources=(OUR_QUEUE,),
    ),
    Statement(
        sid="WriteLog",
        why="The function's own log.",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(log_streams(LOG_GROUP),),
    ),
)

_CONTAINING = (
    Statement(
        sid="FindKept",
        why="Whom an earlier installation left under a kept deny is contained anew.",
        actions=("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListEntitiesForPolicy"),
        resources=KEPT_POLICIES,
    ),
    Statement(
        sid="DenyUser",
        why="First deny method for a user or its sessions, and its undo: our two denies only.",
        actions=("iam:AttachUserPolicy", "iam:DetachUserPolicy"),
        resources=(USERS,),
        conditions={
            "ArnEquals": {"iam:PolicyARN": [OUR_POLICY, OUR_SESSION_POLICY], **FROM_OUR_FUNCTION}
        },
    ),
    Statement(
        sid="DenyRole",
        why="First deny method for a role, and its undo: no other policy than our deny.",
        actions=("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
        resources=(ROLES,),
        conditions={"ArnEquals": {"iam:PolicyARN": OUR_POLICY, **FROM_OUR_FUNCTION}},
    ),
    Statement(
        sid="DenyUserByGroup",
        why="Second deny method, for a user at its policy quota or its sessions, and its undo: our "
        "two groups only.",
        actions=("iam:AddUserToGroup", "iam:RemoveUserFromGroup"),
        resources=OUR_GROUPS,
        conditions=ONLY_OUR_FUNCTION,
    ),
    Statement(
        sid="DenyRoleByBoundary",
        why="Second deny method for a role at its quota: our deny as boundary only. No undo: put "
        "over an owner's and taken off again, it would widen. IAM cannot ask what a role has.",
        actions=("iam:PutRolePermissionsBoundary",),
        resources=(ROLES,),
        conditions={"ArnEquals": {"iam:PermissionsBoundary": OUR_POLICY, **FROM_OUR_FUNCTION}},
    ),
)

_TAKING_BACK = (
    Statement(
        sid="SilenceCredentials",
        why="Set inactive what an offender made, and active again when a release asks for it: IAM "
        "has no condition on the status. It makes none, but could switch one on that is there.",
        actions=(
            "iam:UpdateAccessKey",
            "iam:UpdateServiceSpecificCredential",
            "iam:UpdateSSHPublicKey",
            "iam:UpdateSigningCertificate",
        ),
        resources=(USERS,),
        conditions=ONLY_OUR_FUNCTION,
    ),
    Statement(
        sid="DeletePasswords",
        why="Delete the console password of a user whom an offender made.",
        actions=("iam:DeleteLoginProfile",),
        resources=(USERS,),
        conditions=ONLY_OUR_FUNCTION,
    ),
    Statement(
        sid="RemoveMemberships",
        why="Take out of the administrators' group, and of no other, whom an offender put in. What "
        "that group denies goes with it.",
        actions=("iam:RemoveUserFromGroup",),
        resources=ADMIN_GROUP,
        conditions=ONLY_OUR_FUNCTION,
    ),
)

REVOKER_ENFORCING = (*_CONTAINING, *_TAKING_BACK)

REVOKER_INLINE = (
    Statement(
        sid="DenyUserInline",
        why="Last deny method for a user, and its undo. IAM cannot limit its content: may grant.",
        actions=("iam:PutUserPolicy", "iam:DeleteUserPolicy"),
        resources=(USERS,),
        conditions=ONLY_OUR_FUNCTION,
    ),
    Statement(
        sid="DenyRoleInline",
        why="Last deny method for a role, and its undo. IAM cannot limit its content: may grant.",
        actions=("iam:PutRolePolicy", "iam:DeleteRolePolicy"),
        resources=(ROLES,),
        conditions=ONLY_OUR_FUNCTION,
    ),
)
