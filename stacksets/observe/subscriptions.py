"""Who is subscribed to the topics of the central account by e-mail. Reads only, and judges nothing.

A call for each topic, and one more for each subscription that the central stack did not make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from stacksets.config.model import ADDRESSES
from stacksets.observed.model import Stack, Subscription

MAIL = ("email", "email-json")
PENDING = "PendingConfirmation"
# One that has ended is listed for a while yet, with this in place of its ARN: ansible/ansible
# #20086; AWS's own pages do not say so.
ENDED = "Deleted"


def read_subscriptions(
    client: Callable[[], Any], account: str, central: Stack | None
) -> Iterator[Subscription]:
    """Those of the central stack's own topics; none while there is no stack. `client` makes that of
    SNS in the security account, which a foreign topic does not need. Raises ClientError."""
    outputs = central.outputs if central else {}
    parameters = central.parameters if central else {}
    by_stack = {parameters.get(name, "").casefold() for name in ADDRESSES}
    for topic in sorted({outputs.get("TopicArn", ""), outputs.get("HealthTopicArn", "")} - {""}):
        if f":{account}:" not in topic:
            continue
        sns = client()
        for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
            for row in page["Subscriptions"]:
                if row["Protocol"] in MAIL and row["SubscriptionArn"] != ENDED:
                    made = row["Endpoint"].casefold() in by_stack
                    yield from _subscription(sns, topic, row, look=not made)


def _subscription(
    sns: Any, topic: str, row: Mapping[str, str], *, look: bool
) -> Iterator[Subscription]:
    """A listed one, with its filter if told to `look`; nothing if it ended just now."""
    arn, known = row["SubscriptionArn"], dict[str, str]()
    confirmed = arn != PENDING
    if confirmed and look:
        try:
            known = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NotFound":
                return
            raise
    yield Subscription(
        topic=topic.rpartition(":")[2],
        address=row["Endpoint"],
        confirmed=confirmed,
        protocol=row["Protocol"],
        arn=arn if confirmed else "",
        filter_policy=known.get("FilterPolicy", ""),
        by_body=known.get("FilterPolicyScope") == "MessageBody",
    )
