"""The self-test: tag the canary, see that event arrive, put the deny on the canary and off. Shell.

The canary is a role of ours that nobody can assume and that may do nothing. Tagging it is the one
write to IAM that observe mode knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from handler.model.cloudtrail import Call, CallerKind
from handler.model.heartbeat import BY_DEAD_LETTER, SelfTest
from handler.model.names import CANARY_ROLE
from handler.model.reasons import Reason
from handler.revoker.deny.contain import contain, take_off
from handler.revoker.judge.rules import settled
from handler.revoker.state.context import Tools, target_of
from handler.revoker.state.table import Table

SELF_TEST = "self_test"
SELF_TEST_TAG = "iam-org-revoker-self-test"
# CloudTrail delivers within minutes; what takes longer has failed, however it arrives then.
LATE_SECONDS = 15 * 60.0
# Less than a day by a reconciliation, so that each day has one.
DAILY_SECONDS = 86_400.0 - 900.0
AGAIN_SECONDS = 3_600.0


NO_TEST = SelfTest()


@dataclass(frozen=True)
class TestRun:
    """One self-test; epoch seconds, 0 for not yet. `last` is how the one before it went."""

    nonce: str
    started: float
    arrived: float = 0.0
    denied: float = 0.0
    enforcing: bool = False
    error: str = ""
    last: SelfTest = NO_TEST


def start_self_test(tools: Tools) -> TestRun:
    """Tag the canary; what IAM refuses is the test's result and not raised."""
    before = read_self_test(tools.table)
    last = self_test(before, now=tools.now) if before else NO_TEST
    started = tools.clock()
    nonce = f"{started:.3f}"
    # First the item: the event may be quicker than the next line.
    tools.table.update(
        SELF_TEST,
        {
            "nonce": nonce,
            "started": started,
            "enforcing": float(tools.settings.enforcing),
            "last": json.dumps(asdict(last)),
        },
        remove=["arrived", "denied", "error"],
    )
    test_run = TestRun(nonce=nonce, started=started, enforcing=tools.settings.enforcing, last=last)
    try:
        tools.iam.tag_role(RoleName=CANARY_ROLE, Tags=[{"Key": SELF_TEST_TAG, "Value": nonce}])
    except tools.iam.exceptions.ClientError as error:
        why = f"the canary could not be tagged: {error.response['Error']['Code']}"
        tools.table.update(SELF_TEST, {"error": why})
        return TestRun(nonce=nonce, started=started, error=why, last=last)
    return test_run


def read_self_test(table: Table) -> TestRun | None:
    """The latest self-test; None when there never was one."""
    item = table.read([SELF_TEST]).get(SELF_TEST)
    if item is None:
        return None
    return TestRun(
        nonce=str(item["nonce"]),
        started=float(item["started"]),
        arrived=float(item.get("arrived", 0)),
        denied=float(item.get("denied", 0)),
        enforcing=item.get("enforcing") == 1,
        error=str(item.get("error", "")),
        last=SelfTest(**json.loads(str(item["last"]))),
    )


def self_test_is_due(test_run: TestRun | None, *, now: float) -> bool:
    """Once a day, and within the hour after one that failed."""
    if test_run is None:
        return True
    waited = now - test_run.started
    failed = _is_over(test_run, now=now) and not self_test(test_run, now=now).ok
    return waited >= (AGAIN_SECONDS if failed else DAILY_SECONDS)


def self_test(test_run: TestRun | None, *, now: float) -> SelfTest:
    """How the latest test went; while it is under way, the one before it."""
    if test_run is None:
        return NO_TEST
    if not _is_over(test_run, now=now):
        return test_run.last
    return SelfTest(
        at=test_run.started,
        ok=not _what_failed(test_run),
        event_seconds=_since(test_run.started, test_run.arrived),
        deny_seconds=_since(test_run.started, test_run.denied),
        error=_what_failed(test_run),
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
    test_run = read_self_test(tools.table)
    if test_run is None or test_run.nonce not in _nonces(call):
        return
    if test_run.denied or (test_run.arrived and not tools.settings.enforcing):
        return
    if not test_run.arrived:
        tools.table.update(SELF_TEST, {"arrived": tools.now})
    if dead:
        tools.table.update(SELF_TEST, {"error": f"{BY_DEAD_LETTER}: {dead}"})
    if not tools.settings.enforcing:
        return
    target = target_of(tools, kind=CallerKind.ROLE, name=CANARY_ROLE, principal_id="")
    done = contain(tools.iam, target, inline=False, is_contained=lambda _: False)
    denied = tools.clock()
    if done.method is None:
        tools.table.update(
            SELF_TEST, {"error": f"no deny held on the canary: {' '.join(done.notes)}"}
        )
        return
    left = take_off(tools.iam, target, done.method)
    tools.table.update(SELF_TEST, {"denied": denied, **({"error": left} if left else {})})


def _is_over(test_run: TestRun, *, now: float) -> bool:
    done = test_run.denied if test_run.enforcing else test_run.arrived
    return bool(test_run.error or done) or now - test_run.started >= LATE_SECONDS


def _what_failed(test_run: TestRun) -> str:
    if test_run.error:
        return test_run.error
    if not test_run.arrived:
        return f"the canary's event did not arrive within {LATE_SECONDS:.0f} s"
    if test_run.enforcing and not test_run.denied:
        return "the canary's event arrived, and no deny held"
    for what, then in (
        ("canary's event arrived", test_run.arrived),
        ("deny held", test_run.denied),
    ):
        if then - test_run.started >= LATE_SECONDS:
            late = f"only after {then - test_run.started:.0f} s"
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
        if isinstance(tag, Mapping) and tag.get("key") == SELF_TEST_TAG
    ]
