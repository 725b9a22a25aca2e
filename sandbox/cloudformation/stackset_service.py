"""The StackSets of the Organization, who may touch them, and how lists are paged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloudformation.stackset_model import Operation, StackSet, StackSetRefused
from sandbox.cloudformation.stackset_requests import Request, invalid
from sandbox.core.request_context import account_now, region_now
from sandbox.organizations.organization import Organization, accounts, is_administrator

SERVICE = "member.org.stacksets.cloudformation.amazonaws.com"
PAGE = 100


@dataclass
class StackSets:
    """The sets of the Organization by (region, name); they belong to the management account,
    whoever made them. Operations run on `loop`, the emulator's own."""

    organization: Organization
    activated: bool = False
    loop: asyncio.AbstractEventLoop | None = None
    sets: dict[tuple[str, str], StackSet] = field(default_factory=dict)


Action = Callable[[StackSets, Request], dict[str, Any]]


def check_caller(service: StackSets, request: Request) -> None:
    """CallAs SELF is the management account, DELEGATED_ADMIN an account registered for StackSets
    (docs: "Register a delegated administrator")."""
    caller = account_now()
    if request.get("CallAs") == "DELEGATED_ADMIN":
        if not is_administrator(service.organization, caller, SERVICE):
            raise invalid("Account used is not a delegated administrator")
    elif caller != service.organization.state.management or not accounts(service.organization):
        raise invalid(
            "You must be the management account or delegated admin account of an organization "
            "before operating a SERVICE_MANAGED stack set"
        )


def find_set(service: StackSets, request: Request) -> StackSet:
    check_caller(service, request)
    wanted = str(request["StackSetName"]).rpartition("/")[2]
    for (region, name), stack_set in service.sets.items():
        if region == region_now() and wanted in (name, stack_set.id):
            return stack_set
    message = f"StackSet {wanted} not found"
    raise StackSetRefused("StackSetNotFoundException", message, 404)


def find_operation(stack_set: StackSet, request: Request) -> Operation:
    wanted = request["OperationId"]
    if wanted not in stack_set.operations:
        message = f"Operation {wanted} not found"
        raise StackSetRefused("OperationNotFoundException", message, 404)
    return stack_set.operations[wanted]


def how(request: Request) -> dict[str, Any]:
    return {
        "reported": request.get("DeploymentTargets"),
        "preferences": request.get("OperationPreferences"),
        "operation_id": request.get("OperationId"),
    }


def page(request: Request, summaries: list[dict[str, Any]]) -> dict[str, Any]:
    token = request.get("NextToken") or "0"
    if not token.isdigit():
        raise invalid("Invalid NextToken")
    start, size = int(token), min(request.get("MaxResults") or PAGE, PAGE)
    more = str(start + size) if start + size < len(summaries) else None
    return {"Summaries": summaries[start : start + size], "NextToken": more}
