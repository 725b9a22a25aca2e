"""The template of a member account: who calls IAM is contained and told of. No idle poller."""

from __future__ import annotations

import hashlib
import json
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
    iam,
    logs,
)

from generator.member.deny import add_deny
from generator.member.parameters import GROUPS, add_parameters
from generator.member.revoker_role import REVOKER_ALWAYS, REVOKER_ENFORCING, REVOKER_INLINE
from generator.member.rules import DAY, add_rules
from generator.member.schedule import add_canary, add_reconcile, add_responder
from generator.member.state_table import add_state
from generator.member.trail import add_trail
from generator.policy.arns import LOG_GROUP
from generator.policy.intrinsics import filled
from generator.policy.statements import document, trust
from generator.source.lambda_code import Code, add_code, json_logs
from handler.model.names import IAM_PATH, REVOKER, VERSION
from handler.model.settings import KNOBS, TEMPLATE_DIGEST

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


def member_template(code: Code) -> dict[str, Any]:
    """The member template as a tree of JSON types, whose function runs that code."""
    template = Template(
        f"IAM Org Revoker {VERSION}, member account: who calls IAM without being an "
        "IAM administrator loses IAM, and the central account hears of it."
    )
    template.set_version("2010-09-09")
    add_parameters(template)
    _add_conditions(template)
    add_state(template)
    _add_revoker(template, code)
    add_responder(template)
    add_deny(template)
    add_canary(template)
    add_rules(template)
    add_reconcile(template)
    add_trail(template)
    _add_outputs(template)
    template.set_metadata({"AWS::CloudFormation::Interface": {"ParameterGroups": GROUPS}})
    tree: dict[str, Any] = template.to_dict()
    _sign(tree)
    return tree


def _sign(tree: dict[str, Any]) -> None:
    """Tell the function of which template it is: any change of that is one to be careful after."""
    text = json.dumps(tree, sort_keys=True)
    variables = tree["Resources"]["Revoker"]["Properties"]["Environment"]["Variables"]
    variables[TEMPLATE_DIGEST] = hashlib.sha256(text.encode()).hexdigest()[:16]


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
    template.add_rule(
        "MissingGroupIsDecided",
        {
            "Assertions": [
                {
                    "Assert": Or(
                        Not(Equals(Ref("Mode"), "enforce")),
                        Not(Equals(Ref("MissingGroup"), "undecided")),
                    ),
                    "AssertDescription": (
                        "Mode=enforce needs a decision: MissingGroup=treat-as-empty says that "
                        "where "
                        "the "
                        "administrators' group is missing or empty, no user is an administrator."
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
            Timeout=120,
            Role=GetAtt("RevokerRole", "Arn"),
            LoggingConfig=json_logs("RevokerLog"),
            Environment=awslambda.Environment(
                Variables={
                    **{knob.variable: Ref(knob.parameter) for knob in KNOBS},
                    "STATE_TABLE": Ref("State"),
                }
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


def _add_outputs(template: Template) -> None:
    for name, says, value in (
        ("Version", "Version of this template and of the code in it", VERSION),
        ("DenyPolicyArn", "The policy that takes IAM away", Ref("DenyPolicy")),
        ("FunctionArn", "The revoker", GetAtt("Revoker", "Arn")),
        ("RoleArn", "The revoker's role", GetAtt("RevokerRole", "Arn")),
        ("StateTableName", "Ledger, marks and containments", Ref("State")),
        ("DeadLettersUrl", "What could not be handled", Ref("DeadLetters")),
    ):
        template.add_output(Output(name, Description=says, Value=value))
