"""IAM calls that AWS makes on somebody's behalf: done by the emulator, told as CloudTrail records.

Knows nothing of stacks, and checks no permission: CloudFormation may do all here.
"""

from __future__ import annotations

import uuid
from typing import Any

import botocore.parsers
import botocore.serialize

from sandbox.core import patches
from sandbox.core.calls import Call, quiet, service_model
from sandbox.core.records import record_of
from sandbox.core.request_context import CALLER, account_now, refused_to_caller, region_now
from sandbox.core.state import State
from sandbox.iam.authorization import iam_context, iam_resource

CLOUDFORMATION = "cloudformation.amazonaws.com"


class IamRefusal(ValueError):
    """IAM said no. Its text is what a stack event shows; `code` is IAM's error code."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(
            f'Resource handler returned message: "{message} (Service: Iam, Status Code: {status}, '
            f'Request ID: {uuid.uuid4()})"'
        )
        self.code, self.message = code, message


def iam_call(operation: str, **parameters: Any) -> dict[str, Any]:
    """Do one IAM call in the account of the running request; parameters and answer as boto3 has
    them. Raises IamRefusal. Leaves no record, and as AWS itself it meets no quota and may touch
    protected roles."""
    return _accepted(_answer(operation, parameters, free=True))


def reported_iam_call(state: State, operation: str, **parameters: Any) -> dict[str, Any]:
    """The same, as CloudFormation makes it for the caller of the running request: its record,
    refusal or not, goes to the account's bus. Where there is no caller nothing is told."""
    answer = _refused(state, operation, parameters)
    answer = answer or _answer(operation, parameters, free=False)
    caller = CALLER.get()
    if caller is not None:
        call = Call(
            service="iam",
            operation=service_model("iam").operation_model(operation),
            access_key="",
            region=region_now(),
            headers={"user-agent": CLOUDFORMATION},
            params=parameters,
        )
        identity = {**caller, "invokedBy": CLOUDFORMATION}
        account = account_now()
        state.emit(
            record_of(
                call,
                identity=identity,
                account=account,
                answer=answer,
                source=CLOUDFORMATION,
                when=state.now(),
            )
        )
    return _accepted(answer)


def _refused(state: State, operation: str, parameters: dict[str, Any]) -> dict[str, Any] | None:
    """The answer when a service control policy forbids the caller a call."""
    asked = _body(operation, parameters)
    resource = iam_resource(asked, account_now()) or asked.get("PolicyArn") or "*"
    context = {key.lower(): value for key, value in iam_context(asked).items()}
    reason = refused_to_caller(state, f"iam:{operation}", resource, context)
    if reason is None:
        return None
    identity = {"HTTPStatusCode": 403, "RequestId": str(uuid.uuid4())}
    return {"Error": {"Code": "AccessDenied", "Message": reason}, "ResponseMetadata": identity}


def _body(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters as the query protocol has them."""
    model = service_model("iam").operation_model(operation)
    query = botocore.serialize.create_serializer("query")
    body: dict[str, Any] = query.serialize_to_request(parameters, model)["body"]
    return body


def _accepted(answer: dict[str, Any]) -> dict[str, Any]:
    if error := answer.get("Error"):
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        raise IamRefusal(error["Code"], error["Message"], status)
    return answer


def _answer(operation: str, parameters: dict[str, Any], *, free: bool) -> dict[str, Any]:
    model = service_model("iam").operation_model(operation)
    handler = patches.get("ministack.services.iam", "_IAM_HANDLERS")[operation]
    before = quiet.set(free)
    try:
        status, headers, body = handler(_body(operation, parameters))
    finally:
        quiet.reset(before)
    parser: Any = botocore.parsers.create_parser("query")
    response = {"status_code": status, "headers": headers, "body": body}
    answer: dict[str, Any] = parser.parse(response, model.output_shape)
    return answer
