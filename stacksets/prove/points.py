"""What the differences of all rows together point to. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handler.model.names import CALLS_RULE, DENY_POLICY, NOTIFIER, REVOKER
from handler.notifier.messages.notice import NoticeKind
from stacksets.prove.seen import Seen


def pointers(seen: Sequence[Seen]) -> Iterator[str]:
    """A sentence for each fault that shows in every row alike."""
    rows = [one for one in seen if one.played.is_on and one.played.row.contained]
    if not rows:
        return
    held = [one for one in rows if one.played.row.caller in one.held]
    if not held and not any(one.kinds for one in rows):
        yield (
            f"No call was answered: the events do not reach the function {REVOKER}. Look at the "
            f"rule {CALLS_RULE}, at the function's permission for it, and whether a trail logs "
            "management events here."
        )
    elif not held and any(NoticeKind.CANNOT_CONTAIN in one.kinds for one in rows):
        yield (
            "Every call was reported, and nobody could be contained: no deny of ours denies. Look "
            f"at the policy {DENY_POLICY}."
        )
    elif held and not any(one.kinds for one in rows):
        yield (
            "Callers were contained, and no report has arrived: the policy of the central bus "
            f"refuses what the revoker puts (its log, /aws/lambda/{REVOKER}, then has AccessDenied "
            f"of PutEvents), or {NOTIFIER} does not read its queue."
        )
    elif any(one.reported_at for one in rows) and not any(one.mailed_at for one in rows):
        yield (
            "Reports have arrived, and no mail went out: the log of the notifier, "
            f"/aws/lambda/{NOTIFIER}, says why the topic refuses it."
        )
    if any(not one.refused_at for one in held):
        yield (
            f"A caller bears {DENY_POLICY} and is not refused: the policy was rewritten, or IAM "
            "has not applied it yet."
        )
