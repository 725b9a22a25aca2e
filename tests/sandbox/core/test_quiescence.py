"""Who waits for quiet waits for whatever was taken from a queue, and hears of what failed once."""

from __future__ import annotations

import importlib
import threading
import time
from typing import Any

import pytest

from sandbox.box import Box
from sandbox.core import quiescence
from sandbox.core.task_pool import Work
from tests.sandbox.events.test_router import PASS_ON
from tests.sandbox.parts import allow, bodies, function, queue

SECONDS = 0.5


@pytest.mark.parametrize(
    ("module", "name", "first"),
    [
        pytest.param("sqs", "_receive_messages_for_esm", False, id="slow to hand over"),
        pytest.param("lambda_svc", "_run_sqs_batch", True, id="slow to begin"),
        pytest.param("sqs", "_delete_messages_for_esm", True, id="slow to delete"),
    ],
)
def test_a_message_is_in_flight_from_its_taking_to_its_end(
    box: Box, account: str, monkeypatch: pytest.MonkeyPatch, module: str, name: str, first: bool
) -> None:
    """`first`: it waits and then works, and not after it has something to hand over."""
    work, seen = queue(box, account, "work"), queue(box, account, "seen")
    function(box, account, "f", PASS_ON, allow("sqs:*"), QUEUE="seen")
    lambdas, sqs = box.client("lambda", account), box.client("sqs", account)
    mapping = lambdas.create_event_source_mapping(FunctionName="f", EventSourceArn=work)
    service = importlib.import_module(f"ministack.services.{module}")
    reached, original = threading.Event(), getattr(service, name)

    def wait() -> None:
        reached.set()
        time.sleep(SECONDS)

    def slow(*given: Any) -> Any:
        if first:
            wait()
        answer = original(*given)
        if answer and not first:
            wait()
        return answer

    monkeypatch.setattr(service, name, slow)
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")
    assert reached.wait(60)
    box.settle(ignore_hidden=True)
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counted["ApproximateNumberOfMessagesNotVisible"] == "0"
    (event,) = bodies(box, seen)
    assert event["Records"][0]["body"] == "m"
    lambdas.delete_event_source_mapping(UUID=mapping["UUID"])


def test_what_failed_is_told_once_so_that_those_who_come_after_may_wait_again(box: Box) -> None:
    work = Work(workers=1)

    def broken() -> None:
        raise ValueError("a delivery that failed")

    work.route(broken)
    with pytest.raises(RuntimeError, match="a delivery that failed"):
        quiescence.settle(work, let_go=lambda: False, timeout=60, ignore_hidden=True)
    quiescence.settle(work, let_go=lambda: False, timeout=60, ignore_hidden=True)
    work.close()
