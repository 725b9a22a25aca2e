"""The StackSets actions on instances: which accounts get, change or lose their stack.

Each takes the request and answers the result, or raises `StackSetRefused`.
"""

from __future__ import annotations

from typing import Any

from sandbox.organization import parents_of
from sandbox.stackset_model import (
    Instance,
    StackSet,
    StackSetRefused,
    described_instance,
    summarized_instance,
)
from sandbox.stackset_operations import Target, start_operation
from sandbox.stackset_requests import (
    Request,
    invalid,
    read_overrides,
    target_accounts,
    target_ous,
)
from sandbox.stackset_service import Action, StackSets, find_set, how, page


def _create_instances(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    chosen = target_accounts(service.organization, request)
    if (request["DeploymentTargets"]).get("AccountFilterType") == "UNION":
        raise invalid("AccountFilterType UNION is not supported for CreateStackInstances.")
    regions = request["Regions"]
    operation = start_operation(
        service.organization,
        stack_set,
        action="CREATE",
        targets=[(account, region, ou) for account, ou in chosen.items() for region in regions],
        overrides=read_overrides(request, stack_set),
        **how(request),
    )
    for ou in target_ous(request):
        # Auto-deployment takes the whole OU, account filters or not.
        known = stack_set.ous.setdefault(ou, [])
        known.extend(region for region in regions if region not in known)
    return {"OperationId": operation.id}


def _update_instances(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    operation = start_operation(
        service.organization,
        stack_set,
        action="UPDATE",
        targets=[
            target
            for target in existing_targets(service, stack_set, request)
            if stack_set.instances[target[0], target[1]].status != "INOPERABLE"
        ],
        overrides=read_overrides(request, stack_set),
        **how(request),
    )
    return {"OperationId": operation.id}


def _delete_instances(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    operation = start_operation(
        service.organization,
        stack_set,
        action="DELETE",
        targets=existing_targets(service, stack_set, request),
        retain=bool(request.get("RetainStacks")),
        **how(request),
    )
    if (request["DeploymentTargets"]).get("AccountFilterType") in (None, "NONE"):
        for ou in target_ous(request):
            left = [one for one in stack_set.ous.get(ou, []) if one not in request["Regions"]]
            stack_set.ous[ou] = left
            if not left:
                del stack_set.ous[ou]
    return {"OperationId": operation.id}


def _list_instances(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    wanted = {one["Name"]: one["Values"] for one in request.get("Filters") or []}
    shown = [
        summarized_instance(stack_set, one)
        for _, one in sorted(stack_set.instances.items())
        if request.get("StackInstanceAccount") in (None, one.account)
        and request.get("StackInstanceRegion") in (None, one.region)
        and wanted.get("DETAILED_STATUS") in (None, one.detailed)
        and wanted.get("LAST_OPERATION_ID") in (None, one.operation)
    ]
    return page(request, shown)


def _describe_instance(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    place = (request["StackInstanceAccount"], request["StackInstanceRegion"])
    instance: Instance | None = stack_set.instances.get(place)
    if instance is None:
        message = f"Stack instance not found for StackSet {stack_set.id}, account {place[0]}"
        raise StackSetRefused("StackInstanceNotFoundException", message, 404)
    return {"StackInstance": described_instance(stack_set, instance)}


def existing_targets(service: StackSets, stack_set: StackSet, request: Request) -> list[Target]:
    """The set's instances among the targets, also of accounts that have left their OU since."""
    chosen, regions = target_accounts(service.organization, request), request.get("Regions")
    return [
        (one.account, one.region, one.ou)
        for one in stack_set.instances.values()
        if (regions is None or one.region in regions)
        and (one.account in chosen or _left_behind(service, one, request))
    ]


def _left_behind(service: StackSets, instance: Instance, request: Request) -> bool:
    filtered = request["DeploymentTargets"].get("AccountFilterType") not in (None, "NONE")
    above = parents_of(service.organization, instance.account)
    return not filtered and instance.ou in target_ous(request) and instance.ou not in above


INSTANCE_ACTIONS: dict[str, Action] = {
    "CreateStackInstances": _create_instances,
    "UpdateStackInstances": _update_instances,
    "DeleteStackInstances": _delete_instances,
    "ListStackInstances": _list_instances,
    "DescribeStackInstance": _describe_instance,
}
