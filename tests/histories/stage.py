"""One account with everybody in it, and how a call of IAM is made there: permission, act, record.

Time is virtual. Every call that AWS lets in leaves a record as CloudTrail writes it, which the
courier carries to the handler.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from handler.model.settings import Settings
from handler.revoker.state.context import Tools
from tests.doubles.account import a_session, a_user, settings
from tests.doubles.history import LaggingHistory
from tests.doubles.iam import ACCOUNT, DENY_ARN
from tests.doubles.rounds import Rounds
from tests.histories.delivery import Courier
from tests.histories.powers import ADMIN_POLICY, Powers, name_of
from tests.histories.truth import (
    ADMINISTRATORS,
    EXEMPT_PATH,
    ROOT,
    Credential,
    Truth,
    id_of,
)

# 2026-11-22T10:00:00Z, when the curtain rises.
CURTAIN = 1_795_341_600.0
DAY = 86_400.0
ROOT_IDENTITY = {
    "type": "Root",
    "accountId": ACCOUNT,
    "principalId": ACCOUNT,
    "arn": f"arn:aws:iam::{ACCOUNT}:root",
}
SECRET = {"Password"}


@dataclass(frozen=True)
class Setting:
    """What a history is played under; `installed`: the baseline was taken before it began."""

    guardrail: bool = True
    installed: bool = True
    delay: float = 4.0


@cache
def knobs() -> Settings:
    # The breaker is for bad changes; it has tests of its own.
    return settings(BREAKER_LIMIT="0")


@dataclass
class Stage:
    """`rightful` and `wild` are the credentials of administrators and of everybody else at play."""

    setting: Setting
    world: Rounds = field(default_factory=Rounds)
    truth: Truth = field(default_factory=Truth)
    rightful: list[Credential] = field(default_factory=list)
    wild: list[Credential] = field(default_factory=list)
    calls: int = 0
    processes: int = 0

    def __post_init__(self) -> None:
        self.iam = self.world.iam
        self.go_to(CURTAIN - DAY)
        self.history = LaggingHistory(now=lambda: self.now)
        self.powers = Powers(
            iam=self.iam,
            now=lambda: self.now,
            delay=self.setting.delay,
            guardrail=self.setting.guardrail,
        )
        self.iam.after = self.powers.watch
        self._tools = replace(
            self.world.tools(),
            settings=knobs(),
            clients=self._clients(),
            clock=lambda: self.now,
        )
        self._met: tuple[set[str], set[str]] = (set(), set())
        self.courier = Courier(
            tools=self.tools,
            go_to=self.go_to,
            history=self.history,
            letters=self.world.queue,
            stumble_over=self._stumble_over,
            next_reconciliation=CURTAIN + 400,
        )
        _cast(self)
        if self.setting.installed:
            self.go_to(CURTAIN - 3_600)
            self.courier.reconcile()
        self.go_to(CURTAIN)

    def _clients(self) -> Any:
        trails = self.world.trails
        self.world.trails = SimpleNamespace(  # type: ignore[assignment]
            exceptions=trails.exceptions,
            describe_trails=trails.describe_trails,
            get_trail_status=trails.get_trail_status,
            get_paginator=self.history.get_paginator,
        )
        return self.world.clients

    @property
    def now(self) -> float:
        return self.world.now

    def go_to(self, seconds: float) -> None:
        self.world.now = self.iam.now = seconds

    def tools(self) -> Tools:
        """As a process of the function has them; two processes take turns, each with its memory."""
        self.processes += 1
        return replace(self._tools, now=self.now, met=self._met[self.processes % 3 % 2])

    def _stumble_over(self, where: str, what: str, on: bool) -> None:
        match where:
            case "iam":
                self.iam.fail = {what: ["Throttling"]} if on else {}
            case "table":
                code = "ProvisionedThroughputExceededException"
                self.world.dynamo.fail = {what: [code]} if on else {}
            case _:
                self.world.bus.refuse = "InternalFailure" if on else ""

    def call(
        self, who: Credential, operation: str, chance: Random, *, lost: bool = False, **named: Any
    ) -> Any:
        """One call; answers what IAM answers ({} for nothing), None when it was refused."""
        if not self.powers.signs(who):
            return None
        self.calls += 1
        event = f"00000000-0000-0000-0000-{self.calls:012d}"
        identity = self.identity(who)
        target = id_of(self.iam, named) or (who.owner if operation == "change_password" else "")
        error, answer = self._act(who, operation, named)
        record = self._record(identity, who, operation, named, answer or {}, error) | {
            "eventID": event
        }
        if error and not self.truth.is_rightful(who):
            self.truth.offend(who, now=self.now)
        if not error:
            self.truth.judge(who, operation, target, named, answer, now=self.now, event=event)
        self.courier.post(record, chance, now=self.now, lost=lost)
        return None if error else answer

    def taint_key(self, key: str) -> None:
        """The key is an offender's by now: with it, nobody calls rightfully."""
        for players in (self.rightful, self.wild):
            players[:] = [replace(who, tainted=who.tainted or who.key == key) for who in players]

    def _act(self, who: Credential, operation: str, named: dict[str, Any]) -> tuple[str, Any]:
        if operation != "change_password" and self.powers.refuses(who, operation, named):
            return "AccessDenied", None
        if operation == "change_password":
            denied = self.powers.is_denied(who)
            return ("AccessDenied", None) if denied else ("", {})
        try:
            return "", getattr(self.iam, operation)(**named) or {}
        except ClientError as error:
            return str(error.response["Error"]["Code"]), None

    def identity(self, who: Credential) -> dict[str, Any]:
        """userIdentity as CloudTrail writes it."""
        if who.owner == ROOT:
            return ROOT_IDENTITY
        name = name_of(self.iam, who.owner)
        if who.is_role:
            path = self.iam.roles[name].path
            return a_session(name, who.owner, path=path) | {"accessKeyId": who.key}
        user = a_user(name, who.owner, key=who.key)
        if who.began is None:
            return user
        return user | {"sessionContext": {"attributes": {"creationDate": text_of(who.began)}}}

    def _record(
        self,
        identity: dict[str, Any],
        who: Credential,
        operation: str,
        named: dict[str, Any],
        answer: dict[str, Any],
        error: str,
    ) -> dict[str, Any]:
        shown = {_lower(k): v for k, v in named.items() if k not in SECRET}
        return {
            "eventName": "".join(word.capitalize() for word in operation.split("_")),
            "eventSource": "iam.amazonaws.com",
            "eventTime": text_of(self.now),
            "awsRegion": "us-east-1",
            "sourceIPAddress": "192.0.2.1",
            "readOnly": False,
            "recipientAccountId": ACCOUNT,
            "userIdentity": identity,
            # A denied call shows neither parameters nor an answer.
            "requestParameters": None if error == "AccessDenied" or not shown else shown,
            "responseElements": _answered(answer),
            **({"errorCode": error} if error else {}),
            **({"sessionCredentialFromConsole": "true"} if who.console else {}),
        }


def text_of(seconds: float) -> str:
    """CloudTrail's time: whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answered(answer: dict[str, Any]) -> dict[str, Any] | None:
    rows = {
        _lower(key): {_lower(k): v for k, v in row.items() if isinstance(v, str)}
        for key, row in answer.items()
    }
    return rows or None


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _cast(stage: Stage) -> None:
    """Three administrators, three with rights and no business, some who may become either."""
    iam, truth = stage.iam, stage.truth
    for name in ("alice", "ann"):
        iam.add_user(name, groups=(ADMINISTRATORS,))
    for name in ("bob", "carol", "mallory", "eve", "trent", "dora"):
        iam.add_user(name)
    for name in ("bob", "carol", "mallory", "eve", "trent"):
        iam.users[name].attached.add(ADMIN_POLICY)
    # No room for a managed deny, of everything or of sessions: the next deny method has to hold.
    for name, others in (("trent", 9), ("ann", 10)):
        filler = {f"arn:aws:iam::aws:policy/Example{n}" for n in range(others)}
        iam.users[name].attached |= filler
    iam.add_role("deployer", path="/team/", attached={ADMIN_POLICY})
    full = {f"arn:aws:iam::aws:policy/Example{n}" for n in range(19)}
    iam.add_role("packed", path="/", attached={ADMIN_POLICY, *full})
    iam.add_role("rescue", path=EXEMPT_PATH, attached={ADMIN_POLICY})
    truth.exempt.add(iam.roles["rescue"].id)
    for name, user in iam.users.items():
        user.keys[iam.number("AKIA")] = "Active"
        user.password = name in ("alice", "ann", "bob", "dora")
        administrator = name in iam.groups[ADMINISTRATORS].members
        if administrator:
            truth.administrators.add(user.id)
        for key in user.keys:
            mine = Credential(owner=user.id, key=key)
            if administrator or name in ("bob", "carol"):
                stage.rightful.append(mine)
            elif name != "dora":
                stage.wild.append(mine)
    stage.rightful.append(Credential(owner=iam.roles["rescue"].id, key="ASIARESCUE", began=CURTAIN))
    assert DENY_ARN in iam.documents
