"""The responder over HTTP: who may ask, exact releases, self-tests, as the command prints them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from handler.model.names import RESPONDER_ROLE, REVOKER, iam_arn
from sandbox.box import Box
from sandbox.core.keys import Key
from sandbox.demo.product_setup import Stage, is_denied
from tests.end_to_end.coverage import settle_all
from tests.end_to_end.test_reconcile import offend, reconcile

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def carol(enforcing: Stage, request: pytest.FixtureRequest) -> Callable[..., Said]:
    """Somebody of the security team in the central account: runs the responder's commands."""
    box = enforcing.box
    name = "carol-" + "".join(c for c in request.node.name if c.isalnum())[-32:]
    key = box.new_user(box.security, name, "sts:AssumeRole")
    return lambda *arguments: as_responder(box, key, *arguments)


def as_responder(box: Box, key: Key, *arguments: str) -> Said:
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": key.access_key,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        **({"AWS_SESSION_TOKEN": key.token} if key.token else {}),
    }
    done = subprocess.run(
        [sys.executable, "-m", "responder", *arguments, "--endpoint-url", box.endpoint],
        cwd=ROOT,
        env=environment,
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(code=done.returncode, out=done.stdout, err=done.stderr)


def invoked(box: Box, key: Key, account: str, request: Mapping[str, Any]) -> Any:
    answered = box.client("lambda", key=key).invoke(
        FunctionName=f"arn:aws:lambda:us-east-1:{account}:function:{REVOKER}",
        Payload=json.dumps(request),
    )
    return json.loads(answered["Payload"].read())


def test_a_release_is_exact_idempotent_and_lasts(
    enforcing: Stage, account: str, carol: Callable[..., Said]
) -> None:
    box = enforcing.box
    offend(enforcing, account)
    iam = box.client("iam", account)
    before = iam.list_user_policies(UserName="mallory")["PolicyNames"]
    iam.attach_user_policy(UserName="mallory", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    first = carol("release", account, "mallory", "--reason", "it was meant", "--yes")
    assert (first.code, "user mallory was released at" in first.out) == (0, True), first
    attached = iam.list_attached_user_policies(UserName="mallory")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["ReadOnlyAccess"]
    assert iam.list_user_policies(UserName="mallory")["PolicyNames"] == before
    again = carol("release", account, "mallory", "--reason", "it was meant", "--yes")
    assert (again.code, "was released already" in again.out) == (0, True), again
    box.advance(900)
    assert reconcile(box, account).contained == 0
    assert not enforcing.denied(account, user="mallory")
    shown = carol("show", account, "mallory")
    assert "it was meant" in shown.out
    assert "assumed-role/iam-org-revoker-responder/carol-" in shown.out


def test_a_call_made_before_the_release_does_not_contain_again(
    enforcing: Stage, account: str, carol: Callable[..., Said]
) -> None:
    box = enforcing.box
    first = len(box.records)
    offend(enforcing, account)
    call = next(r for r in box.records[first:] if r["eventName"] == "CreateGroup")
    # Whole seconds: a call of the release's own second counts as made before it.
    box.advance(2)
    assert carol("release", account, "mallory", "--reason", "meant", "--yes").code == 0
    box.emit({**call, "eventID": "00000000-0000-0000-0000-00000000late"})
    settle_all(enforcing)
    assert not enforcing.denied(account, user="mallory")


def test_list_and_plan_change_nothing(
    enforcing: Stage, account: str, carol: Callable[..., Said]
) -> None:
    offend(enforcing, account)
    listed = carol("list", account, "--json")
    [answered] = json.loads(listed.out)
    [row] = answered["principals"]
    assert (row["name"], row["contained"]["call"]) == ("mallory", "CreateGroup")
    planned = carol("release", account, "mallory", "--reason", "meant")
    assert planned.code == 1
    assert "aws iam detach-user-policy --user-name=mallory" in planned.out
    assert enforcing.denied(account, user="mallory")


def test_the_self_test_prints_each_delay(
    enforcing: Stage, account: str, carol: Callable[..., Said]
) -> None:
    said = carol("self_test", account)
    lines = said.out.splitlines()
    assert said.code == 0, said
    assert "the event arrived at the revoker" in lines[1]
    assert "the deny was on the canary; it is off" in lines[2]


def test_the_ledger_is_confirmed_from_the_responder(
    enforcing: Stage, account: str, carol: Callable[..., Said]
) -> None:
    box = enforcing.box
    reconcile(box, account)
    key = box.new_user(account, "bob", "iam:*", groups=("Administrators",))
    shown = carol("ledger", "show", account)
    assert "nothing says who added her" in shown.out
    said = carol("ledger", "confirm", account, "bob", "--member", "--reason", "asked her")
    assert said.code == 0, said
    box.client("iam", key=key).create_group(GroupName="made-by-bob")
    settle_all(enforcing)
    assert not enforcing.denied(account, user="bob")


def test_unknown_accounts_and_principals_are_one_sentence_each(
    enforcing: Stage, account: str, stranger: str, carol: Callable[..., Said]
) -> None:
    unknown = carol("show", stranger, "mallory")
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.err.count("\n") == 1
    assert stranger in unknown.err
    nobody = carol("release", account, "nobody", "--reason", "meant", "--yes")
    assert (nobody.code, nobody.out) == (1, "")
    assert nobody.err == f"{account}: Nothing is contained here as 'nobody'.\n"


def test_a_principal_deleted_since_is_one_sentence(
    enforcing: Stage, account: str, carol: Callable[..., Said]
) -> None:
    offend(enforcing, account)
    iam = enforcing.box.client("iam", account)
    for policy in iam.list_attached_user_policies(UserName="mallory")["AttachedPolicies"]:
        iam.detach_user_policy(UserName="mallory", PolicyArn=policy["PolicyArn"])
    for name in iam.list_user_policies(UserName="mallory")["PolicyNames"]:
        iam.delete_user_policy(UserName="mallory", PolicyName=name)
    for key in iam.list_access_keys(UserName="mallory")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="mallory", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="mallory")
    said = carol("release", account, "mallory", "--reason", "meant", "--yes")
    assert (said.code, said.out) == (1, "")
    assert "was deleted since." in said.err


def test_who_may_not_sit_at_the_responder_is_one_sentence(enforcing: Stage, account: str) -> None:
    box = enforcing.box
    key = box.new_user(box.security, "guest", "s3:ListAllMyBuckets")
    said = as_responder(box, key, "list", account)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("The responder cannot sign in: AccessDenied: ")


def test_whoever_may_invoke_the_function_in_the_member_cannot_release_herself(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    offend(enforcing, account)
    insider = box.new_user(account, "insider", "lambda:InvokeFunction", "iam:*")
    for responder in ("release", "confirm", "list"):
        request = {
            "responder": responder,
            "principal": "mallory",
            "user": "mallory",
            "member": True,
            "reason": "please",
            "dry": False,
        }
        assert invoked(box, insider, account, request)["error"] == "not-the-responder"
    assert enforcing.denied(account, user="mallory")


def test_a_responder_role_of_the_members_own_is_not_the_responder(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    offend(enforcing, account)
    forged = box.new_session(
        account, RESPONDER_ROLE, "lambda:InvokeFunction", path="/iam-org-revoker/"
    )
    said = as_responder(box, forged, "release", account, "mallory", "--reason", "x", "--yes")
    assert (said.code, said.out) == (1, "")
    assert said.err == f"{account}: Only the responder role of the central account may ask.\n"
    assert enforcing.denied(account, user="mallory")


def test_the_responders_role_may_touch_nothing_in_a_member_account(
    enforcing: Stage, account: str
) -> None:
    box = enforcing.box
    key = box.new_user(box.security, "dave", "sts:AssumeRole")
    role = iam_arn(partition="aws", account=box.security, kind="role", name=RESPONDER_ROLE)
    given = box.client("sts", key=key).assume_role(RoleArn=role, RoleSessionName="dave")
    made = given["Credentials"]
    session = Key(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    assert is_denied(lambda: box.client("iam", key=session).list_users())
    assert is_denied(lambda: box.client("lambda", key=session).list_functions())
