"""A principal to contain, and the names of the deny methods. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from handler.model.cloudtrail import CallerKind
from handler.model.names import DENY_POLICY, KEPT_POLICY, SESSION_DENY_POLICY, iam_arn, kept_arn


class DenyMethod(Enum):
    MANAGED_POLICY = "managed-policy"
    DENY_GROUP = "deny-group"
    BOUNDARY = "boundary"
    INLINE_POLICY = "inline-policy"
    SESSION_POLICY = "session-policy"
    SESSION_GROUP = "session-group"


# The deny methods as a sentence names them.
METHOD_WORDS = {
    DenyMethod.MANAGED_POLICY: "the deny policy",
    DenyMethod.DENY_GROUP: "the deny group",
    DenyMethod.BOUNDARY: "a permissions boundary",
    DenyMethod.INLINE_POLICY: "an inline deny",
    DenyMethod.SESSION_POLICY: "the deny of sessions",
    DenyMethod.SESSION_GROUP: "the group of denied sessions",
}
# And as what was tried.
METHOD_ATTEMPTS = {
    DenyMethod.MANAGED_POLICY: "attach the deny policy",
    DenyMethod.DENY_GROUP: "add the user to the deny group",
    DenyMethod.BOUNDARY: "set the deny as permissions boundary",
    DenyMethod.INLINE_POLICY: "put an inline deny",
    DenyMethod.SESSION_POLICY: "attach the deny of sessions",
    DenyMethod.SESSION_GROUP: "add the user to the group of denied sessions",
}
# These deny a user's temporary sessions alone.
SESSION_METHODS = frozenset({DenyMethod.SESSION_POLICY, DenyMethod.SESSION_GROUP})


@dataclass(frozen=True)
class Target:
    """A principal to contain. `name` or `id` may be empty, not both; kind is USER or ROLE."""

    kind: CallerKind
    name: str
    id: str
    account: str
    partition: str
    everything: bool = False

    @property
    def deny_arn(self) -> str:
        return self._policy_arn(DENY_POLICY)

    @property
    def session_deny_arn(self) -> str:
        return self._policy_arn(SESSION_DENY_POLICY)

    @property
    def kept_deny_arn(self) -> str:
        """The deny that outlived an earlier installation."""
        return kept_arn(
            partition=self.partition, account=self.account, kind="policy", name=KEPT_POLICY
        )

    def _policy_arn(self, name: str) -> str:
        return iam_arn(partition=self.partition, account=self.account, kind="policy", name=name)
