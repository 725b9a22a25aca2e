"""Drift of the rings' stacks: let AWS compare, read what it found, and plan what mends it.

Judges and prints nothing; drift_command.py is the command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stacksets.config.model import Ring
from stacksets.containments.repair import Drift, left_kept, repair_steps, unendable, unmendable
from stacksets.observe.clients import Clients
from stacksets.observe.containments import accounts_reported_of
from stacksets.observed.bearers import Holding
from stacksets.steps.inputs import Given
from stacksets.steps.model import Call, Plan, Step, StepKind
from stacksets.steps.ring_calls import operation_wait

# Drift is looked for everywhere, however many accounts cannot be looked at.
EVERYWHERE = {
    "MaxConcurrentPercentage": 100,
    "FailureTolerancePercentage": 100,
    "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
}


def detection_steps(given: Given, rings: Iterable[Ring]) -> Iterator[Step]:
    """Let AWS compare every stack of the rings with its template."""
    for ring in rings:
        seen = given.observed.stack_sets.get(ring.stack_set)
        if seen is None or not seen.instances:
            continue
        arguments = {
            "StackSetName": ring.stack_set,
            "OperationPreferences": EVERYWHERE,
            "CallAs": given.wanted.call_as,
        }
        yield Step(
            kind=StepKind.RING,
            says=f"Compare the stacks of {ring.stack_set} with their template",
            target_text="nothing is changed",
            calls=(Call(given.deploying, "cloudformation", "DetectStackSetDrift", arguments),),
            wait=operation_wait(given, ring.stack_set),
            ring=ring.name,
            accounts=tuple(sorted(seen.instances)),
        )


def drifted(given: Given, ring: Ring) -> list[str]:
    """The accounts of a ring whose stacks have drifted, by the last look."""
    seen = given.observed.stack_sets.get(ring.stack_set)
    return sorted(
        a for a, one in (seen.instances if seen else {}).items() if one.drift == "DRIFTED"
    )


class Superseded(Exception):
    """Another look for drift has begun since, or AWS knows ours no more."""


def resources(client: Any, given: Given, ring: Ring, account: str) -> Iterator[Drift]:
    """Every resource of an account's stack that has drifted, by the latest look: AWS tells of no
    other, and of one that goes on only a part (API Reference, ListStackInstanceResourceDrifts).
    Raises ClientError and Superseded."""
    seen = given.observed.stack_sets[ring.stack_set]
    looks = [one for one in seen.operations if one.action == "DETECT_DRIFT"]
    if not looks or looks[0] in seen.under_way:
        raise Superseded
    named = {
        "StackSetName": ring.stack_set,
        "StackInstanceAccount": account,
        "StackInstanceRegion": given.wanted.region,
        "OperationId": looks[0].id,
        "StackInstanceResourceDriftStatuses": ["MODIFIED", "DELETED"],
        "CallAs": given.wanted.call_as,
    }
    token: dict[str, str] = {}
    while True:
        # boto3 has no paginator for this one.
        try:
            page = client.list_stack_instance_resource_drifts(**named, **token)
        except client.exceptions.OperationNotFoundException as error:
            raise Superseded from error
        for row in page["Summaries"]:
            yield Drift(
                account=account,
                ring=ring.name,
                resource=row["LogicalResourceId"],
                kind=row["ResourceType"],
                status=row["StackResourceDriftStatus"],
                paths=tuple(one["PropertyPath"] for one in row.get("PropertyDifferences", ())),
            )
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def found_drift(clients: Clients, given: Given, rings: Iterable[Ring]) -> list[Drift]:
    """Everything that has drifted in the rings, by the latest look. Raises ClientError,
    CannotEnter and Superseded."""
    client = clients.of("cloudformation", given.deploying)
    return [
        one
        for ring in rings
        for account in drifted(given, ring)
        for one in resources(client, given, ring, account)
    ]


def repairing(given: Given, rings: Iterable[Ring], held: Mapping[str, Holding]) -> Plan:
    """The plan that mends what has drifted in the rings, and ends what a mending has begun."""
    steps: list[Step] = []
    stops: list[str] = []
    notes: list[str] = []
    for ring in rings:
        accounts = drifted(given, ring)
        concerned = [
            one
            for account, one in sorted(held.items())
            if account in accounts or (account in given.ring_accounts(ring) and one.keeps)
        ]
        stops += unmendable(given, [one for one in concerned if one.account in accounts])
        others = [one for one in concerned if one.account not in accounts]
        stops += unendable(given, ring, others)
        notes += left_kept(given, [one for one in concerned if one.account in accounts])
        steps += repair_steps(given, ring, concerned, accounts)
    return Plan(tuple(steps), tuple(stops), tuple(notes))


def to_look_into(given: Given, rings: Iterable[Ring], clients: Clients) -> set[str]:
    """Where somebody may be contained: what has drifted, and where incidents were told of, since
    an earlier mending may have been interrupted there."""
    reported = accounts_reported_of(clients, given.wanted.central.account) or set()
    return {
        account
        for ring in rings
        for account in {*drifted(given, ring), *(reported & given.ring_accounts(ring).keys())}
    }
