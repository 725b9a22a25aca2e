"""Say what became of an impact, in the words of reports, and what is left to do. Pure."""

from __future__ import annotations

from handler.model.names import (
    DENY_GROUP,
    DENY_POLICY,
    MEMBER_ROLES,
    RELEASE_COMMAND,
    SESSION_DENY_GROUP,
    SESSION_DENY_POLICY,
)
from handler.model.principal import METHOD_WORDS, DenyMethod
from handler.model.report import ReportedImpact
from handler.revoker.impacts.model import Impact, Remediation
from handler.revoker.impacts.principals import EMPTY_FIRST

# Begins what IAM refused.
NOT_REMEDIATED = "NOT "
CONTAINED_BY = "contained by "
GONE_ALREADY = "already gone"
SET_INACTIVE = "set inactive"
LOGIN_DELETED = "deleted"
TAKEN_OUT = "removed from the group again"
NO_MEMBER = "the user is no longer in the group"
MEMBER_BEFORE = "the user was an administrator before: nothing to revert"
# What is left to do about these is nothing.
_SETTLED = frozenset({GONE_ALREADY, LOGIN_DELETED, TAKEN_OUT, NO_MEMBER, MEMBER_BEFORE})
_BY_BOUNDARY = f"{CONTAINED_BY}{METHOD_WORDS[DenyMethod.BOUNDARY]}"
# IAM deletes no principal that carries a policy.
RELEASE_FIRST = EMPTY_FIRST.replace("then run", "then release it, then run")
RE_ATTACHED = "re-attached: "
NOT_RE_ATTACHED = (
    "not re-attached by this call; in enforce mode reconciliation re-attaches the deny of a "
    "contained principal within 20 minutes"
)
# Deleting these breaks the revoker: by hand or by an update, they come and go with its stack.
_OWN_NAMES = frozenset({*MEMBER_ROLES, DENY_GROUP, SESSION_DENY_GROUP})
_OWN_POLICIES = (f"/{DENY_POLICY}", f"/{SESSION_DENY_POLICY}")
OWN_PART = (
    "This is the name of a part of the revoker: do not delete it by hand. Unless you installed or "
    "updated the revoker just now, recreate its stack."
)

Commands = tuple[tuple[str, ...], ...]


def reported(impact: Impact, done: str, *, account: str) -> ReportedImpact:
    """Return the impact as a report carries it; one that could not be reverted is critical."""
    done = done or (NOT_RE_ATTACHED if impact.deny_removed else "")
    undo, missing = _left_to_do(impact, done, account)
    return ReportedImpact(
        what=impact.what,
        remediation=impact.remediation.value,
        done=done,
        undo=undo,
        missing=missing,
        # A person must do it, and the incident's next mail may be nine calls away.
        critical=impact.critical or NOT_REMEDIATED in done,
    )


def _left_to_do(impact: Impact, done: str, account: str) -> tuple[Commands, str]:
    """The commands that are left after that, in an order that works, and what to know of them."""
    if done in _SETTLED or done.startswith(RE_ATTACHED):
        return (), ""
    if any(_deletes_own_part(command) for command in impact.undo):
        return (), OWN_PART
    if done == SET_INACTIVE:
        inactive = "--status=Inactive"
        return tuple(command for command in impact.undo if inactive not in command), impact.missing
    # IAM deletes a role in spite of its boundary, and only an administrator takes that off.
    denied = done.startswith(CONTAINED_BY) and not done.startswith(_BY_BOUNDARY)
    if impact.remediation is Remediation.CONTAIN and denied and impact.undo:
        release = (*RELEASE_COMMAND, account, impact.id, "--reason", "WHY")
        return (release, *impact.undo), impact.missing.replace(EMPTY_FIRST, RELEASE_FIRST)
    return impact.undo, impact.missing


def _deletes_own_part(command: tuple[str, ...]) -> bool:
    values = [word.partition("=")[2] for word in command[3:]]
    ours = any(one in _OWN_NAMES or one.endswith(_OWN_POLICIES) for one in values)
    return ours and command[2].startswith("delete-")
