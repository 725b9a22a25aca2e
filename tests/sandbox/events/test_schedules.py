"""What is due by the sandbox's clock fires at a word, and only as its role may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.core import patches
from sandbox.events.schedules import SCHEDULES
from tests.sandbox.parts import allow, attributes_of, bodies, messages, open_queue, queue, role

SERVICE = "scheduler.amazonaws.com"
SEND = "sqs:SendMessage"


@pytest.fixture
def target(box: Box, account: str) -> str:
    return open_queue(box, account, "q")


def schedule(box: Box, account: str, expression: str, **target: Any) -> str:
    made = box.client("scheduler", account).create_schedule(
        Name="s",
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
        Target=target,
    )
    return str(made["ScheduleArn"])


def fired(box: Box) -> None:
    box.tick()
    box.settle()


def test_a_rule_fires_when_its_time_has_come(box: Box, account: str, target: str) -> None:
    events = box.client("events", account)
    arn = events.put_rule(Name="r", ScheduleExpression="rate(15 minutes)")["RuleArn"]
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": target}])
    fired(box)
    assert bodies(box, target) == []
    box.advance(15 * 60 + 1)
    fired(box)
    fired(box)
    (event,) = bodies(box, target)
    assert (event["detail-type"], event["source"]) == ("Scheduled Event", "aws.events")
    assert (event["account"], event["resources"], event["detail"]) == (account, [arn], {})


def test_held_schedules_do_not_fire_by_themselves(
    box: Box, account: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    may = role(box, account, "r", allow(SEND, target), service=SERVICE)
    schedule(box, account, "rate(1 hour)", Arn=target, RoleArn=may, Input='{"came": 1}')
    box.advance(3601)
    # As the emulator does every 10 s.
    look_by_itself = patches.get(*SCHEDULES)
    look_by_itself()
    box.settle()
    assert bodies(box, target) == []
    monkeypatch.setattr(box._schedules, "held", False)
    look_by_itself()
    box.settle()
    assert bodies(box, target) == [{"came": 1}]


def test_a_schedule_hands_over_its_input(box: Box, account: str, target: str) -> None:
    may = role(box, account, "r", allow(SEND, target), service=SERVICE)
    schedule(
        box,
        account,
        "rate(15 minutes)",
        Arn=target,
        RoleArn=may,
        Input=json.dumps({"reconcile": 1}),
    )
    box.advance(15 * 60 + 1)
    fired(box)
    assert bodies(box, target) == [{"reconcile": 1}]
    box.advance(15 * 60 + 1)
    fired(box)
    # The first one is visible again: nobody deleted it.
    assert bodies(box, target) == [{"reconcile": 1}, {"reconcile": 1}]


def test_a_schedule_without_input_sends_an_event(box: Box, account: str, target: str) -> None:
    may = role(box, account, "r", allow(SEND, target), service=SERVICE)
    arn = schedule(box, account, "rate(1 hour)", Arn=target, RoleArn=may)
    box.advance(3601)
    fired(box)
    (event,) = bodies(box, target)
    assert (event["source"], event["resources"], event["detail"]) == ("aws.scheduler", [arn], "{}")


@pytest.mark.parametrize(
    ("service", "action"), [("events.amazonaws.com", SEND), (SERVICE, "sqs:ReceiveMessage")]
)
def test_a_role_that_does_not_fit_ends_in_the_dead_letters(
    box: Box, account: str, target: str, service: str, action: str
) -> None:
    letters = queue(box, account, "dead")
    may = role(box, account, "r", allow(action, target), service=service)
    dead = {"Arn": letters}
    schedule(box, account, "rate(1 hour)", Arn=target, RoleArn=may, DeadLetterConfig=dead)
    box.advance(3601)
    fired(box)
    assert bodies(box, target) == []
    (letter,) = messages(box, letters)
    assert attributes_of(letter)["ERROR_CODE"] == "NO_PERMISSIONS"


def test_a_schedule_that_is_switched_off_does_not_fire(box: Box, account: str, target: str) -> None:
    may = role(box, account, "r", allow(SEND, target), service=SERVICE)
    given = {"Arn": target, "RoleArn": may}
    schedule(box, account, "rate(1 hour)", **given)
    box.client("scheduler", account).update_schedule(
        Name="s",
        State="DISABLED",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=given,
    )
    box.advance(3601)
    fired(box)
    assert bodies(box, target) == []
