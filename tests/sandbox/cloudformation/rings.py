"""An OU of one's own for a StackSet, and short questions about what became of the set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import Box
from tests.sandbox.cloudformation.templates import NAMED, ended
from tests.waiting import wait_until

ALL = {"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100}
REGION = "us-east-1"


@dataclass(frozen=True)
class Ring:
    """An OU of one's own with two accounts, and a name for a set."""

    name: str
    ou: str
    accounts: tuple[str, str]


@pytest.fixture
def ring(box: Box, request: pytest.FixtureRequest) -> Iterator[Ring]:
    name = "".join(c for c in request.node.name.title() if c.isalnum())[:100]
    org = box.client("organizations", box.management)
    ou = org.create_organizational_unit(ParentId=box.layout.root, Name=name)
    ou_id = ou["OrganizationalUnit"]["Id"]
    accounts = tuple(box.new_account(f"{name}-{number}", parent=ou_id) for number in (1, 2))
    box.client("cloudformation", box.management).activate_organizations_access()
    yield Ring(name, ou_id, (accounts[0], accounts[1]))
    # No set is left that would follow accounts of other tests.
    for one in box.client("cloudformation", box.management).list_stack_sets()["Summaries"]:
        if one["StackSetName"] == name and one["AutoDeployment"]["Enabled"]:
            stop_following(box, name)


def stop_following(box: Box, name: str) -> None:
    """Let the set follow no account any more, as soon as what it follows just now has ended."""

    def done() -> bool:
        try:
            answer = box.client("cloudformation", box.management).update_stack_set(
                StackSetName=name,
                UsePreviousTemplate=True,
                Capabilities=NAMED,
                AutoDeployment={"Enabled": False},
            )
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "OperationInProgressException":
                raise
            return False
        ended(box, name, answer["OperationId"])
        return True

    wait_until(done)


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def make_set(box: Box, ring: Ring, body: str, **options: Any) -> Any:
    cloudformation = box.client("cloudformation", box.management)
    given = {
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": False},
        "Capabilities": NAMED,
        "TemplateBody": body,
        **options,
    }
    cloudformation.create_stack_set(StackSetName=ring.name, **given)
    return cloudformation


def fill(box: Box, ring: Ring, **options: Any) -> dict[str, Any]:
    """Create the instances of the ring's OU, and answer the operation when it has ended."""
    given = {
        "DeploymentTargets": {"OrganizationalUnitIds": [ring.ou]},
        "Regions": [REGION],
        "OperationPreferences": ALL,
        **options,
    }
    cloudformation = box.client("cloudformation", box.management)
    operation = cloudformation.create_stack_instances(StackSetName=ring.name, **given)
    return ended(box, ring.name, operation["OperationId"])


def instances(box: Box, ring: Ring) -> dict[str, tuple[str, str]]:
    listed = box.client("cloudformation", box.management).list_stack_instances(
        StackSetName=ring.name
    )
    return {
        one["Account"]: (one["Status"], one["StackInstanceStatus"]["DetailedStatus"])
        for one in listed["Summaries"]
    }


def results(box: Box, ring: Ring, operation: dict[str, Any]) -> dict[str, tuple[str, str]]:
    listed = box.client("cloudformation", box.management).list_stack_set_operation_results(
        StackSetName=ring.name, OperationId=operation["OperationId"]
    )
    return {
        one["Account"]: (one["Status"], one.get("StatusReason", "")) for one in listed["Summaries"]
    }


def queues(box: Box, account: str) -> list[str]:
    urls = box.client("sqs", account).list_queues().get("QueueUrls", [])
    return [url.rpartition("/")[2] for url in urls]


def operations(box: Box, ring: Ring) -> list[dict[str, Any]]:
    listed = box.client("cloudformation", box.management).list_stack_set_operations(
        StackSetName=ring.name
    )
    return list(listed["Summaries"])


def latest(box: Box, ring: Ring) -> dict[str, Any]:
    return ended(box, ring.name, operations(box, ring)[0]["OperationId"])


def let_go(box: Box, account: str) -> None:
    """Signal the stack in the account that waits, as soon as it does."""
    cloudformation = box.client("cloudformation", account)

    def signalled() -> bool:
        for stack in cloudformation.describe_stacks()["Stacks"]:
            try:
                cloudformation.signal_resource(
                    StackName=stack["StackName"],
                    LogicalResourceId="Wait",
                    UniqueId="1",
                    Status="SUCCESS",
                )
            except ClientError as refusal:
                if refusal.response["Error"]["Code"] != "ValidationError":
                    raise
                return False
            return True
        return False

    wait_until(signalled)
