"""Recipients as SNS knows them: what the look asks of it, and who is waited for."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stacksets.cli.render_script import as_commands
from stacksets.execute.waiters import Failed, Waiting, wait_for
from stacksets.observe.subscriptions import read_subscriptions
from stacksets.observed.model import Subscription
from stacksets.steps.model import Step, StepKind, Until, Wait
from tests.stacksets.recipients_scene import (
    LARGE_TEAM,
    SMALL_TEAM,
    TOPIC,
    planned,
    recipients,
    subscribed,
)
from tests.stacksets.scene import (
    LARGE,
    SECURITY,
    rolled_out,
)


class Topic:
    """SNS as the operator asks it: rows of one list, and the filters by ARN."""

    def __init__(self, *rows: tuple[str, str], filters: Mapping[str, str] | None = None) -> None:
        self.rows, self.filters, self.asked = rows, filters or {}, list[str]()

    def get_paginator(self, name: str) -> Any:
        assert name == "list_subscriptions_by_topic"
        return self

    def paginate(self, *, TopicArn: str) -> Any:
        assert TopicArn == TOPIC
        rows = [
            {"SubscriptionArn": arn, "Endpoint": address, "Protocol": "email"}
            for address, arn in self.rows
        ]
        return [{"Subscriptions": rows}]

    def get_subscription_attributes(self, *, SubscriptionArn: str) -> Any:
        self.asked.append(SubscriptionArn)
        if SubscriptionArn not in self.filters:
            raise ClientError({"Error": {"Code": "NotFound"}}, "GetSubscriptionAttributes")
        policy = self.filters[SubscriptionArn]
        return {"Attributes": {"FilterPolicy": policy, "FilterPolicyScope": "MessageBody"}}


def test_the_look_asks_for_the_filters_of_those_that_the_stack_did_not_make() -> None:
    topic = Topic(
        ("security@example.com", f"{TOPIC}:1"),
        (LARGE_TEAM, f"{TOPIC}:2"),
        ("gone@example.com", f"{TOPIC}:3"),
        ("ended@example.com", "Deleted"),
        ("asked@example.com", "PendingConfirmation"),
        filters={f"{TOPIC}:2": "{}"},
    )
    stack = rolled_out().central
    assert stack is not None
    stack = replace(stack, outputs={"TopicArn": TOPIC})
    found = [*read_subscriptions(lambda: topic, SECURITY, stack)]
    assert found == [
        Subscription(
            "iam-org-revoker-incidents", "security@example.com", confirmed=True, arn=f"{TOPIC}:1"
        ),
        subscribed(LARGE_TEAM, arn=f"{TOPIC}:2", filter_policy="{}", by_body=True),
        Subscription("iam-org-revoker-incidents", "asked@example.com", confirmed=False),
    ]
    assert topic.asked == [f"{TOPIC}:2", f"{TOPIC}:3"]


@pytest.mark.parametrize(("addresses", "waits"), [((LARGE_TEAM,), True), ((SMALL_TEAM,), False)])
def test_only_whom_the_file_names_is_waited_for(addresses: tuple[str, ...], waits: bool) -> None:
    wait = Wait(Until.CONFIRMED, SECURITY, TOPIC, addresses=addresses)
    clock = iter(range(100))
    patient = Waiting(sleep=lambda _: None, clock=lambda: float(next(clock)), patience=3.0)
    topic = Topic(("Large@example.com", "PendingConfirmation"))

    def waited() -> None:
        wait_for(wait, topic, operation="", waiting=patient, counted=lambda _: None)

    if not waits:
        waited()
        return
    with pytest.raises(Failed, match="Nobody has confirmed the subscription of Large@"):
        waited()


def test_the_commands_take_the_names_that_the_command_line_has_for_them() -> None:
    made = planned(recipients((LARGE, LARGE_TEAM)))
    lines = [*as_commands(made.steps, profiles={}, own=SECURITY, region="us-east-1")]
    (subscribe,) = [line for line in lines if " sns subscribe " in line]
    assert f'--notification-endpoint {LARGE_TEAM} --attributes \'{{"FilterPolicy":' in subscribe
    (waits,) = [line for line in lines if "list-subscriptions" in line and "incidents" in line]
    assert waits.endswith(f"| grep -ixF -e {LARGE_TEAM}; do sleep 10; done")
    subprocess.run(["bash", "-n"], input="\n".join(lines), text=True, check=True)


@pytest.mark.parametrize(("asked", "looks"), [(LARGE_TEAM, 2), (f"not-{LARGE_TEAM}", 1)])
def test_the_commands_wait_for_that_address_alone(asked: str, looks: int) -> None:
    step = Step(
        kind=StepKind.CONFIRM,
        says="It",
        target_text="all",
        wait=Wait(Until.CONFIRMED, SECURITY, TOPIC, addresses=(LARGE_TEAM,)),
    )
    lines = [*as_commands([step], profiles={}, own=SECURITY, region="us-east-1")][-1:]
    # The AWS CLI, which answers with a pending address once, and sleep, which leaves a line.
    double = f"""set -eu
    sleep() {{ touch slept; echo waited >&2; }}
    aws() {{ if [ ! -e slept ]; then echo {asked}; fi; }}
    cd "$(mktemp -d)"
    """
    ran = subprocess.run(
        ["bash"], input=double + lines[0], text=True, capture_output=True, check=True
    )
    assert ran.stderr.count("waited") == looks - 1
