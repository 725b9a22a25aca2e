"""E-mail subscriptions wait for their confirmation where a test wants it, else they do not."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator

import pytest

from sandbox.box import Box
from tests.sandbox.cloudformation.templates import deploy, resource, template

ADDRESS = "team@example.com"


@pytest.fixture
def waiting(box: Box) -> Iterator[None]:
    box.outbox.confirms = False
    yield
    box.outbox.confirms = True


def topic_of(box: Box, account: str) -> str:
    return str(box.client("sns", account).create_topic(Name="news")["TopicArn"])


def listed(box: Box, account: str, topic: str) -> dict[str, str]:
    found = box.client("sns", account).list_subscriptions_by_topic(TopicArn=topic)
    return {one["Endpoint"]: one["SubscriptionArn"] for one in found["Subscriptions"]}


def mails(box: Box, topic: str) -> list[str]:
    return [mail.subject for mail in box.outbox.of(topic)]


def link(box: Box, topic: str) -> str:
    found = re.search(r"http\S+", box.outbox.of(topic)[-1].body)
    assert found
    return found[0]


def test_a_subscription_is_confirmed_at_once_unless_a_test_wants_it(box: Box, account: str) -> None:
    topic = topic_of(box, account)
    made = box.client("sns", account).subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    assert listed(box, account, topic) == {ADDRESS: made["SubscriptionArn"]}
    assert mails(box, topic) == []


@pytest.mark.usefixtures("waiting")
def test_nothing_comes_until_the_link_was_followed(box: Box, account: str) -> None:
    topic, sns = topic_of(box, account), box.client("sns", account)
    made = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    assert made["SubscriptionArn"] == "pending confirmation"
    assert listed(box, account, topic) == {ADDRESS: "PendingConfirmation"}
    assert [one["SubscriptionArn"] for one in sns.list_subscriptions()["Subscriptions"]] == [
        "PendingConfirmation"
    ]
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["SubscriptionsPending"], attributes["SubscriptionsConfirmed"]) == ("1", "0")
    sns.publish(TopicArn=topic, Message="too early")
    assert mails(box, topic) == ["AWS Notification - Subscription Confirmation"]

    with urllib.request.urlopen(link(box, topic)) as answer:
        assert answer.status == 200

    (arn,) = listed(box, account, topic).values()
    assert arn.startswith(topic)
    sns.publish(TopicArn=topic, Subject="Heard", Message="now")
    assert mails(box, topic)[-1] == "Heard"


@pytest.mark.usefixtures("waiting")
def test_who_subscribes_once_more_gets_the_mail_once_more(box: Box, account: str) -> None:
    topic, sns = topic_of(box, account), box.client("sns", account)
    for _ in range(2):
        made = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
        assert made["SubscriptionArn"] == "pending confirmation"
    assert len(mails(box, topic)) == 2
    assert listed(box, account, topic) == {ADDRESS: "PendingConfirmation"}


@pytest.mark.usefixtures("waiting")
def test_the_subscription_of_a_stack_waits_too_and_a_signed_call_confirms_it(
    box: Box, account: str
) -> None:
    topic, sns = topic_of(box, account), box.client("sns", account)
    body = template(
        Mail=resource("AWS::SNS::Subscription", TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    )
    assert deploy(box, account, "news", body)["StackStatus"] == "CREATE_COMPLETE"
    assert listed(box, account, topic) == {ADDRESS: "PendingConfirmation"}
    token = link(box, topic).partition("Token=")[2]
    confirmed = sns.confirm_subscription(
        TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true"
    )
    assert listed(box, account, topic) == {ADDRESS: confirmed["SubscriptionArn"]}


@pytest.mark.usefixtures("waiting")
def test_another_address_of_a_stack_is_asked_anew(box: Box, account: str) -> None:
    topic = topic_of(box, account)
    for address in (ADDRESS, "other@example.com"):
        mail = resource(
            "AWS::SNS::Subscription", TopicArn=topic, Protocol="email", Endpoint=address
        )
        deploy(box, account, "news", template(Mail=mail))
        assert listed(box, account, topic) == {address: "PendingConfirmation"}
    assert len(mails(box, topic)) == 2


@pytest.mark.usefixtures("waiting")
def test_a_queue_needs_no_confirmation(box: Box, account: str) -> None:
    topic = topic_of(box, account)
    queue = f"arn:aws:sqs:us-east-1:{account}:news"
    box.client("sqs", account).create_queue(QueueName="news")
    made = box.client("sns", account).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    assert listed(box, account, topic) == {queue: made["SubscriptionArn"]}
