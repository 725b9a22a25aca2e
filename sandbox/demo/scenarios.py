"""The scenes of the demo: somebody calls IAM, and what must be seen afterwards. Prints nothing."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from handler.model.names import DENY_GROUP, REVOKER
from sandbox.demo.attack_scenarios import (
    accomplice,
    release,
    stripper_with_guardrail,
    stripper_without_guardrail,
    taken_over,
)
from sandbox.demo.product_setup import Stage, change_mode, is_denied, seconds_until_denied
from sandbox.demo.scene import Scene, Seen, mails

CALLS_AT_ONCE = 50


def observe(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[0]
    iam = stage.box.client("iam", account, key=stage.box.new_user(account, "olga", "iam:*"))
    iam.create_user(UserName="olgas-helper")
    yield from mails(stage)
    yield Seen("she keeps IAM: nothing was touched", not stage.denied(account, user="olga"))


def morning(stage: Stage) -> Iterator[Seen]:
    stage.sweep_next_morning()
    # Where more has happened before, the morning has its reminders too.
    digests = [m for m in stage.new_mails() if m.subject.startswith("[IAM would be revoked]")]
    yield Seen("the security team gets one digest", len(digests) == 1)
    lines = [line for mail in digests for line in mail.body.splitlines() if "=olga" in line]
    commented = bool(lines) and all(line.startswith("  # ") for line in lines)
    yield Seen("it holds the command that approves olga, commented out", commented)


def administrator(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[0]
    alice = stage.box.client("iam", key=stage.alice[account])
    alice.create_user(UserName="new-colleague")
    yield from mails(stage)
    yield Seen("alice keeps IAM", not stage.denied(account, user="alice"))


def rogue_user(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[0]
    iam = stage.box.client("iam", account, key=stage.box.new_user(account, "mallory", "iam:*"))
    began = time.monotonic()
    iam.create_user(UserName="accomplice")
    seconds = seconds_until_denied(iam.list_users, since=began)
    yield Seen(
        f"her next call is refused, {seconds or 0:.1f} s after her first", seconds is not None
    )
    yield from mails(stage, "[IAM revoked]")
    yield Seen("the deny policy is on her", stage.denied(account, user="mallory"))


def many_calls(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[1]
    iam = stage.box.client("iam", account, key=stage.box.new_user(account, "trent", "iam:*"))
    with ThreadPoolExecutor(max_workers=CALLS_AT_ONCE) as pool:
        refused = list(
            pool.map(
                lambda n: is_denied(lambda: iam.create_group(GroupName=f"group-{n}")),
                range(CALLS_AT_ONCE),
            )
        )
    yield Seen(f"{CALLS_AT_ONCE} calls at once, {sum(refused)} of them already refused", True)
    yield from mails(stage, "[IAM revoked]", "[IAM revoked]", why="for the 1st and the 10th call")
    yield Seen("the deny policy is on him", stage.denied(account, user="trent"))


def rogue_role(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[1]
    key = stage.box.new_session(account, "deployer", "iam:*", path="/team/", session="eve")
    iam = stage.box.client("iam", account, key=key)
    began = time.monotonic()
    iam.create_user(UserName="backdoor")
    seconds = seconds_until_denied(iam.list_users, since=began)
    yield Seen(
        f"the session's next call is refused after {seconds or 0:.1f} s", seconds is not None
    )
    yield from mails(stage, "[IAM revoked]")
    yield Seen("the deny policy is on the role", stage.denied(account, role="deployer"))


def root(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[2]
    stage.box.client("iam", account, quiet=False).create_user(UserName="roots-friend")
    yield from mails(stage, "[CRITICAL: not contained]")


def aws_service(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[2]
    stage.box.emit(_service_record(account))
    yield from mails(stage)


def full_quota(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[2]
    iam = stage.box.client("iam", account)
    key = stage.box.new_user(account, "quentin", "iam:*")
    for number in range(10):
        arn = f"arn:aws:iam::{account}:policy/filler-{number}"
        iam.create_policy(PolicyName=f"filler-{number}", PolicyDocument=_HARMLESS)
        iam.attach_user_policy(UserName="quentin", PolicyArn=arn)
    his = stage.box.client("iam", account, key=key)
    began = time.monotonic()
    his.create_user(UserName="accomplice")
    seconds = seconds_until_denied(his.list_users, since=began)
    yield Seen(f"his next call is refused after {seconds or 0:.1f} s", seconds is not None)
    groups = iam.list_groups_for_user(UserName="quentin")["Groups"]
    yield Seen("by the deny group", [g["GroupName"] for g in groups] == [DENY_GROUP])
    yield from mails(stage, "[IAM revoked]")


def tampering(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[2]
    key = stage.box.new_user(account, "vera", "lambda:*")
    function = stage.box.client("lambda", account, key=key)
    function.update_function_configuration(FunctionName=REVOKER, Timeout=3)
    yield from mails(stage, "[Revoker tampered]")
    stage.box.client("lambda", account).update_function_configuration(
        FunctionName=REVOKER, Timeout=120
    )


def forged_report(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[0]
    key = stage.box.new_user(account, "walter", "events:PutEvents")
    entry = {
        "Source": "iam-org-revoker",
        "DetailType": "IAM Org Revoker Report",
        "Detail": "{}",
        "EventBusName": stage.bus_arn,
    }
    answer = stage.box.client("events", account, key=key).put_events(Entries=[entry])
    code = answer["Entries"][0].get("ErrorCode", "accepted")
    yield Seen(f"the bus answers {code}", answer["FailedEntryCount"] == 1)
    yield from mails(stage)


def enforcing(stage: Stage) -> Iterator[Seen]:
    change_mode(stage, "enforce")
    yield Seen("the StackSet is updated in every account", True)
    yield from mails(stage)


SCENES = (
    Scene("Observe mode: olga, no administrator, creates a user", observe),
    Scene("The next morning: who would have lost IAM access", morning),
    Scene("The team is satisfied and updates the StackSet to Mode=enforce", enforcing),
    Scene("alice, an administrator, creates a user", administrator),
    Scene("mallory, no administrator, creates a user", rogue_user),
    Scene(f"trent fires {CALLS_AT_ONCE} calls at once", many_calls),
    Scene("eve calls through a role session", rogue_role),
    Scene("somebody uses the root user", root),
    Scene("an AWS service acts for itself", aws_service),
    Scene("quentin has filled his quota of policies first", full_quota),
    Scene("vera changes the revoker's function", tampering),
    Scene("walter forges a report to the central bus", forged_report),
    Scene("oscar makes a accomplice, and it makes him an administrator", accomplice),
    Scene("victor takes alice over by a new password and a new key", taken_over),
    Scene("sybil strips the deny while IAM takes four seconds", stripper_without_guardrail),
    Scene("trudy tries the same with the guardrail attached", stripper_with_guardrail),
    Scene("mallory was right after all: the responder releases her", release),
)

_HARMLESS = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets",'
    '"Resource":"*"}]}'
)


def _service_record(account: str) -> dict[str, object]:
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "AWSService", "invokedBy": "eks.amazonaws.com"},
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateServiceLinkedRole",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "eks.amazonaws.com",
        "userAgent": "eks.amazonaws.com",
        "requestParameters": {"aWSServiceName": "eks.amazonaws.com"},
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
    }
