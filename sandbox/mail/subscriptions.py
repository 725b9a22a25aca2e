"""E-mail subscriptions that wait until somebody follows the link, where a test wants that.

SNS Developer Guide, "Creating a subscription to an Amazon SNS topic": until then no message comes,
and lists show "PendingConfirmation" in place of an ARN. The emulator confirms at once, which stays
the default; the link itself and the token are the emulator's.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from sandbox.core import patches
from sandbox.mail.mailbox import Outbox

SNS = "ministack.services.sns"
PROVISIONERS = "ministack.services.cloudformation.provisioners"
TABLE = "_RESOURCE_HANDLERS"
MAIL = ("email", "email-json")
SUBJECT = "AWS Notification - Subscription Confirmation"
LISTS = ("_list_subscriptions", "_list_subscriptions_by_topic")


def install_subscriptions(outbox: Outbox) -> None:
    """Watch Subscribe and CloudFormation's subscriptions, until the hooks are restored."""
    subscribe = patches.get(SNS, "_subscribe")
    plain = patches.get(PROVISIONERS, TABLE)["AWS::SNS::Subscription"]

    def subscribing(params: dict[str, Any]) -> Any:
        topic, before = _one(params.get("TopicArn")), _arns(_one(params.get("TopicArn")))
        answer = subscribe(params)
        for made in _arns(topic) - before:
            _hold(outbox, topic, made)
        waiting = _waiting(topic, _one(params.get("Endpoint")))
        if answer[0] != 200 or waiting is None:
            return answer
        if waiting["arn"] in before:
            # Who subscribes once more gets the mail once more.
            _ask(outbox, topic, waiting)
        shown = answer[2].decode().replace(waiting["arn"], "pending confirmation")
        return answer[0], answer[1], shown.encode()

    def create(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        topic = str(props.get("TopicArn"))
        made = plain["create"](logical_id, props, stack)
        if made[0] in _arns(topic):
            _hold(outbox, topic, made[0])
        return made

    def update(before: str, old: Any, props: dict[str, Any], *where: str) -> Any:
        # Another endpoint or topic is another subscription (CloudFormation, "Update requires:
        # Replacement"), whose mail nobody has answered yet.
        made = plain["update"](before, old, props, *where)
        if made[0] != before and made[0] in _arns(topic := str(props.get("TopicArn"))):
            _hold(outbox, topic, made[0])
        return made

    handlers = {**plain, "create": create, "update": update}
    patches.replace(SNS, "_subscribe", subscribing)
    patches.replace_entry(PROVISIONERS, TABLE, "AWS::SNS::Subscription", handlers)
    for name in LISTS:
        patches.replace(SNS, name, _hiding(patches.get(SNS, name)))


def _hold(outbox: Outbox, topic: str, arn: str) -> None:
    subscription = next(one for one in _subscriptions(topic) if one["arn"] == arn)
    if outbox.confirms or subscription["protocol"] not in MAIL:
        return
    subscription["confirmed"], subscription["token"] = False, uuid.uuid4().hex
    subscription["attributes"] |= {
        "PendingConfirmation": "true",
        "ConfirmationWasAuthenticated": "false",
    }
    patches.get(SNS, "_refresh_subscription_counts")(_topic(topic))
    _ask(outbox, topic, subscription)


def _ask(outbox: Outbox, topic: str, subscription: dict[str, Any]) -> None:
    place = f"http://{patches.get(SNS, '_HOST')}:{patches.get(SNS, '_PORT')}"
    link = f"{place}/?Action=ConfirmSubscription&TopicArn={topic}&Token={subscription['token']}"
    body = f"A subscription to the topic {topic} waits for this address.\nTo confirm it: {link}\n"
    outbox.put(topic, subscription["endpoint"], SUBJECT, body)


def _hiding(plain: Any) -> Any:
    """The list with the ARN of what still waits left out, as SNS answers it."""

    def listing(params: dict[str, Any]) -> Any:
        status, headers, body = plain(params)
        shown = body.decode()
        for topic in set(re.findall(r"<TopicArn>(.*?)</TopicArn>", shown)):
            for one in _subscriptions(topic):
                if not one["confirmed"]:
                    shown = shown.replace(
                        f"<SubscriptionArn>{one['arn']}<",
                        "<SubscriptionArn>PendingConfirmation<",
                    )
        return status, headers, shown.encode()

    return listing


def _waiting(topic: str, endpoint: str) -> dict[str, Any] | None:
    for one in _subscriptions(topic):
        if one["endpoint"] == endpoint and one["protocol"] in MAIL and not one["confirmed"]:
            return one
    return None


def _arns(topic: str) -> set[str]:
    return {one["arn"] for one in _subscriptions(topic)}


def _subscriptions(topic: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (_topic(topic) or {}).get("subscriptions", [])
    return found


def _topic(arn: str) -> Any:
    return patches.get(SNS, "_topic_by_arn_any_scope")(arn)


def _one(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value)
