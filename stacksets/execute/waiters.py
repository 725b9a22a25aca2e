"""Wait for a stack, for an operation of a set, or for the answer to a mail. Reads only."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from stacksets.observe.stacks import first_failure
from stacksets.observed.model import UNDER_WAY
from stacksets.steps.model import Until, Wait

# Counting every account of a large operation takes a call for each hundred of them.
COUNT_EVERY = 6
# A change of IAM takes some four seconds to apply everywhere; AWS promises no figure. In looks.
SETTLE_LOOKS = 3
# How a refusal may speak of the size of the code in the template: AWS documents 4 MB as a zip, and
# of templates with so much code in them nobody has told.
LARGE_CODE = re.compile(r"(?i)zip ?file|code size|too large")
STACK_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "IMPORT_COMPLETE")


@dataclass(frozen=True)
class Waiting:
    """How a walker waits: `sleep` and `clock` in seconds, `poll` between two looks, `patience`
    until nobody is expected to confirm any more."""

    sleep: Callable[[float], None]
    clock: Callable[[], float]
    poll: float = 5.0
    patience: float = 600.0

    def is_over(self, *, since: float) -> bool:
        """Whether patience has ended."""
        return self.clock() - since > self.patience


@dataclass(frozen=True)
class Counted:
    """How far an operation is, in accounts; `status` is AWS's word."""

    done: int
    failed: int
    status: str


class Failed(Exception):
    """What was waited for did not succeed; `accounts` maps accounts to AWS's words."""

    def __init__(self, said: str, accounts: dict[str, str], advice: str) -> None:
        super().__init__(said)
        self.said, self.accounts, self.advice = said, accounts, advice


def code_advice(words: str) -> str:
    """The way out where AWS may find the code in the template too large, "" elsewhere."""
    if not LARGE_CODE.search(words):
        return ""
    return (
        " If it is about the size of the code: keep the code in a bucket (python -m generator "
        '--out build/s3 --code s3; docs/parameters.md, "Your own templates"), name that folder in '
        "--templates and the bucket in LambdaS3BucketName of the parameters."
    )


def wait_for(
    wait: Wait,
    client: Any,
    *,
    operation: str,
    waiting: Waiting,
    counted: Callable[[Counted], None],
) -> dict[str, str]:
    """Wait, and answer which accounts failed within the tolerance. Raises Failed."""
    match wait.until:
        case Until.STACK:
            _wait_for_stack(wait, client, waiting, counted)
            return {}
        case Until.OPERATION:
            return _wait_for_operation(wait, client, operation, waiting, counted)
        case Until.COMPARED:
            return _wait_for_comparison(wait, client, operation, waiting, counted)
        case Until.CONFIRMED:
            _wait_for_confirmation(wait, client, waiting, counted)
            return {}
        case Until.ENABLED:
            _wait_for_policies(wait, client, waiting, counted)
            return {}
        case Until.SETTLED:
            counted(Counted(0, 0, "IAM applies it"))
            waiting.sleep(SETTLE_LOOKS * waiting.poll)
            return {}
        case Until.CONTAINED:
            _wait_for_denies(wait, client, waiting, counted)
            return {}


def _wait_for_stack(
    wait: Wait, client: Any, waiting: Waiting, counted: Callable[[Counted], None]
) -> None:
    while True:
        try:
            stack = client.describe_stacks(StackName=wait.name)["Stacks"][0]
        except ClientError as error:
            # A stack that was deleted is no longer found by its name.
            if "does not exist" in str(error):
                return
            raise
        status = stack["StackStatus"]
        counted(Counted(0, 0, status))
        if status in STACK_GOOD:
            return
        if not status.endswith("_IN_PROGRESS"):
            why = first_failure(client, wait.name) or "it names no failed resource"
            raise Failed(
                f"The stack {wait.name} ended as {status}",
                {wait.account: why},
                f"Correct what CloudFormation names, and run apply again.{code_advice(why)}",
            )
        waiting.sleep(waiting.poll)


def _wait_for_operation(
    wait: Wait,
    client: Any,
    operation: str,
    waiting: Waiting,
    counted: Callable[[Counted], None],
) -> dict[str, str]:
    named = {"StackSetName": wait.name, "OperationId": operation, "CallAs": wait.call_as}
    looks, done = 0, 0
    while True:
        seen = client.describe_stack_set_operation(**named)["StackSetOperation"]
        failed = (seen.get("StatusDetails") or {}).get("FailedStackInstancesCount", 0)
        if looks % COUNT_EVERY == 0 or seen["Status"] not in UNDER_WAY:
            results = _results(client, named)
            done = sum(status == "SUCCEEDED" for status, _ in results.values())
        looks += 1
        counted(Counted(done, failed, seen["Status"]))
        if seen["Status"] not in UNDER_WAY:
            bad = {
                account: reason or status
                for account, (status, reason) in results.items()
                if status in ("FAILED", "CANCELLED") and account not in wait.closed
            }
            if seen["Status"] == "SUCCEEDED":
                return bad
            raise Failed(
                f"The StackSet {wait.name} ended its operation as {seen['Status']}",
                bad,
                "Correct it there, and run apply again: it goes on with the accounts that are "
                f"missing.{code_advice(' '.join(bad.values()))}",
            )
        waiting.sleep(waiting.poll)


def _results(client: Any, named: dict[str, str]) -> dict[str, tuple[str, str]]:
    """(status, reason) by account."""
    pages = client.get_paginator("list_stack_set_operation_results").paginate(**named)
    return {
        row["Account"]: (row["Status"], row.get("StatusReason") or "")
        for page in pages
        for row in page["Summaries"]
    }


def _wait_for_comparison(
    wait: Wait,
    client: Any,
    detection: str,
    waiting: Waiting,
    counted: Callable[[Counted], None],
) -> dict[str, str]:
    """What could not be compared is told; the rest was."""
    while True:
        seen = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        counted(Counted(0, 0, seen["DetectionStatus"]))
        match seen["DetectionStatus"]:
            case "DETECTION_COMPLETE":
                return {}
            case "DETECTION_FAILED":
                reason = seen.get("DetectionStatusReason") or "CloudFormation says no more"
                return {wait.account: f"the stack {wait.name}: {reason}"}
        waiting.sleep(waiting.poll)


def _wait_for_confirmation(
    wait: Wait, client: Any, waiting: Waiting, counted: Callable[[Counted], None]
) -> None:
    began = waiting.clock()
    topics = wait.name.split(",")
    while missing := [one for topic in topics for one in _unconfirmed(client, topic, wait)]:
        if waiting.is_over(since=began):
            raise Failed(
                f"Nobody has confirmed the subscription of {', '.join(sorted(set(missing)))}",
                {},
                "Follow the link in the mail from AWS (python -m responder subscribe LINK), or "
                "take a recipient who does not answer out of the file; then run apply again.",
            )
        counted(Counted(0, 0, f"{len(missing)} not confirmed yet"))
        waiting.sleep(waiting.poll)


def _unconfirmed(client: Any, topic: str, wait: Wait) -> list[str]:
    """Whoever else is asked, by a person's own subscription, holds nothing up."""
    asked = {address.casefold() for address in wait.addresses}
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return [
        row["Endpoint"]
        for page in pages
        for row in page["Subscriptions"]
        if row["SubscriptionArn"] == "PendingConfirmation"
        and (not asked or row["Endpoint"].casefold() in asked)
    ]


def _wait_for_policies(
    wait: Wait, client: Any, waiting: Waiting, counted: Callable[[Counted], None]
) -> None:
    began = waiting.clock()
    while (status := _policies_of(client, wait.name)) != "ENABLED":
        if waiting.is_over(since=began):
            raise Failed(
                f"Service control policies are {status} still",
                {},
                "Organizations is still at it: run apply again in some minutes.",
            )
        counted(Counted(0, 0, status))
        waiting.sleep(waiting.poll)


def _policies_of(client: Any, root: str) -> str:
    """How it stands with service control policies: AWS's word, "not enabled" where it has none."""
    for page in client.get_paginator("list_roots").paginate():
        for row in page["Roots"]:
            for kind in row.get("PolicyTypes", ()) if row["Id"] == root else ():
                if kind["Type"] == "SERVICE_CONTROL_POLICY":
                    return str(kind["Status"])
    return "not enabled"


def _wait_for_denies(
    wait: Wait, client: Any, waiting: Waiting, counted: Callable[[Counted], None]
) -> None:
    """Until a policy is on everybody again whom the new revoker has to contain; two looks at most
    after it has answered, for its answer comes when it is done."""
    arn, *ids = wait.name.split(",")
    for look in range(SETTLE_LOOKS):
        missing = set(ids) - set(bearers(client, arn))
        counted(Counted(len(ids) - len(missing), 0, "contained again"))
        if not missing:
            return
        if look + 1 < SETTLE_LOOKS:
            waiting.sleep(waiting.poll)
    raise Failed(
        f"The new revoker has not contained {', '.join(sorted(missing))} again",
        {wait.account: "they stay denied by what was kept"},
        "Look whether they are administrators by the ledger (python -m responder ledger), were "
        "released since (python -m responder show), and whether the ring enforces. Whom it shall "
        "not contain, free by hand (docs/removing.md, --keep-contained, has the command); then run "
        "this again.",
    )


def bearers(client: Any, arn: str) -> list[str]:
    """Ids of users and roles with a policy, as such, by the deny group, or as a boundary."""
    found = []
    for page in client.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
        found += [user["UserId"] for user in page["PolicyUsers"]]
        found += [role["RoleId"] for role in page["PolicyRoles"]]
        for group in page["PolicyGroups"]:
            members = client.get_paginator("get_group").paginate(GroupName=group["GroupName"])
            found += [user["UserId"] for part in members for user in part["Users"]]
    return found
