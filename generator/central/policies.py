"""What the central account lets in and what its notifier may do, with reasons. Data, no logic."""

from __future__ import annotations

from generator.policy.arns import HERE, log_streams
from generator.policy.statements import Statement
from handler.model.names import (
    BUS,
    DUE_INDEX,
    FORWARDER,
    HEALTH_TOPIC,
    IAM_PATH,
    INCIDENT_TABLE,
    INCIDENT_TOPIC,
    METRICS,
    NOTIFIER,
    REPORT_SOURCE,
    REPORTS_DEAD_LETTERS,
    REPORTS_QUEUE,
    REPORTS_RULE,
    REVOKER,
)

OUR_BUS = f"arn:${{AWS::Partition}}:events:{HERE}:event-bus/{BUS}"
OUR_RULE = f"arn:${{AWS::Partition}}:events:{HERE}:rule/{BUS}/{REPORTS_RULE}"
OUR_QUEUE = f"arn:${{AWS::Partition}}:sqs:{HERE}:{REPORTS_QUEUE}"
OUR_DEAD_LETTERS = f"arn:${{AWS::Partition}}:sqs:{HERE}:{REPORTS_DEAD_LETTERS}"
OUR_TABLE = f"arn:${{AWS::Partition}}:dynamodb:{HERE}:table/{INCIDENT_TABLE}"
OUR_INCIDENT_TOPIC = f"arn:${{AWS::Partition}}:sns:{HERE}:{INCIDENT_TOPIC}"
OUR_HEALTH_TOPIC = f"arn:${{AWS::Partition}}:sns:{HERE}:{HEALTH_TOPIC}"
ANY_REVOKER = f"arn:${{AWS::Partition}}:iam::*:role{IAM_PATH}{REVOKER}"
ANY_FORWARDER = f"arn:${{AWS::Partition}}:iam::*:role{IAM_PATH}{FORWARDER}"
ANY_FUNCTION = f"arn:${{AWS::Partition}}:lambda:*:*:function:{REVOKER}"
LOG_GROUP = f"/aws/lambda/{NOTIFIER}"

# Of this Organization; without one, of this account alone.
OURS = {
    "Fn::If": [
        "InOrganization",
        {"aws:PrincipalOrgID": "${OrganizationId}"},
        {"aws:PrincipalAccount": "${AWS::AccountId}"},
    ]
}


def _admit(role: str, source: str) -> dict[str, object]:
    """Principals of ours with this role, when every source that the request names is this one.

    `events:source` is an ArrayOfString, which a set operator alone compares; it judges a single
    value as well (IAM User Guide, "Single-valued vs. multivalued context keys").
    """
    return {
        "StringEquals": OURS,
        "ArnLike": {"aws:PrincipalArn": role},
        "ForAllValues:StringLike": {"events:source": source},
    }


# The Deny comes first: the bus never stands without it.
BUS_POLICY = (
    Statement(
        sid="DenyEverybodyElse",
        why="In the bus's own account an Allow keeps nobody out: identity policies suffice.",
        effect="Deny",
        actions=("events:PutEvents",),
        resources=(OUR_BUS,),
        principal="*",
        conditions={"ArnNotLike": {"aws:PrincipalArn": [ANY_REVOKER, ANY_FORWARDER]}},
    ),
    Statement(
        sid="AllowReports",
        why="The revoker's role of each of our accounts may put reports, with our source only.",
        actions=("events:PutEvents",),
        resources=(OUR_BUS,),
        principal="*",
        # ForAllValues alone would take a request that names no source.
        conditions=_admit(ANY_REVOKER, REPORT_SOURCE) | {"Null": {"events:source": "false"}},
    ),
    # No page says that an event which a rule forwards carries events:source here, so an absent one
    # is taken: EventBridge gives the role to our two rules alone (FORWARDER_TRUST), and these match
    # sources of AWS, which nobody can put. A PutEvents by hand does name its source.
    # EventBridge User Guide, "Using IAM policy conditions in Amazon EventBridge".
    Statement(
        sid="AllowForwards",
        why="The forward role, which our two rules alone use, may carry AWS's own events.",
        actions=("events:PutEvents",),
        resources=(OUR_BUS,),
        principal="*",
        conditions=_admit(ANY_FORWARDER, "aws.*"),
    ),
)

QUEUE_POLICY = (
    Statement(
        sid="RuleMayQueue",
        why="Only the rule on our bus may put reports into the queue.",
        actions=("sqs:SendMessage",),
        resources=(OUR_QUEUE,),
        principal={"Service": "events.amazonaws.com"},
        conditions={"ArnEquals": {"aws:SourceArn": OUR_RULE}},
    ),
)

DEAD_LETTERS = (
    Statement(
        sid="RuleMayKeepEvents",
        why="The rule leaves here what it could not put into the queue within a day.",
        actions=("sqs:SendMessage",),
        resources=(OUR_DEAD_LETTERS,),
        principal={"Service": "events.amazonaws.com"},
        conditions={"ArnEquals": {"aws:SourceArn": OUR_RULE}},
    ),
)

NOTIFIER_ALWAYS = (
    Statement(
        sid="ReadQueue",
        why="Lambda's event source mapping reads the queue with the function's role.",
        actions=("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        resources=(OUR_QUEUE,),
    ),
    Statement(
        sid="CountCalls",
        why="Marker and counter in one transaction, claim and mark of a mail; it deletes nothing.",
        actions=("dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        resources=(OUR_TABLE,),
    ),
    Statement(
        sid="FindWhatIsDue",
        why="The sweep reads the index of what is due, which holds keys and times only.",
        actions=("dynamodb:Scan",),
        resources=(f"{OUR_TABLE}/index/{DUE_INDEX}",),
    ),
    Statement(
        sid="ReadSubscriptions",
        why="Whether everybody who is to be told has confirmed, and still listens.",
        actions=("sns:ListSubscriptionsByTopic",),
        resources=(OUR_INCIDENT_TOPIC, OUR_HEALTH_TOPIC),
    ),
    Statement(
        sid="MeasureItself",
        why="Metrics have no ARN; the namespace is ours alone.",
        actions=("cloudwatch:PutMetricData",),
        resources=("*",),
        conditions={"StringEquals": {"cloudwatch:namespace": METRICS}},
    ),
    Statement(
        sid="Mail",
        why="Publish to the one topic of incidents.",
        actions=("sns:Publish",),
        resources=("${IncidentTopicArn}",),
    ),
    Statement(
        sid="WriteLog",
        why="The function's own log.",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(log_streams(LOG_GROUP),),
    ),
)

# Revokers of this Organization; without one, of this account alone.
_OURS_TO_ASK = {
    "Fn::If": [
        "InOrganization",
        {"aws:ResourceOrgID": "${OrganizationId}"},
        {"aws:ResourceAccount": "${AWS::AccountId}"},
    ]
}

RESPONDER_ALWAYS = (
    Statement(
        sid="AskRevokers",
        why="The responder asks the revoker of each account; it has no role in the members.",
        actions=("lambda:InvokeFunction",),
        resources=(ANY_FUNCTION,),
        conditions={"StringEquals": _OURS_TO_ASK},
    ),
    Statement(
        sid="ReadIncidents",
        why="What was told: the responder reads the incidents and writes none.",
        actions=("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan"),
        resources=(OUR_TABLE,),
    ),
)

# What SNS asks of a publisher to an encrypted topic.
# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
_USE_KEY = ("kms:Decrypt", "kms:GenerateDataKey*")

NOTIFIER_OWN_KEY = (
    Statement(
        sid="UseOurKey",
        why="Our topic of incidents is encrypted with our key.",
        actions=_USE_KEY,
        resources=("${TopicKey.Arn}",),
    ),
)

NOTIFIER_GIVEN_KEY = (
    Statement(
        sid="UseGivenKey",
        why="The given topic is encrypted with the given key.",
        actions=_USE_KEY,
        resources=("${SNSTopicKmsKeyArn}",),
    ),
)

KEY_POLICY = (
    Statement(
        sid="AccountAdministersKey",
        why="Without it nobody could ever change or delete the key; IAM policies decide who may.",
        actions=("kms:*",),
        resources=("*",),
        principal={"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
    ),
    # No condition: no page says that CloudWatch sends aws:SourceAccount or aws:SourceArn to KMS,
    # and a refusal shows in the alarm's history alone. One service, two actions, this key alone
    # (SNS Developer Guide, "Managing Amazon SNS encryption keys and costs").
    Statement(
        sid="AlarmsUseKey",
        why="CloudWatch publishes our alarms to the encrypted topic of health.",
        actions=_USE_KEY,
        resources=("*",),
        principal={"Service": "cloudwatch.amazonaws.com"},
    ),
)

INCIDENT_TOPIC_POLICY = (
    Statement(
        sid="NotifierMayPublish",
        why="SNS's default policy would let the whole account publish and subscribe.",
        actions=("sns:Publish",),
        resources=(OUR_INCIDENT_TOPIC,),
        principal={"AWS": "${NotifierRole.Arn}"},
    ),
)

# CloudWatch does send the account to SNS (CloudWatch User Guide, "Notifying users on alarm
# changes", Preventing confused deputy security issues).
HEALTH_TOPIC_POLICY = (
    Statement(
        sid="AlarmsMayPublish",
        why="Only alarms of this account speak here.",
        actions=("sns:Publish",),
        resources=(OUR_HEALTH_TOPIC,),
        principal={"Service": "cloudwatch.amazonaws.com"},
        conditions={"StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"}},
    ),
)
