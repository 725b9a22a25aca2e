"""Whom to contain, and the names of the rungs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from handler.model.cloudtrail import Kind
from handler.model.names import DENY_POLICY, KEPT_POLICY, SESSION_DENY_POLICY, iam_arn, kept_arn


class Rung(Enum):
    MANAGED_POLICY = "managed-policy"
    DENY_GROUP = "deny-group"
    BOUNDARY = "boundary"
    INLINE_POLICY = "inline-policy"
    SESSION_POLICY = "session-policy"
    SESSION_GROUP = "session-group"


# The rungs as a sentence names them.
RUNG_WORDS = {
    Rung.MANAGED_POLICY: "the deny policy",
    Rung.DENY_GROUP: "the deny group",
    Rung.BOUNDARY: "a permissions boundary",
    Rung.INLINE_POLICY: "an inline deny",
    Rung.SESSION_POLICY: "the deny of sessions",
    Rung.SESSION_GROUP: "the group of denied sessions",
}
# And as what was tried.
RUNG_ATTEMPTS = {
    Rung.MANAGED_POLICY: "attach the deny policy",
    Rung.DENY_GROUP: "add the user to the deny group",
    Rung.BOUNDARY: "set the deny as permissions boundary",
    Rung.INLINE_POLICY: "put an inline deny",
    Rung.SESSION_POLICY: "attach the deny of sessions",
    Rung.SESSION_GROUP: "add the user to the group of denied sessions",
}
# These deny a user's temporary sessions alone.
SESSION_RUNGS = frozenset({Rung.SESSION_POLICY, Rung.SESSION_GROUP})


@dataclass(frozen=True)
class Target:
    """Whom to contain. `name` or `id` may be empty, not both; kind is USER or ROLE."""

    kind: Kind
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
