"""Three questions that no page of AWS answers: a forwarded event, an alarm, the event history.

What a probe changes it puts back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from handler.model.names import FORWARDER, HEALTH_TOPIC, REVOKER, TAMPER_RULE
from handler.notifier.messages.notice import NoticeKind
from stacksets.execute.waiters import Waiting
from stacksets.prove.attacks.actor import REFUSED, code_of
from stacksets.prove.attacks.scene import Scene
from stacksets.prove.checks import Check
from stacksets.prove.incidents import read_incidents

MARK = " (proof)"
TAMPERED = "A change of the function by hand is reported at once"
ALARM = "An alarm of the central account reaches its topic"
HISTORY = "The event history knows a user by name"
# How much longer the user's name may take than the event's own, which is sure to find it.
LATER_SECONDS = 60.0


def until(look: Callable[[], Any], waiting: Waiting) -> Any:
    """The first answer that is true, None when patience has ended."""
    began = waiting.clock()
    while not (found := look()):
        if waiting.is_over(since=began):
            return None
        waiting.sleep(waiting.poll)
    return found


def tamper_probe(function: Any, table: Any, scene: Scene) -> Check:
    """Change the function's description and put it back: a rule forwards the event."""

    def events() -> dict[str, Any]:
        return {
            one.key: one
            for one in read_incidents(table, scene.account)
            if one.kind is NoticeKind.TAMPERED
            and one.latest.facts.get("call", "").startswith("UpdateFunctionConfiguration")
        }

    before = {key: one.calls for key, one in events().items()}

    def fresh() -> Any:
        return next((one for key, one in events().items() if one.calls > before.get(key, 0)), None)

    began = scene.waiting.clock()
    try:
        with _described(function):
            found = until(fresh, scene.waiting)
    except ClientError as error:
        if code_of(error) not in REFUSED:
            raise
        return Check("tamper", TAMPERED, "left out: AWS refused the change", None)
    # What the rule could not deliver is reported by the revoker later, with a note that says so.
    if found and not found.latest.notes:
        took = round(scene.waiting.clock() - began, 1)
        return Check("tamper", TAMPERED, "yes", True, seconds=took)
    hint = (
        f"The events of the rule {TAMPER_RULE} do not reach the central bus. If the check of the "
        f"bus is well, its policy refuses what the role {FORWARDER} puts: such events may carry "
        "no events:source there. They arrive 10 to 20 minutes late, by reconciliation."
    )
    return Check("tamper", TAMPERED, "late" if found else "no report", False, hint)


@contextmanager
def _described(function: Any) -> Iterator[None]:
    """Another description of the function, for the length of a block."""
    named = {"FunctionName": REVOKER}
    old = function.get_function_configuration(**named)["Description"].removesuffix(MARK)
    updated = function.get_waiter("function_updated_v2")
    function.update_function_configuration(**named, Description=f"{old}{MARK}")
    try:
        yield
    finally:
        # A function that is still being updated refuses another update.
        updated.wait(**named)
        function.update_function_configuration(**named, Description=old)


def alarm_probe(cloudwatch: Any, waiting: Waiting) -> Check:
    """Set an alarm of the central account to ALARM: its history says whether the mail went out."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    alarms = [
        one
        for page in pages
        for one in page["MetricAlarms"]
        if any(action.endswith(f":{HEALTH_TOPIC}") for action in one["AlarmActions"])
    ]
    quiet = [one["AlarmName"] for one in alarms if one["StateValue"] != "ALARM"]
    if not quiet:
        said = "left out: each is in ALARM" if alarms else "no alarm"
        return Check("alarm", ALARM, said, None if alarms else False, "Run status and drift.")
    name, began = quiet[0], waiting.clock()
    before = set(_actions(cloudwatch, name))
    _set(cloudwatch, name, "ALARM")
    try:
        found = until(lambda: set(_actions(cloudwatch, name)) - before, waiting)
    finally:
        _set(cloudwatch, name, "OK")
    took = round(waiting.clock() - began, 1)
    results = [summary for _, summary in found or ()]
    # re:Post, "Why didn't I receive an SNS notification for my CloudWatch alarm trigger?"
    if results and not any(one.startswith("Failed") for one in results):
        return Check("alarm", ALARM, "yes", True, seconds=took)
    hint = (
        "CloudWatch could not publish to the topic of health: its key's policy must let "
        "cloudwatch.amazonaws.com use it, without a condition that CloudWatch does not fill. No "
        "health alarm reaches anybody until then."
    )
    return Check("alarm", ALARM, "action failed" if results else "no action seen", False, hint)


def _set(cloudwatch: Any, name: str, state: str) -> None:
    said = "A test by python -m stacksets prove, which sets it back."
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=said)


def _actions(cloudwatch: Any, name: str) -> Iterator[tuple[str, str]]:
    """The actions of an alarm, as its history has them: when, and in words."""
    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(
        AlarmName=name, HistoryItemType="Action"
    )
    for page in pages:
        for one in page["AlarmHistoryItems"]:
            yield str(one["Timestamp"]), str(one["HistorySummary"])


def history_probe(trail: Any, user: str, waiting: Waiting) -> Check:
    """Look an AddUserToGroup up by the user's name, and by the event's own, which finds it."""

    def by_name() -> bool:
        return any(_look_up(trail, "ResourceName", user))

    def by_event() -> bool:
        return any(
            (json.loads(one["CloudTrailEvent"]).get("requestParameters") or {}).get("userName")
            == user
            for one in _look_up(trail, "EventName", "AddUserToGroup")
        )

    began = waiting.clock()
    if not until(by_event, waiting):
        return Check("history", HISTORY, "not in the history yet", None)
    took = round(waiting.clock() - began, 1)
    later = replace(waiting, patience=min(LATER_SECONDS, waiting.patience))
    found = until(by_name, later)
    said = "yes" if found else "no, only the event's name"
    return Check("history", HISTORY, said, None, seconds=took)


def _look_up(trail: Any, key: str, value: str) -> Iterator[Any]:
    asked = [{"AttributeKey": key, "AttributeValue": value}]
    for one in trail.lookup_events(LookupAttributes=asked)["Events"]:
        if one["EventName"] == "AddUserToGroup":
            yield one
