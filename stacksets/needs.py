"""The calls that a rollout makes inside a member account, and that the revoker makes there. Data.

They are what service control policies must let through; a test holds that each resource type of
the member template has its calls here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handler.names import (
    DENY_POLICY,
    IAM_PATH,
    MEMBER_DEAD_LETTERS,
    PATROL_SCHEDULE,
    PRODUCT,
    REVOKER,
    STATE_TABLE,
    TRAIL,
)
from stacksets.control import Request

# StackSets make this role in each member; what follows the second hyphen differs.
EXECUTION_ROLE = "stacksets-exec-0123456789abcdef0123456789abcdef"

# Resource type -> (the resource of ours, the calls by which CloudFormation makes and deletes it).
OF_TYPE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "AWS::CloudTrail::Trail": (
        f"cloudtrail:trail/{TRAIL}",
        ("cloudtrail:CreateTrail", "cloudtrail:DeleteTrail", "cloudtrail:StartLogging"),
    ),
    "AWS::DynamoDB::Table": (
        f"dynamodb:table/{STATE_TABLE}",
        ("dynamodb:CreateTable", "dynamodb:UpdateTable", "dynamodb:DeleteTable"),
    ),
    "AWS::Events::Rule": (
        f"events:rule/{PRODUCT}-calls",
        ("events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:DeleteRule"),
    ),
    "AWS::IAM::Group": (
        f"iam:group{IAM_PATH}{PRODUCT}-denied",
        ("iam:CreateGroup", "iam:AttachGroupPolicy", "iam:DeleteGroup"),
    ),
    "AWS::IAM::ManagedPolicy": (
        f"iam:policy{IAM_PATH}{DENY_POLICY}",
        ("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy"),
    ),
    "AWS::IAM::Role": (
        f"iam:role{IAM_PATH}{REVOKER}",
        ("iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole", "iam:DeleteRole"),
    ),
    "AWS::Lambda::EventInvokeConfig": (
        f"lambda:function:{REVOKER}",
        ("lambda:PutFunctionEventInvokeConfig",),
    ),
    "AWS::Lambda::Function": (
        f"lambda:function:{REVOKER}",
        ("lambda:CreateFunction", "lambda:UpdateFunctionCode", "lambda:DeleteFunction"),
    ),
    "AWS::Lambda::Permission": (
        f"lambda:function:{REVOKER}",
        ("lambda:AddPermission", "lambda:RemovePermission"),
    ),
    "AWS::Logs::LogGroup": (
        f"logs:log-group:/aws/lambda/{REVOKER}",
        ("logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:DeleteLogGroup"),
    ),
    "AWS::SQS::Queue": (
        f"sqs:{MEMBER_DEAD_LETTERS}",
        ("sqs:CreateQueue", "sqs:DeleteQueue"),
    ),
    "AWS::SQS::QueuePolicy": (f"sqs:{MEMBER_DEAD_LETTERS}", ("sqs:SetQueueAttributes",)),
    "AWS::Scheduler::Schedule": (
        f"scheduler:schedule/default/{PATROL_SCHEDULE}",
        ("scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule"),
    ),
}
STACK = (
    f"cloudformation:stack/StackSet-{PRODUCT}-ring-0/0",
    ("cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack"),
)
# Without these the revoker neither decides, nor contains, nor tells.
OF_REVOKER = (
    (f"dynamodb:table/{STATE_TABLE}", ("dynamodb:GetItem", "dynamodb:UpdateItem")),
    ("iam:user/somebody", ("iam:AttachUserPolicy",)),
    ("iam:role/somebody", ("iam:AttachRolePolicy",)),
    (f"iam:role{IAM_PATH}{PRODUCT}-canary", ("iam:TagRole",)),
    ("iam:group/Administrators", ("iam:GetGroup",)),
    (f"events:event-bus/{PRODUCT}", ("events:PutEvents",)),
    ("cloudtrail:*", ("cloudtrail:LookupEvents",)),
)


def rollout_requests(
    *, account: str, partition: str, region: str, organization: str
) -> Iterator[Request]:
    """Every call of StackSets' role in a member."""
    yield from _requests(
        f"role/{EXECUTION_ROLE}",
        (STACK, *OF_TYPE.values()),
        account,
        partition,
        region,
        organization,
    )


def revoker_requests(
    *, account: str, partition: str, region: str, organization: str
) -> Iterator[Request]:
    """The calls that the revoker cannot do without."""
    yield from _requests(
        f"role{IAM_PATH}{REVOKER}", OF_REVOKER, account, partition, region, organization
    )


def _requests(
    role: str,
    calls: tuple[tuple[str, tuple[str, ...]], ...],
    account: str,
    partition: str,
    region: str,
    organization: str,
) -> Iterator[Request]:
    for resource, actions in calls:
        service, _, name = resource.partition(":")
        where = "" if service == "iam" else region
        for action in actions:
            yield Request(
                principal=f"arn:{partition}:iam::{account}:{role}",
                account=account,
                action=action,
                resource=f"arn:{partition}:{service}:{where}:{account}:{name}",
                region=region,
                organization=organization,
            )
