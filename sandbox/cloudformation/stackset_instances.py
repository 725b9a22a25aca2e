"""The StackSets actions on instances: which accounts get, change or lose their stack.

Each takes the request and answers the result, or raises `StackSetRefused`.
"""

from __future__ import annotations

from typing import Any

from sandbox.cloudformation.stackset_drift import DETECT, drifts_of
from sandbox.cloudformation.stackset_model import (
    Instance,
    StackSet,
    StackSetRefused,
    described_instance,
    summarized_instance,
)
from sandbox.cloudformation.stackset_operations import Target, start_operation
from sandbox.cloudformation.stackset_requests import (
    Request,
    invalid,
    read_overrides,
    target_accounts,
    target_ous,
)
from sandbox.cloudformation.stackset_rights import check_rights
from sandbox.cloudformation.stackset_service import (
    Action,
    StackSets,
    find_operation,
    find_set,
    how,
    page,
)
from sandbox.organizations.organization import parents_of


def _create_instances(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    check_rights("CreateStackInstances", stack_set, request)
    chosen = target_accounts(service.organization, request)
    if (request["DeploymentTargets"]).get("AccountFilterType") == "UNION":
        raise invalid("AccountFilterType UNION is not supported for CreateStackInstances.")
    unknowns = service.organization.state.unknowns
    if not chosen and not unknowns.empty_units_are_accepted:
        raise invalid("The deployment targets hold no account.")
    regions = request["Regions"]
    operation = start_operation(
        service.organization,
        stack_set,
        action="CREATE",
        targets=[(account, region, ou) for account, ou in chosen.items() for region in regions],
        overrides=read_overrides(request, stack_set),
        **how(request),
    )
    filtered = (request["DeploymentTargets"]).get("AccountFilterType") not in (None, "NONE")
    for ou in target_ous(request):
        if not filtered and ou in chosen.values():
            stack_set.unlisted.discard(ou)
        elif ou not in stack_set.ous and not unknowns.filtered_units_are_listed:
            stack_set.unlisted.add(ou)
        # Auto-deployment takes the whole OU, account filters or not.
        known = stack_set.ous.setdefault(ou, [])
        known.extend(region for region in regions if region not in known)
    return {"OperationId": operation.id}


def _update_instances(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    check_rights("UpdateStackInstances", stack_set, request)
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
    check_rights("DeleteStackInstances", stack_set, request)
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
                stack_set.unlisted.discard(ou)
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
        and wanted.get("DRIFT_STATUS") in (None, one.drift)
        and wanted.get("LAST_OPERATION_ID") in (None, one.operation)
    ]
    return page(request, shown)


def _describe_instance(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    return {"StackInstance": described_instance(stack_set, _instance(stack_set, request))}


def _detect_drift(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    operation = start_operation(
        service.organization,
        stack_set,
        action=DETECT,
        targets=[(one.account, one.region, one.ou) for one in stack_set.instances.values()],
        **how(request),
    )
    return {"OperationId": operation.id}


def _list_drifts(service: StackSets, request: Request) -> dict[str, Any]:
    """Of the latest detection only, whichever operation is named (API Reference)."""
    stack_set = find_set(service, request)
    find_operation(stack_set, request)
    wanted = request.get("StackInstanceResourceDriftStatuses")
    drifts = drifts_of(_instance(stack_set, request))
    shown = [one for one in drifts if not wanted or one["StackResourceDriftStatus"] in wanted]
    return page(request, shown)


def _list_auto_targets(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    targets = stack_set.ous.items() if stack_set.deployment.get("Enabled") else ()
    return page(
        request,
        [{"OrganizationalUnitId": ou, "Regions": regions} for ou, regions in targets],
    )


def _instance(stack_set: StackSet, request: Request) -> Instance:
    place = (request["StackInstanceAccount"], request["StackInstanceRegion"])
    instance: Instance | None = stack_set.instances.get(place)
    if instance is None:
        message = f"Stack instance not found for StackSet {stack_set.id}, account {place[0]}"
        raise StackSetRefused("StackInstanceNotFoundException", message, 404)
    return instance


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
    """Whether an instance of an account that is no longer under its OU is meant all the same. That
    an account which has left can still be named is a guess: no page of AWS's says how else it is
    taken out of the set."""
    targets = request["DeploymentTargets"]
    rule, listed = targets.get("AccountFilterType"), targets.get("Accounts") or []
    meant = rule in (None, "NONE") or (rule == "INTERSECTION" and instance.account in listed)
    above = parents_of(service.organization, instance.account)
    return meant and instance.ou in target_ous(request) and instance.ou not in above


INSTANCE_ACTIONS: dict[str, Action] = {
    "CreateStackInstances": _create_instances,
    "UpdateStackInstances": _update_instances,
    "DeleteStackInstances": _delete_instances,
    "ListStackInstances": _list_instances,
    "DescribeStackInstance": _describe_instance,
    "DetectStackSetDrift": _detect_drift,
    "ListStackInstanceResourceDrifts": _list_drifts,
    "ListStackSetAutoDeploymentTargets": _list_auto_targets,
}
