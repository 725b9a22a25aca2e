"""Deliver events: from a bus through its rules to their targets, with retries and dead letters.

Rules, targets and the pattern matcher are the emulator's; delivery is the sandbox's own, since
the emulator checks no permission, retries nothing and knows no dead-letter queue.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.core import patches, service_client
from sandbox.core.service_client import Arn
from sandbox.core.state import Record, State
from sandbox.core.task_pool import Work
from sandbox.events.buses import BRIDGE, Event, event_of_record
from sandbox.events.disorder import Disorder
from sandbox.events.schedules import Schedules
from sandbox.events.targets import Failed, Targets

ENABLED = "ENABLED"
WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
DEFAULT_RETRIES = 185
RETRY_WAIT = 0.1
GONE = "QueueDoesNotExist"


class Router:
    """Takes events in and hands them out; everything happens on the threads of `work`."""

    def __init__(
        self, state: State, work: Work, targets: Targets, disorder: Disorder, schedules: Schedules
    ) -> None:
        self._state = state
        self._work = work
        self._targets = targets
        self._disorder = disorder
        self._schedules = schedules
        disorder.deliver = lambda event: work.route(self._match, event)
        targets.forward = self.accept

    def install(self) -> None:
        """Take over what the emulator dispatches itself: its own events and schedules."""

        def invoke_target(target: Any, event: Any, rule: Any, view: Any = None) -> None:
            # Without a view of the event it comes from EventBridge Scheduler.
            if view is None:
                self._schedules.fire(rule, target)
                return
            envelope = view.event_with_detail()
            arn = f"arn:aws:events:{event['Region']}:{event['Account']}:event-bus/default"
            self._work.route(self._deliver, Event(arn, envelope), rule["Arn"], target, 0)

        patches.replace(BRIDGE, "_invoke_target", invoke_target)
        self._state.emit = self.emit

    def emit(self, record: Record) -> None:
        """Keep a record and put it on the default bus of its account, if a trail is on."""
        self._state.reported[record.get("eventID", "")] = self._state.now()
        self._state.records.append(record)
        if self._heard(record) and not self._disorder.loses(record):
            self.accept(event_of_record(record))

    def _heard(self, record: Record) -> bool:
        if self._state.trails_needed and not self._state.logged(record):
            return False
        return self._state.trail_enabled

    def accept(self, event: Event) -> None:
        self._disorder.accept(event)

    def _match(self, event: Event) -> None:
        bus = Arn.parse(event.bus_arn)
        name = bus.resource.partition("/")[2]
        text = json.dumps(event.envelope)
        for rule in _pages(bus, "ListRules", "Rules", EventBusName=name):
            if not _awake(rule["State"], event) or not rule.get("EventPattern"):
                continue
            pattern = rule["EventPattern"]
            asked = {"EventPattern": pattern, "Event": text}
            if not service_client.ask(
                "events", "TestEventPattern", bus.account, bus.region, **asked
            )["Result"]:
                continue
            for target in _pages(
                bus, "ListTargetsByRule", "Targets", Rule=rule["Name"], EventBusName=name
            ):
                self._work.route(self._deliver, event, rule["Arn"], target, 0)

    def _deliver(self, event: Event, rule_arn: str, target: dict[str, Any], tried: int) -> None:
        failed = self._targets.deliver(event, rule_arn=rule_arn, target=target)
        if failed is None:
            return
        retries = target.get("RetryPolicy", {}).get("MaximumRetryAttempts", DEFAULT_RETRIES)
        if failed.again and tried < retries:
            self._work.later(
                RETRY_WAIT, self._work.route, self._deliver, event, rule_arn, target, tried + 1
            )
            return
        self._bury(event, rule_arn, target, failed, tried)

    def _bury(
        self, event: Event, rule_arn: str, target: dict[str, Any], failed: Failed, tried: int
    ) -> None:
        """Put an event that could not be delivered into the target's dead-letter queue.

        Attributes: EventBridge User Guide, "Using dead-letter queues".
        """
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if not queue or not self._targets.queue_admits(queue, rule_arn):
            return
        attributes = {
            "RULE_ARN": rule_arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": failed.code,
            "ERROR_MESSAGE": failed.message,
            "RETRY_ATTEMPTS": str(tried),
        }
        if failed.again:
            attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumRetryAttempts"
        try:
            service_client.send(queue, json.dumps(event.envelope), attributes)
        except service_client.Refused as refusal:
            if refusal.code != GONE:
                raise
            # Deleted since its policy was read, with the stack it belonged to.


def _awake(state: str, event: Event) -> bool:
    """ENABLED leaves read-only management events out (EventBridge User Guide)."""
    detail = event.envelope["detail"]
    read = isinstance(detail, dict) and detail.get("readOnly") is True
    by_trail = event.envelope["detail-type"].endswith("via CloudTrail")
    return state == WITH_READS or (state == ENABLED and not (read and by_trail))


def _pages(bus: Arn, action: str, key: str, **params: Any) -> Iterator[dict[str, Any]]:
    token: dict[str, str] = {}
    while True:
        page = service_client.ask("events", action, bus.account, bus.region, **params, **token)
        yield from page[key]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
