"""`status`: looks at every account of the Organization and says who is covered, and why not. A
shell; changes nothing.

Exit codes: 0 all is as the file wants it, 1 something that should be covered is not, or
the central account is behind, 2 no answer.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from stacksets.cli.common import Stopped, add_common_options, read_file, read_release
from stacksets.cli.progress import looking
from stacksets.cli.status_json import status_json
from stacksets.cli.status_page import write_page
from stacksets.cli.status_table import status_table
from stacksets.config.model import MANAGEMENT_STACK, Wanted
from stacksets.execute.executor import advice
from stacksets.observe.clients import CannotEnter, Clients, open_clients, sentence
from stacksets.observe.observe import (
    NotDelegated,
    deploying_account,
    reading_client,
    seen_organization,
)
from stacksets.observe.stacks import read_stack, read_stack_sets
from stacksets.observed.heartbeats import Kept, read_kept
from stacksets.observed.templates import Template
from stacksets.status.coverage import coverage
from stacksets.status.inputs import StatusInputs, central_is_behind


def add_status(commands: Any) -> None:
    """Add the command `status` to the subparsers of the command line."""
    status = commands.add_parser(
        "status",
        help="which accounts are covered, and why others are not",
        description=(
            "Look at every account of the Organization and print which are covered. Exit code 1 "
            "while one that should be covered is not."
        ),
    )
    add_common_options(status)
    status.add_argument("--json", action="store_true", help="JSON, as docs/status.md describes it")
    status.add_argument(
        "--page", type=Path, metavar="FILE.html", help="write one page to look at, for a browser"
    )
    status.set_defaults(command=_status)


def read_status(wanted: Wanted, clients: Clients, *, member: Template, now: float) -> StatusInputs:
    """Read all that a status is made from, with no call for each account. Raises Stopped."""
    try:
        with looking("the Organization"):
            return _look(wanted, clients, member, now)
    except (CannotEnter, NotDelegated) as error:
        raise Stopped(str(error), 2) from error
    except (BotoCoreError, ClientError) as error:
        said = f"AWS refused to tell: {sentence(error)}. {advice(error)}".rstrip()
        raise Stopped(said, 2) from error


def _look(wanted: Wanted, clients: Clients, member: Template, now: float) -> StatusInputs:
    organization = seen_organization(wanted, reading_client(wanted, clients))
    deploying = clients.of("cloudformation", deploying_account(wanted, organization))
    management = organization.management
    return StatusInputs(
        organization=organization,
        wanted=wanted,
        partition=clients.partition,
        stack_sets=read_stack_sets(deploying, call_as=wanted.call_as),
        management_seen=not wanted.delegated,
        management_stack=(
            None
            if wanted.delegated
            else read_stack(clients.of("cloudformation", management), management, MANAGEMENT_STACK)
        ),
        digest=member.digest,
        kept=_kept(wanted, clients),
        now=now,
    )


def _kept(wanted: Wanted, clients: Clients) -> Kept:
    """Read what the central account keeps; nothing where its table or index is not there yet."""
    try:
        return read_kept(clients.of("dynamodb", wanted.central.account))
    except ClientError as error:
        reported = error.response["Error"]
        # DynamoDB has no code of its own for an index that it does not know.
        no_index = reported["Code"] == "ValidationException" and "index" in reported.get(
            "Message", ""
        )
        if no_index or reported["Code"] == "ResourceNotFoundException":
            return Kept(readable=False)
        raise


def _status(options: argparse.Namespace) -> int:
    release = read_release(options.templates)
    wanted = read_file(options.file, release).entered_by(options.access_role)
    try:
        clients = open_clients(wanted.access, region=wanted.region, profile=options.profile)
    except CannotEnter as error:
        raise Stopped(str(error), 2) from error
    inputs = read_status(wanted, clients, member=release.member, now=time.time())
    return show(inputs, page=options.page, as_json=options.json)


def show(inputs: StatusInputs, *, page: Path | None, as_json: bool) -> int:
    """Print and write what was asked for; the exit code."""
    found = coverage(inputs)
    if page:
        try:
            write_page(page, found, inputs)
        except OSError as error:
            raise Stopped(f"{page} cannot be written: {error.strerror}.", 2) from error
        print(f"Written: {page}", file=sys.stderr)
    if as_json:
        json.dump(status_json(found, inputs), sys.stdout, indent=1)
        print()
    else:
        console = Console(highlight=False)
        for part in status_table(found, organization=inputs.organization.id):
            console.print(part)
    # Behind, the central account tells nobody of anything, and what it kept of the accounts is old.
    return 1 if found.amiss or central_is_behind(inputs) else 0
