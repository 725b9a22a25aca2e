"""Lambda refuses roles that it may not assume, and mappings whose role may not poll."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.cloudformation.templates import deploy, failures, resource, template
from tests.sandbox.parts import allow, function, queue, role

CODE = "def handler(*_): pass\n"
UNFIT = "The role defined for the function cannot be assumed by Lambda."
POLL = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def refusal(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    return str(error["Message"])


def test_a_role_for_another_service_is_refused(box: Box, account: str) -> None:
    function(box, account, "f", CODE)
    unfit = role(box, account, "unfit", service="events.amazonaws.com")
    lambdas = box.client("lambda", account)
    change = {"FunctionName": "f", "Role": unfit}
    assert refusal(lambdas.update_function_configuration, **change) == UNFIT
    made = {
        "FunctionName": "g",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": b"x"},
        "Role": unfit,
    }
    assert refusal(lambdas.create_function, **made) == UNFIT


def test_a_stack_with_an_unfit_role_rolls_back(box: Box, account: str) -> None:
    unfit = role(box, account, "unfit", service="events.amazonaws.com")
    body = template(
        Function=resource(
            "AWS::Lambda::Function",
            Runtime="python3.13",
            Handler="index.handler",
            Role=unfit,
            Code={"ZipFile": CODE},
        )
    )
    stack = deploy(box, account, "unfit", body)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert UNFIT in failures(box, account, stack["StackId"])["Function"]


def test_an_environment_above_4_kb_is_refused_names_and_quotes_included(
    box: Box, account: str
) -> None:
    lambdas = box.client("lambda", account)
    # {"A":"","B":""} are 15 characters.
    fits = {"A": "a" * 4_000, "B": "b" * (4_096 - 4_000 - 15)}
    function(box, account, "f", CODE, **fits)
    over = {**fits, "B": fits["B"] + "b"}
    change = {"FunctionName": "f", "Environment": {"Variables": over}}
    assert "4KB limit" in refusal(lambdas.update_function_configuration, **change)
    found = lambdas.get_function_configuration(FunctionName="f")["Environment"]["Variables"]
    assert found == fits
    with pytest.raises(ClientError, match="4KB limit"):
        function(box, account, "g", CODE, **over)


def test_a_stack_with_such_an_environment_rolls_back_made_or_changed(
    box: Box, account: str
) -> None:
    def body(size: int) -> str:
        properties = {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": role(box, account, f"r{size}", service="lambda.amazonaws.com"),
            "Code": {"ZipFile": CODE},
            "Environment": {"Variables": {"A": "a" * size}},
        }
        return template(Function=resource("AWS::Lambda::Function", **properties))

    refused = deploy(box, account, "large", body(4_089))
    assert refused["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "4KB limit" in failures(box, account, refused["StackId"])["Function"]
    assert deploy(box, account, "fits", body(4_088))["StackStatus"] == "CREATE_COMPLETE"
    changed = deploy(box, account, "fits", body(4_090))
    assert changed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


@pytest.mark.parametrize("missing", POLL)
def test_a_role_that_may_not_poll_gets_no_mapping(box: Box, account: str, missing: str) -> None:
    source = queue(box, account, "q")
    statements = [allow(action, source) for action in POLL if action != missing]
    function(box, account, "f", CODE, *statements)
    mapping: dict[str, Any] = {"EventSourceArn": source, "FunctionName": "f"}
    said = refusal(box.client("lambda", account).create_event_source_mapping, **mapping)
    call = missing.partition(":")[2]
    assert said == f"The function execution role does not have permissions to call {call} on SQS"
    stack = deploy(
        box, account, "m", template(Mapping=resource("AWS::Lambda::EventSourceMapping", **mapping))
    )
    assert said in failures(box, account, stack["StackId"])["Mapping"]


def test_a_role_that_may_poll_does(box: Box, account: str) -> None:
    source = queue(box, account, "q")
    arn = function(box, account, "f", CODE, *(allow(action, source) for action in POLL))
    lambdas = box.client("lambda", account)
    made = lambdas.create_event_source_mapping(EventSourceArn=source, FunctionName=arn)
    lambdas.delete_event_source_mapping(UUID=made["UUID"])
