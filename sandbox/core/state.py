"""What the pieces of the sandbox share: the Organization, the bus policies, the records.

Holds values and two callables that their owners set; starts nothing and calls no AWS.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.core.unknowns import LIKELY, Unknowns

Record = dict[str, Any]
Policy = dict[str, Any]

POLICY_VERSION = "2012-10-17"


def _in_no_organization(_account: str) -> str | None:
    return None


@dataclass(frozen=True)
class Request:
    """What somebody asks of AWS, for a policy to judge: `principal` is her ARN, `account` hers;
    `context` holds condition keys of the request, `keys` those of the principal."""

    principal: str
    account: str
    action: str
    resource: str
    region: str
    context: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)


def _nobody_refuses(_request: Request) -> str | None:
    return None


def _by_every_trail(_record: Record) -> bool:
    return True


def _nowhere(record: Record) -> None:
    raise RuntimeError(f"no router takes records yet: {record.get('eventName')}")


@dataclass
class State:
    """One sandbox's shared state.

    `organization_of` answers the id of the Organization that an account belongs to, or None;
    the Organizations API sets it. `refusal` says why service control policies refuse a request,
    None when they do not; control_policies sets it. `emit` puts a CloudTrail record on the
    default bus of the record's `recipientAccountId` in its `awsRegion`; the router sets it.
    `bus_policies` maps the ARN of an event bus to its whole policy document.
    `trail_enabled` False: calls are still recorded, but reach no bus (an account with no trail).
    `trails_needed` True: a call reaches a bus only where a trail logs it, which `logged` tells;
    trail_copies sets it.
    `now` is the sandbox's clock, in epoch seconds. `iam_delay`: seconds until a change of IAM
    counts. `history_lag`: seconds until a call is in
    CloudTrail's event history; `history_calls`: who looked there, and when. `told` maps the
    eventID of a record to when it was emitted. `stack_seconds`: how long a StackSet's operation
    takes in each account, by `now`; `stack_failures`: accounts in which it fails, and why.
    `identity_center`: the region in which the Organization's Identity Center lives, "" for none.
    `unknowns`: how AWS answers where its documentation does not say.
    """

    organization_id: str = "o-exampleorgid"
    management: str = "111122223333"
    organization_of: Callable[[str], str | None] = _in_no_organization
    refusal: Callable[[Request], str | None] = _nobody_refuses
    emit: Callable[[Record], None] = _nowhere
    records: list[Record] = field(default_factory=list)
    bus_policies: dict[str, Policy] = field(default_factory=dict)
    trail_enabled: bool = True
    trails_needed: bool = False
    logged: Callable[[Record], bool] = _by_every_trail
    iam_delay: float = 0.0
    now: Callable[[], float] = time.time
    history_lag: float = 0.0
    reported: dict[str, float] = field(default_factory=dict)
    history_calls: list[tuple[str, float]] = field(default_factory=list)
    stack_seconds: float = 0.0
    stack_failures: dict[str, str] = field(default_factory=dict)
    identity_center: str = ""
    unknowns: Unknowns = LIKELY

    def set_bus_statement(
        self, bus_arn: str, statement_id: str, statement: dict[str, Any] | None
    ) -> None:
        """Put one statement into the policy of a bus, replacing its namesake; None takes it out."""
        old = self.bus_policies.get(bus_arn, {}).get("Statement", [])
        kept = [one for one in old if one.get("Sid") != statement_id]
        if statement is not None:
            kept.append({**statement, "Sid": statement_id})
        if kept:
            self.bus_policies[bus_arn] = {"Version": POLICY_VERSION, "Statement": kept}
        else:
            self.bus_policies.pop(bus_arn, None)
