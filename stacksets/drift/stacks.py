"""Drift of the two ordinary stacks: the central one, and the management account's own.

Neither is ever made anew for it: the one holds the incidents and everybody's heartbeats, the other
the ledger of the account that nothing else guards. So it is named, and how to put it back is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from stacksets.config.model import CENTRAL_STACK
from stacksets.containments.repair import Drift
from stacksets.observe.clients import Clients
from stacksets.observed.model import Stack
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Step, StepKind, Unreached, Until, Wait

# In no other state does CloudFormation compare a stack (User Guide, "Detect drift on an entire
# CloudFormation stack").
COMPARED = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)


def ordinary_stacks(given: Given) -> tuple[Stack, ...]:
    """Those of the two stacks that are there and may be seen."""
    found = (given.observed.central, given.observed.management_stack)
    return tuple(one for one in found if one is not None)


def stack_detection_steps(given: Given) -> Iterator[Step]:
    """Let CloudFormation compare both with their templates."""
    for stack in ordinary_stacks(given):
        if stack.status in COMPARED:
            yield Step(
                kind=_kind(stack),
                says=f"Compare the stack {stack.name} with its template",
                target_text="nothing is changed",
                calls=(
                    Call(
                        stack.account,
                        "cloudformation",
                        "DetectStackDrift",
                        {"StackName": stack.name},
                    ),
                ),
                wait=Wait(Until.COMPARED, stack.account, stack.name),
                accounts=(stack.account,),
            )


def not_compared(given: Given) -> dict[str, str]:
    """Why, by account, for stacks that CloudFormation does not compare as they are."""
    return {
        stack.account: f"the stack {stack.name} is {stack.status}: run apply first"
        for stack in ordinary_stacks(given)
        if stack.status not in COMPARED
    }


def stack_resources(client: Any, stack: Stack) -> Iterator[Drift]:
    """Every resource of a stack that has drifted, by the last look. Raises ClientError."""
    named = {"StackName": stack.name, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    token: dict[str, str] = {}
    while True:
        # boto3 has no paginator for this one.
        page = client.describe_stack_resource_drifts(**named, **token)
        for row in page["StackResourceDrifts"]:
            yield Drift(
                account=stack.account,
                ring="",
                resource=row["LogicalResourceId"],
                kind=row["ResourceType"],
                status=row["StackResourceDriftStatus"],
                paths=tuple(one["PropertyPath"] for one in row.get("PropertyDifferences", ())),
                stack=stack.name,
            )
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def found_in_stacks(clients: Clients, given: Given) -> list[Drift]:
    """Everything that has drifted in the two ordinary stacks. Raises ClientError, CannotEnter."""
    return [
        one
        for stack in ordinary_stacks(given)
        if stack.status in COMPARED
        for one in stack_resources(clients.of("cloudformation", stack.account), stack)
    ]


def by_hand(given: Given, found: Iterable[Drift]) -> Iterator[Unreached]:
    """What no mending reaches, and what a person does about it."""
    drifts = tuple(found)
    for stack in ordinary_stacks(given):
        names = sorted({one.resource for one in drifts if one.stack == stack.name})
        if names:
            yield Unreached(
                "",
                (stack.account,),
                f"The stack {stack.name} in {stack.account} has drifted in {', '.join(names)}, "
                f"and is never made anew: {_remembers(stack)}.",
                "Undo the change by hand, or let CloudFormation put back what the template says, "
                f"with credentials of that account: {put_back(stack.name)}",
            )


def put_back(name: str) -> str:
    """The commands of a change set that reverts drift (CloudFormation User Guide, "Using
    drift-aware change sets"). A parameter that is not named would go back to its default."""
    named = f"--stack-name {name} --change-set-name revert-drift"
    keys = (
        f"aws cloudformation describe-stacks --stack-name {name} --output text "
        "--query 'Stacks[0].Parameters[].[ParameterKey]' | "
        "sed 's/.*/ParameterKey=&,UsePreviousValue=true/'"
    )
    return (
        f"aws cloudformation create-change-set {named} --deployment-mode REVERT_DRIFT "
        f"--use-previous-template --capabilities CAPABILITY_NAMED_IAM --parameters $({keys}); "
        f"then aws cloudformation describe-change-set {named}, and where it replaces or removes "
        f"nothing, aws cloudformation execute-change-set {named}"
    )


def _kind(stack: Stack) -> StepKind:
    return StepKind.CENTRAL if stack.name == CENTRAL_STACK else StepKind.MANAGEMENT


def _remembers(stack: Stack) -> str:
    if stack.name == CENTRAL_STACK:
        return "it holds the incidents and what was heard of every account"
    return "it holds the ledger of who is an administrator there"
