"""Organizations of any size as a status sees them: fake accounts, heartbeats and incidents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handler.model.fingerprint import settings_fingerprint
from handler.model.heartbeat import Heartbeat, SelfTest
from handler.model.names import VERSION
from handler.model.settings import KNOBS, read_settings
from stacksets.config.model import (
    Access,
    Central,
    Excluded,
    Guardrail,
    Management,
    Reach,
    Ring,
    Trail,
    Wanted,
)
from stacksets.observed.heartbeats import CentralState, Kept, LastHeartbeat, Opened
from stacksets.observed.model import AutoDeployment, Instance, Stack, StackSet
from stacksets.observed.organization import Account, Organization, Unit
from stacksets.status.inputs import StatusInputs

NOW = 1_790_000_000.0
DAY = 86_400
MANAGEMENT = "111122223333"
BUS = "arn:aws:events:us-east-1:444455556666:event-bus/iam-org-revoker"
UNITS = ("Platform", "Payments", "Retail", "Research", "Data", "Sandbox")
DIGEST = "0123456789abcdef"


def parameters(mode: str, **others: str) -> dict[str, str]:
    """What a ring gives, but for the bus."""
    given = {knob.parameter: knob.default for knob in KNOBS if knob.parameter != "CentralBusArn"}
    return {**given, "Mode": mode, **others}


def fingerprint(mode: str, **others: str) -> str:
    """What a revoker with these parameters says of them."""
    given = {**parameters(mode, **others), "CentralBusArn": BUS}
    return settings_fingerprint(
        read_settings({knob.variable: given[knob.parameter] for knob in KNOBS})
    )


def a_ring(name: str = "all", *, units: tuple[str, ...] = ("/",), mode: str = "enforce") -> Ring:
    return Ring(
        name=name,
        units=units,
        mode=mode,
        parameters=parameters(mode),
        observed_since=None,
        accept_unguarded=False,
        tolerance_percent=0,
        concurrent_percent=100,
        retain_on_leave=False,
    )


def a_wanted(*rings: Ring, excluded: tuple[Excluded, ...] = (), install: bool = True) -> Wanted:
    return Wanted(
        organization="o-exampleorgid",
        region="us-east-1",
        deploy_from="management",
        trail=Trail.ORGANIZATION,
        observe_days=14,
        access=Access(role="OrganizationAccountAccessRole", profiles={}),
        central=Central(account="444455556666", parameters={}, service_role=""),
        guardrail=Guardrail(attach=Reach.NOWHERE, canary="", policy_name="iam-org-revoker"),
        rings=rings or (a_ring(),),
        management=Management(
            install=install,
            mode="observe",
            parameters=parameters("observe"),
            observed_since=None,
            accept_unguarded=False,
            service_role="",
        ),
        excluded=excluded,
    )


def a_beat(account: str, *, mode: str = "enforce", **changes: Any) -> Heartbeat:
    """A healthy account's."""
    deny = 2.4 if mode == "enforce" else 0.0
    return replace(
        Heartbeat(
            account=account,
            region="us-east-1",
            product_version=VERSION,
            mode=mode,
            settings=fingerprint(mode),
            at=NOW - 300,
            last_event_at=NOW - 3_600,
            rule="ENABLED",
            tamper_rule="ENABLED",
            trail="logging",
            table_policy="denies",
            self_test=SelfTest(at=NOW - 40_000, event_seconds=1.9, deny_seconds=deny),
        ),
        **changes,
    )


def an_instance(account: str, **changes: str) -> Instance:
    return replace(
        Instance(
            account=account,
            unit="r-ab12",
            status="CURRENT",
            detail="SUCCEEDED",
            reason="",
            drift="NOT_CHECKED",
            stack_id="",
        ),
        **changes,
    )


def a_stack_set(ring: Ring, *instances: Instance, **changes: Any) -> StackSet:
    return replace(
        StackSet(
            name=ring.stack_set,
            status="ACTIVE",
            description="",
            parameters={**ring.parameters, "CentralBusArn": BUS},
            template={},
            digest=DIGEST,
            units=("r-ab12",),
            auto_deployment=AutoDeployment(enabled=True, retain=False),
            instances={one.account: one for one in instances},
            operations=(),
        ),
        **changes,
    )


def a_management_stack(**changes: Any) -> Stack:
    return replace(
        Stack(
            account=MANAGEMENT,
            name="iam-org-revoker",
            status="CREATE_COMPLETE",
            reason="",
            parameters={**parameters("observe"), "CentralBusArn": BUS},
            template={},
            digest=DIGEST,
            outputs={},
        ),
        **changes,
    )


def account_id(number: int) -> str:
    return f"{777_700_000_000 + number}"


def an_organization(size: int) -> Organization:
    """So many accounts, management included, over the six OUs below Workloads."""
    root = Unit("r-ab12", "Root", "", ())
    top = Unit("ou-ab12-00000000", "Workloads", root.id, ("Workloads",))
    units = [root, top]
    for number, name in enumerate(UNITS, 1):
        units.append(Unit(f"ou-ab12-{number:08d}", name, top.id, ("Workloads", name)))
    accounts = [Account(MANAGEMENT, "management", "root@example.com", "ACTIVE", root.id)]
    for number in range(1, size):
        unit = units[2 + number % len(UNITS)]
        stage = ("dev", "test", "prod")[number % 3]
        name = f"{unit.name.lower()}-{stage}-{number:04d}"
        accounts.append(Account(account_id(number), name, f"{name}@example.com", "ACTIVE", unit.id))
    return Organization(
        id="o-exampleorgid",
        root=root.id,
        management=MANAGEMENT,
        all_features=True,
        units={unit.id: unit for unit in units},
        accounts={one.id: one for one in accounts},
    )


def status_inputs(size: int = 3, *rings: Ring, **changes: Any) -> StatusInputs:
    """An Organization in which all is well and the management account observes."""
    organization, ring = an_organization(size), (*rings, a_ring())[0]
    members = [one for one in organization.accounts if one != MANAGEMENT]
    heard = {one: LastHeartbeat(NOW - 300, a_beat(one, mode=ring.mode)) for one in members}
    heard[MANAGEMENT] = LastHeartbeat(NOW - 300, a_beat(MANAGEMENT, mode="observe"))
    return replace(
        StatusInputs(
            organization=organization,
            wanted=a_wanted(*(rings or (ring,))),
            partition="aws",
            stack_sets={ring.stack_set: a_stack_set(ring, *map(an_instance, members))},
            management_seen=True,
            management_stack=a_management_stack(),
            digest=DIGEST,
            kept=Kept(
                heard=heard, central=CentralState(last_sweep=NOW - 20, last_heartbeat_at=NOW - 60)
            ),
            now=NOW,
        ),
        **changes,
    )


def mixed_status_inputs(size: int) -> StatusInputs:
    """An Organization with some accounts in every state, and incidents in the last month."""
    inputs = status_inputs(size)
    organization, ring = inputs.organization, inputs.wanted.rings[0]
    accounts, heard = dict(organization.accounts), dict(inputs.kept.heard)
    instances = dict(inputs.stack_sets[ring.stack_set].instances)
    # The same tenth account of each twelve for small ones; few of a large Organization.
    step = 12 if size < 100 else 200
    for number, one in enumerate(list(instances)):
        match number % step:
            case 1:
                heard[one] = LastHeartbeat(NOW - 300, a_beat(one, mode="observe"))
            case 2:
                heard[one] = LastHeartbeat(NOW - 300, a_beat(one, product_version="0.0.9"))
            case 3:
                heard[one] = LastHeartbeat(NOW - 300, a_beat(one, rule="DISABLED"))
            case 4:
                bad = SelfTest(at=NOW - 7_200, ok=False, error="the canary's event did not arrive")
                heard[one] = LastHeartbeat(NOW - 300, a_beat(one, self_test=bad))
            case 5:
                heard[one] = LastHeartbeat(NOW - 90_000, a_beat(one))
            case 6:
                del heard[one]
                said = "ResourceLogicalId:Revoker, ResourceStatusReason: Not enough concurrency"
                instances[one] = an_instance(one, status="OUTDATED", detail="FAILED", reason=said)
            case 7:
                del heard[one], instances[one]
            case 8:
                accounts[one] = replace(accounts[one], status="SUSPENDED")
            case _:
                test = SelfTest(
                    at=NOW - 40_000,
                    event_seconds=1.5 + number % 37 / 9,
                    deny_seconds=1.9 + number % 41 / 8,
                )
                heard[one] = LastHeartbeat(NOW - 300, a_beat(one, self_test=test))
    left_out = tuple(
        Excluded(one, "It is the vault of backups and has no IAM users.")
        for one in list(instances)[10::step]
    )
    for spared in left_out:
        del instances[spared.account], heard[spared.account]
    today = int(NOW) // DAY
    opened = {
        Opened(account_id(1 + number), today - day, kind): 1 + (number * day) % 5
        for number in range(min(size - 1, 60))
        for day in range(30)
        for kind, often in (("contained", 5), ("deny-removed", 40), ("unhealthy", 9))
        if (number * 7 + day * 3 + 1) % (often + number) == 0
    }
    return replace(
        inputs,
        organization=replace(organization, accounts=accounts),
        wanted=replace(inputs.wanted, excluded=left_out),
        stack_sets={ring.stack_set: a_stack_set(ring, *instances.values())},
        kept=replace(inputs.kept, heard=heard, opened=opened),
    )
