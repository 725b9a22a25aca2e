"""The command init: look at an Organization, and write its first rollout file. No more."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from stacksets.cli.common import FILE, Stopped
from stacksets.config.load import REGIONS
from stacksets.config.model import ACCESS_ROLE, CONTROL_TOWER_ROLE, Access
from stacksets.init.admin_candidates import (
    NoIdentityCenter,
    Proposal,
    control_tower,
    permission_sets,
    roles,
    roles_by_name,
)
from stacksets.init.scaffold import Found, first_file, guess_central, is_default
from stacksets.observe.clients import CannotEnter, Clients, open_clients, sentence
from stacksets.observe.observe import read_trails
from stacksets.observed.organization import Account, Organization, read_organization

# Partitions whose regions anybody may ask; whoever works in another has its region configured.
OPEN_TO_ALL = tuple(REGIONS[one] for one in ("aws", "aws-us-gov", "aws-cn", "aws-eusc"))
# What STS says of the keys of another partition.
UNKNOWN_KEYS = ("InvalidClientTokenId", "UnrecognizedClientException")


def add_init_command(commands: Any) -> None:
    command = commands.add_parser(
        "init",
        help="write the first rollout file, from what is found in the Organization",
        description="Look at the Organization and write a commented rollout file.",
    )
    command.add_argument("--file", type=Path, default=Path(FILE), help=f"default: {FILE}")
    command.add_argument("--profile", help="AWS profile of the operator's own credentials")
    command.add_argument("--central", metavar="ACCOUNT", help="the security account")
    command.add_argument("--email", default="", help="the security team's address")
    command.add_argument(
        "--identity-center-region", metavar="REGION", help="where it lives, if elsewhere"
    )
    command.set_defaults(command=_init)


def _init(options: argparse.Namespace) -> int:
    if options.file.exists():
        raise Stopped(f"{options.file} is there already: name another one in --file.", 2)
    try:
        clients = _clients(options.profile)
        found = _look(options, clients)
    except CannotEnter as error:
        raise Stopped(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise Stopped(
            f"The Organization cannot be read: {sentence(error)}. Take credentials of its "
            "management account or of a delegated administrator."
        ) from error
    try:
        options.file.write_text(first_file(found))
    except OSError as error:
        raise Stopped(f"{options.file} cannot be written: {error.strerror}.", 2) from error
    missing = [
        name for name, value in (("Email", found.email), ("account", found.central)) if not value
    ]
    empty = f" Fill in {' and '.join(missing)} of [central]." if missing else ""
    print(f"Wrote {options.file}.{empty} Read it, then: python -m stacksets plan")
    return 0


def _clients(profile: str | None) -> Clients:
    """Clients in the region that fits the credentials' partition. Keys of one partition are unknown
    in the others, and do not say whose they are. Raises CannotEnter as the first one asked."""
    access = Access(role=ACCESS_ROLE, profiles={})
    refused: CannotEnter | None = None
    for region in dict.fromkeys((*_own_region(profile), *OPEN_TO_ALL)):
        try:
            first = open_clients(access, region=region, profile=profile)
        except CannotEnter as error:
            refused = refused or error
            if not _unknown_keys(error):
                break
        else:
            fits = REGIONS.get(first.partition, region)
            return first if fits == region else open_clients(access, region=fits, profile=profile)
    assert refused is not None
    raise refused


def _own_region(profile: str | None) -> Iterator[str]:
    """The region of the operator's configuration, where it names one."""
    with suppress(BotoCoreError):
        if region := boto3.Session(profile_name=profile).region_name:
            yield region


def _unknown_keys(error: CannotEnter) -> bool:
    cause = error.__cause__
    return isinstance(cause, ClientError) and cause.response["Error"]["Code"] in UNKNOWN_KEYS


def _look(options: argparse.Namespace, clients: Clients) -> Found:
    organization = read_organization(clients.of("organizations", clients.account))
    unread: list[str] = []
    region = REGIONS.get(clients.partition, REGIONS["aws"])
    trails = read_trails(clients.of("cloudtrail", clients.account))
    iam = clients.of("iam", clients.account)
    return Found(
        organization=organization,
        region=region,
        organization_trail=any(one.of_organization and not one.flaw(region) for one in trails),
        central=_central(options.central, organization),
        email=options.email,
        deploy_from=(
            "management" if clients.account == organization.management else clients.account
        ),
        access_role=CONTROL_TOWER_ROLE if control_tower(iam) else ACCESS_ROLE,
        proposals=tuple(_proposals(options, clients, unread)),
        unread=unread,
    )


def _central(named: str | None, organization: Organization) -> Account | None:
    if named is None:
        return guess_central(organization)
    if named not in organization.accounts:
        raise Stopped(f"--central {named}: there is no such account in the Organization.", 2)
    return organization.accounts[named]


def _proposals(
    options: argparse.Namespace, clients: Clients, unread: list[str]
) -> Iterator[Proposal]:
    central = clients.of("sso-admin", clients.account)
    if options.identity_center_region:
        central = clients.elsewhere("sso-admin", options.identity_center_region)
    iam = clients.of("iam", clients.account)
    reported: set[str] = set()
    for one in (
        *_read(lambda: permission_sets(central), "Identity Center", unread),
        *_read(lambda: roles(iam, clients.partition), f"roles of {clients.account}", unread),
        *_read(lambda: roles_by_name(iam), f"names of roles of {clients.account}", unread),
    ):
        # A role may hold two powerful policies and be called so besides, be a permission set's, or
        # be in the file already.
        if one.pattern not in reported and not is_default(one):
            reported.add(one.pattern)
            yield one


def _read(
    propose: Callable[[], Iterator[Proposal]], what: str, unread: list[str]
) -> list[Proposal]:
    """The proposals; what may not be read is told in the file, for it is only a proposal."""
    try:
        return list(propose())
    except (ClientError, BotoCoreError, NoIdentityCenter) as error:
        unread.append(f"Not read, {what}: {sentence(error)}")
        return []
