"""A plan as a value: steps, the AWS calls of each, and what stands in the way. Does nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any


class StepKind(Enum):
    """What a step is about; the order here is the order of a rollout."""

    WAIT = "wait"
    CONTAINED = "contained"
    TRUST = "trust"
    BUCKET = "bucket"
    CENTRAL = "central"
    RECIPIENT = "recipient"
    CONFIRM = "confirm"
    GUARDRAIL = "guardrail"
    RING = "ring"
    MANAGEMENT = "management"


class Until(Enum):
    """What a step waits for once its calls are made."""

    STACK = "stack"
    OPERATION = "operation"
    COMPARED = "compared"
    CONFIRMED = "confirmed"
    ENABLED = "enabled"
    SETTLED = "settled"
    CONTAINED = "contained"


@dataclass(frozen=True)
class Saved:
    """In the place of an argument: what an earlier call of the same plan answered."""

    name: str


@dataclass(frozen=True)
class Content:
    """In the place of an argument: the carried body of a template."""

    template: str
    key: str


@dataclass(frozen=True)
class Call:
    """One AWS call. `service` is boto3's name, `operation` the API's; `saves` names where in the
    answer (by dots) a later argument stands."""

    account: str
    service: str
    operation: str
    arguments: Mapping[str, Any]
    saves: tuple[str, str] | None = None


@dataclass(frozen=True)
class Wait:
    """Until a stack (by name), a set's operation or a look for a stack's drift has ended, or
    everybody has confirmed; until service control policies are on; until a change of IAM applies
    everywhere; until our deny is on principals again.

    `name` is the stack's or the set's, or topic ARNs with commas, or the root's id, or the ARN of
    a deny and ids after it, with commas; `operation` is the id of one
    that is under way already, "" for the one that the step's last call began. An operation passes
    over the accounts that are `closed`: no failure there is one. Confirmed by `addresses`; () for
    whoever is asked.
    """

    until: Until
    account: str
    name: str
    call_as: str = "SELF"
    operation: str = ""
    closed: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One thing that is done, and to whom. `accounts` are those whose state it changes; `shows`
    are lines of difference; `by_management` steps are for a person of the management account."""

    kind: StepKind
    says: str
    target_text: str
    calls: tuple[Call, ...] = ()
    wait: Wait | None = None
    ring: str = ""
    accounts: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    by_management: bool = False

    def for_management(self) -> Step:
        return replace(self, by_management=True)


@dataclass(frozen=True)
class Unreached:
    """Accounts that the file wants covered and no step of the plan can cover: why, and what to do,
    each in sentences."""

    ring: str
    accounts: tuple[str, ...]
    why: str
    todo: str

    @property
    def said(self) -> str:
        return f"{self.why} {self.todo}"


@dataclass(frozen=True)
class Plan:
    """`refusals` stop everything, `notes` nothing; `unreached` is what stays undone when every step
    is. `unfinished`: something is under way, and what comes after it is planned when it has
    ended. `beyond`: more stands than was asked for, which no step takes away; the notes say what.
    """

    steps: tuple[Step, ...]
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unfinished: bool = False
    unreached: tuple[Unreached, ...] = ()
    unmanaged: bool = False

    @property
    def own(self) -> tuple[Step, ...]:
        """The steps that the operator walks himself."""
        return tuple(step for step in self.steps if not step.by_management)

    @property
    def of_others(self) -> tuple[Step, ...]:
        """The steps that a person of the management account has to do."""
        return tuple(step for step in self.steps if step.by_management)

    @property
    def empty(self) -> bool:
        """Whether all is as the file says."""
        return not self.steps and not self.refusals and not self.unreached

    def calls(self) -> Iterator[Call]:
        for step in self.steps:
            yield from step.calls
