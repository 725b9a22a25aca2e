"""The command drift: look for what was changed behind CloudFormation's back, name it, mend it."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from handler.notice import visible
from stacksets.bearers import Holding
from stacksets.beginning import Release, Stopped, add_common_options, look, read_release
from stacksets.clients import CannotEnter, Clients, open_clients, sentence
from stacksets.given import Given
from stacksets.holding import accounts_told_of, look_into
from stacksets.mending import Drift, left_kept, mending_steps, unmendable
from stacksets.remove import read_chosen
from stacksets.rollout_commands import agreed, ended, walk_steps
from stacksets.show import print_plan
from stacksets.steps import Call, Kind, Plan, Step, Until, Wait
from stacksets.wanted import Ring, Wanted

# Drift is looked for everywhere, however many accounts cannot be looked at.
EVERYWHERE = {
    "MaxConcurrentPercentage": 100,
    "FailureTolerancePercentage": 100,
    "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
}


def add_drift_command(commands: Any) -> None:
    """Add drift to the command line."""
    says = "look for stacks that were changed by hand, and mend them"
    command = commands.add_parser("drift", help=says, description=f"{says.capitalize()}.")
    add_common_options(command)
    command.add_argument("--ring", default="", help="this ring alone")
    command.add_argument(
        "--mend", action="store_true", help="make these stacks anew, containments kept"
    )
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument(
        "--json", action="store_true", help="what drifted, as JSON; mends only with --yes"
    )
    command.add_argument("--poll", type=float, default=5.0, metavar="SECONDS")
    command.set_defaults(command=_drift, patience=0.0)


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
            kind=Kind.RING,
            says=f"Compare the stacks of {ring.stack_set} with their template",
            whom="nothing is changed",
            calls=(Call(given.deploying, "cloudformation", "DetectStackSetDrift", arguments),),
            wait=Wait(
                Until.OPERATION, given.deploying, ring.stack_set, call_as=given.wanted.call_as
            ),
            ring=ring.name,
            accounts=tuple(sorted(seen.instances)),
        )


def drifted(given: Given, ring: Ring) -> list[str]:
    """The accounts of a ring whose stacks have drifted, by the last look."""
    seen = given.observed.stack_sets.get(ring.stack_set)
    return sorted(
        a for a, one in (seen.instances if seen else {}).items() if one.drift == "DRIFTED"
    )


def resources(client: Any, given: Given, ring: Ring, account: str) -> Iterator[Drift]:
    """Every resource of an account's stack that has drifted. Raises ClientError."""
    seen = given.observed.stack_sets[ring.stack_set]
    looks = [one.id for one in seen.operations if one.action == "DETECT_DRIFT"]
    named = {
        "StackSetName": ring.stack_set,
        "StackInstanceAccount": account,
        "StackInstanceRegion": given.wanted.region,
        "OperationId": looks[0],
        "StackInstanceResourceDriftStatuses": ["MODIFIED", "DELETED"],
        "CallAs": given.wanted.call_as,
    }
    token: dict[str, str] = {}
    while True:
        # boto3 has no paginator for this one.
        page = client.list_stack_instance_resource_drifts(**named, **token)
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


def mending(given: Given, rings: Iterable[Ring], held: Mapping[str, Holding]) -> Plan:
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
        notes += left_kept(given, [one for one in concerned if one.account in accounts])
        steps += mending_steps(given, ring, concerned, accounts)
    return Plan(tuple(steps), tuple(stops), tuple(notes))


def _drift(options: argparse.Namespace) -> int:
    release = read_release(options.templates)
    wanted = read_chosen(options, release)
    rings = [ring for ring in wanted.rings if options.ring in ("", ring.name)]
    try:
        clients = open_clients(wanted.access, region=wanted.region, profile=options.profile)
        given = _look(wanted, release, clients)
        steps = tuple(detection_steps(given, rings))
        failed = walk_steps(options, clients, release, Plan(steps), again="drift")
        given = _look(wanted, release, clients)
        client = clients.of("cloudformation", given.deploying)
        found = [
            one
            for ring in rings
            for account in drifted(given, ring)
            for one in resources(client, given, ring, account)
        ]
        _show(options, found, failed)
        if not options.mend:
            return 1 if found or failed else 0
        return _mend(options, given, rings, clients, release) or (1 if failed else 0)
    except CannotEnter as error:
        raise Stopped(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise Stopped(f"AWS refused to tell: {sentence(error)}.") from error


def _look(wanted: Wanted, release: Release, clients: Clients) -> Given:
    today = datetime.fromtimestamp(time.time(), UTC).date()
    return look(wanted, release, clients, today=today)


def _mend(
    options: argparse.Namespace,
    given: Given,
    rings: list[Ring],
    clients: Clients,
    release: Release,
) -> int:
    held = look_into(clients, to_look_into(given, rings, clients))
    made = mending(given, rings, held)
    # JSON has the standard output for itself: the plan of the mending is for people.
    print_plan(Console(highlight=False, stderr=options.json), made)
    if made.refusals:
        return 1
    if options.json and not options.yes:
        return 1 if made.steps else 0
    if made.steps and not options.yes and not agreed():
        raise Stopped("Nothing was done.")
    return ended(walk_steps(options, clients, release, made, again="drift --mend"), made)


def to_look_into(given: Given, rings: Iterable[Ring], clients: Clients) -> set[str]:
    """Where somebody may be contained: what has drifted, and where incidents were told of, since
    an earlier mending may have been interrupted there."""
    told = accounts_told_of(clients, given.wanted.central.account) or set()
    return {
        account
        for ring in rings
        for account in {*drifted(given, ring), *(told & given.ring_accounts(ring).keys())}
    }


def _show(options: argparse.Namespace, found: Iterable[Drift], failed: Mapping[str, str]) -> None:
    if options.json:
        rows = [asdict(one) for one in found]
        print(json.dumps({"drifted": rows, "not_looked_at": dict(failed)}, indent=2))
        return
    table = Table("Ring", "Account", "Resource", "Type", "", box=None, header_style="bold")
    for one in found:
        what = one.status.lower() + (f": {', '.join(one.paths)}" if one.paths else "")
        cells = (one.ring, one.account, one.resource, one.kind, what)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console = Console(highlight=False)
    if table.row_count:
        console.print(table)
    for account, said in sorted(failed.items()):
        console.print(Text(visible(f"account {account} could not be looked at: {said}")))
    accounts = len({one.account for one in found})
    console.print(f"{table.row_count} resources in {accounts} accounts have drifted.")
