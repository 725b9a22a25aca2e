"""The StackSets actions on sets, instances and operations, as AWS answers them.

Each takes the request and answers the result, or raises `StackSetRefused`. Self-managed sets
and imports are not here.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.cloudformation.stackset_drift import reported_drift
from sandbox.cloudformation.stackset_instances import INSTANCE_ACTIONS, existing_targets
from sandbox.cloudformation.stackset_model import (
    StackSet,
    StackSetRefused,
    described_operation,
    described_set,
    summarized_operation,
    summarized_result,
    summarized_set,
)
from sandbox.cloudformation.stackset_operations import start_operation, stop_operation
from sandbox.cloudformation.stackset_requests import (
    Request,
    check_capabilities,
    invalid,
    read_parameters,
    read_template,
    target_ous,
)
from sandbox.cloudformation.stackset_rights import check_rights
from sandbox.cloudformation.stackset_service import (
    SERVICE,
    Action,
    StackSets,
    check_caller,
    find_operation,
    find_set,
    how,
    page,
)
from sandbox.core.request_context import account_now, region_now
from sandbox.organizations.organization import make_role

OWN_PATH = "/aws-service-role/stacksets.cloudformation.amazonaws.com/"
ADMIN_ROLE = "AWSServiceRoleForCloudFormationStackSetsOrgAdmin"
NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


def _activate(service: StackSets, _request: Request) -> dict[str, Any]:
    management = service.organization.state.management
    if account_now() != management:
        message = "Only the management account can activate trusted access."
        raise StackSetRefused("InvalidOperationException", message)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "stacksets.cloudformation.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    make_role(management, ADMIN_ROLE, path=OWN_PATH, trust=trust)
    service.organization.trusted.setdefault(SERVICE, 0.0)
    service.activated = True
    return {}


def _deactivate(service: StackSets, _request: Request) -> dict[str, Any]:
    service.activated = False
    return {}


def _describe_access(service: StackSets, _request: Request) -> dict[str, Any]:
    return {"Status": "ENABLED" if service.activated else "DISABLED"}


def _create_set(service: StackSets, request: Request) -> dict[str, Any]:
    check_caller(service, request)
    if request.get("PermissionModel") != "SERVICE_MANAGED":
        raise invalid("This sandbox has service-managed stack sets only.")
    if not service.activated:
        raise invalid("You must enable organizations access to operate a service managed stack set")
    name, region = request["StackSetName"], region_now()
    if not NAME.fullmatch(name):
        raise invalid(f"1 validation error detected: Value '{name}' at 'stackSetName' is no name.")
    if (region, name) in service.sets:
        message = f"StackSet {name} already exists."
        raise StackSetRefused("NameAlreadyExistsException", message, 409)
    template = read_template(request)
    stack_set = StackSet(
        name=name,
        region=region,
        management=service.organization.state.management,
        template=template,
        description=request.get("Description") or "",
        parameters=read_parameters(request, template, []),
        capabilities=check_capabilities(request, template),
        tags=request.get("Tags") or [],
        deployment=request.get("AutoDeployment") or {"Enabled": False},
        managed=_managed(request, False),
    )
    service.sets[region, name] = stack_set
    return {"StackSetId": stack_set.id}


def _update_set(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    if request.get("ManagedExecution") and stack_set.busy:
        # API Reference, ManagedExecution. Whether the same value is a change no page says.
        message = "The execution configuration cannot change while operations run or are queued."
        raise StackSetRefused("InvalidOperationException", message)
    template = read_template(request, stack_set.template)
    check_rights("UpdateStackSet", stack_set, request, template)
    parameters = read_parameters(request, template, stack_set.parameters)
    capabilities = check_capabilities(request, template)
    chosen = existing_targets(service, stack_set, request) if target_ous(request) else None
    usable = [one for one in stack_set.instances.values() if one.status != "INOPERABLE"]
    targets = [
        (one.account, one.region, one.ou)
        for one in usable
        if chosen is None or (one.account, one.region, one.ou) in chosen
    ]
    operation = start_operation(
        service.organization, stack_set, action="UPDATE", targets=targets, **how(request)
    )
    stack_set.template, stack_set.parameters = template, parameters
    stack_set.capabilities = capabilities
    stack_set.description = request.get("Description") or stack_set.description
    stack_set.tags = request.get("Tags", stack_set.tags)
    stack_set.deployment = request.get("AutoDeployment") or stack_set.deployment
    stack_set.managed = _managed(request, stack_set.managed)
    for instance in usable:
        instance.status = "OUTDATED"
    return {"OperationId": operation.id}


def _delete_set(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    if stack_set.busy:
        message = f"Another Operation on StackSet {stack_set.arn} is in progress"
        raise StackSetRefused("OperationInProgressException", message, 409)
    if stack_set.instances:
        raise StackSetRefused("StackSetNotEmptyException", "StackSet is not empty", 409)
    del service.sets[stack_set.region, stack_set.name]
    return {}


def _describe_set(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    drift = {"StackSetDriftDetectionDetails": reported_drift(stack_set)}
    return {"StackSet": described_set(stack_set) | drift}


def _list_sets(service: StackSets, request: Request) -> dict[str, Any]:
    check_caller(service, request)
    here = [one for (region, _), one in sorted(service.sets.items()) if region == region_now()]
    if request.get("Status") == "DELETED":
        here = []
    return page(request, [summarized_set(one) | _summarized_drift(one) for one in here])


def _summarized_drift(stack_set: StackSet) -> dict[str, Any]:
    reported = reported_drift(stack_set)
    return {name: reported.get(name) for name in ("DriftStatus", "LastDriftCheckTimestamp")}


def _describe_operation(service: StackSets, request: Request) -> dict[str, Any]:
    stack_set = find_set(service, request)
    return {"StackSetOperation": described_operation(stack_set, find_operation(stack_set, request))}


def _list_operations(service: StackSets, request: Request) -> dict[str, Any]:
    newest_first = reversed(find_set(service, request).operations.values())
    return page(request, [summarized_operation(one) for one in newest_first])


def _list_results(service: StackSets, request: Request) -> dict[str, Any]:
    operation = find_operation(find_set(service, request), request)
    wanted = {one["Name"]: one["Values"] for one in request.get("Filters") or []}
    shown = [
        summarized_result(place, result)
        for place, result in sorted(operation.results.items())
        if wanted.get("OPERATION_RESULT_STATUS") in (None, result.status)
    ]
    return page(request, shown)


def _stop_operation(service: StackSets, request: Request) -> dict[str, Any]:
    operation = find_operation(find_set(service, request), request)
    if operation.status not in ("RUNNING", "QUEUED"):
        message = f"Operation {operation.id} is not in RUNNING state."
        raise StackSetRefused("InvalidOperationException", message)
    stop_operation(operation)
    return {}


def _managed(request: Request, before: bool) -> bool:
    return bool((request.get("ManagedExecution") or {}).get("Active", before))


ACTIONS: dict[str, Action] = {
    "ActivateOrganizationsAccess": _activate,
    "DeactivateOrganizationsAccess": _deactivate,
    "DescribeOrganizationsAccess": _describe_access,
    "CreateStackSet": _create_set,
    "UpdateStackSet": _update_set,
    "DeleteStackSet": _delete_set,
    "DescribeStackSet": _describe_set,
    "ListStackSets": _list_sets,
    **INSTANCE_ACTIONS,
    "DescribeStackSetOperation": _describe_operation,
    "ListStackSetOperations": _list_operations,
    "ListStackSetOperationResults": _list_results,
    "StopStackSetOperation": _stop_operation,
}
