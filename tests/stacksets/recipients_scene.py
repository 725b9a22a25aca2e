"""Recipients of units in the file and in the list of a topic, as tests want them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stacksets.observed.model import Observed, Subscription
from stacksets.planners.rollout import plan
from stacksets.steps.model import Plan
from stacksets.steps.recipients import MARK
from tests.stacksets.scene import (
    FILE,
    SECURITY,
    given,
    rolled_out,
    wanted,
)

TOPIC = f"arn:aws:sns:us-east-1:{SECURITY}:iam-org-revoker-incidents"
LARGE_TEAM, SMALL_TEAM = "large@example.com", "small@example.com"
TEAM = rolled_out().subscriptions[0]


def recipients(*pairs: tuple[str, str]) -> str:
    """The file with an address for each of these units."""
    tables = "".join(f'[[recipients]]\nou = "{ou}"\nemail = "{email}"\n' for ou, email in pairs)
    return f"{FILE}{tables}"


def subscribed(address: str, *accounts: str, mark: bool = True, **changes: Any) -> Subscription:
    """As `apply` has made it."""
    listed = [MARK, *accounts] if mark else [*accounts]
    made = Subscription(
        "iam-org-revoker-incidents",
        address,
        confirmed=True,
        arn=f"{TOPIC}:{address}",
        filter_policy=json.dumps({"account": listed}),
    )
    return replace(made, **changes)


def seen(*subscriptions: Subscription) -> Observed:
    return replace(rolled_out(), subscriptions=(TEAM, *subscriptions))


def planned(text: str, *subscriptions: Subscription) -> Plan:
    return plan(given(wanted(text), seen(*subscriptions)))


def filters(made: Plan) -> Mapping[str, list[str]]:
    """The accounts of each filter that a plan writes, by address or subscription."""
    found = {}
    for call in made.calls():
        if call.service == "sns" and call.operation != "Unsubscribe":
            policy = call.arguments.get("AttributeValue") or call.arguments["Attributes"]
            policy = policy if isinstance(policy, str) else policy["FilterPolicy"]
            target_text = call.arguments.get("Endpoint") or call.arguments["SubscriptionArn"]
            assert [*json.loads(policy)] == ["account"]
            found[target_text] = json.loads(policy)["account"]
    return found
