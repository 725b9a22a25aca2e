"""What roles, queue and table of a member account admit, besides the revoker. Data, no logic."""

from __future__ import annotations

from generator.policy.arns import (
    OUR_FUNCTION,
    OUR_QUEUE,
    OUR_ROLE,
    OUR_RULES,
    OUR_TABLE,
    RECONCILE_ROLE_ARN,
    TAMPER_RULES,
    TRAIL_LOG_GROUP,
    log_streams,
)
from generator.policy.statements import Statement
from handler.model.names import LEDGER_WRITES

FORWARDER_ALWAYS = (
    Statement(
        sid="ForwardTamperEvents",
        why="EventBridge carries AWS's own events about our resources to the central account.",
        actions=("events:PutEvents",),
        resources=("${CentralBusArn}",),
    ),
)

# The central bus takes what this role carries, and these rules match AWS's own events alone. For a
# role that a rule uses, aws:SourceArn is the rule's (EventBridge User Guide, "Cross-service
# confused deputy prevention").
FORWARDER_TRUST = Statement(
    sid="EventBridgeForwards",
    why="For our two tamper rules and no other: another could carry a report made up by hand.",
    actions=("sts:AssumeRole",),
    principal={"Service": "events.amazonaws.com"},
    conditions={"ArnEquals": {"aws:SourceArn": list(TAMPER_RULES)}},
)

RECONCILE_ALWAYS = (
    Statement(
        sid="WakeRevoker",
        why="EventBridge Scheduler invokes the revoker, and nothing else, every 15 minutes.",
        actions=("lambda:InvokeFunction",),
        resources=(OUR_FUNCTION,),
    ),
    Statement(
        sid="KeepReconciliations",
        why="EventBridge Scheduler leaves here, with its own role, what it could not deliver.",
        actions=("sqs:SendMessage",),
        resources=(OUR_QUEUE,),
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
        why="Our rules leave here what they could not deliver within a day.",
        actions=("sqs:SendMessage",),
        resources=(OUR_QUEUE,),
        principal={"Service": "events.amazonaws.com"},
        conditions={"ArnEquals": {"aws:SourceArn": list(OUR_RULES)}},
    ),
    Statement(
        sid="NobodyElseMayForge",
        why="Reconciliation believes what lies here: a call made up by whoever may send to every "
        "queue of the account would be judged as CloudTrail's.",
        effect="Deny",
        actions=("sqs:SendMessage",),
        resources=(OUR_QUEUE,),
        principal="*",
        conditions={
            "ArnNotEquals": {"aws:PrincipalArn": [OUR_ROLE, RECONCILE_ROLE_ARN]},
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
    ),
)

# Items only. A policy that denied changes of itself could not be put by whoever deploys a plain
# stack (DynamoDB refuses to lock its caller out), and one that denied DeleteTable would outlive the
# stack: the table as a whole is the guardrail's.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html
STATE_TABLE_POLICY = (
    Statement(
        sid="OnlyTheRevokerWrites",
        why="Nobody plants an administrator or a release; transactions are these same actions.",
        effect="Deny",
        actions=LEDGER_WRITES,
        resources=(OUR_TABLE,),
        principal="*",
        conditions={"ArnNotEquals": {"aws:PrincipalArn": OUR_ROLE}},
    ),
)
