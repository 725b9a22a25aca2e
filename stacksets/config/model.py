"""What the rollout file asks for, as values. Nothing here reads a file or calls AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum

from handler.model.names import PRODUCT

CENTRAL_STACK = f"{PRODUCT}-central"
MANAGEMENT_STACK = PRODUCT
# How the names of the buckets for templates begin; the account's id is their end.
BUCKETS = f"{PRODUCT}-templates"
# "The maximum number of organizational unit (OUs) supported by a CreateStackInstances operation is
# 50", and of Update- and DeleteStackInstances (API Reference).
MOST_UNITS = 50
# Managed policies whose holders administer IAM.
POWERFUL = ("AdministratorAccess", "IAMFullAccess")
# The role that enters an account by default: Organizations makes it in the accounts that it makes,
# unless it is told another name. Control Tower's Account Factory tells it the second (Control Tower
# User Guide, "How AWS Control Tower works with roles to create and manage accounts").
ACCESS_ROLE = "OrganizationAccountAccessRole"
CONTROL_TOWER_ROLE = "AWSControlTowerExecution"
# The central template's parameters that are addresses: its stack subscribes them.
ADDRESSES = ("Email", "ExtraEmail")


class Trail(Enum):
    """Where the events come from: a trail that is seen, one in each account, or one of ours."""

    ORGANIZATION = "organization"
    ACCOUNTS = "accounts"
    MAKE = "make"


class Reach(Enum):
    """How far the guardrail is attached."""

    NOWHERE = "nowhere"
    CANARY = "canary"
    RINGS = "rings"


@dataclass(frozen=True)
class Access:
    """How the operator enters the accounts that he does not stand in: a profile of the AWS
    configuration by account, else the role of this name there."""

    role: str
    profiles: Mapping[str, str]


@dataclass(frozen=True)
class Central:
    """The security account and the parameters of the central template; `service_role` is the ARN
    by which CloudFormation works there, "" for the operator's own rights."""

    account: str
    parameters: Mapping[str, str]
    service_role: str


@dataclass(frozen=True)
class Guardrail:
    """The service control policy; `canary` is a unit as the file names it, "" for none."""

    attach: Reach
    canary: str
    policy_name: str


@dataclass(frozen=True)
class Ring:
    """One StackSet. `units` as the file names them: ids, or paths of names ("/" is the root).
    `parameters` are complete: those of every ring with this one's own on top, Mode among them.
    `takes_over` is the name of a set that was there before the ring, "" for none."""

    name: str
    units: tuple[str, ...]
    mode: str
    parameters: Mapping[str, str]
    observed_since: date | None
    accept_unguarded: bool
    tolerance_percent: int
    concurrent_percent: int
    retain_on_leave: bool
    takes_over: str = ""

    @property
    def stack_set(self) -> str:
        return self.takes_over or f"{PRODUCT}-{self.name}"


@dataclass(frozen=True)
class Management:
    """The management account's own stack; `parameters` as of a ring."""

    install: bool
    mode: str
    parameters: Mapping[str, str]
    observed_since: date | None
    accept_unguarded: bool
    service_role: str


@dataclass(frozen=True)
class Excluded:
    """An account that is left out by choice, and why."""

    account: str
    reason: str


@dataclass(frozen=True)
class Recipient:
    """Who hears of the accounts below a unit, besides the team; `unit` as the file names it."""

    unit: str
    email: str


@dataclass(frozen=True)
class Wanted:
    """The whole file. `deploy_from` is "management" or the id of the delegated administrator;
    `bucket` is how the names of the buckets for templates begin."""

    organization: str
    region: str
    deploy_from: str
    trail: Trail
    observe_days: int
    access: Access
    central: Central
    guardrail: Guardrail
    rings: tuple[Ring, ...]
    management: Management
    excluded: tuple[Excluded, ...]
    bucket: str = BUCKETS
    recipients: tuple[Recipient, ...] = ()

    @property
    def delegated(self) -> bool:
        return self.deploy_from != "management"

    @property
    def call_as(self) -> str:
        """CallAs of the StackSets API."""
        return "DELEGATED_ADMIN" if self.delegated else "SELF"

    def entered_by(self, role: str | None) -> Wanted:
        """The same, with accounts entered by another role; None leaves it."""
        return replace(self, access=replace(self.access, role=role)) if role else self

    def reason_to_exclude(self, account: str) -> str | None:
        return next((one.reason for one in self.excluded if one.account == account), None)


def bucket_name(account: str, begins: str = BUCKETS) -> str:
    """The private bucket of an account for templates; `*` as account for a policy's pattern."""
    return f"{begins}-{account}"
