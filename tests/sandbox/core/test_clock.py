"""The clock of the sandbox goes forward at a word, for whoever goes by the time of day."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from sandbox.box import Box
from tests.sandbox.parts import allow, function

HOUR = 3600.0


def test_functions_see_the_time_that_was_skipped_warm_or_cold(box: Box, account: str) -> None:
    lambdas = box.client("lambda", account)
    function(box, account, "clock", "import time\ndef handler(*_): return time.time()")

    def reported() -> float:
        return float(json.load(lambdas.invoke(FunctionName="clock")["Payload"]))

    before = reported() - time.time()
    box.advance(HOUR)
    warm = reported() - time.time()
    lambdas.update_function_configuration(FunctionName="clock", MemorySize=256)
    cold = reported() - time.time()
    assert [round(one - before, -1) for one in (warm, cold)] == [HOUR, HOUR]


def test_a_hidden_message_comes_back_when_its_time_has_passed(box: Box, account: str) -> None:
    sqs = box.client("sqs", account)
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "3600"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    box.advance(HOUR - 60)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    box.advance(61)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


def test_whoever_waits_for_quiet_sees_the_same_clock(box: Box, account: str) -> None:
    source = "def handler(*_): raise ValueError"
    function(box, account, "poller", source, allow("sqs:*"))
    sqs = box.client("sqs", account)
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "3600"})["QueueUrl"]
    mapping = box.client("lambda", account).create_event_source_mapping(
        EventSourceArn=f"arn:aws:sqs:us-east-1:{account}:q", FunctionName="poller"
    )
    sqs.send_message(QueueUrl=url, MessageBody="m")
    box.settle(ignore_hidden=True)
    with pytest.raises(TimeoutError, match="1 messages in q"):
        box.settle(0.1)
    box.client("lambda", account).update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    box.advance(HOUR + 1)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


def test_a_clock_does_not_go_back(box: Box) -> None:
    with pytest.raises(ValueError, match="does not go back"):
        box.advance(-1)


def test_records_and_iam_write_down_the_time_that_functions_see(box: Box, account: str) -> None:
    iam = box.client("iam", account, quiet=False)
    box.advance(HOUR)
    made = iam.create_user(UserName="alice")["User"]["CreateDate"].timestamp()
    record = [one for one in box.records if one["recipientAccountId"] == account][-1]
    reported = datetime.fromisoformat(record["eventTime"]).timestamp()
    assert [round(one - box.state.now(), -2) for one in (made, reported)] == [0, 0]
    key = box.new_session(account, "role", "iam:ListUsers")
    box.client("iam", key=key).list_users()
    record = [one for one in box.records if one["recipientAccountId"] == account][-1]
    began = record["userIdentity"]["sessionContext"]["attributes"]["creationDate"]
    assert round(datetime.fromisoformat(began).timestamp() - box.state.now(), -2) == 0
    assert abs(box.state.now() - time.time()) >= HOUR
