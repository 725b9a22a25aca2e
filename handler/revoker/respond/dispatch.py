"""One event of EventBridge: our own test on the canary arriving, or a call to answer. Shell."""

from __future__ import annotations

from typing import Any

from handler.model.cloudtrail import read_event
from handler.revoker.respond.respond import answer
from handler.revoker.respond.self_test import is_canary_call, note_arrival
from handler.revoker.state.context import Tools

LAST_EVENT = "last_event"


def deliver(event: object, tools: Tools, *, dead: str = "") -> dict[str, Any]:
    """Do what the event asks for; answers its id, the action and the reason.

    `dead` says why the event comes out of the dead-letter queue. Raises as `answer` does.
    """
    call = read_event(event)
    note_last_event(tools)
    if is_canary_call(call, tools):
        note_arrival(call, tools, dead=dead)
        return {"eventId": call.event_id, "action": "self_test", "reason": "ourselves"}
    verdict = answer(call, tools)
    return {
        "eventId": call.event_id,
        "action": verdict.action.value,
        "reason": verdict.reason.value,
    }


def note_last_event(tools: Tools) -> None:
    """Note that events arrive, once an hour and process: a write for each would cost more."""
    hour = f"hour#{int(tools.now // 3_600)}"
    if hour not in tools.met:
        tools.table.update(LAST_EVENT, {"at": tools.now})
        tools.met.add(hour)
