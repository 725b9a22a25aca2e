"""How a StackSet operation walks its accounts: order, concurrency, tolerance, results, queue.

Runs as tasks of the emulator's own loop; what is done in one account is `member_stacks`'.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from math import floor
from typing import Any

from sandbox.cloudformation.member_stacks import (
    StackFailed,
    delete_stack,
    deploy_stack,
    new_stack_name,
)
from sandbox.cloudformation.stackset_drift import DETECT, detect_drift
from sandbox.cloudformation.stackset_model import (
    Instance,
    Operation,
    Parameters,
    Place,
    Result,
    StackSet,
    StackSetRefused,
)
from sandbox.core.state import State
from sandbox.organizations.organization import Organization, accounts

Target = tuple[str, str, str]  # (account, region, the OU that led to it)

# The loop keeps only weak references to its tasks.
_running: set[asyncio.Task[None]] = set()


def start_operation(
    organization: Organization,
    stack_set: StackSet,
    *,
    action: str,
    targets: Sequence[Target],
    reported: dict[str, Any] | None = None,
    preferences: dict[str, Any] | None = None,
    operation_id: str | None = None,
    retain: bool | None = None,
    overrides: Parameters | None = None,
    automatic: bool = False,
    after: Sequence[Operation] = (),
) -> Operation:
    """Begin an operation and answer it at once. It waits for its turn behind another one where
    the set has managed execution or AWS itself began it, and is refused otherwise
    (docs: CreateStackSet, ManagedExecution); and for those of other sets in `after`. Raises
    StackSetRefused."""
    if stack_set.busy and not (stack_set.managed or automatic):
        raise StackSetRefused(
            "OperationInProgressException",
            f"Another Operation on StackSet {stack_set.arn} is in progress: {stack_set.busy.id}",
            409,
        )
    if operation_id in stack_set.operations:
        raise StackSetRefused(
            "OperationIdAlreadyExistsException", "The specified operation ID already exists.", 409
        )
    operation = Operation(
        id=operation_id or str(uuid.uuid4()),
        action=action,
        preferences=_whole(preferences or {}),
        targets=reported or {},
        retain=retain,
        results={(account, region): Result(ou) for account, region, ou in targets},
        after=after,
    )
    if not stack_set.busy and not after:
        operation.status = "RUNNING"
    stack_set.operations[operation.id] = operation
    for account, region, ou in targets:
        _prepare(stack_set, operation, (account, region), ou, overrides)
    task = asyncio.get_running_loop().create_task(_run(organization, stack_set, operation))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return operation


def stop_operation(operation: Operation) -> None:
    """Begin nothing more of an operation; what runs ends by itself."""
    operation.status = "STOPPING"


def _prepare(
    stack_set: StackSet,
    operation: Operation,
    place: Place,
    ou: str,
    overrides: Parameters | None,
) -> None:
    account, region = place
    if operation.action == "CREATE" and place not in stack_set.instances:
        stack_set.instances[place] = Instance(account, region, ou, new_stack_name(stack_set.name))
    instance = stack_set.instances[place]
    instance.operation = operation.id
    if operation.action == DETECT:
        return
    instance.detailed, instance.reason = "PENDING", ""
    if operation.action != "DELETE":
        instance.status = "OUTDATED"
    if overrides is not None:
        instance.overrides = overrides


def _whole(preferences: dict[str, Any]) -> dict[str, Any]:
    """Preferences with AWS's defaults: one account at a time, no failure tolerated. Raises
    StackSetRefused for a figure given both as a count and as a percentage."""
    for figure in ("FailureTolerance", "MaxConcurrent"):
        if {f"{figure}Count", f"{figure}Percentage"} <= preferences.keys():
            message = f"Specify either {figure}Count or {figure}Percentage, not both."
            raise StackSetRefused("ValidationError", message)
    given = {"RegionConcurrencyType": "SEQUENTIAL", "RegionOrder": [], **preferences}
    if "FailureTolerancePercentage" not in given:
        given.setdefault("FailureToleranceCount", 0)
    if "MaxConcurrentPercentage" not in given:
        given.setdefault("MaxConcurrentCount", 1)
    given.setdefault("ConcurrencyMode", "STRICT_FAILURE_TOLERANCE")
    return given


async def _run(organization: Organization, stack_set: StackSet, operation: Operation) -> None:
    async with stack_set.turn:
        for other in operation.after:
            await other.done.wait()
        if operation.status == "QUEUED":
            operation.status = "RUNNING"
        order = operation.preferences["RegionOrder"]
        regions = sorted(
            {region for _, region in operation.results},
            key=lambda region: (order.index(region) if region in order else len(order), region),
        )
        if operation.preferences["RegionConcurrencyType"] == "PARALLEL":
            regional = (_run_region(organization, stack_set, operation, one) for one in regions)
            good = all(await asyncio.gather(*regional))
        else:
            good = True
            for region in regions:
                # After a region that failed the next ones are not begun.
                good = good and await _run_region(organization, stack_set, operation, region)
        stopped = operation.status == "STOPPING"
        for place, result in operation.results.items():
            if result.status == "PENDING":
                _cancel(stack_set, operation, place, result)
        operation.ended = datetime.now(UTC)
        operation.status = "STOPPED" if stopped else "SUCCEEDED" if good else "FAILED"
        if operation.status == "FAILED":
            operation.reason = "The number of failed accounts exceeded the failure tolerance."
        operation.done.set()


def _cancel(stack_set: StackSet, operation: Operation, place: Place, result: Result) -> None:
    result.status = "CANCELLED"
    result.reason = "Cancelled since failure tolerance has exceeded"
    if operation.status == "STOPPING":
        result.reason = "Cancelled since the operation was stopped"
    if operation.action != DETECT:
        stack_set.instances[place].detailed = "CANCELLED"
        stack_set.instances[place].reason = result.reason


async def _run_region(
    organization: Organization, stack_set: StackSet, operation: Operation, region: str
) -> bool:
    """Whether the region stayed within its tolerance, which counts for each region by itself."""
    places = [place for place in operation.results if place[1] == region]
    tolerance, width = _limits(operation.preferences, len(places))
    slots = asyncio.Semaphore(width)

    async def one(place: Place) -> None:
        async with slots:
            failed = sum(operation.results[at].status == "FAILED" for at in places)
            if failed <= tolerance and operation.status == "RUNNING":
                await _run_one(organization, stack_set, operation, place)

    await asyncio.gather(*(one(place) for place in places))
    return sum(operation.results[place].status == "FAILED" for place in places) <= tolerance


def _limits(preferences: dict[str, Any], count: int) -> tuple[int, int]:
    """(failures tolerated, accounts at once) for a region (docs: StackSetOperationPreferences)."""
    tolerance = preferences.get("FailureToleranceCount")
    if tolerance is None:
        tolerance = floor(count * preferences["FailureTolerancePercentage"] / 100)
    width = preferences.get("MaxConcurrentCount")
    if width is None:
        width = max(1, floor(count * preferences["MaxConcurrentPercentage"] / 100))
    if preferences["ConcurrencyMode"] == "STRICT_FAILURE_TOLERANCE":
        width = min(width, tolerance + 1)
    return tolerance, width


async def _run_one(
    organization: Organization, stack_set: StackSet, operation: Operation, place: Place
) -> None:
    result, instance = operation.results[place], stack_set.instances.get(place)
    account = accounts(organization).get(place[0], {})
    if instance is None:
        result.status = "SUCCEEDED"
        return
    if account.get("Status") == "SUSPENDED" and not operation.retain:
        instance.detailed = "SKIPPED_SUSPENDED_ACCOUNT"
        result.status = "CANCELLED"
        result.reason = "The account is suspended."
        return
    result.status = "RUNNING"
    if operation.action != DETECT:
        instance.detailed = "RUNNING"
    try:
        await _act(organization.state, stack_set, operation, instance)
    except StackFailed as problem:
        result.status, result.reason = "FAILED", str(problem)
        if operation.action != DETECT:
            instance.detailed, instance.reason = "FAILED", str(problem)
        if operation.action == "DELETE":
            # A stack that could not be deleted is left out of further updates.
            instance.status = instance.detailed = "INOPERABLE"
        return
    result.status = "SUCCEEDED"
    if operation.action == DETECT:
        return
    instance.detailed, instance.status = "SUCCEEDED", "CURRENT"
    if operation.action == "DELETE":
        del stack_set.instances[place]


async def _act(state: State, stack_set: StackSet, operation: Operation, instance: Instance) -> None:
    """What the operation does in one account, after the time that a test wants it to take. Raises
    StackFailed, for a test's own reason too."""
    until = state.now() + state.stack_seconds
    while state.now() < until:
        await asyncio.sleep(0.01)
    if operation.action == DETECT:
        detect_drift(instance)
        return
    if reason := state.stack_failures.get(instance.account):
        raise StackFailed(reason)
    if operation.action != "DELETE":
        await deploy_stack(state, stack_set, instance)
    elif not operation.retain:
        await delete_stack(state, stack_set, instance)
