"""Look at our StackSets with their instances, and at ordinary stacks. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from handler.model.names import PRODUCT
from stacksets.observed.model import AutoDeployment, Instance, Operation, Stack, StackSet
from stacksets.observed.templates import digest_of, parse_template

# A name that StackSets of ours have, and nobody else's.
PREFIX = f"{PRODUCT}-"


def read_stack_sets(client: Any, *, call_as: str) -> dict[str, StackSet]:
    """Our StackSets by name, with all their instances. Raises ClientError."""
    pages = client.get_paginator("list_stack_sets").paginate(Status="ACTIVE", CallAs=call_as)
    names = [row["StackSetName"] for page in pages for row in page["Summaries"]]
    return {
        name: _stack_set(client, name, call_as)
        for name in sorted(names)
        if name == PRODUCT or name.startswith(PREFIX)
    }


def read_stack(client: Any, account: str, name: str) -> Stack | None:
    """A stack by its name; None where there is none. Raises ClientError."""
    try:
        row = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        # CloudFormation has no code of its own for this.
        if "does not exist" in str(error):
            return None
        raise
    document = parse_template(client.get_template(StackName=name)["TemplateBody"])
    return Stack(
        account=account,
        name=name,
        status=row["StackStatus"],
        reason=_reason(client, row),
        parameters=_values(row.get("Parameters", ())),
        template=document,
        digest=digest_of(document),
        outputs={one["OutputKey"]: one["OutputValue"] for one in row.get("Outputs", ())},
        drift=row.get("DriftInformation", {}).get("StackDriftStatus", ""),
    )


def first_failure(client: Any, name: str) -> str:
    """Why the latest operation of a stack failed: the oldest failure since it began, because the
    others follow from it; "" where CloudFormation names none. Raises ClientError."""
    reported = ""
    for page in client.get_paginator("describe_stack_events").paginate(StackName=name):
        for event in page["StackEvents"]:
            status = event.get("ResourceStatus", "")
            reason = event.get("ResourceStatusReason", "no reason given")
            if status.endswith("_FAILED") and "cancelled" not in reason.lower():
                reported = f"{event['LogicalResourceId']}: {reason}"
            began = status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
            if began and event["LogicalResourceId"] == name:
                return reported
    return reported


def _reason(client: Any, row: Mapping[str, Any]) -> str:
    """Why a stack is not whole: after a rollback only its events know."""
    failed = row["StackStatus"].endswith(("FAILED", "ROLLBACK_COMPLETE"))
    reported = first_failure(client, row["StackName"]) if failed else ""
    return reported or row.get("StackStatusReason", "")


def _stack_set(client: Any, name: str, call_as: str) -> StackSet:
    row = client.describe_stack_set(StackSetName=name, CallAs=call_as)["StackSet"]
    document = parse_template(row["TemplateBody"])
    deployment = row.get("AutoDeployment") or {}
    # The newest page is enough: what has not ended is among the latest.
    operations = client.list_stack_set_operations(StackSetName=name, CallAs=call_as)["Summaries"]
    return StackSet(
        name=name,
        status=row["Status"],
        description=row.get("Description", ""),
        parameters=_values(row.get("Parameters", ())),
        template=document,
        digest=digest_of(document),
        units=tuple(row.get("OrganizationalUnitIds", ())),
        auto_deployment=AutoDeployment(
            enabled=deployment.get("Enabled", False),
            retain=deployment.get("RetainStacksOnAccountRemoval", False),
        ),
        instances={one.account: one for one in _instances(client, name, call_as)},
        operations=tuple(
            Operation(
                id=one["OperationId"],
                action=one["Action"],
                status=one["Status"],
                reason=one.get("StatusReason") or "",
            )
            for one in operations
        ),
        managed=(row.get("ManagedExecution") or {}).get("Active", False),
    )


def _instances(client: Any, name: str, call_as: str) -> Iterator[Instance]:
    pages = client.get_paginator("list_stack_instances").paginate(StackSetName=name, CallAs=call_as)
    for page in pages:
        for row in page["Summaries"]:
            yield Instance(
                account=row["Account"],
                unit=row.get("OrganizationalUnitId", ""),
                status=row.get("Status", ""),
                detail=row.get("StackInstanceStatus", {}).get("DetailedStatus", ""),
                reason=row.get("StatusReason") or "",
                drift=row.get("DriftStatus", ""),
                stack_id=row.get("StackId") or "",
            )


def _values(rows: Any) -> dict[str, str]:
    # An empty value is left out of some answers.
    return {row["ParameterKey"]: row.get("ParameterValue", "") for row in rows}
