"""The template of the central account: bus, queue, notifier, incidents. No topics: telling.py."""

from __future__ import annotations

from typing import Any

from troposphere import (
    FindInMap,
    GetAtt,
    If,
    NoValue,
    Output,
    Ref,
    Sub,
    Template,
    awslambda,
    dynamodb,
    events,
    iam,
    logs,
    sqs,
)

from generator.central.parameters import GROUPS, add_parameters
from generator.central.policies import (
    BUS_POLICY,
    DEAD_LETTERS,
    LOG_GROUP,
    NOTIFIER_ALWAYS,
    NOTIFIER_GIVEN_KEY,
    NOTIFIER_OWN_KEY,
    QUEUE_POLICY,
)
from generator.central.responder_role import add_responder_role
from generator.central.sweep_schedule import add_sweep
from generator.central.topics_and_alarms import add_alarms, add_topics
from generator.policy.event_patterns import REPORTS
from generator.policy.intrinsics import filled
from generator.policy.statements import document, element, trust
from generator.source.lambda_code import Code, add_code, json_logs
from handler.model.names import (
    BUS,
    DUE_INDEX,
    IAM_PATH,
    INCIDENT_TABLE,
    LISTED_INDEX,
    NOTIFIER,
    REPORTS_DEAD_LETTERS,
    REPORTS_QUEUE,
    REPORTS_RULE,
    VERSION,
)

DAY = 24 * 60 * 60
NOTIFIER_SECONDS = 30


def central_template(code: Code) -> dict[str, Any]:
    """The central template as a tree of JSON types, whose function runs that code."""
    template = Template(
        f"IAM Org Revoker {VERSION}, central account: takes the reports of all "
        "accounts and mails each incident once."
    )
    template.set_version("2010-09-09")
    add_parameters(template)
    _add_bus(template)
    _add_queue(template)
    _add_table(template)
    _add_notifier(template, code)
    _add_waking(template)
    add_topics(template)
    add_alarms(template)
    add_responder_role(template)
    _add_outputs(template)
    template.set_metadata({"AWS::CloudFormation::Interface": {"ParameterGroups": GROUPS}})
    tree: dict[str, Any] = template.to_dict()
    return tree


def _add_bus(template: Template) -> None:
    template.add_resource(
        events.EventBus(
            "Bus", Name=BUS, Description="Reports of revokers, and AWS's tamper events."
        )
    )
    _add_bus_policy(template)
    template.add_resource(
        events.Rule(
            "ReportsRule",
            Name=REPORTS_RULE,
            Description="Everything that the bus's policy let in goes to the notifier's queue.",
            EventBusName=Ref("Bus"),
            State="ENABLED",
            EventPattern=filled(REPORTS),
            Targets=[
                events.Target(
                    Id="reports",
                    Arn=GetAtt("Reports", "Arn"),
                    RetryPolicy=events.RetryPolicy(
                        MaximumEventAgeInSeconds=DAY, MaximumRetryAttempts=185
                    ),
                    DeadLetterConfig=events.DeadLetterConfig(Arn=GetAtt("DeadLetters", "Arn")),
                )
            ],
        )
    )


def _add_bus_policy(template: Template) -> None:
    """Add the statements one after the other: each is merged into the one policy of the bus.

    PutPermission answers ConcurrentModificationException, and a lost statement would go unseen. The
    ids bear our name, since CloudFormation knows a StatementId once in an account; IAM's grammar
    has no hyphen for a Sid. Not the bus's own Policy property: drift detection calls that removed
    while it is there.
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2188
    """
    before: dict[str, list[str]] = {}
    for statement in BUS_POLICY:
        said = element(statement)
        made = events.EventBusPolicy(
            f"Bus{statement.sid}",
            **before,
            EventBusName=Ref("Bus"),
            StatementId=f"IamOrgRevoker{said.pop('Sid')}",
            Statement=filled(said),
        )
        template.add_resource(made)
        before = {"DependsOn": [made.title]}


def _add_queue(template: Template) -> None:
    template.add_resource(
        sqs.Queue(
            "DeadLetters",
            QueueName=REPORTS_DEAD_LETTERS,
            MessageRetentionPeriod=14 * DAY,
            SqsManagedSseEnabled=True,
        )
    )
    # AWS asks for a visibility timeout of six times the function's, so that a throttled batch is
    # not seen twice.
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    template.add_resource(
        sqs.Queue(
            "Reports",
            QueueName=REPORTS_QUEUE,
            MessageRetentionPeriod=14 * DAY,
            SqsManagedSseEnabled=True,
            VisibilityTimeout=6 * NOTIFIER_SECONDS,
            RedrivePolicy=sqs.RedrivePolicy(
                deadLetterTargetArn=GetAtt("DeadLetters", "Arn"), maxReceiveCount=10
            ),
        )
    )
    for title, queue, statements in (
        ("ReportsPolicy", "Reports", QUEUE_POLICY),
        ("DeadLettersPolicy", "DeadLetters", DEAD_LETTERS),
    ):
        template.add_resource(
            sqs.QueuePolicy(title, Queues=[Ref(queue)], PolicyDocument=filled(document(statements)))
        )


def _add_table(template: Template) -> None:
    # Deleted with the stack: it holds counters of some days, and a retained table with a fixed name
    # would stop the next installation.
    template.add_resource(
        dynamodb.Table(
            "Incidents",
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
            TableName=INCIDENT_TABLE,
            AttributeDefinitions=[
                dynamodb.AttributeDefinition(AttributeName="pk", AttributeType="S"),
                dynamodb.AttributeDefinition(AttributeName="due_at", AttributeType="N"),
                dynamodb.AttributeDefinition(AttributeName="listed_at", AttributeType="N"),
            ],
            KeySchema=[dynamodb.KeySchema(AttributeName="pk", KeyType="HASH")],
            # Sparse: only what has a `due_at` stands in it. Its partitions are the table's own, so
            # that no account and no minute is a hot spot.
            GlobalSecondaryIndexes=[
                dynamodb.GlobalSecondaryIndex(
                    IndexName=DUE_INDEX,
                    KeySchema=[
                        dynamodb.KeySchema(AttributeName="pk", KeyType="HASH"),
                        dynamodb.KeySchema(AttributeName="due_at", KeyType="RANGE"),
                    ],
                    Projection=dynamodb.Projection(ProjectionType="KEYS_ONLY"),
                ),
                # As sparse: the last heartbeat of each account, and when incidents were opened.
                dynamodb.GlobalSecondaryIndex(
                    IndexName=LISTED_INDEX,
                    KeySchema=[
                        dynamodb.KeySchema(AttributeName="pk", KeyType="HASH"),
                        dynamodb.KeySchema(AttributeName="listed_at", KeyType="RANGE"),
                    ],
                    Projection=dynamodb.Projection(
                        ProjectionType="INCLUDE",
                        NonKeyAttributes=["beat", "last_heartbeat", "not_reporting_since"],
                    ),
                ),
            ],
            BillingMode="PAY_PER_REQUEST",
            TimeToLiveSpecification=dynamodb.TimeToLiveSpecification(
                AttributeName="expires_at", Enabled=True
            ),
            PointInTimeRecoverySpecification=dynamodb.PointInTimeRecoverySpecification(
                PointInTimeRecoveryEnabled=True
            ),
            SSESpecification=dynamodb.SSESpecification(SSEEnabled=True),
        )
    )


def _add_notifier(template: Template, code: Code) -> None:
    body, handler = add_code(template, code)
    retention = Ref("LogRetentionDays")
    template.add_resource(
        logs.LogGroup("NotifierLog", LogGroupName=LOG_GROUP, RetentionInDays=retention)
    )
    template.add_resource(
        iam.Role(
            "NotifierRole",
            RoleName=NOTIFIER,
            Path=IAM_PATH,
            Description="The notifier's own: it reads its queue, counts in its table, and mails.",
            AssumeRolePolicyDocument=trust("lambda.amazonaws.com", sid="LambdaRunsTheNotifier"),
            Policies=[
                _policy("always", NOTIFIER_ALWAYS),
                If("OwnTopic", _policy("own-key", NOTIFIER_OWN_KEY), NoValue),
                If("GivenKey", _policy("given-key", NOTIFIER_GIVEN_KEY), NoValue),
            ],
        )
    )
    template.add_resource(
        awslambda.Function(
            "Notifier",
            FunctionName=NOTIFIER,
            Description=f"IAM Org Revoker {VERSION}: counts calls, and mails each incident once.",
            Runtime="python3.13",
            Architectures=["arm64"],
            Handler=handler,
            # Memory buys processor time, of which signing a hundred requests takes some.
            MemorySize=512,
            Timeout=NOTIFIER_SECONDS,
            Role=GetAtt("NotifierRole", "Arn"),
            LoggingConfig=json_logs("NotifierLog"),
            Environment=awslambda.Environment(
                Variables={
                    "TABLE_NAME": Ref("Incidents"),
                    "TOPIC_ARN": filled("${IncidentTopicArn}"),
                    "QUIET_SECONDS": FindInMap("Quiet", Ref("QuietHours"), "Seconds"),
                    "MAILS_PER_MINUTE": Ref("MailsPerMinute"),
                    # Another account's topic cannot be looked into.
                    "WATCHED_TOPICS": If(
                        "OwnTopic",
                        Sub("${IncidentTopic},${HealthTopic}"),
                        Ref("HealthTopic"),
                    ),
                }
            ),
            Code=body,
        )
    )


def _add_waking(template: Template) -> None:
    """What wakes the notifier: its queue, and every minute the schedule of the sweep."""
    template.add_resource(
        awslambda.EventSourceMapping(
            "ReportsToNotifier",
            FunctionName=Ref("Notifier"),
            EventSourceArn=GetAtt("Reports", "Arn"),
            BatchSize=100,
            MaximumBatchingWindowInSeconds=5,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
    )
    add_sweep(template)


def _policy(name: str, statements: Any) -> iam.Policy:
    return iam.Policy(PolicyName=name, PolicyDocument=filled(document(statements)))


def _add_outputs(template: Template) -> None:
    for name, says, value in (
        ("Version", "Version of this template and of the code in it", VERSION),
        ("BusArn", "Parameter CentralBusArn of the member stacks", GetAtt("Bus", "Arn")),
        ("TopicArn", "Where the mails of incidents go", filled("${IncidentTopicArn}")),
        ("HealthTopicArn", "Where the alarms of this stack go", Ref("HealthTopic")),
        ("TableName", "The incidents", Ref("Incidents")),
        ("QueueUrl", "Reports that wait for the notifier", Ref("Reports")),
        ("DeadLettersUrl", "Reports that could not be handled", Ref("DeadLetters")),
    ):
        template.add_output(Output(name, Description=says, Value=value))
