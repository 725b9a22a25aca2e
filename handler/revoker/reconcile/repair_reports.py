"""Write what reconciliation reports of a containment: repaired, held at last, adopted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from handler.model.names import VERSION
from handler.model.principal import METHOD_WORDS, DenyMethod, Target
from handler.model.reasons import Reason
from handler.model.report import Disposition, Report
from handler.model.settings import Settings
from handler.revoker.deny.contain import Containment
from handler.revoker.state.marks import Contained

IAM_SERVICE = "iam.amazonaws.com"
KEPT_REASON = "kept"


def report_stripped(
    record: Contained,
    done: Containment,
    target: Target,
    settings: Settings,
    *,
    since: float,
    mark: str,
) -> Report:
    """A deny was gone, or was not ours any more; `since` (epoch seconds) is when that was seen."""
    when = datetime.fromtimestamp(record.again or record.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    words = METHOD_WORDS[DenyMethod(record.method)]
    missing = f"{words[:1].upper()}{words[1:]}, applied {when}, was missing or altered."
    disposition, outcome = _outcome(done)
    return Report(
        event_id=f"stripped-{mark}-{target.id}-{since:.0f}{'' if done.method else '-not'}",
        account=target.account,
        disposition=disposition,
        reason=record.reason,
        partition=target.partition,
        principal_kind=target.kind.value,
        principal_name=done.name,
        principal_id=target.id,
        service=IAM_SERVICE,
        call=record.call,
        call_time=record.call_time,
        containment=record.event_id,
        method=done.method.value if done.method else "",
        mode=settings.mode.value,
        product_version=VERSION,
        undo=done.undo,
        notes=(f"{missing} {outcome}", *done.notes),
    )


def _outcome(done: Containment) -> tuple[Disposition, str]:
    if done.gone:
        return Disposition.CALLER_DELETED, "The principal has been deleted as well."
    if done.method is None:
        return Disposition.CANNOT_CONTAIN, "It could NOT be re-attached."
    return Disposition.DENY_REMOVED, "It was re-attached."


def report_contained_late(
    because: Mapping[str, Any], done: Containment, target: Target, settings: Settings
) -> Report:
    """A created principal that no deny method could hold at first; `because` is what tainted it."""
    return Report(
        event_id=f"{because.get('event_id', '')}-{target.id}",
        account=target.account,
        disposition=Disposition.CONTAINED,
        reason=Reason.TAINTED.value,
        partition=target.partition,
        principal_kind=target.kind.value,
        principal_name=done.name,
        principal_id=target.id,
        service=IAM_SERVICE,
        call=str(because.get("call", "")),
        containment=str(because.get("event_id", "")),
        method=done.method.value if done.method else "",
        mode=settings.mode.value,
        product_version=VERSION,
        undo=done.undo,
        notes=(
            f"Created by {because.get('by', 'an unauthorized caller')}; no deny held at first.",
            *done.notes,
        ),
    )


def report_kept(
    done: Containment,
    target: Target,
    settings: Settings,
    *,
    event_id: str,
    undo: tuple[tuple[str, ...], ...],
    held_by: str = "",
) -> Report:
    """An earlier installation's deny was found, and is renewed if `done` has a deny method.

    `held_by` names the knob that kept it from being renewed; `undo` takes off ours and the kept
    one.
    """
    alone = () if done.method else ("Only the kept deny holds it.",)
    return Report(
        event_id=event_id if done.method else f"{event_id}-not",
        account=target.account,
        disposition=Disposition.STILL_CONTAINED,
        reason=KEPT_REASON,
        partition=target.partition,
        principal_kind=target.kind.value,
        principal_name=done.name,
        principal_id=target.id,
        method=done.method.value if done.method else "",
        held_by=held_by,
        mode=settings.mode.value,
        product_version=VERSION,
        undo=undo,
        notes=(*alone, *done.notes),
    )
