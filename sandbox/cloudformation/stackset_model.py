"""StackSets as values: the set, its instances, its operations, and what AWS answers of them.

Holds and describes; deploys nothing.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Place = tuple[str, str]  # (account, region)
Parameters = list[dict[str, str]]

BUSY = ("QUEUED", "RUNNING", "STOPPING")


class StackSetRefused(Exception):
    """An error of the StackSets API: its code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Instance:
    """One stack of a set in one account and region. `reason` says why it is not current; `drift`
    is what the last detection found, `looked` when that was."""

    account: str
    region: str
    ou: str
    stack_name: str
    stack_id: str = ""
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str = ""
    overrides: Parameters = field(default_factory=list)
    operation: str = ""
    drift: str = "NOT_CHECKED"
    looked: datetime | None = None


@dataclass
class Result:
    """What one operation did in one account and region."""

    ou: str
    status: str = "PENDING"
    reason: str = ""


@dataclass
class Operation:
    """One change of a set's instances, or look at them. `action`: CREATE, UPDATE, DELETE or
    DETECT_DRIFT. It waits until each of `after` is `done`, operations of other sets."""

    id: str
    action: str
    preferences: dict[str, Any]
    targets: dict[str, Any] = field(default_factory=dict)
    retain: bool | None = None
    status: str = "QUEUED"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    reason: str = ""
    results: dict[Place, Result] = field(default_factory=dict)
    after: Sequence[Operation] = ()
    done: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class StackSet:
    """A set as its last create or update left it; `deployment` and `managed` as the API has them.
    Operations queue on `turn`."""

    name: str
    region: str
    management: str
    template: str
    description: str
    parameters: Parameters
    capabilities: list[str]
    tags: list[dict[str, str]]
    deployment: dict[str, Any]
    managed: bool
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    # Kept in order: auto-deployment goes to these OUs, in the regions that each has.
    ous: dict[str, list[str]] = field(default_factory=dict)
    # Those of them that AWS may not list: sandbox/core/unknowns.py.
    unlisted: set[str] = field(default_factory=set)
    instances: dict[Place, Instance] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def id(self) -> str:
        return f"{self.name}:{self.key}"

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudformation:{self.region}:{self.management}:stackset/{self.id}"

    @property
    def busy(self) -> Operation | None:
        """An operation under way or waiting, if there is one."""
        return next((one for one in self.operations.values() if one.status in BUSY), None)


def described_set(stack_set: StackSet) -> dict[str, Any]:
    """A StackSet as DescribeStackSet answers it."""
    return {
        "StackSetName": stack_set.name,
        "StackSetId": stack_set.id,
        "StackSetARN": stack_set.arn,
        "Status": "ACTIVE",
        "Description": stack_set.description,
        "TemplateBody": stack_set.template,
        "Parameters": stack_set.parameters,
        "Capabilities": stack_set.capabilities,
        "Tags": stack_set.tags,
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": stack_set.deployment,
        "ManagedExecution": {"Active": stack_set.managed},
        "OrganizationalUnitIds": [ou for ou in stack_set.ous if ou not in stack_set.unlisted],
        "Regions": sorted({region for _, region in stack_set.instances}),
    }


def summarized_set(stack_set: StackSet) -> dict[str, Any]:
    """A StackSetSummary of ListStackSets."""
    names = ("StackSetName", "StackSetId", "Status", "Description", "PermissionModel")
    reported = described_set(stack_set)
    return {name: reported[name] for name in (*names, "AutoDeployment", "ManagedExecution")}


def described_instance(stack_set: StackSet, instance: Instance) -> dict[str, Any]:
    """An instance as DescribeStackInstance answers it."""
    return {
        **summarized_instance(stack_set, instance),
        "ParameterOverrides": instance.overrides,
    }


def summarized_instance(stack_set: StackSet, instance: Instance) -> dict[str, Any]:
    """A StackInstanceSummary of ListStackInstances."""
    return {
        "StackSetId": stack_set.id,
        "Region": instance.region,
        "Account": instance.account,
        "StackId": instance.stack_id,
        "Status": instance.status,
        "StatusReason": instance.reason,
        "StackInstanceStatus": {"DetailedStatus": instance.detailed},
        "OrganizationalUnitId": instance.ou,
        "DriftStatus": instance.drift,
        "LastDriftCheckTimestamp": instance.looked,
        "LastOperationId": instance.operation,
    }


def described_operation(stack_set: StackSet, operation: Operation) -> dict[str, Any]:
    """An operation as DescribeStackSetOperation answers it."""
    return {
        **summarized_operation(operation),
        "StackSetId": stack_set.id,
        "RetainStacks": operation.retain,
        "DeploymentTargets": operation.targets,
    }


def summarized_operation(operation: Operation) -> dict[str, Any]:
    """A StackSetOperationSummary of ListStackSetOperations."""
    failed = sum(one.status == "FAILED" for one in operation.results.values())
    return {
        "OperationId": operation.id,
        "Action": operation.action,
        "Status": operation.status,
        "CreationTimestamp": operation.created,
        "EndTimestamp": operation.ended,
        "StatusReason": operation.reason,
        "StatusDetails": {"FailedStackInstancesCount": failed},
        "OperationPreferences": operation.preferences,
    }


def summarized_result(place: Place, result: Result) -> dict[str, Any]:
    """A StackSetOperationResultSummary of ListStackSetOperationResults."""
    account, region = place
    gate = f"arn:aws:lambda:{region}:{account}:function:AWSCloudFormationStackSetAccountGate"
    return {
        "Account": account,
        "Region": region,
        "Status": result.status,
        "StatusReason": result.reason,
        "OrganizationalUnitId": result.ou,
        "AccountGateResult": {"Status": "SKIPPED", "StatusReason": f"Function not found: {gate}"},
    }
