"""Refuse the filter policies that SNS refuses, and a second subscription with another filter.

What a filter lets through stays the emulator's; it takes any, and a second one without a word.
"""

from __future__ import annotations

import json
import math
from typing import Any

from sandbox.core import patches

SNS = "ministack.services.sns"
PROVISIONERS = "ministack.services.cloudformation.provisioners"
TABLE = "_RESOURCE_HANDLERS"
# SNS Developer Guide, "Filter policy constraints".
MOST_VALUES, MOST_KEYS = 150, 5
# What makes two subscriptions the same.
WHERE = ("TopicArn", "Protocol", "Endpoint")
# AWS's words for a Subscribe whose attributes are not those of the subscription that is there, as
# in localstack #8816.
DIFFERENT = (
    "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
)


def install_filter_policies() -> None:
    """Look at Subscribe, SetSubscriptionAttributes and CloudFormation's subscriptions, until the
    hooks are restored."""
    subscribe, change = (
        patches.get(SNS, "_subscribe"),
        patches.get(SNS, "_set_subscription_attributes"),
    )
    plain = patches.get(PROVISIONERS, TABLE)["AWS::SNS::Subscription"]

    def subscribing(params: dict[str, Any]) -> Any:
        policy = _attribute(params, "FilterPolicy")
        if problem := policy_problem(policy):
            return _refused(f"Invalid parameter: Attributes Reason: FilterPolicy: {problem}")
        where = [_one(params.get(name)) for name in WHERE]
        if policy and _other_filter(where, policy):
            return _refused(DIFFERENT)
        return subscribe(params)

    def changing(params: dict[str, Any]) -> Any:
        value = _one(params.get("AttributeValue"))
        if _one(params.get("AttributeName")) == "FilterPolicy" and (
            problem := policy_problem(value)
        ):
            return _refused(f"Invalid parameter: AttributeValue Reason: FilterPolicy: {problem}")
        return change(params)

    def create(logical_id: str, props: dict[str, Any], stack: str) -> Any:
        _stack_may_subscribe(props)
        return plain["create"](logical_id, props, stack)

    def update(made: str, old: dict[str, Any], props: dict[str, Any], *more: str) -> Any:
        # Another endpoint or topic is another subscription.
        if any(old.get(name) != props.get(name) for name in WHERE):
            _stack_may_subscribe(props)
        return plain["update"](made, old, props, *more)

    patches.replace(SNS, "_subscribe", subscribing)
    patches.replace(SNS, "_set_subscription_attributes", changing)
    patches.replace_entry(
        PROVISIONERS, TABLE, "AWS::SNS::Subscription", {**plain, "create": create, "update": update}
    )


def policy_problem(text: str) -> str:
    """Why SNS refuses a filter policy, "" where it does not; "" is none at all."""
    if not text:
        return ""
    try:
        policy = json.loads(text)
    except ValueError:
        return "failed to parse JSON"
    if not isinstance(policy, dict):
        return "it must be a JSON object"
    if any(not isinstance(rules, list) for rules in policy.values()):
        return "the value of each key must be an array"
    if any(not rules for rules in policy.values()):
        return "empty arrays are not allowed"
    if len(policy) > MOST_KEYS:
        return f"more than {MOST_KEYS} keys"
    if math.prod(len(rules) for rules in policy.values()) > MOST_VALUES:
        return "Filter policy is too complex"
    return ""


def _stack_may_subscribe(props: dict[str, Any]) -> None:
    """Raises what CloudFormation fails with, where SNS would refuse."""
    policy = json.dumps(props["FilterPolicy"]) if props.get("FilterPolicy") else ""
    where = [str(props.get(name)) for name in WHERE]
    if (problem := policy_problem(policy)) or _other_filter(where, policy):
        raise ValueError(problem or DIFFERENT)


def _other_filter(where: list[str], policy: str) -> bool:
    """Whether the endpoint is subscribed already, with a filter that is not this one."""
    topic, protocol, endpoint = where
    found = patches.get(SNS, "_topic_by_arn_any_scope")(topic) or {}
    return any(
        one["protocol"] == protocol
        and one["endpoint"] == endpoint
        and _read(one["attributes"].get("FilterPolicy", "")) != _read(policy)
        for one in found.get("subscriptions", [])
    )


def _read(policy: str) -> Any:
    return json.loads(policy) if policy else None


def _attribute(params: dict[str, Any], name: str) -> str:
    """An entry of Subscribe's map of attributes, "" where there is none."""
    number = 1
    while key := _one(params.get(f"Attributes.entry.{number}.key")):
        if key == name:
            return _one(params.get(f"Attributes.entry.{number}.value"))
        number += 1
    return ""


def _refused(message: str) -> Any:
    return patches.get(SNS, "_error")("InvalidParameter", message, 400)


def _one(value: Any) -> str:
    return str((value[0] if isinstance(value, list) else value) or "")
