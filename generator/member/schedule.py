"""What wakes the revoker without a call: schedule, responder; and the canary of its self-tests."""

from __future__ import annotations

from troposphere import GetAtt, Ref, Template, awslambda, iam, scheduler

from generator.member.resource_policies import RECONCILE_ALWAYS
from generator.policy.intrinsics import filled
from generator.policy.statements import Statement, document, trust
from handler.model.names import CANARY_ROLE, IAM_PATH, RECONCILE_ROLE, RECONCILE_SCHEDULE

# A reconciliation that comes later than the next one is of no use.
RECONCILE_RETRY = {"MaximumEventAgeInSeconds": 15 * 60, "MaximumRetryAttempts": 10}

NOBODY = Statement(
    sid="NobodyMayBeTheCanary",
    why="The canary is there to be tagged and denied; nobody ever works with it.",
    effect="Deny",
    actions=("sts:AssumeRole",),
    principal={"AWS": "*"},
)


def add_reconcile(template: Template) -> None:
    """Add the schedule and its role. A schedule costs nothing; a queue that is polled would."""
    template.add_resource(
        iam.Role(
            "ReconcileRole",
            RoleName=RECONCILE_ROLE,
            Path=IAM_PATH,
            Description="EventBridge Scheduler wakes the revoker for its reconciliations.",
            AssumeRolePolicyDocument=filled(
                trust(
                    "scheduler.amazonaws.com",
                    sid="SchedulerWakesTheRevoker",
                    conditions={"StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"}},
                )
            ),
            Policies=[
                iam.Policy(
                    PolicyName="reconcile", PolicyDocument=filled(document(RECONCILE_ALWAYS))
                )
            ],
        )
    )
    template.add_resource(
        scheduler.Schedule(
            "ReconcileSchedule",
            DependsOn=["DenyGroup", "SessionDenyGroup"],
            Name=RECONCILE_SCHEDULE,
            Description="The revoker looks round: what holds, what is missing, and a heartbeat.",
            ScheduleExpression="rate(15 minutes)",
            FlexibleTimeWindow=scheduler.FlexibleTimeWindow(
                Mode="FLEXIBLE", MaximumWindowInMinutes=5
            ),
            State="ENABLED",
            Target=scheduler.Target(
                Arn=GetAtt("Revoker", "Arn"),
                RoleArn=GetAtt("ReconcileRole", "Arn"),
                Input='{"reconcile": true}',
                RetryPolicy=scheduler.RetryPolicy(**RECONCILE_RETRY),
                DeadLetterConfig=scheduler.DeadLetterConfig(Arn=GetAtt("DeadLetters", "Arn")),
            ),
        )
    )


def add_responder(template: Template) -> None:
    """Let one role of the central account invoke the revoker.

    Lambda looks the role up when the permission is made, and keeps its id: the central stack comes
    first, and a responder role made anew is another.
    https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-cross-account.html
    """
    template.add_resource(
        awslambda.Permission(
            "ResponderMayInvoke",
            FunctionName=Ref("Revoker"),
            Action="lambda:InvokeFunction",
            Principal=filled("${ResponderRoleArn}"),
        )
    )


def add_canary(template: Template) -> None:
    """Add the role that self-tests tag; it has no permission and nobody can assume it."""
    template.add_resource(
        iam.Role(
            "CanaryRole",
            RoleName=CANARY_ROLE,
            Path=IAM_PATH,
            Description="The revoker tags it to see how long an IAM event takes. Used by nobody.",
            AssumeRolePolicyDocument=document([NOBODY]),
        )
    )
