"""Schedules: rules with a ScheduleExpression and schedules of EventBridge Scheduler, at a word.

When one is due is the emulator's to say, which looks every 10 s unless these looks are held;
`tick` lets it look now. What a schedule of the Scheduler invokes is delivered here, as its role
may; flexible windows begin at their start, and nothing is tried again.
"""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

from sandbox.core import patches, service_client
from sandbox.core.service_client import Arn, Refused
from sandbox.core.state import State
from sandbox.core.task_pool import Work
from sandbox.events.invocations import Invocations
from sandbox.events.targets import NO_PERMISSION, NO_RESOURCE, Failed

RULES = ("ministack.services.eventbridge", "_tick_scheduled_rules")
SCHEDULES = ("ministack.services.scheduler", "_tick_schedules")
FIRED = ("ministack.services.scheduler", "_schedule_last_fired")
SERVICE = "scheduler.amazonaws.com"
ACTIONS = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage"}


class Schedules:
    """Fires what is due, and delivers for EventBridge Scheduler.

    `held`: only `tick` fires; may be set.
    """

    def __init__(self, state: State, work: Work, invocations: Invocations) -> None:
        self._state = state
        self._work = work
        self._invocations = invocations
        self.held = False
        self._looks: list[Any] = []
        self._one_look = threading.Lock()

    def install(self) -> None:
        """Let the emulator's own looks and ours take turns, or a schedule could fire twice."""
        # The emulator's reset leaves these: the times of a box before, whose clock ran ahead.
        patches.replace(*FIRED, {})
        for module, name in (RULES, SCHEDULES):
            look = self._in_turn(patches.get(module, name))
            self._looks.append(look)
            patches.replace(module, name, self._unless_held(look))

    def tick(self) -> None:
        """Fire everything that is due by the sandbox's clock, once each."""
        for look in self._looks:
            look()

    def fire(self, schedule: dict[str, Any], target: dict[str, Any]) -> None:
        """Deliver for a schedule of EventBridge Scheduler, soon."""
        self._work.route(self._deliver, schedule["Arn"], target)

    def _unless_held(self, look: Any) -> Any:
        def looks() -> None:
            if not self.held:
                look()

        return looks

    def _in_turn(self, look: Any) -> Any:
        def looks() -> None:
            with self._one_look:
                look()

        return looks

    def _deliver(self, schedule: str, target: dict[str, Any]) -> None:
        payload = target.get("Input") or json.dumps(self._default_input(schedule))
        failed = self._hand_over(schedule, target["Arn"], target.get("RoleArn", ""), payload)
        letters = target.get("DeadLetterConfig", {}).get("Arn")
        if failed is not None and letters:
            attributes = {"ERROR_CODE": failed.code, "ERROR_MESSAGE": failed.message}
            service_client.send(letters, payload, {**attributes, "SCHEDULE_ARN": schedule})

    def _hand_over(self, schedule: str, arn: str, role: str, payload: str) -> Failed | None:
        named = Arn.parse(arn)
        if named.service not in ACTIONS:
            return Failed("INVALID_PARAMETER", f"the sandbox has no target {arn}")
        source = {"arn": _group(schedule), "account": Arn.parse(schedule).account}
        if not service_client.trusts(role, SERVICE, **source):
            return Failed(NO_PERMISSION, f"EventBridge Scheduler cannot assume {role}")
        # In its own account the role needs no leave of the function's policy, but a Deny counts.
        key = service_client.role_credentials(role, "scheduler")
        if not service_client.may(key, ACTIONS[named.service], arn, region=named.region):
            return Failed(NO_PERMISSION, f"{role} may not {ACTIONS[named.service]} {arn}")
        if named.service == "sqs":
            try:
                service_client.send(arn, payload)
            except Refused as refusal:
                return Failed(NO_RESOURCE, str(refusal))
        elif service_client.function_config(named) is None:
            return Failed(NO_RESOURCE, f"Function not found: {arn}")
        else:
            self._invocations.start(arn, json.loads(payload))
        return None

    def _default_input(self, schedule: str) -> dict[str, Any]:
        """What a target gets that has no Input (EventBridge Scheduler User Guide)."""
        named = Arn.parse(schedule)
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": named.account,
            "time": str(patches.get("ministack.services.iam", "_now")()),
            "region": named.region,
            "resources": [schedule],
            "detail": "{}",
        }


def _group(schedule: str) -> str:
    """aws:SourceArn (EventBridge Scheduler User Guide, "Confused deputy prevention")."""
    head, _, name = schedule.partition(":schedule/")
    return f"{head}:schedule-group/{name.partition('/')[0]}"
