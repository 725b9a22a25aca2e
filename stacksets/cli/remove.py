"""The command remove: show what is contained, ask what becomes of it, and take the product back."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from handler.notifier.messages.notice import visible
from stacksets.cli.apply import show_chosen, walk_steps
from stacksets.cli.common import (
    Release,
    Stopped,
    add_common_options,
    read_file,
    read_inputs,
    read_release,
)
from stacksets.cli.progress import looking
from stacksets.config.model import Wanted
from stacksets.execute.dry_run import dry_run
from stacksets.observe.clients import CannotEnter, Clients, open_clients, sentence
from stacksets.observe.containments import accounts_reported_of, look_into
from stacksets.observed.bearers import Holding
from stacksets.planners.removal import Choice, Removing, removal
from stacksets.steps.guardrail import many
from stacksets.steps.model import Plan


def add_remove_command(commands: Any) -> None:
    """Add remove to the command line."""
    says = "take the product back: rings, guardrail, central account and buckets"
    command = commands.add_parser("remove", help=says, description=f"{says.capitalize()}.")
    add_common_options(command)
    command.add_argument("--ring", default="", help="this ring alone, and nothing else")
    fate = command.add_mutually_exclusive_group()
    fate.add_argument(
        "--release-all", action="store_true", help="whoever is contained may use IAM again"
    )
    fate.add_argument(
        "--keep-contained",
        action="store_true",
        help="move each containment to a policy that no stack owns",
    )
    command.add_argument(
        "--look-everywhere",
        action="store_true",
        help="look for contained principals in every account, not only where incidents were",
    )
    shape = command.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="the plan as JSON; does nothing")
    shape.add_argument("--as-cli", action="store_true", help="the plan as aws commands")
    shape.add_argument("--dry-run", action="store_true", help="show the plan, send nothing")
    command.add_argument(
        "--yes-remove",
        metavar="NAME",
        help="do not ask; NAME is the Organization's id, or the ring's name with --ring",
    )
    command.add_argument("--poll", type=float, default=5.0, metavar="SECONDS")
    command.set_defaults(command=_remove, patience=0.0)


def _remove(options: argparse.Namespace) -> int:
    release = read_release(options.templates)
    wanted = read_chosen(options, release)
    clients = _entered(options, wanted)
    removing = _look(options, wanted, release, clients)
    if removing.contained and removing.choice is None and not _programmatic(options):
        print_held(removing.held)
        removing = replace(removing, choice=_asked())
    made = removal(removing)
    _show(options, removing, made)
    if made.refusals:
        return 1
    if options.dry_run:
        problems = list(dry_run(made.steps))
        print("\n".join(problems) or "Dry run: nothing was sent.")
        return 1 if problems else 0
    if options.json or options.as_cli or not made.own:
        return 1 if made.of_others else 0
    _agree(options, removing)
    walk_steps(options, clients, release, made, again="remove")
    return 1 if made.of_others else 0


def read_chosen(options: argparse.Namespace, release: Release) -> Wanted:
    """The rollout file, entered by the role of the options. Raises Stopped, also for a ring of
    theirs that it does not have."""
    wanted = read_file(options.file, release).entered_by(options.access_role)
    if options.ring and options.ring not in [ring.name for ring in wanted.rings]:
        names = ", ".join(ring.name for ring in wanted.rings)
        raise Stopped(f"{options.file} has no ring {options.ring}; it has {names}.", 2)
    return wanted


def _entered(options: argparse.Namespace, wanted: Wanted) -> Clients:
    try:
        return open_clients(wanted.access, region=wanted.region, profile=options.profile)
    except CannotEnter as error:
        raise Stopped(str(error)) from error


def _look(
    options: argparse.Namespace, wanted: Wanted, release: Release, clients: Clients
) -> Removing:
    today = datetime.fromtimestamp(time.time(), UTC).date()
    given = read_inputs(wanted, release, clients, today=today)
    chosen = {
        options.release_all: Choice.RELEASE,
        options.keep_contained: Choice.KEEP,
    }.get(True)
    empty = Removing(given=given, held={}, choice=chosen, ring=options.ring)
    try:
        accounts = suspects(empty, clients, everywhere=options.look_everywhere)
        with looking(f"what is contained in {many(len(accounts), 'account')}"):
            return replace(
                empty, held=look_into(clients, accounts, profiled=wanted.access.profiles)
            )
    except CannotEnter as error:
        raise Stopped(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise Stopped(f"AWS refused to tell who is contained: {sentence(error)}.") from error


def suspects(removing: Removing, clients: Clients, *, everywhere: bool) -> set[str]:
    """The accounts to look into: where incidents were, or a deletion has failed already; all of
    them where the central table cannot say."""
    given = removing.given
    organization = given.observed.organization
    with_stack = {
        account
        for seen in removing.sets
        for account in seen.instances
        if account in organization.accounts and organization.accounts[account].status == "ACTIVE"
    }
    if given.observed.management_stack is not None and not removing.ring:
        with_stack.add(organization.management)
    reported = accounts_reported_of(clients, given.wanted.central.account)
    if everywhere or reported is None:
        return with_stack
    broken = {
        account
        for seen in removing.sets
        for account, one in seen.instances.items()
        if (one.status, one.detail) != ("CURRENT", "SUCCEEDED")
    }
    return with_stack & (reported | broken)


def print_held(held: Mapping[str, Holding]) -> None:
    """Who is contained, one line each."""
    table = Table("Account", "Who", "Id", "By", box=None, header_style="bold")
    for account, holding in sorted(held.items()):
        for one in holding.contained:
            by = ", ".join(sorted(method.value for method in one.methods))
            cells = (account, f"{one.kind} {one.name}", one.id, by)
            table.add_row(*(Text(visible(cell)) for cell in cells))
    console = Console(highlight=False)
    console.print("Contained now:")
    console.print(table)


def _asked() -> Choice | None:
    """What the person at the terminal wants; None at the end of input or for anything else."""
    try:
        said = input("Write release to let them use IAM again, or keep to keep them contained: ")
    except EOFError:
        return None
    return {"release": Choice.RELEASE, "keep": Choice.KEEP}.get(said.strip())


def _programmatic(options: argparse.Namespace) -> bool:
    return bool(options.json or options.as_cli or options.yes_remove or options.dry_run)


def _show(options: argparse.Namespace, removing: Removing, made: Plan) -> None:
    if made.empty and not (options.json or options.as_cli):
        print("Nothing to remove: nothing of the product is left here.")
    else:
        show_chosen(options, removing.given, made)


def _agree(options: argparse.Namespace, removing: Removing) -> None:
    """Ask, and for the whole Organization ask twice. Raises Stopped without agreement."""
    what = options.ring or removing.given.observed.organization.id
    if options.yes_remove is not None:
        if options.yes_remove != what:
            raise Stopped(f"--yes-remove says {options.yes_remove}, and this is {what}.", 2)
        return
    wholly = "ring " + what if options.ring else f"the whole Organization {what}"
    try:
        if input(f"Remove the product from {wholly}? Write yes: ").strip() != "yes":
            raise Stopped("Nothing was done.")
        if not options.ring and input(f"Write the Organization's id ({what}): ").strip() != what:
            raise Stopped("Nothing was done.")
    except EOFError as error:
        print(file=sys.stderr)
        raise Stopped("Nothing was done: nobody was there to agree.") from error
