"""Scenes of the demo whose attacker knows the product: accomplice, takeover, stripper, release.

Prints nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handler.model.names import DENY_POLICY, iam_arn
from sandbox.core.keys import REGION, Key, allow
from sandbox.demo.deny_stripper import Seen as Stripped
from sandbox.demo.deny_stripper import strip_for
from sandbox.demo.product_setup import (
    ADMINISTRATORS,
    Stage,
    guarded,
    is_denied,
    late_events,
    slow_iam,
)
from sandbox.demo.scene import Seen, mails, some_mails

ROOT = Path(__file__).parents[2]
LOOP_SECONDS = 6.0
PASSWORD = "not-a-real-Passw0rd"


def accomplice(stage: Stage) -> Iterator[Seen]:
    """All of it before CloudTrail has told of the first call."""
    box, account = stage.box, stage.box.members[0]
    oscar = box.client("iam", key=box.new_user(account, "oscar", "iam:*"))
    with late_events(box):
        oscar.create_user(UserName="oscars-accomplice")
        oscar.put_user_policy(
            UserName="oscars-accomplice", PolicyName="all", PolicyDocument=allow("iam:*")
        )
        key = oscar.create_access_key(UserName="oscars-accomplice")["AccessKey"]
        made = box.client("iam", key=Key(key["AccessKeyId"], key["SecretAccessKey"]))
        made.add_user_to_group(GroupName=ADMINISTRATORS, UserName="oscar")
    yield from mails(stage, "[IAM revoked]", "[IAM revoked]", why="about oscar and the accomplice")
    yield Seen("oscar's next call is refused", is_denied(oscar.list_users))
    yield Seen("the accomplice is contained", stage.denied(account, user="oscars-accomplice"))
    root = box.client("iam", account)
    (held,) = root.list_access_keys(UserName="oscars-accomplice")["AccessKeyMetadata"]
    yield Seen("the accomplice's key is inactive", held["Status"] == "Inactive")
    members = {user["UserName"] for user in root.get_group(GroupName=ADMINISTRATORS)["Users"]}
    yield Seen("oscar is out of the administrators' group again", "oscar" not in members)


def taken_over(stage: Stage) -> Iterator[Seen]:
    box, account = stage.box, stage.box.members[1]
    box.client("iam", account).create_login_profile(UserName="alice", Password=PASSWORD)
    victor = box.client("iam", key=box.new_user(account, "victor", "iam:*"))
    with late_events(box):
        victor.update_login_profile(UserName="alice", Password=f"{PASSWORD}!")
        made = victor.create_access_key(UserName="alice")["AccessKey"]
    box.settle()
    console = box.client("iam", key=box.console_session(account, "alice"))
    console.create_user(UserName="backdoor-by-alice")
    why = "about victor and about alice's session"
    yield from mails(stage, "[IAM revoked]", "[IAM revoked]", why=why)
    yield Seen("victor's next call is refused", is_denied(victor.list_users))
    yield Seen("so is the next one of the console session", is_denied(console.list_users))
    keys = box.client("iam", account).list_access_keys(UserName="alice")["AccessKeyMetadata"]
    states = {key["AccessKeyId"]: key["Status"] for key in keys}
    yield Seen("the new key is inactive", states[made["AccessKeyId"]] == "Inactive")
    alice = box.client("iam", key=stage.alice[account])
    yield Seen("alice keeps IAM by her own key", not is_denied(alice.list_users))


def stripper_without_guardrail(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[2]
    with slow_iam(stage.box):
        sybil, seen = _strip(stage, account, "sybil")
        stage.box.settle()
    yield Seen(f"sybil takes the deny off {seen.stripped} times", seen.stripped > 0)
    yield from some_mails(stage, "[IAM revoked]", "[Revoker tampered]")
    yield Seen("each time her own call puts it back", stage.denied(account, user="sybil"))
    yield Seen("her next call is refused", is_denied(sybil.list_users))


def stripper_with_guardrail(stage: Stage) -> Iterator[Seen]:
    account = stage.box.members[2]
    with guarded(stage.box, account), slow_iam(stage.box):
        trudy, seen = _strip(stage, account, "trudy")
        stage.box.settle()
    yield Seen(f"trudy's {seen.refused} attempts are refused", seen.refused > seen.stripped == 0)
    yield Seen("the deny is never off", not seen.lost and stage.denied(account, user="trudy"))
    yield Seen("her next call is refused", is_denied(trudy.list_users))
    yield from some_mails(stage, "[IAM revoked]")


def _strip(stage: Stage, account: str, user: str) -> tuple[Any, Stripped]:
    """An offender who strips whatever is put on her, every 100 ms."""
    iam = stage.box.client("iam", key=stage.box.new_user(account, user, "iam:*"))
    iam.create_group(GroupName=f"made-by-{user}")
    deny = iam_arn(partition="aws", account=account, kind="policy", name=DENY_POLICY)
    return iam, strip_for(iam, user=user, deny=deny, seconds=LOOP_SECONDS)


def release(stage: Stage) -> Iterator[Seen]:
    """The command as somebody of the security team types it, in the central account."""
    box, account = stage.box, stage.box.members[0]
    carol = box.new_user(box.security, "carol", "sts:AssumeRole")
    words = ("release", account, "mallory", "--reason", "she was asked to", "--yes")
    done = subprocess.run(
        [sys.executable, "-m", "responder", *words, "--endpoint-url", box.endpoint],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": carol.access_key,
            "AWS_SECRET_ACCESS_KEY": carol.secret,
            "AWS_DEFAULT_REGION": REGION,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout.strip() or done.stderr.strip() or "nothing").splitlines()[-1]
    yield Seen(f"python -m responder {' '.join(words[:3])}: {said}", done.returncode == 0)
    yield Seen("the deny is off", not stage.denied(account, user="mallory"))
    yield from mails(stage)
