"""Who may do what: IAM's own decision on each call, with the delay until a change takes effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from handler.model.names import DENY_GROUP, SESSION_DENY_GROUP
from tests.doubles.iam import DENY_ARN, SESSION_DENY_ARN, MemoryIam, Principal
from tests.histories.truth import ADMINISTRATORS, EXEMPT_PATH, ROOT, Credential

ADMIN_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
OURS = (DENY_ARN, SESSION_DENY_ARN)
# What changes a deny or a key, so that its time has to be written down.
WATCHED = frozenset(
    {
        "attach_user_policy",
        "detach_user_policy",
        "attach_role_policy",
        "detach_role_policy",
        "add_user_to_group",
        "remove_user_from_group",
        "put_role_permissions_boundary",
        "delete_role_permissions_boundary",
        "update_access_key",
        "update_user",
        "delete_user",
        "delete_role",
    }
)


@dataclass
class Powers:
    """What is in force in one account. `delay` is how long IAM takes to apply a change, seconds."""

    iam: MemoryIam
    now: Callable[[], float]
    delay: float
    guardrail: bool
    denials: frozenset[str] = frozenset()
    since: dict[str, float] = field(default_factory=dict)
    until: dict[str, float] = field(default_factory=dict)

    def watch(self, operation: str) -> None:
        """Note when which deny began and ended; to be called after each operation of IAM."""
        if operation not in WATCHED:
            return
        found = frozenset(_denials(self.iam))
        for began in found - self.denials:
            self.since[began] = self.now()
        for ended in self.denials - found:
            self.until[ended] = self.now()
        self.denials = found

    def _in_force(self, denial: str) -> bool:
        if denial in self.denials:
            return self.now() >= self.since[denial] + self.delay
        # One that began and ended within the delay never came into force.
        ended = self.until.get(denial)
        applied = ended is not None and ended >= self.since[denial] + self.delay
        return applied and ended is not None and self.now() < ended + self.delay

    def signs(self, who: Credential) -> bool:
        """Whether AWS lets the credential in at all; a call that it does not leaves no record."""
        if who.owner == ROOT:
            return True
        found = principal(self.iam, who.owner)
        if found is None:
            return False
        if who.is_session:
            return True
        return who.key in found.keys and not self._in_force(f"key {who.key}")

    def is_denied(self, who: Credential) -> bool:
        """Whether a deny of ours is in force against this credential."""
        if self._in_force(f"all {who.owner}"):
            return True
        return who.is_session and self._in_force(f"sessions {who.owner}")

    def refuses(self, who: Credential, operation: str, arguments: dict[str, Any]) -> bool:
        """Whether IAM answers AccessDenied."""
        if who.owner == ROOT:
            return False
        if self.is_denied(who) or not self._has_rights(who):
            return True
        return self.guardrail and _guarded(operation, arguments)

    def _has_rights(self, who: Credential) -> bool:
        found = principal(self.iam, who.owner)
        if found is None:
            return False
        name = name_of(self.iam, who.owner)
        member = not who.is_role and name in self.iam.groups[ADMINISTRATORS].members
        return member or ADMIN_POLICY in found.attached


def principal(iam: MemoryIam, principal_id: str) -> Principal | None:
    """The user or role with this id."""
    name = name_of(iam, principal_id)
    return iam.users.get(name) or iam.roles.get(name) if name else None


def name_of(iam: MemoryIam, principal_id: str) -> str:
    """Today's name of a user or role; empty when it is gone."""
    entries = iam.roles if principal_id.startswith("AROA") else iam.users
    return next((name for name, one in entries.items() if one.id == principal_id), "")


def _guarded(operation: str, arguments: dict[str, Any]) -> bool:
    """What the guardrail, a service control policy, refuses to all but the revoker."""
    return (
        arguments.get("PolicyArn") in OURS
        or arguments.get("GroupName") in (DENY_GROUP, SESSION_DENY_GROUP)
        or operation == "delete_role_permissions_boundary"
        or (operation == "create_role" and arguments.get("Path") == EXEMPT_PATH)
    )


def _denials(iam: MemoryIam) -> Iterator[str]:
    members = iam.groups[DENY_GROUP].members
    for name, user in iam.users.items():
        if DENY_ARN in user.attached or name in members:
            yield f"all {user.id}"
        if iam.sessions_denied(name):
            yield f"sessions {user.id}"
        for key, status in user.keys.items():
            if status != "Active":
                yield f"key {key}"
    for role in iam.roles.values():
        if DENY_ARN in role.attached or role.boundary == DENY_ARN:
            yield f"all {role.id}"
