"""An IAM of one account in memory, with the client's own method names and error codes.

Only what the revoker and the players of the histories call: the operations stand in the iam_*
files beside this one. Every call is written down in `calls`, in order, so that a test can count
what came before the deny.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from handler.model.deny_policy import deny_document, session_deny_document
from handler.model.names import DENY_GROUP, DENY_POLICY, SESSION_DENY_GROUP
from tests.doubles import iam_credentials, iam_groups, iam_policies, iam_principals
from tests.doubles.iam_entities import (
    ACCOUNT,
    DENY_ARN,
    SESSION_DENY_ARN,
    Exceptions,
    Group,
    Principal,
    refuse,
    role_row,
    user_row,
)
from tests.doubles.iam_policies import entities

__all__ = ["ACCOUNT", "DENY_ARN", "SESSION_DENY_ARN", "Exceptions", "Group", "Principal", "refuse"]

OPERATIONS: dict[str, Callable[..., Any]] = {
    **iam_principals.OPERATIONS,
    **iam_policies.OPERATIONS,
    **iam_groups.OPERATIONS,
    **iam_credentials.OPERATIONS,
}


class MemoryIam:
    """One account's IAM; `fail[method]` holds error codes that the next calls of it answer.

    `after` is called with the operation's name after each one that succeeded.
    """

    exceptions = Exceptions

    def __init__(self, *, page: int = 2) -> None:
        self.users: dict[str, Principal] = {}
        self.roles: dict[str, Principal] = {}
        self.groups: dict[str, Group] = {
            "Administrators": Group(),
            DENY_GROUP: Group(attached={DENY_ARN}),
            SESSION_DENY_GROUP: Group(attached={SESSION_DENY_ARN}),
        }
        self.documents: dict[str, Any] = {
            DENY_ARN: deny_document(),
            SESSION_DENY_ARN: session_deny_document(),
        }
        # When a policy was made, by ARN; 0 unless said.
        self.policies_made: dict[str, float] = {}
        self.now = 0.0
        self.alias = "example-alias"
        self.calls: list[str] = []
        self.fail: dict[str, list[str]] = {}
        self.after: Callable[[str], None] = lambda _: None
        self._page = page
        self._numbers = itertools.count(1)

    def __getattr__(self, operation: str) -> Any:
        if operation not in OPERATIONS:
            raise AttributeError(operation)
        return partial(self._run, operation)

    def _run(self, operation: str, **arguments: Any) -> Any:
        self._note(operation)
        answer = OPERATIONS[operation](self, **arguments)
        self.after(operation)
        return answer

    def number(self, prefix: str) -> str:
        """A new unique id, as IAM makes them."""
        return f"{prefix}EXAMPLE{next(self._numbers):09d}"

    def add_user(self, name: str, *, groups: tuple[str, ...] = ()) -> str:
        user = Principal(id=self.number("AIDA"), made=self.now)
        self.users[name] = user
        for group in groups:
            self.groups[group].members.add(name)
        return user.id

    def add_role(self, name: str, **facts: Any) -> str:
        role = Principal(id=self.number("AROA"), made=self.now, **facts)
        self.roles[name] = role
        return role.id

    def _note(self, operation: str) -> None:
        self.calls.append(operation)
        if self.fail.get(operation):
            raise refuse(self.fail[operation].pop(0), operation)

    def user(self, name: str, operation: str) -> Principal:
        if name not in self.users:
            raise refuse("NoSuchEntity", operation, f"user {name}")
        return self.users[name]

    def role(self, name: str, operation: str, *, write: bool = False) -> Principal:
        if name not in self.roles:
            raise refuse("NoSuchEntity", operation, f"role {name}")
        if write and self.roles[name].protected:
            raise refuse("UnmodifiableEntity", operation, "protected role")
        return self.roles[name]

    def group(self, name: str, operation: str) -> Group:
        if name not in self.groups:
            raise refuse("NoSuchEntity", operation, f"group {name}")
        return self.groups[name]

    def list_account_aliases(self) -> dict[str, Any]:
        self._note("list_account_aliases")
        return {"AccountAliases": [self.alias] if self.alias else []}

    def get_paginator(self, operation: str) -> Pages:
        return Pages(self, operation)

    def pages(self, operation: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Pages of `page` entries each, as a busy IAM gives them: fewer than there are."""
        match operation:
            case "list_entities_for_policy":
                self._note(operation)
                yield entities(self, arguments["PolicyArn"])
                return
            case "list_users":
                key, rows = "Users", [user_row(n, u) for n, u in self.users.items()]
            case "list_roles":
                key = "Roles"
                rows = [role_row(n, r) for n, r in self.roles.items()]
            case _:
                group = self.groups.get(arguments["GroupName"])
                if group is None:
                    self._note(operation)
                    raise refuse("NoSuchEntity", "GetGroup", "group")
                key = "Users"
                rows = [user_row(n, u) for n, u in self.users.items() if n in group.members]
        for start in range(0, max(len(rows), 1), self._page):
            self._note(operation)
            yield {key: rows[start : start + self._page]}

    def holds(self, name: str) -> bool:
        """Whether some deny of ours, of more than sessions, is on this principal."""
        principal = self.users.get(name) or self.roles[name]
        return (
            DENY_ARN in principal.attached
            or principal.boundary == DENY_ARN
            or name in self.groups[DENY_GROUP].members
            or DENY_POLICY in principal.inline
        )

    def sessions_denied(self, name: str) -> bool:
        """Whether our deny of temporary sessions is on the user of this name."""
        user = self.users.get(name)
        attached = user is not None and SESSION_DENY_ARN in user.attached
        return attached or name in self.groups[SESSION_DENY_GROUP].members


@dataclass(frozen=True)
class Pages:
    iam: MemoryIam
    operation: str

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        return self.iam.pages(self.operation, arguments)
