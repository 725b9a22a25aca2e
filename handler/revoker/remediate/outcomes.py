"""What became of a gain, in the words of reports, and what is left to do about it. Pure."""

from __future__ import annotations

from handler.model.names import RELEASE_COMMAND
from handler.model.principal import METHOD_WORDS, DenyMethod
from handler.model.report import ReportedImpact
from handler.revoker.impacts.model import Impact, Remediation, sentences

# How remedies say that IAM refused.
NOT_REMEDIATED = "NOT "
CONTAINED_BY = "contained by "
GONE_ALREADY = "gone already"
SET_INACTIVE = "set inactive"
LOGIN_DELETED = "deleted"
TAKEN_OUT = "taken out of the group again"
NO_MEMBER = "the user is not in the group any more"
MEMBER_BEFORE = "the user was an administrator before: nothing to take back"
# What is left to do about these is nothing.
_SETTLED = frozenset({GONE_ALREADY, LOGIN_DELETED, TAKEN_OUT, NO_MEMBER, MEMBER_BEFORE})
_BY_BOUNDARY = f"{CONTAINED_BY}{METHOD_WORDS[DenyMethod.BOUNDARY]}"
RELEASE_THEN = "Then release it and delete it: IAM deletes nobody who carries the deny."

Commands = tuple[tuple[str, ...], ...]


def reported(impact: Impact, done: str, *, account: str) -> ReportedImpact:
    """The gain as a report carries it; one that could not be taken back is critical."""
    undo, missing = _left_to_do(impact, done, account)
    return ReportedImpact(
        what=impact.what,
        remediation=impact.remediation.value,
        done=done,
        undo=undo,
        missing=missing,
        # Somebody must do it by hand, and the incident's next mail may be nine calls away.
        critical=impact.critical or NOT_REMEDIATED in done,
    )


def _left_to_do(impact: Impact, done: str, account: str) -> tuple[Commands, str]:
    """The commands that are left after that, in an order that works, and what to know of them."""
    if done in _SETTLED:
        return (), ""
    if done == SET_INACTIVE:
        inactive = "--status=Inactive"
        return tuple(command for command in impact.undo if inactive not in command), impact.missing
    # IAM deletes a role in spite of its boundary, and only an administrator takes that off.
    denied = done.startswith(CONTAINED_BY) and not done.startswith(_BY_BOUNDARY)
    if impact.remediation is Remediation.CONTAIN and denied and impact.undo:
        release = (*RELEASE_COMMAND, account, impact.id, "--reason", "WHY")
        return (release, *impact.undo), sentences(impact.missing, RELEASE_THEN)
    return impact.undo, impact.missing
