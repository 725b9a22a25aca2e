"""What wakes the notifier every minute for its sweep, in the central template. Adds no alarm."""

from __future__ import annotations

import json

from troposphere import GetAtt, Ref, Template, awslambda, events

from handler.model.names import SWEEP_RULE

# As handler/notifier/main.py reads it; a test holds the two together.
WAKE = {"wake": "sweep"}


def add_sweep(template: Template) -> None:
    """Add the schedule, its leave to invoke, and that a late sweep gives way to the next one."""
    template.add_resource(
        events.Rule(
            "SweepRule",
            Name=SWEEP_RULE,
            Description="Mails that are owed, digests, reminders: the notifier looks each minute.",
            ScheduleExpression="rate(1 minute)",
            State="ENABLED",
            Targets=[
                events.Target(
                    Id="sweep",
                    Arn=GetAtt("Notifier", "Arn"),
                    Input=json.dumps(WAKE),
                    RetryPolicy=events.RetryPolicy(
                        MaximumEventAgeInSeconds=60, MaximumRetryAttempts=1
                    ),
                )
            ],
        )
    )
    # No SourceAccount: see generator/member/rules.py.
    template.add_resource(
        awslambda.Permission(
            "SweepMayWake",
            FunctionName=Ref("Notifier"),
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=GetAtt("SweepRule", "Arn"),
        )
    )
    # A sweep that failed is not tried again: the next one comes within the minute.
    template.add_resource(
        awslambda.EventInvokeConfig(
            "SweepOnce",
            FunctionName=Ref("Notifier"),
            Qualifier="$LATEST",
            MaximumEventAgeInSeconds=60,
            MaximumRetryAttempts=0,
        )
    )
