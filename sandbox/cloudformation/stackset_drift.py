"""Drift of a StackSet: the detection in one member's stack, and what the set tells of it.

Compares nothing itself (drift.py and the emulator do) and repairs nothing. CloudFormation User
Guide, "Performing drift detection on CloudFormation StackSets".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.cloudformation.member_stacks import StackFailed
from sandbox.cloudformation.stackset_model import Instance, Operation, StackSet
from sandbox.core import patches
from sandbox.core.request_context import scope

CLOUDFORMATION = "ministack.services.cloudformation"
DETECT = "DETECT_DRIFT"


def detect_drift(instance: Instance) -> None:
    """Compare the stack of an instance with its template. Raises StackFailed where the stack is
    gone or in a state in which AWS does not look."""
    with scope(instance.account, instance.region):
        handler = patches.get(f"{CLOUDFORMATION}.handlers", "_ACTION_HANDLERS")["DetectStackDrift"]
        status, _, body = handler({"StackName": [instance.stack_name]})
        if status >= 300:
            raise StackFailed(_text(body.decode(), "Message"))
        stack = patches.get(CLOUDFORMATION, "_stacks")[instance.stack_name]
        instance.drift = stack["DriftInformation"]["StackDriftStatus"]
        instance.looked = datetime.now(UTC)


def drifts_of(instance: Instance) -> list[dict[str, Any]]:
    """Each checked resource of the instance, as ListStackInstanceResourceDrifts answers it."""
    left_out = ("ExpectedProperties", "ActualProperties", "DriftStatusReason")
    with scope(instance.account, instance.region):
        stack = patches.get(CLOUDFORMATION, "_stacks").get(instance.stack_name) or {}
        return [
            {key: value for key, value in one["_drift"].items() if key not in left_out}
            for _, one in sorted(stack.get("_resources", {}).items())
            if one.get("_drift")
        ]


def reported_drift(stack_set: StackSet) -> dict[str, Any]:
    """StackSetDriftDetectionDetails: of the last detection that ended (API Reference)."""
    ended = [one for one in stack_set.operations.values() if one.action == DETECT and one.ended]
    if not ended:
        return {"DriftStatus": "NOT_CHECKED"}
    last = ended[-1]
    states = [
        stack_set.instances[place].drift if result.status == "SUCCEEDED" else "FAILED"
        for place, result in last.results.items()
        if place in stack_set.instances
    ]
    return {
        "DriftStatus": "DRIFTED" if "DRIFTED" in states else "IN_SYNC",
        "DriftDetectionStatus": _detection(last, states),
        "LastDriftCheckTimestamp": last.ended,
        "TotalStackInstancesCount": len(states),
        "DriftedStackInstancesCount": states.count("DRIFTED"),
        "InSyncStackInstancesCount": states.count("IN_SYNC"),
        "InProgressStackInstancesCount": 0,
        "FailedStackInstancesCount": states.count("FAILED"),
    }


def _detection(operation: Operation, states: list[str]) -> str:
    if operation.status != "SUCCEEDED":
        return operation.status
    return "PARTIAL_SUCCESS" if "FAILED" in states else "COMPLETED"


def _text(body: str, element: str) -> str:
    start = body.partition(f"<{element}>")[2]
    return start.partition(f"</{element}>")[0] or body
