"""The product installed into the box by its own rollout, and what a scene needs to look at it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from handler.model.names import DENY_POLICY, INCIDENT_TOPIC, NOTIFIER, PRODUCT, iam_arn
from handler.notifier.main import SWEEP_EVENT
from handler.notifier.messages.schedule import next_morning
from sandbox.box import Box
from sandbox.core.keys import Key
from sandbox.core.state import Record
from sandbox.demo.deploy import update_stack_set
from sandbox.demo.organization_trail import start_trail
from sandbox.demo.rolling_out import RING, TEMPLATES, roll_out, rollout_file
from sandbox.mail.mailbox import Mail
from stacksets.observed.templates import read_template, template_argument

ADMINISTRATORS = "Administrators"
STACK_SET = f"{PRODUCT}-{RING}"
TEAM_ADDRESS = "security@example.com"
PATIENCE_SECONDS = 15.0


@dataclass
class Stage:
    """The installed product; `bus_arn` is the central bus. Keeps which mails were already read.

    `alice` is the key of an administrator who was there before the product, by member account.
    """

    box: Box
    bus_arn: str
    alice: Mapping[str, Key] = field(default_factory=dict)
    _read: int = field(default=0, repr=False)

    def new_mails(self) -> list[Mail]:
        """The mails to the security team since the last look, once everything has settled."""
        self.box.settle()
        mails = [mail for mail in self.box.outbox if to_the_team(mail)]
        fresh, self._read = mails[self._read :], len(mails)
        return fresh

    def sweep(self) -> None:
        """Let the notifier look after what is owed, now instead of within the minute."""
        self.box.settle(ignore_hidden=True)
        answer = self.box.client("lambda", self.box.security).invoke(
            FunctionName=NOTIFIER, Payload=json.dumps(SWEEP_EVENT)
        )
        if "FunctionError" in answer:
            raise RuntimeError(f"the sweep failed: {answer['Payload'].read().decode()}")

    def sweep_next_morning(self) -> None:
        """Skip to the time of the daily mails, and let them be sent."""
        now = self.box.time()
        self.box.advance(next_morning(now) - now + 1)
        self.sweep()

    def denied(self, account: str, *, user: str = "", role: str = "") -> bool:
        """Whether the deny policy is on this user or role."""
        iam = self.box.client("iam", account)
        attached = (
            iam.list_attached_user_policies(UserName=user)
            if user
            else iam.list_attached_role_policies(RoleName=role)
        )["AttachedPolicies"]
        deny = iam_arn(partition="aws", account=account, kind="policy", name=DENY_POLICY)
        return any(policy["PolicyArn"] == deny for policy in attached)


def to_the_team(mail: Mail) -> bool:
    """Return whether the security team got it about incidents, not about the product's alarms."""
    return mail.address == TEAM_ADDRESS and mail.topic.endswith(f":{INCIDENT_TOPIC}")


def install(
    box: Box,
    *,
    mode: str,
    parameters: Mapping[str, str] | None = None,
    central: Mapping[str, str] | None = None,
) -> Stage:
    """Roll out with the product's own tool: the central account, then a ring over both OUs."""
    alice = {
        account: box.new_user(account, "alice", "iam:*", groups=(ADMINISTRATORS,))
        for account in box.members
    }
    for account in box.members:
        start_trail(box, account)
    given = roll_out(
        box,
        rollout_file(
            box,
            mode=mode,
            email=TEAM_ADDRESS,
            parameters={**_decided(mode), **(parameters or {})},
            central=central or {},
        ),
        sleep=short_wait,
    )
    return Stage(box=box, bus_arn=given.bus, alice=alice)


def change_mode(stage: Stage, mode: str, parameters: Mapping[str, str] | None = None) -> None:
    """Update the StackSet to another mode, template unchanged: by one call, since the scenes want
    auto-deployment on all the time."""
    box = stage.box
    update_stack_set(
        box.client("cloudformation", box.management),
        name=STACK_SET,
        template=uploaded(box, box.management, "member"),
        parameters=_member_parameters(stage, mode=mode, others=parameters or {}),
        call_as="SELF",
        sleep=short_wait,
    )


def guarded(box: Box, target: str) -> AbstractContextManager[None]:
    """The guardrail attached to a root, OU or account by the management account, for a block."""
    return bound(box, target, (TEMPLATES / "guardrail.json").read_text())


@contextmanager
def bound(box: Box, target: str, document: str) -> Iterator[None]:
    """A service control policy on a root, OU or account for the length of a block."""
    organizations = box.client("organizations", box.management)
    made = organizations.create_policy(
        Name=f"{STACK_SET}-{uuid.uuid4().hex[:8]}",
        Description="Keeps the deny of IAM Org Revoker on",
        Type="SERVICE_CONTROL_POLICY",
        Content=document,
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=made, TargetId=target)
    try:
        yield
    finally:
        organizations.detach_policy(PolicyId=made, TargetId=target)
        organizations.delete_policy(PolicyId=made)


@contextmanager
def late_events(box: Box) -> Iterator[list[Record]]:
    """Until the block ends no event reaches a bus; then all do, in the order of the calls.

    Gives their records.
    """
    waiting: list[Record] = []
    emit, box.state.emit = box.state.emit, waiting.append
    try:
        yield waiting
    finally:
        box.state.emit = emit
        for record in waiting:
            emit(record)


@contextmanager
def slow_iam(box: Box, seconds: float = 4.0) -> Iterator[None]:
    """IAM needs so long to apply a change, for the length of a block."""
    box.iam_delay = seconds
    try:
        yield
    finally:
        box.iam_delay = 0.0


def seconds_until_denied(call: Callable[[], Any], *, since: float) -> float | None:
    """Repeat a call until IAM refuses it; seconds since `since` (time.monotonic), None if never."""
    while time.monotonic() - since < PATIENCE_SECONDS:
        if is_denied(call):
            return time.monotonic() - since
        time.sleep(0.02)
    return None


def is_denied(call: Callable[[], Any]) -> bool:
    """Make the call once; whether it was refused for want of permission."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException"):
            return True
        raise
    return False


def uploaded(box: Box, account: str, name: str) -> dict[str, str]:
    """TemplateBody or TemplateURL of a template by name, from a bucket of `account`."""
    s3, bucket = box.client("s3", account), f"iam-org-revoker-templates-{account}"
    if bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=bucket)
    template = read_template(TEMPLATES / f"{name}.yaml")
    return template_argument(template, s3=s3, bucket=bucket)


def short_wait(_seconds: float) -> None:
    """Between two looks at a stack: the box is fast."""
    time.sleep(0.05)


def _member_parameters(stage: Stage, *, mode: str, others: Mapping[str, str]) -> dict[str, str]:
    return {"CentralBusArn": stage.bus_arn, "Mode": mode, **_decided(mode), **others}


def _decided(mode: str) -> dict[str, str]:
    """What enforcing needs besides."""
    return {"MissingGroup": "treat-as-empty"} if mode == "enforce" else {}
