"""Confirm a subscription so that nobody unsubscribes by a link, and show how all are. Sends none.

Every mail of SNS holds a link that unsubscribes whoever follows it, a scanner of links too, unless
the subscription was confirmed by a signed call with AuthenticateOnUnsubscribe (SNS API Reference,
ConfirmSubscription).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from handler.model.names import HEALTH_TOPIC, INCIDENT_TOPIC


@dataclass(frozen=True)
class Subscription:
    """One subscription; `link_safe`: only whoever has the account's credentials can end it."""

    topic: str
    protocol: str
    endpoint: str
    confirmed: bool
    link_safe: bool

    @property
    def is_well(self) -> bool:
        return self.confirmed and (self.link_safe or "email" not in self.protocol)


def read_link(link: str) -> tuple[str, str]:
    """Topic ARN and token of a confirmation link; raises ValueError with one sentence."""
    query = parse_qs(urlsplit(link.strip()).query)
    topic, token = (query.get(name, [""])[0] for name in ("TopicArn", "Token"))
    if not token or not topic.startswith("arn:"):
        raise ValueError(
            "that is no link of a confirmation mail: it names TopicArn=arn:... and Token=..."
        )
    return topic, token


def confirm(sns: Any, *, topic: str, token: str) -> str:
    """Confirm with a signed call; the subscription's ARN. Raises ClientError, as for an old token.

    A token holds for two days.
    """
    answer = sns.confirm_subscription(TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true")
    return str(answer["SubscriptionArn"])


def own_topics(*, partition: str, region: str, account: str) -> list[str]:
    names = (INCIDENT_TOPIC, HEALTH_TOPIC)
    return [f"arn:{partition}:sns:{region}:{account}:{name}" for name in names]


def subscriptions_of(sns: Any, topic: str) -> Iterator[Subscription]:
    """Every subscription of a topic; raises ClientError, as for a topic that is not there."""
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
        for one in page["Subscriptions"]:
            # SNS lists "PendingConfirmation" in place of an ARN until somebody confirms.
            pending = not one["SubscriptionArn"].startswith("arn:")
            known = {} if pending else _attributes(sns, one["SubscriptionArn"])
            yield Subscription(
                topic=topic,
                protocol=one["Protocol"],
                endpoint=one["Endpoint"],
                confirmed=not pending and known.get("PendingConfirmation") != "true",
                link_safe=known.get("ConfirmationWasAuthenticated") == "true",
            )


def _attributes(sns: Any, arn: str) -> dict[str, str]:
    return dict(sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"])
