"""One AWS Organization: its accounts, OUs and delegated administrators, and how it is built.

The accounts and OUs stay in the emulator's store of the management account; `organization_api`
answers callers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.core import patches
from sandbox.core.request_context import scope
from sandbox.core.state import State
from sandbox.iam.calls_on_behalf import iam_call
from sandbox.organizations.attached_policies import attach_full_access, detach_everything_from

ACCESS_ROLE = "OrganizationAccountAccessRole"
OnMove = Callable[[str, str | None, str | None], None]


class Refused(Exception):
    """An error of the Organizations API: its code, its message, and its Reason if it has one."""

    def __init__(self, code: str, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.content = {"__type": code, "Message": message}
        if reason:
            self.content["Reason"] = reason


@dataclass
class Organization:
    """Who is trusted with what. `trusted` maps a service principal to when its access was enabled,
    `administrators` maps (account, service principal) to when it was delegated, in epoch seconds.
    `on_move` hears (account, parent before, parent now); a parent is None outside of the
    Organization."""

    state: State
    trusted: dict[str, float] = field(default_factory=dict)
    administrators: dict[tuple[str, str], float] = field(default_factory=dict)
    on_move: list[OnMove] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """What `build_organization` made; account ids have 12 digits."""

    root: str
    workloads: str
    sandbox: str
    management: str
    security: str
    members: tuple[str, ...]


def build_organization(
    organization: Organization, *, security: str, members: Sequence[str]
) -> Layout:
    """Found the Organization with two OUs, `Workloads` and `Sandbox`, the members dealt out to
    them in turn, and the security account at the root. All account ids are the caller's."""
    management = organization.state.management
    root = found(organization)
    workloads = _make_ou(organization, root, "Workloads")
    sandbox = _make_ou(organization, root, "Sandbox")
    add_account(organization, security, name="security", parent=root)
    for number, account in enumerate(members):
        add_account(
            organization,
            account,
            name=f"member-{number + 1}",
            parent=sandbox if number % 2 else workloads,
        )
    return Layout(root, workloads, sandbox, management, security, tuple(members))


def found(organization: Organization) -> str:
    """Make the management account's Organization under the sandbox's own id; answers the root."""
    with scope(organization.state.management):
        patches.get("ministack.services.organizations", "_ensure_org")()
        made = _store("_orgs")["self"]["Id"]
        for name in ("_orgs", "_roots", "_accounts"):
            store = _store(name)
            for key, record in store.items():
                text = json.dumps(record).replace(made, organization.state.organization_id)
                store[key] = json.loads(text.replace("ministack.local", "example.com"))
        return str(next(iter(_store("_roots"))))


def add_account(organization: Organization, account: str, *, name: str, parent: str) -> None:
    """Put an account with an id of the caller's choice below `parent`, with the access role that
    CreateAccount makes, and tell whoever listens."""
    management, identity = organization.state.management, organization.state.organization_id
    with scope(management):
        _store("_accounts")[account] = {
            "Id": account,
            "Arn": f"arn:aws:organizations::{management}:account/{identity}/{account}",
            "Email": f"{name}@example.com",
            "Name": name,
            "Status": "ACTIVE",
            "JoinedMethod": "CREATED",
            "JoinedTimestamp": int(time.time()),
            "Path": "/",
            "_ParentId": parent,
        }
        attach_full_access(account)
    make_access_role(organization, account)
    tell(organization, account, None, parent)


def remove_account(organization: Organization, account: str) -> None:
    """Take a member out of the Organization, with its delegations."""
    before = parent_of(organization, account)
    with scope(organization.state.management):
        _store("_accounts").pop(account, None)
        detach_everything_from(account)
    for key in [key for key in organization.administrators if key[0] == account]:
        del organization.administrators[key]
    tell(organization, account, before, None)


def make_access_role(organization: Organization, account: str) -> None:
    """Make the role by which the management account enters `account`; idempotent."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{organization.state.management}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    make_role(account, ACCESS_ROLE, path="/", trust=trust)


def make_role(account: str, name: str, *, path: str, trust: dict[str, Any]) -> None:
    """Make an all-powerful role such as AWS itself puts into an account; no record, idempotent."""
    with scope(account):
        if name in patches.get("ministack.services.iam", "_roles"):
            return
        iam_call("CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust))
        administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
        iam_call("AttachRolePolicy", RoleName=name, PolicyArn=administrator)


def accounts(organization: Organization) -> dict[str, dict[str, Any]]:
    """Every account of the Organization by id; empty before it is founded."""
    with scope(organization.state.management):
        return dict(_store("_accounts").items())


def parent_of(organization: Organization, child: str) -> str | None:
    """The root or OU right above an account or OU; None for the root and for strangers."""
    with scope(organization.state.management):
        record = _store("_accounts").get(child) or _store("_ous").get(child)
    return record["_ParentId"] if record else None


def parents_of(organization: Organization, child: str) -> Iterator[str]:
    """The chain above an account or OU, nearest first, the root last."""
    parent = parent_of(organization, child)
    while parent is not None:
        yield parent
        parent = parent_of(organization, parent)


def is_parent(organization: Organization, target: str) -> bool:
    """Whether `target` is the root or an OU of this Organization."""
    with scope(organization.state.management):
        return target in _store("_ous") or target in _store("_roots")


def ous_below(organization: Organization, parent: str) -> list[str]:
    """The ids of the OUs right below a root or OU."""
    with scope(organization.state.management):
        return [key for key, one in _store("_ous").items() if one["_ParentId"] == parent]


def is_administrator(organization: Organization, account: str, service: str) -> bool:
    """Whether `account` is a delegated administrator for the service principal `service`."""
    return (account, service) in organization.administrators


def tell(organization: Organization, account: str, before: str | None, now: str | None) -> None:
    """Tell every listener that an account came, moved or left."""
    for hear in organization.on_move:
        hear(account, before, now)


def _store(name: str) -> Any:
    return patches.get("ministack.services.organizations", name)


def _make_ou(organization: Organization, parent: str, name: str) -> str:
    make = patches.get("ministack.services.organizations", "_create_organizational_unit")
    with scope(organization.state.management):
        body = json.loads(make({"ParentId": parent, "Name": name})[2])
        made = str(body["OrganizationalUnit"]["Id"])
        attach_full_access(made)
    return made
