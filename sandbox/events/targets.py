"""Deliver one event to one target of a rule: a function, a queue or another bus.

Each delivery checks what AWS checks: the target's own policy, or the role of the target.
Input and InputPath are applied, InputTransformer is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.core import patches, service_client
from sandbox.core.faults import Faults
from sandbox.core.service_client import Arn
from sandbox.core.state import State
from sandbox.events.buses import Event, Sender, admitted, bus_exists
from sandbox.events.invocations import Invocations

SERVICE = "events.amazonaws.com"


@dataclass(frozen=True)
class Failed:
    """Why a delivery failed; `again` when EventBridge would try it again."""

    code: str
    message: str
    again: bool = False


NO_PERMISSION = "NO_PERMISSIONS"
NO_RESOURCE = "NO_RESOURCE"


class Targets:
    """Delivery to each kind of target; `forward` puts an event on another bus."""

    forward: Callable[[Event], None]

    def __init__(self, state: State, faults: Faults, invocations: Invocations) -> None:
        self._state = state
        self._faults = faults
        self._invocations = invocations

    def deliver(self, event: Event, *, rule_arn: str, target: dict[str, Any]) -> Failed | None:
        """Hand an event to a target; None when the target has it."""
        if "InputTransformer" in target:
            return Failed("INVALID_PARAMETER", "the sandbox applies no InputTransformer")
        arn = Arn.parse(target["Arn"])
        match arn.service:
            case "lambda":
                return self._to_function(event, rule_arn=rule_arn, target=target)
            case "sqs":
                return self._to_queue(event, rule_arn=rule_arn, target=target)
            case "events" if arn.resource.startswith("event-bus/"):
                return self._to_bus(event, rule_arn=rule_arn, target=target)
            case _:
                return Failed("INVALID_PARAMETER", f"the sandbox has no target {target['Arn']}")

    def _to_function(self, event: Event, *, rule_arn: str, target: dict[str, Any]) -> Failed | None:
        if code := self._faults.take("lambda", "Invoke"):
            return Failed("THROTTLING", code, again=True)
        policy = service_client.function_policy(target["Arn"])
        if policy is None:
            return Failed(NO_RESOURCE, f"Function not found: {target['Arn']}")
        # The rule's ARN comes along and no aws:SourceAccount (EventBridge User Guide,
        # "Troubleshooting Amazon EventBridge"). A RoleArn of the target is not looked at.
        action = "lambda:InvokeFunction"
        if not service_client.service_may(policy, SERVICE, action, target["Arn"], arn=rule_arn):
            return Failed(NO_PERMISSION, f"{target['Arn']} does not permit the rule to invoke it")
        self._invocations.start(target["Arn"], _input(event, target))
        return None

    def _to_queue(self, event: Event, *, rule_arn: str, target: dict[str, Any]) -> Failed | None:
        if code := self._faults.take("sqs", "SendMessage"):
            return Failed("ERROR_FROM_TARGET", code, again=True)
        if patches.get("ministack.services.sqs", "_queue_by_arn")(target["Arn"]) is None:
            return Failed(NO_RESOURCE, f"Queue not found: {target['Arn']}")
        if not self.queue_admits(target["Arn"], rule_arn):
            return Failed(NO_PERMISSION, f"{target['Arn']} does not permit the rule to send")
        service_client.send(target["Arn"], json.dumps(_input(event, target)))
        return None

    def _to_bus(self, event: Event, *, rule_arn: str, target: dict[str, Any]) -> Failed | None:
        rule, bus = Arn.parse(rule_arn), Arn.parse(target["Arn"])
        if event.hops:
            return Failed("THIRD_ACCOUNT_HOP_DETECTED", "an event is forwarded once only")
        if code := self._faults.take("events", "PutEvents"):
            return Failed("CROSS_ACCOUNT_INGESTION_FAILED", code, again=True)
        root = f"arn:aws:iam::{rule.account}:root"
        sender = Sender(arn=root, account=rule.account, rule_arn=rule_arn)
        if role := target.get("RoleArn"):
            # Both keys: EventBridge User Guide, "Cross-service confused deputy prevention".
            if not service_client.trusts(role, SERVICE, arn=rule_arn, account=rule.account):
                return Failed("FAILED_TO_ASSUME_ROLE", f"EventBridge cannot assume {role}")
            name = role.rpartition("/")[2]
            key = service_client.role_credentials(role, "events")
            sender = Sender(
                arn=f"arn:aws:sts::{rule.account}:assumed-role/{name}/events",
                account=rule.account,
                rule_arn=rule_arn,
            )
            if not service_client.may(key, "events:PutEvents", target["Arn"], region=bus.region):
                return Failed(NO_PERMISSION, f"{role} may not put events on {target['Arn']}")
        elif rule.account != bus.account:
            return Failed(NO_PERMISSION, "a bus of another account needs a role (RoleArn)")
        if not bus_exists(target["Arn"]):
            return Failed(NO_RESOURCE, f"Event bus not found: {target['Arn']}")
        sources, kinds = {event.envelope["source"]}, {event.envelope["detail-type"]}
        if not admitted(self._state, target["Arn"], sender=sender, sources=sources, kinds=kinds):
            return Failed(NO_PERMISSION, f"the policy of {target['Arn']} does not admit the rule")
        self.forward(Event(bus_arn=target["Arn"], envelope=event.envelope, hops=event.hops + 1))
        return None

    def queue_admits(self, queue_arn: str, rule_arn: str) -> bool:
        """Whether a queue's policy lets EventBridge send for a rule.

        The rule's ARN alone comes along (EventBridge User Guide, "Amazon SQS permissions").
        """
        queue = patches.get("ministack.services.sqs", "_queue_by_arn")(queue_arn)
        policy = queue and queue["attributes"].get("Policy")
        return service_client.service_may(
            policy, SERVICE, "sqs:SendMessage", queue_arn, arn=rule_arn
        )


def _input(event: Event, target: dict[str, Any]) -> Any:
    """What the target gets: the event, a constant (Input) or a part of it (InputPath)."""
    if "Input" in target:
        return json.loads(target["Input"])
    part: Any = event.envelope
    for name in target.get("InputPath", "$").removeprefix("$").split("."):
        part = part[name] if name else part
    return part
