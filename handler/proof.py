"""Wait for the proof that an unproven member is an administrator: the event may be on its way.

Shell. No sleep and no poller: raising makes Lambda try the event again after one and two more
minutes, and the third try decides.
"""

from __future__ import annotations

from dataclasses import replace

from handler.roster import prove, read_group
from handler.standing import Known, look
from handler.tools import Tools
from handler.trail import Call

WAIT_KEPT_SECONDS = 86_400.0


class Deferred(Exception):
    """Not decided yet: the group lists the caller, and nothing proves yet who put it there."""


def search_proof(call: Call, known: Known, tools: Tools) -> Known:
    """Look through CloudTrail's event history, write what it proves, and read anew."""
    live = known.live or read_group(tools.iam, tools.settings.admin_group)
    member = live.by_id(call.caller.id)
    if member is None:
        return replace(known, live=live)
    prove(
        tools.clients("cloudtrail", tools.here.region),
        tools.table,
        member,
        known.baseline,
        group=tools.settings.admin_group,
        now=tools.now,
    )
    return replace(
        look(
            call,
            table=tools.table,
            iam=lambda: tools.iam,
            settings=tools.settings,
            together=tools.together,
            met={call.caller.id},
            now=tools.now,
        ),
        live=live,
    )


def wait_is_over(call: Call, tools: Tools) -> bool:
    """Whether this event was first seen long enough ago; notes the first time."""
    key = f"wait#{call.event_id}"
    expires = tools.now + WAIT_KEPT_SECONDS
    if tools.table.put_new(key, {"first": tools.now, "expires_at": expires}):
        return tools.wait_seconds <= 0
    first = tools.table.read([key]).get(key, {}).get("first", tools.now)
    return tools.now - float(first) >= tools.wait_seconds
