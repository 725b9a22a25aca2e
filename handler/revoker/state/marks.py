"""The marks that the state table keeps of principals and credentials. Shell; judges nobody.

A mark goes on an id, never on a name. Containing writes down exactly what was done, so that a
release undoes exactly that.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from handler.model.cloudtrail import Call, CallerKind
from handler.revoker.deny.contain import Containment
from handler.revoker.state.ledger import credential_key, principal_key
from handler.revoker.state.table import Item, Table, Value

# Stands on a user from its deny until it is written down: the proof that it is an administrator
# may come in between, and then nobody else would know of the deny.
TRYING = "trying"
# On a key that the responder switched on again: since when it is its owner's once more.
VOUCHED = "vouched"
# What a call gave, as the responder lists it: a sentence, not a story.
GAVE_LIMIT = 300


@dataclass(frozen=True)
class Contained:
    """One containment as it was done; `at` is epoch seconds, `undo` the commands that undo it.

    `gave` says in short what the call changed. `again` is when reconciliation last put it on, 0 for
    never, `method` what holds now, `earlier` the deny methods before it, which may be on as well.
    """

    name: str
    kind: str
    method: str
    at: float
    event_id: str
    call: str
    call_time: str
    reason: str
    undo: tuple[tuple[str, ...], ...] = ()
    gave: tuple[str, ...] = ()
    again: float = 0.0
    earlier: tuple[str, ...] = ()


def mark_contained(
    table: Table,
    *,
    principal_id: str,
    kind: CallerKind,
    containment: Containment,
    call: Call,
    reason: str,
    now: float,
    mark: str = "contained",
    gave: tuple[str, ...] = (),
) -> Contained | None:
    """Write down a containment; the first one stays, however often the deny is put on again.

    `mark` is contained for a principal, sessions where only its sessions are denied. Answers what
    was written; None where nothing was, since one stands there already or nothing holds.
    """
    if not principal_id or containment.method is None:
        return None
    record = Contained(
        name=containment.name,
        kind=kind.value,
        method=containment.method.value,
        at=now,
        event_id=call.event_id,
        call=call.name,
        call_time=call.time_text,
        reason=reason,
        undo=containment.undo,
        gave=tuple(text[:GAVE_LIMIT] for text in gave),
    )
    return record if write_contained(table, principal_id, record, mark=mark, unless=mark) else None


def write_contained(
    table: Table, principal_id: str, record: Contained, *, mark: str, unless: str = ""
) -> bool:
    """Put a record on a principal's item; False where the attribute `unless` is there already."""
    values: dict[str, Value] = {
        "kind": record.kind,
        "name": record.name,
        mark: json.dumps(asdict(record)),
    }
    return table.update(principal_key(principal_id), values, remove=[TRYING], unless=unless)


def mark_trying(table: Table, *, principal_id: str, call: Call) -> None:
    """Note that a user is about to be contained, and for which event.

    No name: another event may have written down the containment, under the name of today.
    """
    table.update(principal_key(principal_id), {TRYING: call.event_id})


def mark_tainted(
    table: Table, *, principal_id: str, kind: CallerKind, name: str, call: Call, now: float
) -> None:
    """Mark a principal as an offender's created principal, by id; the first mark stays."""
    if principal_id:
        table.update(
            principal_key(principal_id),
            {"kind": kind.value, "name": name, "tainted": _because(call, now)},
            unless="tainted",
        )


def mark_credential(
    table: Table, *, credential_id: str, owner: str, call: Call, now: float
) -> None:
    """Mark a key as an offender's doing since that call; its owner stays unmarked."""
    if credential_id:
        key = credential_key(credential_id)
        table.update(key, {"owner": owner, "tainted": _because(call, now)}, unless="tainted")
        if call.time is not None:
            table.update(key, {f"since#{call.event_id}": call.time})


def vouch_for_key(table: Table, credential_id: str, *, now: float) -> None:
    """Note that the responder lets a key be used; earlier marks on it do not count any more."""
    key = credential_key(credential_id)
    since = [name for name in table.read([key]).get(key, {}) if name.startswith("since#")]
    table.update(key, {VOUCHED: now}, remove=["tainted", *since])


def is_vouched_for(item: Item, call: Call, *, now: float) -> bool:
    """Whether the responder vouched for a key after that call: events come twice, and late."""
    vouched = item.get(VOUCHED)
    if not isinstance(vouched, float) or call.time is None:
        return False
    # A date to come was not written by the responder.
    return call.time < vouched <= now


def mark_sessions(table: Table, *, principal_id: str, name: str, call: Call, good: bool) -> None:
    """Note a change of password or MFA: console sessions begun after it are bad, or good."""
    if principal_id and call.time is not None:
        mark = "pwgood#" if good else "pwbad#"
        facts: dict[str, Value] = {
            "kind": CallerKind.USER.value,
            "name": name,
            f"{mark}{call.event_id}": call.time,
        }
        table.update(principal_key(principal_id), facts)


def mark_minting(table: Table, *, principal_id: str, call: Call, until: float) -> None:
    """Note for how long an offender's key could begin sessions of its owner."""
    if principal_id and call.time is not None:
        window = {f"mint#{call.event_id}": call.time, f"minted#{call.event_id}": until}
        table.update(principal_key(principal_id), window, unless=f"minted#{call.event_id}")


def read_contained(item: Item, mark: str = "contained") -> Contained | None:
    """The containment written on a principal's item; None when there is none."""
    text = item.get(mark)
    if not isinstance(text, str):
        return None
    written: dict[str, Any] = json.loads(text)
    # A later version may have written more.
    values = {spec.name: written[spec.name] for spec in fields(Contained) if spec.name in written}
    values["undo"] = tuple(tuple(command) for command in values.get("undo", ()))
    values |= {name: tuple(values.get(name, ())) for name in ("gave", "earlier")}
    return Contained(**values)


def credential_is_tainted(item: Item, *, time: float | None) -> bool:
    """Whether a key was an offender's by then: what its owner did before is the owner's."""
    since = [float(value) for name, value in item.items() if name.startswith("since#")]
    if "tainted" not in item or not since or time is None:
        return "tainted" in item
    return time >= min(since)


def session_is_tainted(item: Item, *, began: float | None) -> bool:
    """Whether a console session begun then used a password or device that an offender set.

    The latest change decides. At equal seconds the offender's: a change for the good counts from
    the next second on, since the session may have made it.
    """
    changes = [
        (float(value), name.startswith("pwbad#"))
        for name, value in item.items()
        if name.startswith(("pwbad#", "pwgood#"))
    ]
    before = [
        (time, bad)
        for time, bad in changes
        if began is None or time < began or (bad and time == began)
    ]
    return _was_minted(item, began=began) or (bool(before) and max(before)[1])


def _was_minted(item: Item, *, began: float | None) -> bool:
    """Whether a session began while an offender's key of the same user could begin sessions."""
    for name, value in item.items():
        if name.startswith("mint#"):
            until = item.get(f"minted#{name.removeprefix('mint#')}", value)
            if began is None or float(value) <= began <= float(until):
                return True
    return False


def _because(call: Call, now: float) -> str:
    return json.dumps(
        {
            "at": now,
            "event_id": call.event_id,
            "call": call.name,
            "by": call.caller.arn,
            "by_id": call.caller.id,
        }
    )
