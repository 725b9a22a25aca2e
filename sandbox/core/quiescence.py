"""Wait until nothing is in flight anywhere in the sandbox: events, functions, polled queues."""

from __future__ import annotations

import time
from collections.abc import Callable

from sandbox.core import patches
from sandbox.core.service_client import Arn
from sandbox.core.task_pool import Work

LAMBDA = "ministack.services.lambda_svc"
SQS = "ministack.services.sqs"
PAUSE = 0.01


def settle(work: Work, *, let_go: Callable[[], bool], timeout: float, ignore_hidden: bool) -> None:
    """Return when nothing is left to do; TimeoutError names what is.

    RuntimeError when the router itself failed. `ignore_hidden`: messages that wait for the end
    of a visibility timeout count as nothing. `let_go` delivers one more event whenever all is
    quiet, and answers False when it has none.
    """
    deadline = time.monotonic() + timeout
    quiet_looks = 0
    while quiet_looks < 2:
        if problems := work.new_problems():
            raise RuntimeError("the sandbox failed:\n" + "\n".join(problems))
        left = _left(work, ignore_hidden=ignore_hidden)
        # Two looks: between them a message may go from a queue to a function or back.
        quiet_looks = 0 if left else quiet_looks + 1
        if quiet_looks == 2 and let_go():
            quiet_looks = 0
        if left and time.monotonic() > deadline:
            raise TimeoutError(f"still in flight after {timeout} s: {', '.join(left)}")
        time.sleep(PAUSE)


def unhide(queue_arn: str) -> None:
    """Let the visibility timeouts of a queue's messages end now."""
    queue = patches.get(SQS, "_queue_by_arn")(queue_arn)
    now = patches.get(SQS, "time").time()
    for message in list(queue["messages"]):
        message["visible_at"] = min(message["visible_at"], now)
    patches.get("ministack.core.concurrency", "esm_wake").set()


def _left(work: Work, *, ignore_hidden: bool) -> list[str]:
    left = []
    # In the order in which a message goes, so that none slips by between two looks: it waits in a
    # queue, a poller's pass takes it, and before that pass ends it is in a batch, until its end.
    for account, _, mapping in patches.get(LAMBDA, "_iter_all_esms")():
        source = mapping.get("EventSourceArn", "")
        if mapping.get("Enabled", True) and source.startswith("arn:aws:sqs:"):
            waiting = _messages(source, ignore_hidden=ignore_hidden)
            if waiting:
                left.append(f"{waiting} messages in {Arn.parse(source).resource} of {account}")
    if in_flight := work.in_flight:
        left.append(f"{in_flight} deliveries")
    if batches := sum(patches.get(LAMBDA, "_esm_inflight").copy().values()):
        left.append(f"{batches} batches")
    running, by_function = patches.get(LAMBDA, "executions_in_flight")()
    if running:
        left.append(f"functions {sorted(by_function)}")
    return left


def _messages(queue_arn: str, *, ignore_hidden: bool) -> int:
    queue = patches.get(SQS, "_queue_by_arn")(queue_arn)
    now = patches.get(SQS, "time").time()
    messages = list(queue["messages"]) if queue else []
    return sum(not ignore_hidden or message["visible_at"] <= now for message in messages)
