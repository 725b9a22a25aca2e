"""Filter policies of SNS: what is refused, and who gets what."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from sandbox.mail.filter_policies import policy_problem
from tests.sandbox.cloudformation.templates import deploy, resource, template

ADDRESS = "unit@example.com"


@pytest.fixture
def topic(box: Box, account: str) -> str:
    name = f"news-{uuid.uuid4().hex[:8]}"
    return str(box.client("sns", account).create_topic(Name=name)["TopicArn"])


def listing(*accounts: str) -> str:
    return json.dumps({"account": [*accounts]})


def subscribe(box: Box, account: str, topic: str, policy: str | None) -> str:
    attributes: Mapping[str, str] = {"FilterPolicy": policy} if policy is not None else {}
    made = box.client("sns", account).subscribe(
        TopicArn=topic, Protocol="email", Endpoint=ADDRESS, Attributes=attributes
    )
    return str(made["SubscriptionArn"])


def publish(box: Box, account: str, topic: str, subject: str, *accounts: str) -> None:
    listed = {"DataType": "String.Array", "StringValue": json.dumps(accounts)}
    box.client("sns", account).publish(
        TopicArn=topic, Subject=subject, Message="x", MessageAttributes={"account": listed}
    )


def test_a_list_of_accounts_lets_those_through_and_a_change_of_it_holds_at_once(
    box: Box, account: str, topic: str
) -> None:
    arn = subscribe(box, account, topic, listing("1", "2"))
    publish(box, account, topic, "one", "1")
    publish(box, account, topic, "another", "3")
    publish(box, account, topic, "digest", "3", "2")
    change: dict[str, Any] = {"SubscriptionArn": arn, "AttributeName": "FilterPolicy"}
    box.client("sns", account).set_subscription_attributes(**change, AttributeValue=listing("3"))
    publish(box, account, topic, "moved", "3")
    publish(box, account, topic, "gone", "1")
    assert [mail.subject for mail in box.outbox.of(topic)] == ["one", "digest", "moved"]


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("", ""),
        (listing(*map(str, range(150))), ""),
        (listing(*map(str, range(151))), "Filter policy is too complex"),
        (
            json.dumps({"a": [*"123456789012"], "b": [*"1234567890123"]}),
            "Filter policy is too complex",
        ),
        (listing(), "empty arrays are not allowed"),
        (json.dumps({letter: ["x"] for letter in "abcdef"}), "more than 5 keys"),
        ('{"account": "1"}', "the value of each key must be an array"),
        ('["1"]', "it must be a JSON object"),
        ("{", "failed to parse JSON"),
    ],
)
def test_what_sns_refuses(policy: str, problem: str) -> None:
    assert policy_problem(policy) == problem


def test_a_filter_that_sns_refuses_is_neither_made_nor_set(
    box: Box, account: str, topic: str
) -> None:
    with pytest.raises(ClientError, match="empty arrays are not allowed"):
        subscribe(box, account, topic, listing())
    arn = subscribe(box, account, topic, listing("1"))
    sns = box.client("sns", account)
    with pytest.raises(ClientError, match="Filter policy is too complex"):
        sns.set_subscription_attributes(
            SubscriptionArn=arn,
            AttributeName="FilterPolicy",
            AttributeValue=listing(*map(str, range(151))),
        )
    known = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert known["FilterPolicy"] == listing("1")


def test_who_is_subscribed_keeps_her_filter_until_it_is_set(
    box: Box, account: str, topic: str
) -> None:
    arn = subscribe(box, account, topic, listing("1"))
    assert subscribe(box, account, topic, listing("1")) == arn
    assert subscribe(box, account, topic, None) == arn
    with pytest.raises(ClientError, match="already exists with different attributes"):
        subscribe(box, account, topic, listing("1", "2"))
    mail = resource("AWS::SNS::Subscription", TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    failed = deploy(box, account, f"stack-{topic[-8:]}", template(Mail=mail))
    assert failed["StackStatus"] == "ROLLBACK_COMPLETE"


def test_a_stack_whose_address_becomes_one_that_has_another_filter_keeps_the_old_one(
    box: Box, account: str, topic: str
) -> None:
    subscribe(box, account, topic, listing("1"))
    for address, status in (
        ("team@example.com", "CREATE_COMPLETE"),
        (ADDRESS, "UPDATE_ROLLBACK_COMPLETE"),
    ):
        mail = resource(
            "AWS::SNS::Subscription", TopicArn=topic, Protocol="email", Endpoint=address
        )
        made = deploy(box, account, f"stack-{topic[-8:]}", template(Mail=mail))
        assert made["StackStatus"] == status
