"""Publish the state of the alerting as metrics: unconfirmed subscriptions, waiting mails. A shell.

Their alarms go to the health topic, which reports even if the first topic is gone; no value at all
means that no sweep runs, and is an alarm too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handler.model.names import METRICS, UNCONFIRMED_METRIC, WAITING_METRIC


@dataclass(frozen=True)
class Pulse:
    """`topics` are the ARNs whose subscriptions can be looked at: those of this stack."""

    sns: Any
    cloudwatch: Any
    topics: Sequence[str]


def publish_pulse(pulse: Pulse, *, longest_wait: float) -> None:
    values = {
        UNCONFIRMED_METRIC: (float(_unconfirmed(pulse)), "Count"),
        WAITING_METRIC: (max(longest_wait, 0.0), "Seconds"),
    }
    pulse.cloudwatch.put_metric_data(
        Namespace=METRICS,
        MetricData=[
            {"MetricName": name, "Value": value, "Unit": unit}
            for name, (value, unit) in values.items()
        ],
    )


def _unconfirmed(pulse: Pulse) -> int:
    """Count subscriptions that wait for a click, and topics without a confirmed one.

    SNS lists "PendingConfirmation" in place of an ARN until somebody confirms.
    """
    missing = 0
    for topic in pulse.topics:
        arns = _subscriptions(pulse.sns, topic)
        missing += sum(not arn.startswith("arn:") for arn in arns)
        missing += not any(arn.startswith("arn:") for arn in arns)
    return missing


def _subscriptions(sns: Any, topic: str) -> list[str]:
    """Return none of a deleted topic, so that the metric counts it instead of stopping."""
    arns: list[str] = []
    token: dict[str, str] = {}
    while True:
        try:
            page = sns.list_subscriptions_by_topic(TopicArn=topic, **token)
        except sns.exceptions.NotFoundException:
            return []
        arns += [str(one["SubscriptionArn"]) for one in page["Subscriptions"]]
        if not page.get("NextToken"):
            return arns
        token = {"NextToken": page["NextToken"]}
