"""Credentials and clients: boto3 clients for the sandbox's accounts and for people in them."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from sandbox.core.calls import QUIET_HEADER, SOURCE_HEADER

ROOT_SECRET = "test"
REGION = "us-east-1"

_building = threading.Lock()


@functools.cache
def _session() -> Any:
    return boto3.session.Session()


@dataclass(frozen=True)
class Key:
    """Credentials as a person or a program has them; a session has a token."""

    access_key: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def client(
    endpoint: str,
    service: str,
    key: Key,
    *,
    region: str,
    quiet: bool,
    source_ip: str | None = None,
) -> Any:
    """Make a boto3 client; `quiet` marks the sandbox's own calls, which leave no record."""
    # Clients may be shared by threads, the making of them may not.
    with _building:
        made = _session().client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=key.access_key,
            aws_secret_access_key=key.secret,
            aws_session_token=key.token,
            config=Config(proxies={}, s3={"addressing_style": "path"}, max_pool_connections=64),
        )

    def add_headers(params: dict[str, Any], **_: Any) -> None:
        if quiet:
            params["headers"][QUIET_HEADER] = "yes"
        if source_ip:
            params["headers"][SOURCE_HEADER] = source_ip

    made.meta.events.register("before-call", add_headers)
    return made


def allow(*actions: str) -> str:
    """A policy document that allows these actions on everything."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_user(
    iam: Any, name: str, policies: tuple[str | Mapping[str, Any], ...], *, groups: tuple[str, ...]
) -> Key:
    """Make an IAM user with a key; a policy is an action to allow, or a whole document."""
    iam.create_user(UserName=name)
    _put_policies(iam.put_user_policy, policies, UserName=name)
    for group in groups:
        if group not in [one["GroupName"] for one in iam.list_groups()["Groups"]]:
            iam.create_group(GroupName=group)
        iam.add_user_to_group(GroupName=group, UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Key(made["AccessKeyId"], made["SecretAccessKey"])


def make_session(
    iam: Any,
    sts: Any,
    role: str,
    policies: tuple[str | Mapping[str, Any], ...],
    *,
    path: str,
    session: str,
    account: str,
) -> Key:
    """Make a role that its own account may assume, and answer a session of it."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = iam.create_role(RoleName=role, Path=path, AssumeRolePolicyDocument=document)
    _put_policies(iam.put_role_policy, policies, RoleName=role)
    assumed = sts.assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName=session)
    given = assumed["Credentials"]
    return Key(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def _put_policies(
    put: Any, policies: tuple[str | Mapping[str, Any], ...], **principal: str
) -> None:
    actions = [one for one in policies if isinstance(one, str)]
    documents = [json.dumps(one) for one in policies if not isinstance(one, str)]
    for number, document in enumerate([allow(*actions)] * bool(actions) + documents):
        put(PolicyName=f"allowed-{number}", PolicyDocument=document, **principal)
