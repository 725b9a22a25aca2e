"""One Organization for the attacks: enforcing, four hours old, its administrators known before.

A box of its own, since a process holds one at a time and the others' is in other modes.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handler.model.names import BUS, REPORT_DETAIL_TYPE
from sandbox.box import Box, open_box
from sandbox.core.keys import REGION, Key
from sandbox.demo.product_setup import Stage, install
from tests.attacks.play import ADMINISTRATORS, REPORTS_SEEN, Inbox, Play
from tests.attacks.rows import Where
from tests.end_to_end.rollout import deploy_member
from tests.second_opinion.recorder import Decided, recorded

HERE = Path(__file__).parent
# The circuit breaker is armed for four hours after a rollout.
BREAKER_SECONDS = 4 * 3_600 + 60
_numbers = itertools.count(1)

NewPlay = Callable[[Where], Play]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: HERE not in item.path.parents)


@pytest.fixture(scope="package")
def box() -> Iterator[Box]:
    with open_box(member_count=3, held=True) as opened:
        yield opened


@pytest.fixture(scope="package", autouse=True)
def decided(box: Box) -> Iterator[list[Decided]]:
    """What the box decides while attacks are played; test_with_second_opinion.py looks at it."""
    with recorded(box.organization) as heard:
        yield heard


@pytest.fixture(scope="package")
def stage(box: Box) -> Stage:
    """The product in force everywhere; what the rollout itself called has been handled."""
    # All attacks are on a few accounts within minutes, and each of them is to be seen in its mail.
    installed = install(box, mode="enforce", central={"MailsPerMinute": "240"})
    _listen(box)
    box.settle()
    box.advance(BREAKER_SECONDS)
    # The central account has swept, as it does each minute: its alarms have said that all is well.
    for _ in range(2):
        box.tick()
        box.settle()
        box.advance(61)
    box.settle()
    return installed


@pytest.fixture(scope="package")
def administrators(stage: Stage) -> dict[str, Key]:
    """alice, an administrator of every account before the product comes."""
    box = stage.box
    chief = box.new_user(box.management, "alice", "iam:*", groups=(ADMINISTRATORS,))
    return {**stage.alice, box.management: chief}


def _listen(box: Box) -> None:
    """Keep a copy of every report, beside what the product does with it."""
    sqs, events = box.client("sqs", box.security), box.client("events", box.security)
    queue = f"arn:aws:sqs:{REGION}:{box.security}:{REPORTS_SEEN}"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.create_queue(QueueName=REPORTS_SEEN, Attributes={"Policy": policy})
    events.put_rule(
        Name=REPORTS_SEEN,
        EventBusName=BUS,
        EventPattern=json.dumps({"detail-type": [REPORT_DETAIL_TYPE]}),
    )
    events.put_targets(Rule=REPORTS_SEEN, EventBusName=BUS, Targets=[{"Id": "queue", "Arn": queue}])


@pytest.fixture(scope="package")
def inbox(box: Box, stage: Stage) -> Inbox:
    return Inbox(box)


@pytest.fixture(scope="package")
def new_play(stage: Stage, inbox: Inbox, administrators: dict[str, Key]) -> NewPlay:
    """Begin a play, with names that nobody had before."""

    def begin(where: Where = "member") -> Play:
        box, number = stage.box, next(_numbers)
        match where:
            case "member":
                account = box.members[0]
            case "spare":
                account = box.members[1]
            case "watched":
                account = box.members[2]
            case "management":
                account = box.management
                _deploy(stage, account)
            case "new member":
                # Below the root no StackSet follows, so that nothing has been called there yet.
                account = box.new_account(f"attacked-{number}", parent=box.layout.root)
                administrators[account] = box.new_user(
                    account, "alice", "iam:*", groups=(ADMINISTRATORS,)
                )
                _deploy(stage, account)
        return Play(stage, account, number, inbox, administrators[account])

    return begin


@pytest.fixture
def play(new_play: NewPlay) -> Play:
    return new_play("member")


def _deploy(stage: Stage, account: str) -> None:
    deploy_member(
        stage.box,
        account,
        CentralBusArn=stage.bus_arn,
        Mode="enforce",
        MissingGroup="treat-as-empty",
        BreakerLimit="0",
    )


@pytest.fixture(autouse=True)
def no_fault_is_left(box: Box) -> Iterator[None]:
    """A fault that nothing has met has tested nothing, and would meet the next test."""
    yield
    assert box.forget_faults() == []
