"""An operator who rolls out into the box from a file, and who may be interrupted at any call."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sandbox.box import Box
from stacksets.cli.common import Release, read_inputs, read_release
from stacksets.config.load import read_wanted
from stacksets.config.model import Wanted
from stacksets.execute.executor import Walker
from stacksets.execute.waiters import Counted, Waiting
from stacksets.observe.clients import Clients
from stacksets.observed.model import UNDER_WAY
from stacksets.planners.rollout import plan
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan, Step
from tests.waiting import wait_until

RELEASE = read_release(Path(__file__).parents[2] / "templates")


class Interrupted(BaseException):
    """Ctrl-C, as a test presses it."""


class NotReporting:
    """Shows nothing, and remembers what it was told."""

    def __init__(self) -> None:
        self.reported: list[str] = []

    def begins(self, step: Step, number: int, of: int) -> None:
        self.reported.append(f"{number}/{of} {step.says}")

    def counted(self, counted: Counted) -> None:
        self.reported.append(f"{counted.status} {counted.done} {counted.failed}")

    def waits(self, why: str) -> None:
        self.reported.append(f"waits: {why}")

    def ended(self) -> None:
        self.reported.append("done")


@dataclass
class Operator:
    """Stands in the management account. `made` are the changing calls so far."""

    box: Box
    file: str
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    release: Release = RELEASE
    made: list[str] = field(default_factory=list)
    listener: NotReporting = field(default_factory=NotReporting)

    def clients(self, after_call: Callable[[], None] = lambda: None) -> Clients:
        def make(service: str, account: str) -> Any:
            return Watched(self.box.client(service, account), self.made, after_call)

        caller = f"arn:aws:iam::{self.box.management}:root"
        return Clients(caller=caller, make=make, elsewhere=make)

    def wanted(self) -> Wanted:
        return read_wanted(
            self.file,
            member=self.release.member.document["Parameters"],
            central=self.release.central.document["Parameters"],
        )

    def read_inputs(self) -> Given:
        return read_inputs(self.wanted(), self.release, self.clients(), today=self.today)

    def accounts_in(self, path: str) -> list[str]:
        """The accounts below a unit of the box."""
        given = self.read_inputs()
        unit = given.unit_id(path)
        assert unit is not None
        return [one.id for one in given.observed.organization.below(unit)]

    def plan(self) -> Plan:
        return plan(self.read_inputs())

    def rest(self) -> None:
        """What the sets do by themselves comes to its end, and what that causes."""
        cloudformation = self.box.client("cloudformation", self.box.management)

        def at_rest() -> bool:
            sets = cloudformation.list_stack_sets(Status="ACTIVE")["Summaries"]
            return not any(
                one["Status"] in UNDER_WAY
                for found in sets
                for one in cloudformation.list_stack_set_operations(
                    StackSetName=found["StackSetName"]
                )["Summaries"]
            )

        wait_until(at_rest, "an operation does not end")
        self.box.settle(ignore_hidden=True)

    def apply(self) -> dict[str, str]:
        """Walk the plan; answers what failed within the tolerance. Raises as the walker does."""
        made = self.plan()
        assert made.refusals == ()
        return self.walk(made)

    def apply_interrupted_after_each_call(
        self, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Press Ctrl-C right after each changing call, and apply again, until all is done;
        `meanwhile` is what has to hold after each."""
        for _ in range(100):
            made = self.plan()
            assert made.refusals == ()
            if made.empty:
                return
            with suppress(Interrupted):
                self.walk(made, calls=1)
            meanwhile()
        raise AssertionError("it does not end")

    def walk(self, made: Plan, *, calls: int | None = None) -> dict[str, str]:
        """Raises Interrupted right after so many changing calls."""
        left = iter(range(calls - 1)) if calls is not None else None

        def after_call() -> None:
            if left is not None and next(left, None) is None:
                raise Interrupted

        return self.walker(self.clients(after_call)).walk(made.own)

    def walker(self, clients: Clients) -> Walker:
        waiting = Waiting(sleep=_nap, clock=time.time, poll=0.0, patience=0.0)
        return Walker(clients, self.release.contents, waiting, self.listener)


class Watched:
    """A client that writes down its changing calls, and tells when each has been made."""

    def __init__(self, client: Any, made: list[str], after_call: Callable[[], None]) -> None:
        self._client, self._made, self._after_call = client, made, after_call

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name.startswith(("describe_", "list_", "get_", "head_", "meta", "exceptions")):
            return method

        def call(**arguments: Any) -> Any:
            answer = method(**arguments)
            self._made.append(name)
            self._after_call()
            return answer

        return call


def _nap(_seconds: float) -> None:
    time.sleep(0.02)


def stacks(box: Box, account: str) -> Iterator[str]:
    """The names of an account's stacks that stand."""
    for stack in box.client("cloudformation", account).describe_stacks()["Stacks"]:
        if stack["StackStatus"].endswith("_COMPLETE") and "ROLLBACK" not in stack["StackStatus"]:
            yield stack["StackName"]
