"""What was seen of the rollout in AWS, as values. Nothing here calls AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stacksets.observed.organization import Organization

# Operations that have not ended yet.
UNDER_WAY = ("QUEUED", "RUNNING", "STOPPING")


@dataclass(frozen=True)
class Instance:
    """One account's stack of a set, as ListStackInstances has it.

    `status`: CURRENT, OUTDATED or INOPERABLE; `detail`: PENDING, RUNNING, SUCCEEDED, FAILED,
    CANCELLED, INOPERABLE or SKIPPED_SUSPENDED_ACCOUNT; `unit` is the target OU that led to the
    account; `drift`: DRIFTED, IN_SYNC, UNKNOWN or NOT_CHECKED; "" for what AWS left out.
    """

    account: str
    unit: str
    status: str
    detail: str
    reason: str
    drift: str
    stack_id: str


@dataclass(frozen=True)
class Operation:
    """One operation of a set, newest first where there are many."""

    id: str
    action: str
    status: str
    reason: str


@dataclass(frozen=True)
class AutoDeployment:
    enabled: bool
    retain: bool


@dataclass(frozen=True)
class StackSet:
    """A set with its instances by account. `template` is the document itself, `digest` names it.
    `units` are those that AWS lists; `managed`: its operations wait for each other (managed
    execution) and are not refused."""

    name: str
    status: str
    description: str
    parameters: Mapping[str, str]
    template: Mapping[str, Any] = field(repr=False)
    digest: str
    units: tuple[str, ...]
    auto_deployment: AutoDeployment
    instances: Mapping[str, Instance]
    operations: tuple[Operation, ...]
    managed: bool = True

    @property
    def targets(self) -> tuple[str, ...]:
        """The units that are its targets as far as anything shows it. No page of AWS says whether a
        unit is listed that was given with a filter of accounts, or that holds no account; each
        instance names the target that led to it."""
        return tuple(dict.fromkeys([*self.units, *(one.unit for one in self.instances.values())]))

    @property
    def under_way(self) -> tuple[Operation, ...]:
        return tuple(one for one in self.operations if one.status in UNDER_WAY)


@dataclass(frozen=True)
class Stack:
    """An ordinary stack: the central one, or the management account's; `drift` as for Instance."""

    account: str
    name: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    template: Mapping[str, Any] = field(repr=False)
    digest: str
    outputs: Mapping[str, str]
    drift: str = ""


@dataclass(frozen=True)
class Subscription:
    """Who is subscribed to a topic of the central account, by e-mail, and whether he confirmed it.

    `arn` is "" until then. `filter_policy` is SNS's JSON, and `by_body` whether it judges the
    message in place of its attributes; "" for everything, and where nobody looked: a filter is
    looked at only where the central stack did not make the subscription.
    """

    topic: str
    address: str
    confirmed: bool
    protocol: str = "email"
    arn: str = ""
    filter_policy: str = ""
    by_body: bool = False


@dataclass(frozen=True)
class ControlPolicy:
    """A service control policy and the roots, units and accounts that it is attached to."""

    id: str
    name: str
    content: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Bucket:
    """The bucket from which CloudFormation reads in an account; `keys` are the objects in it."""

    account: str
    name: str
    exists: bool
    private: bool
    encrypted: bool
    keys: frozenset[str]


@dataclass(frozen=True)
class TrailSeen:
    """A trail as the deploying account sees it. `global_events`: of services without a region, IAM
    among them; `writes`: management events that change something, True too where nobody can tell.
    """

    name: str
    of_organization: bool
    multi_region: bool
    home: str
    logging: bool
    global_events: bool
    writes: bool

    def flaw(self, region: str) -> str:
        """Why IAM's calls do not reach the buses by it, and what to do, "" where they do."""
        if not self.multi_region and self.home != region:
            return (
                f"is of {self.home} only, and IAM's events appear in {region}: make it multi-region"
            )
        if not self.logging:
            return f"does not log: start it (aws cloudtrail start-logging --name {self.name})"
        if not self.global_events:
            return (
                "leaves global services out, IAM among them: include them (aws cloudtrail "
                f"update-trail --name {self.name} --include-global-service-events)"
            )
        if not self.writes:
            return (
                "logs no management events that change something: let its event selectors take "
                "them (WriteOnly or All)"
            )
        return ""


@dataclass(frozen=True)
class Observed:
    """Everything that a plan is made from. `management_stack` is None where there is none, or where
    it cannot be seen from here: `management_seen` says which. `s3` is the endpoint's URL by which
    templates are named. `caller` is the operator's ARN."""

    organization: Organization
    caller: str
    partition: str
    stack_sets_trusted: bool
    delegated_administrators: frozenset[str]
    control_policies_enabled: bool
    control_policies: tuple[ControlPolicy, ...]
    trails: tuple[TrailSeen, ...]
    buckets: Mapping[str, Bucket]
    central: Stack | None
    subscriptions: tuple[Subscription, ...]
    stack_sets: Mapping[str, StackSet]
    management_seen: bool
    management_stack: Stack | None
    s3: str
