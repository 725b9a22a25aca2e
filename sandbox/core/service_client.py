"""Talk to the emulator's services from within the process, as AWS's own services do.

No signature and no authorization: whoever calls here has decided already that it may.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sandbox.core import patches

EVALUATOR = "ministack.core.iam_evaluator"
TARGETS = {"events": "AWSEvents", "sqs": "AmazonSQS"}
CALL_TIMEOUT = 120.0
LONGEST_FUNCTION = 900.0


class Refused(Exception):
    """The emulator answered a call with an error: `code` as AWS names it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Arn:
    """The parts of an ARN; `resource` is all after the account."""

    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, arn: str) -> Arn:
        _, _, service, region, account, resource = arn.split(":", 5)
        return cls(service=service, region=region, account=account, resource=resource)


def ask(service: str, action: str, account: str, region: str, **params: Any) -> dict[str, Any]:
    """Make a call of a JSON service (events, sqs) in an account; Refused on an error."""
    status, _, body = _handled(
        service,
        account,
        region,
        method="POST",
        path="/",
        headers={
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"{TARGETS[service]}.{action}",
        },
        body=json.dumps(params).encode(),
    )
    answer: dict[str, Any] = json.loads(body or b"{}")
    if status >= 300:
        raise Refused(str(answer.get("__type", status)).rpartition("#")[2], str(answer))
    return answer


def invoke(function: Arn, payload: Any) -> tuple[int, str, Any]:
    """Run a function once and wait: HTTP status, function error ("" when none), what it gave."""
    status, headers, body = _handled(
        "lambda",
        function.account,
        function.region,
        method="POST",
        path=f"/2015-03-31/functions/{function_name(function)}/invocations",
        headers={"content-type": "application/json"},
        body=json.dumps(payload).encode(),
        timeout=LONGEST_FUNCTION,
    )
    return status, headers.get("X-Amz-Function-Error", ""), json.loads(body or b"null")


def invoke_config(function: Arn) -> dict[str, Any]:
    """The function's EventInvokeConfig under $LATEST, {} when it has none."""
    status, _, body = _handled(
        "lambda",
        function.account,
        function.region,
        method="GET",
        path=f"/2019-09-25/functions/{function_name(function)}/event-invoke-config",
        headers={},
        query={"Qualifier": ["$LATEST"]},
    )
    read: dict[str, Any] = json.loads(body) if status == 200 else {}
    return read


def function_config(function: Arn) -> dict[str, Any] | None:
    """The function's configuration, None when there is no such function."""
    status, _, body = _handled(
        "lambda",
        function.account,
        function.region,
        method="GET",
        path=f"/2015-03-31/functions/{function_name(function)}/configuration",
        headers={},
    )
    read: dict[str, Any] | None = json.loads(body) if status == 200 else None
    return read


def function_name(function: Arn) -> str:
    return function.resource.split(":")[1]


def send(queue_arn: str, body: str, attributes: dict[str, str] | None = None) -> None:
    """Put a message into a queue; Refused when there is none."""
    queue = Arn.parse(queue_arn)
    found = ask("sqs", "GetQueueUrl", queue.account, queue.region, QueueName=queue.resource)
    ask(
        "sqs",
        "SendMessage",
        queue.account,
        queue.region,
        QueueUrl=found["QueueUrl"],
        MessageBody=body,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value}
            for name, value in (attributes or {}).items()
        },
        **({"MessageGroupId": "events"} if queue.resource.endswith(".fifo") else {}),
    )
    patches.get("ministack.core.concurrency", "esm_wake").set()


def scope(account: str, region: str) -> Any:
    """A context in which the emulator's own functions work in an account and region, over TLS."""
    patches.get(EVALUATOR, "pin_request_origin")("127.0.0.1", True)
    return patches.get("ministack.core.responses", "request_scope")(account, region)


def role_credentials(role_arn: str, session: str) -> str:
    """Open a session of a role for an AWS service and answer its access key.

    For checks of what the role may do (`may`); trust is checked by `trusts`.
    """
    role = Arn.parse(role_arn)
    name = role.resource.rpartition("/")[2]
    digest = hashlib.sha256(f"{role_arn}:{session}".encode()).hexdigest().upper()
    key = f"ASIA{digest[:16]}"
    patches.get("ministack.services.sts", "register_session")(
        key,
        {
            "Arn": f"arn:aws:sts::{role.account}:assumed-role/{name}/{session}",
            "UserId": f"{(role_record(role_arn) or {}).get('RoleId', '')}:{session}",
            "SecretAccessKey": digest,
            "SessionToken": digest,
            "AccountId": role.account,
            "PrincipalType": "AssumedRole",
        },
    )
    return key


def role_record(role_arn: str) -> dict[str, Any] | None:
    """The emulator's role of exactly this ARN, path included."""
    role = Arn.parse(role_arn)
    roles = patches.get("ministack.services.iam", "_roles")
    found: dict[str, Any] | None = roles.get_scoped(
        role.account, None, role.resource.rpartition("/")[2]
    )
    return found if found and found["Arn"] == role_arn else None


def may(key: str, action: str, resource: str, *, region: str, **context: str) -> bool:
    """Whether the policies of a key's principal allow an action on a resource."""
    account = patches.get("ministack.services.sts", "_sessions")[key]["AccountId"]
    with scope(account, region):
        denied = patches.get(EVALUATOR, "enforce")(
            key,
            action,
            action.partition(":")[0],
            region,
            resource_arn=resource,
            service_context={name.replace("__", ":"): value for name, value in context.items()},
        )
    return denied is None


def trusts(role_arn: str, service: str, **source: str) -> bool:
    """Whether a role exists and its trust policy lets an AWS service assume it, for a `source`."""
    record = role_record(role_arn)
    document = (record or {}).get("AssumeRolePolicyDocument")
    return service_may(document, service, "sts:AssumeRole", role_arn, **source)


def service_may(
    policy: Any, service: str, action: str, resource: str, *, arn: str = "", account: str = ""
) -> bool:
    """Whether a resource's own policy lets an AWS service in, which needs an Allow.

    `arn` and `account` are aws:SourceArn and aws:SourceAccount: absent unless the service sends
    them, as its own pages say.
    """
    sent = {"aws:sourcearn": arn, "aws:sourceaccount": account}
    context = patches.get(EVALUATOR, "EvalContext")(
        principal_arn="",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=Arn.parse(resource).region,
        service_context={
            "aws:principalisawsservice": "true",
            **{key: value for key, value in sent.items() if value},
        },
    )
    judge = patches.get(EVALUATOR, "evaluate_resource_policy")
    return bool(judge(policy, context, service=service).decision == "Allow")


def function_policy(function_arn: str) -> Any:
    """A function's own policy, None when there is no such function."""
    function = Arn.parse(function_arn)
    with scope(function.account, function.region):
        found = patches.get("ministack.services.lambda_svc", "function_policy_for_arn")(
            function_arn
        )
    return found[0] if found else None


def _handled(
    service: str,
    account: str,
    region: str,
    *,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes = b"",
    query: dict[str, list[str]] | None = None,
    timeout: float = CALL_TIMEOUT,
) -> tuple[int, dict[str, str], bytes]:
    app = "ministack.app"
    with scope(account, region):
        status, answered, sent = patches.get(app, "call_service_handler_sync")(
            patches.get(app, "SERVICE_HANDLERS")[service],
            method,
            path,
            headers,
            body,
            query or {},
            timeout,
        )
    return status, answered, sent if isinstance(sent, bytes) else str(sent).encode()
