"""Events late, twice, shuffled or lost: as a seed says, and the same again for the same seed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.box import Box
from tests.sandbox.parts import bodies, open_queue, put, rule

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def in_order_again(box: Box) -> Iterator[None]:
    yield
    box.lose(None)
    box.disorder(None)
    box.settle()


def played(box: Box, account: str, name: str, count: int) -> list[int]:
    """Put events 0, 1, 2... and answer the numbers as they came to a queue."""
    queue = open_queue(box, account, name)
    rule(box, account, {"source": [name]}, {"Arn": queue}, name=name)
    key = box.new_user(account, name, "events:PutEvents")
    for number in range(count):
        put(box, key, "default", source=name, number=number)
    box.settle()
    came: list[int] = []
    while page := bodies(box, queue):
        came += [event["detail"]["number"] for event in page]
    return came


def test_nothing_comes_before_somebody_waits(box: Box, account: str) -> None:
    box.disorder(1, late=0, twice=0)
    queue = open_queue(box, account, "q")
    rule(box, account, {"source": ["parts"]}, {"Arn": queue})
    put(box, box.new_user(account, "u", "events:PutEvents"), "default")
    assert bodies(box, queue) == []
    box.settle()
    assert len(bodies(box, queue)) == 1


def test_the_order_is_a_function_of_the_seed(box: Box, account: str) -> None:
    runs = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        box.disorder(seed, late=0.5, twice=0.3)
        runs.append(played(box, account, name, 9))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert {*runs[0]} == {*range(9)}


def test_shuffled_only_each_comes_once(box: Box, account: str) -> None:
    box.disorder(3, late=0, twice=0)
    came = played(box, account, "a", 9)
    assert came != sorted(came)
    assert sorted(came) == [*range(9)]


def test_twice_for_all_is_each_event_twice(box: Box, account: str) -> None:
    box.disorder(3, late=0, twice=1)
    came = played(box, account, "a", 6)
    assert Counter(came) == dict.fromkeys(range(6), 2)
    assert sorted(came[:6]) == [*range(6)]


def test_in_order_again_delivers_what_was_held(box: Box, account: str) -> None:
    box.disorder(3)
    queue = open_queue(box, account, "q")
    rule(box, account, {"source": ["parts"]}, {"Arn": queue})
    put(box, box.new_user(account, "u", "events:PutEvents"), "default")
    box.disorder(None)
    box.settle()
    assert len(bodies(box, queue)) == 1


def test_a_lost_record_is_in_the_history_and_on_no_bus(box: Box, account: str) -> None:
    queue = open_queue(box, account, "q")
    rule(box, account, {"source": ["aws.iam"]}, {"Arn": queue})
    box.lose(lambda record: record["eventName"] == "CreateGroup")
    iam = box.client("iam", account, quiet=False)
    iam.create_group(GroupName="lost")
    iam.create_user(UserName="told")
    box.settle()
    assert [event["detail"]["eventName"] for event in bodies(box, queue)] == ["CreateUser"]
    assert [one["requestParameters"] for one in box.lost if one["recipientAccountId"] == account]
    found = box.client("cloudtrail", account).lookup_events()["Events"]
    assert {one["EventName"] for one in found} == {"CreateGroup", "CreateUser"}


CHAIN = """
import json, sys
from sandbox.box import open_box
from tests.sandbox.parts import allow, bodies, function, open_queue, rule
CODE = '''import boto3
def handler(event, _):
    name = event["detail"]["requestParameters"]["groupName"]
    iam = boto3.client("iam")
    taken = [one["GroupName"] for one in iam.list_groups()["Groups"]]
    for child in (name + "x", name + "y"):
        if len(name) == 1 and child not in taken:
            iam.create_group(GroupName=child)
'''
with open_box(member_count=1, workers=1, seed=7) as box:
    (account,) = box.members
    arn = function(box, account, "f", CODE, allow("iam:*"))
    box.client("lambda", account).add_permission(
        FunctionName="f", StatementId="s", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com")
    queue = open_queue(box, account, "q")
    pattern = {"detail": {"eventName": ["CreateGroup"]}}
    rule(box, account, pattern, {"Arn": arn}, {"Arn": queue})
    for name in "abc":
        box.client("iam", account, quiet=False).create_group(GroupName=name)
    box.settle(60)
    came = []
    while page := bodies(box, queue):
        came += [one["detail"]["requestParameters"]["groupName"] for one in page]
    print(json.dumps(came))
"""


def test_with_one_worker_a_run_repeats_exactly() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", CHAIN], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    came = json.loads(runs[0])
    assert {*came} == {"a", "b", "c", "ax", "ay", "bx", "by", "cx", "cy"}
    assert len(came) > 9
