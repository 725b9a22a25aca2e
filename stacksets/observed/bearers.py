"""Who bears our deny in an account, as values, and how each can be kept denied. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from handler.model.names import (
    CANARY_ROLE,
    DENY_POLICY,
    KEPT_GROUP,
    KEPT_POLICY,
    KEPT_SESSION_GROUP,
    KEPT_SESSION_POLICY,
    SESSION_DENY_POLICY,
    iam_arn,
    kept_arn,
)
from handler.model.principal import SESSION_METHODS, DenyMethod

# IAM User Guide, "IAM and AWS STS quotas": what every account has, raised or not.
POLICIES, GROUPS = 10, 10


class Way(Enum):
    """What keeps a deny on somebody while no stack of ours is there."""

    POLICY = "policy"
    GROUP = "group"
    BOUNDARY = "boundary"
    NONE = "none"


@dataclass(frozen=True)
class Bearer:
    """A user or role with a deny of ours. `policies` and `groups` count all that it has, ours
    among them; `bounded` says whether it has any permissions boundary; `kept` what it bears of
    the kept denies already, `kept_sessions` of those of sessions; `odd` the denies that are its
    boundary by no deny method of ours."""

    kind: str
    name: str
    id: str
    methods: frozenset[DenyMethod]
    policies: int = 0
    groups: int = 0
    bounded: bool = False
    kept: frozenset[Way] = frozenset()
    kept_sessions: frozenset[Way] = frozenset()
    odd: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Contained wholly, not in its sessions alone."""
        return bool(self.methods - SESSION_METHODS)

    @property
    def sessions(self) -> bool:
        """Contained in its sessions, whatever else."""
        return bool(self.methods & SESSION_METHODS)

    @property
    def again(self) -> bool:
        """Whether all that is kept is ours again."""
        return (not self.kept_sessions or self.sessions) and (not self.kept or self.whole)

    @property
    def way(self) -> Way:
        """How its containment can be kept."""
        if self.kept:
            return _first(self.kept)
        if DenyMethod.BOUNDARY in self.methods:
            return Way.BOUNDARY
        if self.policies < POLICIES:
            return Way.POLICY
        if self.kind == "user":
            return Way.GROUP if self.groups < GROUPS else Way.NONE
        return Way.NONE if self.bounded else Way.BOUNDARY

    @property
    def sessions_way(self) -> Way:
        """How the deny of its sessions can be kept, beside that of the whole."""
        if self.kept_sessions:
            return _first(self.kept_sessions)
        whole = self.way if self.whole and not self.kept else Way.NONE
        if self.policies + (whole is Way.POLICY) < POLICIES:
            return Way.POLICY
        room = self.kind == "user" and self.groups + (whole is Way.GROUP) < GROUPS
        return Way.GROUP if room else Way.NONE

    @property
    def unkeepable(self) -> str:
        """Why its containment cannot be kept, as a clause; "" where it can."""
        whole = self.whole and self.way is Way.NONE
        if whole or (self.sessions and self.sessions_way is Way.NONE):
            return "its policies and groups are at their quota"
        return ""


def _first(ways: frozenset[Way]) -> Way:
    return min(ways, key=lambda one: one.value)


@dataclass(frozen=True)
class Holding:
    """What of ours is on whom in one account. `runs`: the revoker is there, and nobody has stopped
    it. `kept_policies` and the kept groups say what is there already to keep containments by;
    `spoilt` are those of the kept policies that are no deny any more; `squatters` are the ARNs of
    somebody's own that bear the names of what keeps; `odd_groups` are names of other groups than
    ours that carry our deny, each with its ARN. `operator` is the ARN by which the operator works
    there, where a profile decides that."""

    account: str
    partition: str
    bearers: tuple[Bearer, ...]
    runs: bool
    kept_policies: frozenset[str] = frozenset()
    spoilt: frozenset[str] = frozenset()
    kept_group: bool = False
    kept_session_group: bool = False
    deny_everything: bool = False
    squatters: tuple[str, ...] = ()
    odd_groups: tuple[tuple[str, str], ...] = ()
    operator: str = ""

    @property
    def contained(self) -> tuple[Bearer, ...]:
        """Whom the product contains: the canary of the self-test is its own. A user may bear the
        canary's name, another role cannot."""
        canary = ("role", CANARY_ROLE)
        return tuple(one for one in self.bearers if one.methods and (one.kind, one.name) != canary)

    @property
    def left_behind(self) -> tuple[Bearer, ...]:
        """Who bears a kept deny."""
        return tuple(one for one in self.bearers if one.kept or one.kept_sessions)

    @property
    def keeps(self) -> bool:
        """Whether anything is left here of a keeping."""
        groups = self.kept_group or self.kept_session_group
        return bool(self.left_behind or self.kept_policies or groups)

    def unkeepable(self) -> Iterator[str]:
        """A sentence for each containment that cannot be kept, and for each name that is taken."""
        for arn in self.squatters:
            if self._stands_in_the_way(arn):
                yield (
                    f"Nobody in {self.account} can be kept contained while {arn} is there: it is "
                    "not ours, and IAM knows a name once in an account, whatever its path. Delete "
                    "it, or release them (python -m responder release)."
                )
        for one in self.contained:
            if why := one.unkeepable:
                yield (
                    f"{one.kind} {one.name} in {self.account} cannot be kept contained: {why}. "
                    "Make room there, or release it (python -m responder release)."
                )

    def stuck(self) -> Iterator[str]:
        """A sentence for each use of our deny that no deny method makes: it blocks the stack."""
        odd = [(one.kind, one.name, arn) for one in self.bearers for arn in sorted(one.odd)]
        for kind, name, arn in odd:
            yield (
                f"{kind} {name} in {self.account} has {arn} as its permissions boundary, which the "
                "revoker never sets, and the stack that owns it cannot go: put the owner's own in "
                f"its place, or aws iam delete-{kind}-permissions-boundary --{kind}-name={name}."
            )
        for name, arn in self.odd_groups:
            yield (
                f"group {name} in {self.account} carries {arn}, which the revoker never attaches "
                "to it, and the stack that owns it cannot go: aws iam detach-group-policy "
                f"--group-name={name} --policy-arn={arn}."
            )

    @property
    def needs_group(self) -> bool:
        """Whether somebody can be kept by the kept group alone."""
        return any(one.whole and one.way is Way.GROUP for one in self.contained)

    @property
    def needs_session_group(self) -> bool:
        """The same of whose sessions are denied."""
        return any(one.sessions and one.sessions_way is Way.GROUP for one in self.contained)

    def _stands_in_the_way(self, arn: str) -> bool:
        """Whether a squatter has the name of something that a keeping would have to make."""
        name = arn.rpartition("/")[2].casefold()
        if ":group/" in arn:
            return self.needs_session_group if name == KEPT_SESSION_GROUP else self.needs_group
        if name == KEPT_SESSION_POLICY:
            return any(one.sessions for one in self.contained)
        return any(one.whole for one in self.contained)

    @property
    def deny(self) -> str:
        return self._own(DENY_POLICY)

    @property
    def session_deny(self) -> str:
        return self._own(SESSION_DENY_POLICY)

    @property
    def kept(self) -> str:
        return self._kept(KEPT_POLICY)

    @property
    def kept_sessions(self) -> str:
        return self._kept(KEPT_SESSION_POLICY)

    @property
    def kept_group_arn(self) -> str:
        return self._kept(KEPT_GROUP, kind="group")

    @property
    def kept_session_group_arn(self) -> str:
        return self._kept(KEPT_SESSION_GROUP, kind="group")

    def _own(self, name: str) -> str:
        return iam_arn(partition=self.partition, account=self.account, kind="policy", name=name)

    def _kept(self, name: str, *, kind: str = "policy") -> str:
        return kept_arn(partition=self.partition, account=self.account, kind=kind, name=name)
