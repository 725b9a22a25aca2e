"""Credentials and clients for the accounts of a rollout: the operator's own, a profile's, a role's.

Makes clients; calls nothing but STS.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from handler.model.cloudtrail import arn_field
from stacksets.config.model import ACCESS_ROLE, CONTROL_TOWER_ROLE, Access

# StackSets and Organizations throttle early; standard mode waits longer with each try.
# A reconciliation answers within the revoker's timeout of 120 s; botocore waits for 60 only
# and would then invoke another.
CONFIG = Config(read_timeout=150, retries={"mode": "standard", "max_attempts": 10})


class CannotEnter(Exception):
    """An account that the operator cannot enter, as one sentence."""


@dataclass(frozen=True)
class Clients:
    """Clients by service and account; `caller` is the operator's ARN. `make` raises CannotEnter.
    `elsewhere` makes one of the operator's own account, by service and region."""

    caller: str
    make: Callable[[str, str], Any] = field(repr=False)
    elsewhere: Callable[[str, str], Any] = field(repr=False)
    _made: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def account(self) -> str:
        """The account in which the operator stands."""
        return arn_field(self.caller, 4)

    @property
    def partition(self) -> str:
        return arn_field(self.caller, 1)

    def of(self, service: str, account: str) -> Any:
        """A client for an account, in the rollout's region; each is made once."""
        with self._lock:
            if (service, account) not in self._made:
                self._made[service, account] = self.make(service, account)
            return self._made[service, account]


def open_clients(access: Access, *, region: str, profile: str | None = None) -> Clients:
    """Clients by the operator's own credentials, AWS_ENDPOINT_URL and the file's [access].

    Raises CannotEnter where there are no usable credentials at all.
    """
    try:
        own = boto3.Session(profile_name=profile)
        sts = own.client("sts", region_name=region, config=CONFIG)
        caller = str(sts.get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        raise CannotEnter(f"You cannot sign in: {sentence(error)}.") from error
    sessions: dict[str, Any] = {arn_field(caller, 4): own}

    def make(service: str, account: str) -> Any:
        if account not in sessions:
            partition = arn_field(caller, 1)
            if named := access.profiles.get(account):
                sessions[account] = _profiled(account, named, region)
            else:
                role = f"arn:{partition}:iam::{account}:role/{access.role}"
                sessions[account] = _enter(sts, account, role, profile=profile)
        return sessions[account].client(service, region_name=region, config=CONFIG)

    def elsewhere(service: str, region: str) -> Any:
        return own.client(service, region_name=region, config=CONFIG)

    return Clients(caller=caller, make=make, elsewhere=elsewhere)


def _enter(sts: Any, account: str, role: str, *, profile: str | None) -> Any:
    try:
        given = sts.assume_role(RoleArn=role, RoleSessionName="iam-org-revoker-rollout")
    except ClientError as error:
        raise CannotEnter(
            f"Account {account} cannot be entered by {role}: {sentence(error)}. Name a profile for "
            "it in [access.profiles], or another role in access.role: accounts that Control Tower "
            f"made have {CONTROL_TOWER_ROLE}, others {ACCESS_ROLE}."
        ) from error
    keys = given["Credentials"]
    # The operator's profile goes on: it may name endpoints of its own.
    return boto3.Session(
        profile_name=profile,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def _profiled(account: str, profile: str, region: str) -> Any:
    """The profile's session; a profile of another account would install there. `region` is the
    rollout's: a profile need not name one, and no other partition knows its keys."""
    try:
        session = boto3.Session(profile_name=profile)
        sts = session.client("sts", region_name=region, config=CONFIG)
        found = sts.get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise CannotEnter(
            f"Account {account} cannot be entered by the profile {profile}: {sentence(error)}."
        ) from error
    if found != account:
        raise CannotEnter(
            f"The profile {profile} leads to account {found}, not to {account}: correct "
            "[access.profiles]."
        )
    return session


def sentence(error: Exception) -> str:
    """What AWS said, without a full stop."""
    if isinstance(error, ClientError):
        reported = error.response["Error"]
        return f"{reported.get('Code')}: {reported.get('Message', 'no message')}".rstrip(".")
    return str(error).rstrip(".")
