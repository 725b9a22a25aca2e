"""Who waits for quiet waits for whatever was taken from a queue, and hears of what failed once."""

from __future__ import annotations

import importlib
import threading
from typing import Any

import pytest

from sandbox import settling
from sandbox.box import Box
from sandbox.work import Work
from tests.sandbox.parts import allow, bodies, function, queue
from tests.sandbox.test_router import PASS_ON

SECONDS = 0.5


@pytest.mark.parametrize(
    ("module", "name"),
    [
        pytest.param("ministack.services.sqs", "_receive_messages_for_esm", id="slow to hand over"),
        pytest.param("ministack.services.lambda_svc", "_run_sqs_batch", id="slow to begin"),
        pytest.param("ministack.services.sqs", "_delete_messages_for_esm", id="slow to delete"),
    ],
)
def test_a_message_is_in_flight_from_its_taking_to_its_end(
    box: Box, account: str, monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    work, seen = queue(box, account, "work"), queue(box, account, "seen")
    function(box, account, "f", PASS_ON, allow("sqs:*"), QUEUE="seen")
    lambdas, sqs = box.client("lambda", account), box.client("sqs", account)
    mapping = lambdas.create_event_source_mapping(FunctionName="f", EventSourceArn=work)
    reached, original = threading.Event(), getattr(importlib.import_module(module), name)

    def slow(*given: Any) -> Any:
        # What is received is hidden from here on; a batch begins, or is deleted, after its wait.
        batch = original(*given) if name.startswith("_receive") else True
        if batch:
            reached.set()
            threading.Event().wait(SECONDS)
        return batch if name.startswith("_receive") else original(*given)

    monkeypatch.setattr(f"{module}.{name}", slow)
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
        settling.settle(work, let_go=lambda: False, timeout=60, ignore_hidden=True)
    settling.settle(work, let_go=lambda: False, timeout=60, ignore_hidden=True)
    work.close()
