"""The link of a confirmation mail, the signed confirmation, and how subscriptions are shown."""

from __future__ import annotations

from typing import Any

import pytest

from responder.subscribe import Subscription, confirm, own_topics, read_link, subscriptions_of

TOPIC = "arn:aws:sns:us-east-1:444455556666:iam-org-revoker-incidents"
LINK = (
    "https://sns.us-east-1.amazonaws.com/confirmation.html?TopicArn="
    f"{TOPIC}&Token=2336412f37fb687f5d51e6e2425&Endpoint=security@example.com"
)


def test_a_link_holds_topic_and_token() -> None:
    assert read_link(f" {LINK}\n") == (TOPIC, "2336412f37fb687f5d51e6e2425")


@pytest.mark.parametrize(
    "link", ["", "x", "https://example.com/?TopicArn=x&Token=y", LINK.replace("Token", "T")]
)
def test_another_link_is_refused_in_a_sentence(link: str) -> None:
    with pytest.raises(ValueError, match="no link of a confirmation mail"):
        read_link(link)


class Sns:
    """A topic with four subscriptions, over two pages."""

    def __init__(self) -> None:
        self.confirmed: list[dict[str, str]] = []

    def confirm_subscription(self, **arguments: str) -> dict[str, str]:
        self.confirmed.append(arguments)
        return {"SubscriptionArn": f"{TOPIC}:1"}

    def get_paginator(self, name: str) -> Sns:
        assert name == "list_subscriptions_by_topic"
        return self

    def paginate(self, *, TopicArn: str) -> list[Any]:
        def one(arn: str, protocol: str = "email") -> dict[str, str]:
            return {"SubscriptionArn": arn, "Protocol": protocol, "Endpoint": "e"}

        return [
            {"Subscriptions": [one(f"{TOPIC}:1"), one("PendingConfirmation")]},
            {"Subscriptions": [one(f"{TOPIC}:2"), one(f"{TOPIC}:3", "sqs")]},
        ]

    def get_subscription_attributes(self, *, SubscriptionArn: str) -> dict[str, Any]:
        signed = "true" if SubscriptionArn.endswith(":1") else "false"
        return {"Attributes": {"ConfirmationWasAuthenticated": signed}}


def test_confirming_asks_for_credentials_to_unsubscribe() -> None:
    sns = Sns()
    assert confirm(sns, topic=TOPIC, token="t") == f"{TOPIC}:1"
    assert sns.confirmed == [{"TopicArn": TOPIC, "Token": "t", "AuthenticateOnUnsubscribe": "true"}]


def test_each_subscription_is_shown_as_it_is() -> None:
    found = list(subscriptions_of(Sns(), TOPIC))
    assert found == [
        Subscription(TOPIC, "email", "e", confirmed=True, link_safe=True),
        Subscription(TOPIC, "email", "e", confirmed=False, link_safe=False),
        Subscription(TOPIC, "email", "e", confirmed=True, link_safe=False),
        Subscription(TOPIC, "sqs", "e", confirmed=True, link_safe=False),
    ]
    assert [one.is_well for one in found] == [True, False, False, True]


def test_our_topics_have_fixed_names() -> None:
    assert own_topics(partition="aws-cn", region="cn-north-1", account="444455556666") == [
        "arn:aws-cn:sns:cn-north-1:444455556666:iam-org-revoker-incidents",
        "arn:aws-cn:sns:cn-north-1:444455556666:iam-org-revoker-health",
    ]
