"""The central template's topics, their key, and the alarms on the notifier. Writes no mail."""

from __future__ import annotations

from typing import Any

from troposphere import GetAtt, If, Ref, Split, Template, cloudwatch, kms, sns

from generator.central.policies import (
    HEALTH_TOPIC_POLICY,
    INCIDENT_TOPIC_POLICY,
    KEY_POLICY,
)
from generator.policy.intrinsics import filled
from generator.policy.statements import document
from handler.model.names import (
    HEALTH_TOPIC,
    INCIDENT_TOPIC,
    METRICS,
    UNCONFIRMED_METRIC,
    WAITING_METRIC,
)


def add_topics(template: Template) -> None:
    """Add the key, the topic of incidents (unless one is given), that of health, the address."""
    template.add_resource(
        kms.Key(
            "TopicKey",
            Description="Encrypts the topics of IAM Org Revoker.",
            EnableKeyRotation=True,
            KeyPolicy=filled(document(KEY_POLICY)),
        )
    )
    _add_topic(
        template, "IncidentTopic", INCIDENT_TOPIC, INCIDENT_TOPIC_POLICY, condition="OwnTopic"
    )
    _add_topic(template, "HealthTopic", HEALTH_TOPIC, HEALTH_TOPIC_POLICY)
    template.add_condition("MailIncidents", _both("WithEmail", "OwnTopic"))
    _add_subscription(template, "IncidentMail", "IncidentTopic", condition="MailIncidents")
    _add_subscription(template, "HealthMail", "HealthTopic", condition="WithEmail")
    template.add_resource(
        sns.SubscriptionResource(
            "ExtraMail",
            Condition="MailExtra",
            TopicArn=Ref("IncidentTopic"),
            Protocol="email",
            Endpoint=Ref("ExtraEmail"),
            FilterPolicy={"account": Split(",", Ref("ExtraAccounts"))},
        )
    )


def _both(one: str, other: str) -> dict[str, Any]:
    return {"Fn::And": [{"Condition": one}, {"Condition": other}]}


def _add_topic(
    template: Template, title: str, name: str, policy: Any, *, condition: str = ""
) -> None:
    under = {"Condition": condition} if condition else {}
    template.add_resource(sns.Topic(title, **under, TopicName=name, KmsMasterKeyId=Ref("TopicKey")))
    template.add_resource(
        sns.TopicPolicy(
            f"{title}Policy",
            **under,
            Topics=[Ref(title)],
            PolicyDocument=filled(document(policy)),
        )
    )


def _add_subscription(template: Template, title: str, topic: str, *, condition: str) -> None:
    template.add_resource(
        sns.SubscriptionResource(
            title,
            Condition=condition,
            TopicArn=Ref(topic),
            Protocol="email",
            Endpoint=Ref("Email"),
        )
    )


def add_alarms(template: Template) -> None:
    """Add the alarms; who gave a topic of his own hears of them there too, address or not."""
    _add_alarm(
        template,
        "NotifierFails",
        says="The notifier raised errors: mails may be late. Its log says why.",
        namespace="AWS/Lambda",
        metric="Errors",
        dimension=("FunctionName", Ref("Notifier")),
        statistic="Sum",
        above=0,
    )
    _add_alarm(
        template,
        "ReportsDead",
        says="Reports could not be handled and wait in the dead-letter queue, for 14 days.",
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        dimension=("QueueName", GetAtt("DeadLetters", "QueueName")),
        statistic="Maximum",
        above=0,
    )
    _add_alarm(
        template,
        "ReportsLate",
        says="A report has waited for more than ten minutes: mails are late.",
        namespace="AWS/SQS",
        metric="ApproximateAgeOfOldestMessage",
        dimension=("QueueName", GetAtt("Reports", "QueueName")),
        statistic="Maximum",
        above=600,
    )
    # A new alarm looks at a time that has no data yet and may go off once, whatever the number of
    # periods; with "missing" for these, a sweep that has never run would go unnoticed (CloudWatch
    # User Guide, "Configuring how CloudWatch alarms treat missing data").
    _add_alarm(
        template,
        "MailsDue",
        says="A mail has been owed for ten minutes, or the sweep does not run: its log says why.",
        namespace=METRICS,
        metric=WAITING_METRIC,
        statistic="Maximum",
        above=600,
        missing="breaching",
    )
    _add_alarm(
        template,
        "Unconfirmed",
        says="A subscription of a topic waits for its confirmation, or nobody is subscribed.",
        namespace=METRICS,
        metric=UNCONFIRMED_METRIC,
        statistic="Minimum",
        above=0,
    )


def _add_alarm(
    template: Template,
    title: str,
    *,
    says: str,
    namespace: str,
    metric: str,
    statistic: str,
    above: int,
    dimension: tuple[str, Any] | None = None,
    missing: str = "notBreaching",
) -> None:
    reported = If("OwnTopic", [Ref("HealthTopic")], [Ref("HealthTopic"), Ref("SNSTopicArn")])
    template.add_resource(
        cloudwatch.Alarm(
            title,
            AlarmDescription=says,
            Namespace=namespace,
            MetricName=metric,
            **_dimensions(dimension),
            Statistic=statistic,
            Period=300,
            EvaluationPeriods=1,
            Threshold=above,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData=missing,
            AlarmActions=reported,
            OKActions=reported,
        )
    )


def _dimensions(dimension: tuple[str, Any] | None) -> dict[str, Any]:
    if dimension is None:
        return {}
    name, value = dimension
    return {"Dimensions": [cloudwatch.MetricDimension(Name=name, Value=value)]}
