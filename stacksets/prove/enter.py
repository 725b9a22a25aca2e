"""Look around in the account of a proof, and open it. Reads only."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from handler.model.names import REVOKER
from handler.model.settings import Settings, read_settings
from stacksets.execute.waiters import Waiting
from stacksets.observe.clients import CONFIG, Clients
from stacksets.observe.containments import operator_of
from stacksets.prove.attacks.actor import code_of
from stacksets.prove.attacks.scene import PATH, Scene
from stacksets.prove.fit import Found
from stacksets.steps.inputs import Given


def find(clients: Clients, account: str) -> Found:
    """What is in the account that decides whether it is fit. Raises ClientError, CannotEnter."""
    settings, iam = _settings(clients.of("lambda", account)), clients.of("iam", account)
    group = _members(iam, settings.admin_group) if settings else None
    return Found(
        account=account,
        operator=operator_of(clients, account),
        settings=settings,
        users=tuple(
            one["UserName"]
            for page in iam.get_paginator("list_users").paginate()
            for one in page["Users"]
            if one["Path"] != PATH and one["UserName"] not in (group or ())
        ),
        roles=tuple(
            one["Arn"]
            for page in iam.get_paginator("list_roles").paginate()
            for one in page["Roles"]
        ),
        has_group=group is not None,
    )


def open_scene(
    given: Given, clients: Clients, found: Found, settings: Settings, waiting: Waiting
) -> Scene:
    """The account, ready to be played in."""
    iam = clients.of("iam", found.account)

    def by_key(key: Mapping[str, str]) -> Any:
        session = boto3.Session(
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key.get("SessionToken"),
        )
        # Where the operator's own calls go, whatever profile says so.
        where = {"region_name": iam.meta.region_name, "endpoint_url": iam.meta.endpoint_url}
        return session.client("iam", **where, config=CONFIG)

    return Scene(
        account=found.account,
        partition=given.observed.partition,
        region=given.wanted.region,
        outsider=given.wanted.central.account,
        settings=settings,
        has_group=found.has_group,
        iam=iam,
        sts=clients.of("sts", found.account),
        by_key=by_key,
        run=secrets.token_hex(2),
        waiting=waiting,
    )


def _settings(function: Any) -> Settings | None:
    """The deployed revoker's, None without one."""
    try:
        found = function.get_function_configuration(FunctionName=REVOKER)
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return None
    return read_settings(found["Environment"]["Variables"])


def _members(iam: Any, group: str) -> frozenset[str] | None:
    """Names of a group's users, None without the group."""
    try:
        return frozenset(_names(iam, group))
    except iam.exceptions.NoSuchEntityException:
        return None


def _names(iam: Any, group: str) -> Iterator[str]:
    for page in iam.get_paginator("get_group").paginate(GroupName=group):
        yield from (one["UserName"] for one in page["Users"])
