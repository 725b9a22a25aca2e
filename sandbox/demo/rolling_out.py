"""The product's own rollout, walked into the box: from a file, as an operator would."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sandbox.box import Box
from stacksets.cli.common import Release, read_inputs, read_release
from stacksets.config.load import read_wanted
from stacksets.execute.executor import Walker
from stacksets.execute.waiters import Counted, Waiting
from stacksets.observe.clients import Clients
from stacksets.planners.rollout import plan
from stacksets.steps.inputs import Given
from stacksets.steps.model import Step

TEMPLATES = Path(__file__).parents[2] / "templates"
RING = "members"


class Quiet:
    """Shows nothing: the box is fast."""

    def begins(self, step: Step, number: int, of: int) -> None:
        """A step begins."""

    def counted(self, counted: Counted) -> None:
        """An operation has come so far."""

    def waits(self, why: str) -> None:
        """A set is busy."""

    def ended(self) -> None:
        """A step has ended."""


def roll_out(box: Box, file: str, *, sleep: Callable[[float], None]) -> Given:
    """Apply a rollout file with the management account's credentials; answers what it was planned
    from. Raises RuntimeError with the refusals, and StepFailed."""
    release = _release()
    wanted = read_wanted(
        file,
        member=release.member.document["Parameters"],
        central=release.central.document["Parameters"],
    )
    clients = clients_of_management(box)
    given = read_inputs(
        wanted, release, clients, today=datetime.fromtimestamp(box.time(), UTC).date()
    )
    made = plan(given)
    if made.refusals:
        raise RuntimeError("; ".join(made.refusals))
    waiting = Waiting(sleep=sleep, clock=time.time, poll=0.0)
    Walker(clients, release.contents, waiting, Quiet()).walk(made.own)
    return given


def clients_of_management(box: Box) -> Clients:
    """Clients as the management account's root makes them."""
    return Clients(
        caller=f"arn:aws:iam::{box.management}:root",
        make=box.client,
        elsewhere=lambda service, region: box.client(service, box.management, region=region),
    )


def rollout_file(
    box: Box,
    *,
    mode: str,
    email: str,
    parameters: Mapping[str, str],
    central: Mapping[str, str],
) -> str:
    """A file with one ring over both OUs, without the guardrail and the management account."""
    since = datetime.fromtimestamp(box.time(), UTC).date()
    units = json.dumps([box.layout.workloads, box.layout.sandbox])
    return f"""
organization = {json.dumps(box.organization_id)}
trail = "accounts"
observe_days = 0
[central]
account = {json.dumps(box.security)}
[central.parameters]
{_lines({"Email": email, **central})}
[parameters]
{_lines(parameters)}
[[ring]]
name = "{RING}"
units = {units}
mode = "{mode}"
observed_since = {since}
accept_unguarded = true
[management]
install = false
"""


def _lines(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())


@cache
def _release() -> Release:
    return read_release(TEMPLATES)
