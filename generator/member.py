"""The template of a member account: who calls IAM is contained and told of. No idle poller."""

from __future__ import annotations

from typing import Any

from troposphere import (
    And,
    Condition,
    Equals,
    GetAtt,
    If,
    Not,
    NoValue,
    Or,
    Output,
    Ref,
    Template,
    awslambda,
    events,
    iam,
    logs,
    sqs,
)

from generator.code import Code, add_code, json_logs
from generator.intrinsics import filled
from generator.member_parameters import GROUPS, add_parameters
from generator.member_permissions import (
    DEAD_LETTERS,
    FORWARDER_ALWAYS,
    LOG_GROUP,
    REVOKER_ALWAYS,
    REVOKER_ENFORCING,
    REVOKER_INLINE,
)
from generator.patterns import CALLS, TAMPER
from generator.policies import document, trust
from generator.trail import add_trail
from handler.deny import deny_document
from handler.names import (
    CALLS_RULE,
    DENY_GROUP,
    DENY_POLICY,
    FORWARDER,
    IAM_PATH,
    MEMBER_DEAD_LETTERS,
    REVOKER,
    TAMPER_RULE,
    VERSION,
)
from handler.settings import KNOBS

# Where IAM's events appear, by partition: the region in which IAM's own endpoint signs.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html
IAM_REGIONS = (
    "us-east-1",
    "us-gov-west-1",
    "cn-north-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "us-isof-south-1",
    "eusc-de-east-1",
)
DAY = 24 * 60 * 60
RETRY = {"MaximumEventAgeInSeconds": DAY, "MaximumRetryAttempts": 185}


def member_template(code: Code) -> dict[str, Any]:
    """The member template as a tree of JSON types, whose function runs that code."""
    template = Template(
        f"IAM Org Revoker {VERSION}, member account: who calls IAM without being an "
        "IAM administrator loses IAM, and the central account hears of it."
    )
    template.set_version("2010-09-09")
    add_parameters(template)
    _add_conditions(template)
    _add_deny(template)
    _add_revoker(template, code)
    _add_calls(template)
    _add_tamper(template)
    add_trail(template)
    _add_outputs(template)
    template.set_metadata({"AWS::CloudFormation::Interface": {"ParameterGroups": GROUPS}})
    tree: dict[str, Any] = template.to_dict()
    return tree


def _add_conditions(template: Template) -> None:
    template.add_rule(
        "IamEventsAppearHere",
        {
            "Assertions": [
                {
                    "Assert": Or(*(Equals(Ref("AWS::Region"), region) for region in IAM_REGIONS)),
                    "AssertDescription": (
                        "IAM's events appear in one region of a partition only. Deploy in "
                        "us-east-1 (GovCloud: us-gov-west-1, China: cn-north-1)."
                    ),
                }
            ]
        },
    )
    template.add_condition("Enforcing", Equals(Ref("Mode"), "enforce"))
    template.add_condition(
        "InlineDenyAllowed", And(Condition("Enforcing"), Equals(Ref("InlineDeny"), "allow"))
    )
    template.add_condition("WithTrail", Not(Equals(Ref("TrailDestS3BucketName"), "")))


def _add_deny(template: Template) -> None:
    # The lists of users, roles and groups stay absent: CloudFormation would fight the revoker's own
    # attachments. A policy's description can never be changed: it says only what will stay true.
    template.add_resource(
        iam.ManagedPolicy(
            "DenyPolicy",
            ManagedPolicyName=DENY_POLICY,
            Path=IAM_PATH,
            Description="Takes IAM away from whoever called it without being an IAM administrator.",
            PolicyDocument=deny_document(),
        )
    )
    template.add_resource(
        iam.Group(
            "DenyGroup", GroupName=DENY_GROUP, Path=IAM_PATH, ManagedPolicyArns=[Ref("DenyPolicy")]
        )
    )


def _add_revoker(template: Template, code: Code) -> None:
    body, handler = add_code(template, code)
    retention = Ref("LogRetentionDays")
    template.add_resource(
        logs.LogGroup("RevokerLog", LogGroupName=LOG_GROUP, RetentionInDays=retention)
    )
    template.add_resource(
        iam.Role(
            "RevokerRole",
            RoleName=REVOKER,
            Path=IAM_PATH,
            Description="The revoker's own: it reads IAM, reports, and enforcing puts our deny.",
            AssumeRolePolicyDocument=trust("lambda.amazonaws.com", sid="LambdaRunsTheRevoker"),
            Policies=[
                _policy("always", REVOKER_ALWAYS),
                If("Enforcing", _policy("enforcing", REVOKER_ENFORCING), NoValue),
                If("InlineDenyAllowed", _policy("inline-deny", REVOKER_INLINE), NoValue),
            ],
        )
    )
    template.add_resource(
        awslambda.Function(
            "Revoker",
            FunctionName=REVOKER,
            Description=f"IAM Org Revoker {VERSION}: decides and contains, in this account alone.",
            Runtime="python3.13",
            Architectures=["arm64"],
            Handler=handler,
            MemorySize=256,
            Timeout=60,
            Role=GetAtt("RevokerRole", "Arn"),
            LoggingConfig=json_logs("RevokerLog"),
            Environment=awslambda.Environment(
                Variables={knob.variable: Ref(knob.parameter) for knob in KNOBS}
            ),
            Code=body,
        )
    )
    template.add_resource(
        awslambda.EventInvokeConfig(
            "RevokerFailures",
            FunctionName=Ref("Revoker"),
            Qualifier="$LATEST",
            MaximumRetryAttempts=2,
            MaximumEventAgeInSeconds=DAY // 4,
            DestinationConfig=awslambda.DestinationConfig(
                OnFailure=awslambda.OnFailure(Destination=GetAtt("DeadLetters", "Arn"))
            ),
        )
    )


def _policy(name: str, statements: Any) -> iam.Policy:
    return iam.Policy(PolicyName=name, PolicyDocument=filled(document(statements)))


def _add_calls(template: Template) -> None:
    template.add_resource(
        sqs.Queue(
            "DeadLetters",
            QueueName=MEMBER_DEAD_LETTERS,
            MessageRetentionPeriod=14 * DAY,
            SqsManagedSseEnabled=True,
        )
    )
    template.add_resource(
        sqs.QueuePolicy(
            "DeadLettersPolicy",
            Queues=[Ref("DeadLetters")],
            PolicyDocument=filled(document(DEAD_LETTERS)),
        )
    )
    template.add_resource(
        events.Rule(
            "CallsRule",
            Name=CALLS_RULE,
            Description="IAM calls of everybody but the revoker itself; read-only calls stay out.",
            State="ENABLED",
            EventPattern=filled(CALLS),
            Targets=[_target("revoker", GetAtt("Revoker", "Arn"))],
        )
    )
    template.add_resource(
        awslambda.Permission(
            "CallsMayInvoke",
            FunctionName=Ref("Revoker"),
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=GetAtt("CallsRule", "Arn"),
            SourceAccount=Ref("AWS::AccountId"),
        )
    )


def _add_tamper(template: Template) -> None:
    template.add_resource(
        iam.Role(
            "ForwardRole",
            RoleName=FORWARDER,
            Path=IAM_PATH,
            Description="EventBridge carries AWS's events about the revoker to the central bus.",
            AssumeRolePolicyDocument=trust("events.amazonaws.com", sid="EventBridgeForwards"),
            Policies=[_policy("forward", FORWARDER_ALWAYS)],
        )
    )
    template.add_resource(
        events.Rule(
            "TamperRule",
            Name=TAMPER_RULE,
            Description="Whoever touches the revoker, but its rollout, is told of centrally.",
            State="ENABLED",
            EventPattern=filled(TAMPER),
            Targets=[
                _target("central-bus", Ref("CentralBusArn"), RoleArn=GetAtt("ForwardRole", "Arn"))
            ],
        )
    )


def _target(name: str, arn: Any, **more: Any) -> events.Target:
    return events.Target(
        Id=name,
        Arn=arn,
        **more,
        RetryPolicy=events.RetryPolicy(**RETRY),
        DeadLetterConfig=events.DeadLetterConfig(Arn=GetAtt("DeadLetters", "Arn")),
    )


def _add_outputs(template: Template) -> None:
    for name, says, value in (
        ("Version", "Version of this template and of the code in it", VERSION),
        ("DenyPolicyArn", "The policy that takes IAM away", Ref("DenyPolicy")),
        ("FunctionArn", "The revoker", GetAtt("Revoker", "Arn")),
        ("RoleArn", "The revoker's role", GetAtt("RevokerRole", "Arn")),
        ("DeadLettersUrl", "What could not be handled", Ref("DeadLetters")),
    ):
        template.add_output(Output(name, Description=says, Value=value))
