"""The rules of a member account, and the queue that keeps what they cannot deliver."""

from __future__ import annotations

from typing import Any

from troposphere import GetAtt, Ref, Template, awslambda, events, iam, sqs

from generator.member.resource_policies import DEAD_LETTERS, FORWARDER_ALWAYS, FORWARDER_TRUST
from generator.policy.event_patterns import CALLS, CANARY, TAMPER, TAMPER_STORES
from generator.policy.intrinsics import filled
from generator.policy.statements import document
from handler.model.names import (
    CALLS_RULE,
    CANARY_RULE,
    FORWARDER,
    IAM_PATH,
    MEMBER_DEAD_LETTERS,
    TAMPER_RULE,
    TAMPER_STORES_RULE,
)

DAY = 24 * 60 * 60
RETRY = {"MaximumEventAgeInSeconds": DAY, "MaximumRetryAttempts": 185}


def add_rules(template: Template) -> None:
    """Add queue, rules to the revoker, rules to the central bus."""
    _add_dead_letters(template)
    _add_calls(template)
    _add_tamper(template)


def _add_dead_letters(template: Template) -> None:
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


def _add_calls(template: Template) -> None:
    for title, name, says, pattern in (
        (
            "Calls",
            CALLS_RULE,
            "IAM calls of everybody but the revoker itself; read-only calls stay out.",
            CALLS,
        ),
        (
            "Canary",
            CANARY_RULE,
            "The revoker's own call on its canary role: the self-test sees its event arrive.",
            CANARY,
        ),
    ):
        template.add_resource(
            events.Rule(
                f"{title}Rule",
                # The first event finds the deny that it needs, and an uninstallation stops here
                # before it takes the deny.
                DependsOn=["DenyGroup", "SessionDenyGroup"],
                Name=name,
                Description=says,
                State="ENABLED",
                EventPattern=filled(pattern),
                Targets=[_target("revoker", GetAtt("Revoker", "Arn"))],
            )
        )
        # No SourceAccount, which EventBridge does not send: with it no rule could invoke. The
        # rule's ARN holds the account (EventBridge User Guide, "Troubleshooting Amazon
        # EventBridge", My rule ran but my Lambda function wasn't invoked).
        template.add_resource(
            awslambda.Permission(
                f"{title}MayInvoke",
                FunctionName=Ref("Revoker"),
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=GetAtt(f"{title}Rule", "Arn"),
            )
        )


def _add_tamper(template: Template) -> None:
    template.add_resource(
        iam.Role(
            "ForwardRole",
            RoleName=FORWARDER,
            Path=IAM_PATH,
            Description="EventBridge carries AWS's events about the revoker to the central bus.",
            AssumeRolePolicyDocument=filled(document([FORWARDER_TRUST])),
            Policies=[
                iam.Policy(PolicyName="forward", PolicyDocument=filled(document(FORWARDER_ALWAYS)))
            ],
        )
    )
    for title, name, says, pattern in (
        (
            "TamperRule",
            TAMPER_RULE,
            "Whoever touches the revoker, but its rollout, is told of centrally.",
            TAMPER,
        ),
        (
            "TamperStoresRule",
            TAMPER_STORES_RULE,
            "Whoever touches the revoker's table, queue, log or schedule is told of centrally.",
            TAMPER_STORES,
        ),
    ):
        bus = _target("central-bus", Ref("CentralBusArn"), RoleArn=GetAtt("ForwardRole", "Arn"))
        template.add_resource(
            events.Rule(
                title,
                Name=name,
                Description=says,
                State="ENABLED",
                EventPattern=filled(pattern),
                Targets=[bus],
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
