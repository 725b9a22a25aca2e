"""Invoke functions asynchronously, as Lambda does for events: retries, then a destination.

AWS waits one and two minutes between the tries; here the waits are short.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.core import patches, service_client
from sandbox.core.faults import Faults
from sandbox.core.service_client import Arn
from sandbox.core.task_pool import Work

LAMBDA = "ministack.services.lambda_svc"
TOPICS = "sns.amazonaws.com"
RETRY_WAITS = (0.2, 0.4)
THROTTLE_WAIT = 0.2


class Invocations:
    """The queue that Lambda keeps for asynchronous invocations, and how many run at once."""

    def __init__(self, work: Work, faults: Faults, *, workers: int) -> None:
        self._work = work
        self._faults = faults
        self._workers = workers

    def install(self) -> None:
        """Take over InvocationType=Event and what the emulator's own services invoke.

        Event source mappings stay the emulator's; each runs no more functions at once than we.
        """

        def invoke_async(function: dict[str, Any], event: Any) -> None:
            config = function.get("config") or function
            self.start(config["FunctionArn"], event)

        def concurrency(*of_mapping: Any) -> int:
            return min(int(original(*of_mapping)), self._workers)

        def logs(function: dict[str, Any], *more: Any, **others: Any) -> None:
            # What runs on while its function is deleted would make the log group anew; on AWS its
            # role is gone by then, and nothing is written.
            name = (function.get("config") or function).get("FunctionName")
            if name in patches.get(LAMBDA, "_functions"):
                emit(function, *more, **others)

        def from_topic(function: str, envelope: str, topic: str, *more: Any) -> None:
            # The topic's ARN alone comes along (Lambda Developer Guide, "Invoking Lambda functions
            # with Amazon SNS notifications").
            policy = service_client.function_policy(function)
            if service_client.service_may(
                policy, TOPICS, "lambda:InvokeFunction", function, arn=topic
            ):
                deliver(function, envelope, topic, *more)

        def poll() -> bool:
            # What a pass has taken is hidden, and runs only when the pass is over.
            with self._work.busy():
                return bool(poll_queues())

        patches.replace(LAMBDA, "invoke_async_with_retry", invoke_async)
        deliver = patches.replace("ministack.services.sns", "_deliver_to_lambda", from_topic)
        poll_queues = patches.replace(LAMBDA, "_poll_sqs", poll)
        emit = patches.replace(LAMBDA, "_emit_lambda_logs", logs)
        original = patches.replace(LAMBDA, "_sqs_esm_concurrency", concurrency)

    def start(self, function_arn: str, payload: Any) -> None:
        """Accept an event for a function: from now on it is this object's duty."""
        self._work.invoke(self._try, Arn.parse(function_arn), payload, str(uuid.uuid4()), 1)

    def _try(self, function: Arn, payload: Any, request: str, attempt: int) -> None:
        if self._faults.take("lambda", "Throttle"):
            status, error, result = 429, "", None
        else:
            status, error, result = service_client.invoke(function, payload)
        if status == 429:
            self._work.later(THROTTLE_WAIT, self._again, function, payload, request, attempt)
            return
        if status == 200 and not error:
            return
        config = service_client.invoke_config(function)
        retries = config.get("MaximumRetryAttempts", len(RETRY_WAITS))
        if attempt <= retries:
            wait = RETRY_WAITS[attempt - 1]
            self._work.later(wait, self._again, function, payload, request, attempt + 1)
            return
        self._give_up(function, payload, request, attempt, config, error or "Unhandled", result)

    def _again(self, function: Arn, payload: Any, request: str, attempt: int) -> None:
        self._work.invoke(self._try, function, payload, request, attempt)

    def _give_up(
        self,
        function: Arn,
        payload: Any,
        request: str,
        attempts: int,
        config: dict[str, Any],
        error: str,
        result: Any,
    ) -> None:
        function_config = service_client.function_config(function) or {}
        role = function_config.get("Role", "")
        destination = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if destination:
            record = _failure_record(
                function_config.get("FunctionArn", ""), payload, request, attempts, error, result
            )
            _deliver(destination, json.dumps(record), role=role)
        letters = function_config.get("DeadLetterConfig", {}).get("TargetArn")
        if letters:
            attributes = {
                "RequestID": request,
                "ErrorCode": "200",
                "ErrorMessage": str((result or {}).get("errorMessage", ""))[:1024],
            }
            _deliver(letters, json.dumps(payload), role=role, attributes=attributes)


def _failure_record(
    function_arn: str, payload: Any, request: str, attempts: int, error: str, result: Any
) -> dict[str, Any]:
    """The record of a destination (Lambda Developer Guide, "Asynchronous invocation records")."""
    now = datetime.now(UTC)
    return {
        "version": "1.0",
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z",
        "requestContext": {
            "requestId": request,
            "functionArn": f"{function_arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": payload,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": error,
        },
        "responsePayload": result,
    }


def _deliver(
    queue_arn: str, body: str, *, role: str, attributes: dict[str, str] | None = None
) -> None:
    """Send under the function's own role, as Lambda does: without the permission it is lost."""
    queue = Arn.parse(queue_arn)
    if queue.service != "sqs":
        raise NotImplementedError(f"the sandbox delivers failures to queues only: {queue_arn}")
    key = service_client.role_credentials(role, "awslambda")
    if service_client.may(key, "sqs:SendMessage", queue_arn, region=queue.region):
        service_client.send(queue_arn, body, attributes)
