"""The self-test: tag the canary, see that event arrive, put the deny on the canary and off. Shell.

The canary is a role of ours that nobody can assume and that may do nothing. Tagging it is the one
write to IAM that observe mode knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from handler.model.cloudtrail import Call, Kind
from handler.model.heartbeat import BY_DEAD_LETTER, SelfTest
from handler.model.names import CANARY_ROLE
from handler.model.reasons import Reason
from handler.revoker.deny.contain import contain, take_off
from handler.revoker.judge.rules import settled
from handler.revoker.state.context import Tools, target_of
from handler.revoker.state.table import Table

DRILL = "drill"
DRILL_TAG = "iam-org-revoker-drill"
# CloudTrail delivers within minutes; what takes longer has failed, however it arrives then.
LATE_SECONDS = 15 * 60.0
# Less than a day by a patrol, so that each day has one.
DAILY_SECONDS = 86_400.0 - 900.0
AGAIN_SECONDS = 3_600.0


NO_TEST = SelfTest()


@dataclass(frozen=True)
class Drill:
    """One self-test; epoch seconds, 0 for not yet. `last` is how the one before it went."""

    nonce: str
    started: float
    arrived: float = 0.0
    denied: float = 0.0
    enforcing: bool = False
    error: str = ""
    last: SelfTest = NO_TEST


def start_drill(tools: Tools) -> Drill:
    """Tag the canary; what IAM refuses is the test's result and not raised."""
    before = read_drill(tools.table)
    last = self_test(before, now=tools.now) if before else NO_TEST
    started = tools.clock()
    nonce = f"{started:.3f}"
    # First the item: the event may be quicker than the next line.
    tools.table.update(
        DRILL,
        {
            "nonce": nonce,
            "started": started,
            "enforcing": float(tools.settings.enforcing),
            "last": json.dumps(asdict(last)),
        },
        remove=["arrived", "denied", "error"],
    )
    drill = Drill(nonce=nonce, started=started, enforcing=tools.settings.enforcing, last=last)
    try:
        tools.iam.tag_role(RoleName=CANARY_ROLE, Tags=[{"Key": DRILL_TAG, "Value": nonce}])
    except tools.iam.exceptions.ClientError as error:
        why = f"the canary could not be tagged: {error.response['Error']['Code']}"
        tools.table.update(DRILL, {"error": why})
        return Drill(nonce=nonce, started=started, error=why, last=last)
    return drill


def read_drill(table: Table) -> Drill | None:
    """The latest self-test; None when there never was one."""
    item = table.read([DRILL]).get(DRILL)
    if item is None:
        return None
    return Drill(
        nonce=str(item["nonce"]),
        started=float(item["started"]),
        arrived=float(item.get("arrived", 0)),
        denied=float(item.get("denied", 0)),
        enforcing=item.get("enforcing") == 1,
        error=str(item.get("error", "")),
        last=SelfTest(**json.loads(str(item["last"]))),
    )


def drill_is_due(drill: Drill | None, *, now: float) -> bool:
    """Once a day, and within the hour after one that failed."""
    if drill is None:
        return True
    waited = now - drill.started
    failed = _is_over(drill, now=now) and not self_test(drill, now=now).ok
    return waited >= (AGAIN_SECONDS if failed else DAILY_SECONDS)


def self_test(drill: Drill | None, *, now: float) -> SelfTest:
    """How the latest test went; while it is under way, the one before it."""
    if drill is None:
        return NO_TEST
    if not _is_over(drill, now=now):
        return drill.last
    return SelfTest(
        at=drill.started,
        ok=not _what_failed(drill),
        event_seconds=_since(drill.started, drill.arrived),
        deny_seconds=_since(drill.started, drill.denied),
        error=_what_failed(drill),
    )


def is_canary_call(call: Call, tools: Tools) -> bool:
    """Our own call on the canary, by a session of the revoker's own role."""
    early = settled(call, own_role_arn=tools.here.role_arn)
    ours = early is not None and early.reason is Reason.OURSELVES
    return ours and call.name == "TagRole" and call.request.get("roleName") == CANARY_ROLE


def note_arrival(call: Call, tools: Tools, *, dead: str = "") -> None:
    """Note that the event arrived; enforcing, put the deny on the canary and off again.

    `dead` says why it comes out of the dead-letter queue: the test has failed then.
    """
    drill = read_drill(tools.table)
    if drill is None or drill.nonce not in _nonces(call):
        return
    if drill.denied or (drill.arrived and not tools.settings.enforcing):
        return
    if not drill.arrived:
        tools.table.update(DRILL, {"arrived": tools.now})
    if dead:
        tools.table.update(DRILL, {"error": f"{BY_DEAD_LETTER}: {dead}"})
    if not tools.settings.enforcing:
        return
    target = target_of(tools, kind=Kind.ROLE, name=CANARY_ROLE, principal_id="")
    done = contain(tools.iam, target, inline=False, is_contained=lambda _: False)
    denied = tools.clock()
    if done.rung is None:
        tools.table.update(DRILL, {"error": f"no deny held on the canary: {' '.join(done.notes)}"})
        return
    left = take_off(tools.iam, target, done.rung)
    tools.table.update(DRILL, {"denied": denied, **({"error": left} if left else {})})


def _is_over(drill: Drill, *, now: float) -> bool:
    done = drill.denied if drill.enforcing else drill.arrived
    return bool(drill.error or done) or now - drill.started >= LATE_SECONDS


def _what_failed(drill: Drill) -> str:
    if drill.error:
        return drill.error
    if not drill.arrived:
        return f"the canary's event did not arrive within {LATE_SECONDS:.0f} s"
    if drill.enforcing and not drill.denied:
        return "the canary's event arrived, and no deny held"
    for what, then in (("canary's event arrived", drill.arrived), ("deny held", drill.denied)):
        if then - drill.started >= LATE_SECONDS:
            late = f"only after {then - drill.started:.0f} s"
            return f"the {what} {late}: {LATE_SECONDS:.0f} s are the bound"
    return ""


def _since(started: float, then: float) -> float:
    return round(max(then - started, 0.0), 3) if then else 0.0


def _nonces(call: Call) -> list[Any]:
    """What the call wrote into our tag; CloudTrail's parameters begin with small letters."""
    tags = call.request.get("tags")
    return [
        tag.get("value")
        for tag in (tags if isinstance(tags, list) else [])
        if isinstance(tag, Mapping) and tag.get("key") == DRILL_TAG
    ]
