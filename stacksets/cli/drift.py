"""The command drift: look for what was changed behind CloudFormation's back, name it, mend it.

The stacks of the rings are mended by new ones; of the two ordinary stacks it says how.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from handler.notifier.messages.notice import visible
from stacksets.cli.apply import agreed, ended, walk_steps
from stacksets.cli.common import Release, Stopped, add_common_options, read_inputs, read_release
from stacksets.cli.remove import read_chosen
from stacksets.cli.render_table import print_plan
from stacksets.config.model import Ring, Wanted
from stacksets.containments.repair import Drift
from stacksets.drift.rings import (
    Superseded,
    detection_steps,
    found_drift,
    repairing,
    to_look_into,
)
from stacksets.drift.stacks import (
    by_hand,
    found_in_stacks,
    not_compared,
    stack_detection_steps,
)
from stacksets.execute.executor import advice
from stacksets.observe.clients import CannotEnter, Clients, open_clients, sentence
from stacksets.observe.containments import look_into
from stacksets.steps.inputs import Given
from stacksets.steps.model import Plan

# How often somebody else's look may come between.
LOOKS = 3


def add_drift_command(commands: Any) -> None:
    """Add drift to the command line."""
    says = "look for stacks that were changed by hand, and mend them"
    command = commands.add_parser("drift", help=says, description=f"{says.capitalize()}.")
    add_common_options(command)
    command.add_argument("--ring", default="", help="this ring alone")
    command.add_argument(
        "--repair", action="store_true", help="make these stacks anew, containments kept"
    )
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument(
        "--json", action="store_true", help="what drifted, as JSON; mends only with --yes"
    )
    command.add_argument("--poll", type=float, default=5.0, metavar="SECONDS")
    command.set_defaults(command=_drift, patience=0.0)


def _drift(options: argparse.Namespace) -> int:
    release = read_release(options.templates)
    wanted = read_chosen(options, release)
    try:
        clients = open_clients(wanted.access, region=wanted.region, profile=options.profile)
        given, found, failed = _looked(options, clients, wanted, release)
        rings = chosen(given, options.ring)
        _show(options, given, found, failed)
        if not options.repair:
            return 1 if found or failed else 0
        return _repair(options, given, rings, found, clients, release) or (1 if failed else 0)
    except CannotEnter as error:
        raise Stopped(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        reported = f"AWS refused to tell: {sentence(error)}. {advice(error)}"
        raise Stopped(reported.rstrip()) from error


def chosen(given: Given, ring: str) -> list[Ring]:
    """The ring of that name; all of them for ""."""
    return [one for one in given.wanted.rings if ring in ("", one.name)]


def _looked(
    options: argparse.Namespace, clients: Clients, wanted: Wanted, release: Release
) -> tuple[Given, list[Drift], dict[str, str]]:
    """Look, and look again where somebody else's look came between; what could not be looked at."""
    for _ in range(LOOKS):
        given = _look(wanted, release, clients)
        rings = chosen(given, options.ring)
        failed: dict[str, str] = {}
        steps = list(detection_steps(given, rings))
        if not options.ring:
            failed = not_compared(given)
            steps += stack_detection_steps(given)
        failed |= walk_steps(options, clients, release, Plan(tuple(steps)), again="drift")
        given = _look(wanted, release, clients)
        try:
            found = found_drift(clients, given, rings)
        except Superseded:
            continue
        return given, found + ([] if options.ring else found_in_stacks(clients, given)), failed
    raise Stopped(
        "Somebody else looks for drift in the same StackSets again and again, and AWS tells of the "
        "latest look alone: run drift again in some minutes."
    )


def _look(wanted: Wanted, release: Release, clients: Clients) -> Given:
    today = datetime.fromtimestamp(time.time(), UTC).date()
    return read_inputs(wanted, release, clients, today=today)


def _repair(
    options: argparse.Namespace,
    given: Given,
    rings: list[Ring],
    found: Iterable[Drift],
    clients: Clients,
    release: Release,
) -> int:
    held = look_into(
        clients,
        to_look_into(given, rings, clients),
        profiled=given.wanted.access.profiles,
    )
    made = replace(repairing(given, rings, held), unreached=tuple(by_hand(given, found)))
    # JSON has the standard output for itself: the plan of the mending is for people.
    print_plan(Console(highlight=False, stderr=options.json), made)
    if made.refusals:
        return 1
    if options.json and not options.yes:
        return 0 if made.empty else 1
    if made.steps and not options.yes and not agreed():
        raise Stopped("Nothing was done.")
    return ended(walk_steps(options, clients, release, made, again="drift --repair"), made)


def _show(
    options: argparse.Namespace, given: Given, found: Sequence[Drift], failed: Mapping[str, str]
) -> None:
    left = tuple(by_hand(given, found))
    if options.json:
        rows = [asdict(one) for one in found]
        todo = [asdict(one) for one in left]
        reported = {"drifted": rows, "not_looked_at": dict(failed), "by_hand": todo}
        print(json.dumps(reported, indent=2))
        return
    table = Table("Where", "Account", "Resource", "Type", "", box=None, header_style="bold")
    for one in found:
        what = one.status.lower() + (f": {', '.join(one.paths)}" if one.paths else "")
        where = f"ring {one.ring}" if one.ring else f"stack {one.stack}"
        cells = (where, one.account, one.resource, one.kind, what)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console = Console(highlight=False)
    if table.row_count:
        console.print(table)
    for account, said in sorted(failed.items()):
        console.print(Text(visible(f"account {account} could not be looked at: {said}")))
    if given.wanted.management.install and not given.observed.management_seen:
        console.print("The management account's own stack cannot be seen from here.")
    accounts = len({one.account for one in found})
    console.print(f"{table.row_count} resources in {accounts} accounts have drifted.")
    # A line of its own, never broken: it is there to be copied.
    for miss in () if options.repair else left:
        console.print(Text(visible(miss.said)), soft_wrap=True)
