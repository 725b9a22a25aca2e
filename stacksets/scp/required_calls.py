"""The calls that a rollout makes in a member and in the security account, and that revoker and
notifier make there. Data.

They are what service control policies must let through; a test holds that each resource type of
the two templates has its calls here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handler.model.names import (
    BUS,
    DENY_POLICY,
    IAM_PATH,
    INCIDENT_TABLE,
    INCIDENT_TOPIC,
    MEMBER_DEAD_LETTERS,
    NOTIFIER,
    PRODUCT,
    RECONCILE_SCHEDULE,
    REPORTS_QUEUE,
    REPORTS_RULE,
    REVOKER,
    STATE_TABLE,
    TRAIL,
    iam_arn,
)
from stacksets.scp.evaluator import Request

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
        f"scheduler:schedule/default/{RECONCILE_SCHEDULE}",
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

# The same for the central template, without the deletions: many an Organization refuses some, and
# no rollout needs them.
OF_CENTRAL_TYPE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "AWS::CloudWatch::Alarm": (f"cloudwatch:alarm:{PRODUCT}-0", ("cloudwatch:PutMetricAlarm",)),
    "AWS::DynamoDB::Table": (f"dynamodb:table/{INCIDENT_TABLE}", ("dynamodb:CreateTable",)),
    "AWS::Events::EventBus": (f"events:event-bus/{BUS}", ("events:CreateEventBus",)),
    "AWS::Events::EventBusPolicy": (f"events:event-bus/{BUS}", ("events:PutPermission",)),
    "AWS::Events::Rule": (
        f"events:rule/{BUS}/{REPORTS_RULE}",
        ("events:PutRule", "events:PutTargets"),
    ),
    "AWS::IAM::Role": (
        f"iam:role{IAM_PATH}{NOTIFIER}",
        ("iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole"),
    ),
    "AWS::KMS::Key": ("kms:key/*", ("kms:CreateKey", "kms:PutKeyPolicy")),
    "AWS::Lambda::EventInvokeConfig": (
        f"lambda:function:{NOTIFIER}",
        ("lambda:PutFunctionEventInvokeConfig",),
    ),
    "AWS::Lambda::EventSourceMapping": (
        "lambda:event-source-mapping:*",
        ("lambda:CreateEventSourceMapping",),
    ),
    "AWS::Lambda::Function": (f"lambda:function:{NOTIFIER}", ("lambda:CreateFunction",)),
    "AWS::Lambda::Permission": (f"lambda:function:{NOTIFIER}", ("lambda:AddPermission",)),
    "AWS::Logs::LogGroup": (
        f"logs:log-group:/aws/lambda/{NOTIFIER}",
        ("logs:CreateLogGroup", "logs:PutRetentionPolicy"),
    ),
    "AWS::SNS::Subscription": (f"sns:{INCIDENT_TOPIC}", ("sns:Subscribe",)),
    "AWS::SNS::Topic": (f"sns:{INCIDENT_TOPIC}", ("sns:CreateTopic",)),
    "AWS::SNS::TopicPolicy": (f"sns:{INCIDENT_TOPIC}", ("sns:SetTopicAttributes",)),
    "AWS::SQS::Queue": (f"sqs:{REPORTS_QUEUE}", ("sqs:CreateQueue",)),
    "AWS::SQS::QueuePolicy": (f"sqs:{REPORTS_QUEUE}", ("sqs:SetQueueAttributes",)),
}
CENTRAL = (
    f"cloudformation:stack/{PRODUCT}-central/0",
    ("cloudformation:CreateStack", "cloudformation:UpdateStack"),
)
RECIPIENTS = (
    f"sns:{INCIDENT_TOPIC}",
    ("sns:Subscribe", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"),
)
# Without these the notifier neither counts nor tells.
OF_NOTIFIER = (
    (f"sqs:{REPORTS_QUEUE}", ("sqs:ReceiveMessage", "sqs:DeleteMessage")),
    (f"dynamodb:table/{INCIDENT_TABLE}", ("dynamodb:GetItem", "dynamodb:UpdateItem")),
    (f"sns:{INCIDENT_TOPIC}", ("sns:Publish",)),
)


def rollout_requests(
    *, account: str, partition: str, region: str, organization: str
) -> Iterator[Request]:
    """Every call of StackSets' role in a member."""
    role = f"arn:{partition}:iam::{account}:role/{EXECUTION_ROLE}"
    yield from _requests(role, (STACK, *OF_TYPE.values()), account, partition, region, organization)


def revoker_requests(
    *, account: str, partition: str, region: str, organization: str
) -> Iterator[Request]:
    """The calls that the revoker cannot do without."""
    role = iam_arn(partition=partition, account=account, kind="role", name=REVOKER)
    yield from _requests(role, OF_REVOKER, account, partition, region, organization)


def central_requests(
    operator: str, maker: str, *, account: str, partition: str, region: str, organization: str
) -> Iterator[Request]:
    """Every call that makes the central stack: the operator's own, and those of CloudFormation by
    the `maker`, both by ARN, "" for one that is not known from here."""
    yield from _requests(operator, (CENTRAL,), account, partition, region, organization)
    made = tuple(OF_CENTRAL_TYPE.values())
    yield from _requests(maker, made, account, partition, region, organization)


def recipient_requests(
    operator: str, *, account: str, partition: str, region: str, organization: str
) -> Iterator[Request]:
    """The operator's calls for whoever hears of one unit's accounts."""
    calls = (RECIPIENTS,)
    yield from _requests(operator, calls, account, partition, region, organization)


def notifier_requests(
    *, account: str, partition: str, region: str, organization: str
) -> Iterator[Request]:
    """The calls that the notifier cannot do without."""
    role = iam_arn(partition=partition, account=account, kind="role", name=NOTIFIER)
    yield from _requests(role, OF_NOTIFIER, account, partition, region, organization)


def _requests(
    principal: str,
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
                principal=principal,
                account=account,
                action=action,
                resource=f"arn:{partition}:{service}:{where}:{account}:{name}",
                region=region,
                organization=organization,
            )
