"""The guardrail over HTTP: what each statement refuses is possible without it, to look-alikes too.

The callers are administrators of the account with every right: only the policy stops them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.model.deny_policy import deny_document
from handler.model.names import (
    DENY_GROUP,
    KEPT_GROUP,
    KEPT_PATH,
    KEPT_POLICY,
    SESSION_DENY_GROUP,
)
from sandbox.core.keys import Key
from sandbox.demo.product_setup import bound, guarded
from tests.attacks.conftest import NewPlay
from tests.attacks.guardrail_trials import GUARDRAIL, TRIALS, Trial
from tests.attacks.play import ADMINISTRATORS, Play


@pytest.fixture(scope="module")
def guarded_play(new_play: NewPlay) -> Play:
    """The watched account: its victim bears the deny by policy and by group, a role is bound."""
    play = new_play("watched")
    play.user("carol", "*")
    play.alice.add_user_to_group(GroupName=ADMINISTRATORS, UserName=play["carol"])
    play.user("victim")
    play.quiet.attach_user_policy(UserName=play["victim"], PolicyArn=play.deny)
    for group in (DENY_GROUP, SESSION_DENY_GROUP):
        play.quiet.add_user_to_group(UserName=play["victim"], GroupName=group)
    kept = play.quiet.create_policy(
        PolicyName=KEPT_POLICY, Path=KEPT_PATH, PolicyDocument=json.dumps(deny_document())
    )["Policy"]["Arn"]
    play.quiet.create_group(GroupName=KEPT_GROUP, Path=KEPT_PATH)
    play.quiet.add_user_to_group(UserName=play["victim"], GroupName=KEPT_GROUP)
    play.quiet.attach_user_policy(UserName=play["victim"], PolicyArn=kept)
    play.role("kept")
    play.quiet.put_role_permissions_boundary(RoleName=play["kept"], PermissionsBoundary=kept)
    play.role("bounded")
    play.quiet.put_role_permissions_boundary(
        RoleName=play["bounded"], PermissionsBoundary=play.deny
    )
    play.role("denied")
    play.quiet.attach_role_policy(RoleName=play["denied"], PolicyArn=play.deny)
    for path, name in (("/", "AWSControlTowerExecution"), ("/iam-administrators/", "chief")):
        play.role(name, "*", path=path, name=name)
    play.box.settle()
    return play


def said_by(call: Callable[[], Any]) -> str:
    """Empty when the call was done, else why AWS refused it."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        return str(error.response["Error"]["Message"])
    return ""


def refused_by_policy(call: Callable[[], Any]) -> bool:
    return said_by(call).endswith("with an explicit deny in a service control policy")


def without(sid: str) -> str:
    """The guardrail but for one statement."""
    left = [one for one in GUARDRAIL["Statement"] if one["Sid"] != sid]
    assert len(left) == len(GUARDRAIL["Statement"]) - 1
    return json.dumps({**GUARDRAIL, "Statement": left})


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{trial.sid}: {trial.title}")
def test_a_call_is_refused_with_its_statement_and_possible_without(
    guarded_play: Play, trial: Trial
) -> None:
    play = guarded_play
    carol = play.keys["carol"]
    with guarded(play.box, play.account):
        assert refused_by_policy(lambda: trial.call(play, carol))
    with bound(play.box, play.account, without(trial.sid)):
        assert said_by(lambda: trial.call(play, carol)) == ""
    trial.undo(play)
    play.box.settle()


def test_an_account_cannot_leave_the_organization_and_the_guardrail(play: Play) -> None:
    box = play.box
    unit = box.client("organizations", box.management).create_organizational_unit(
        ParentId=box.layout.root, Name="on-the-way-out"
    )["OrganizationalUnit"]["Id"]
    account = box.new_account("leaving", parent=unit)
    leave = box.client("organizations", key=box.new_user(account, "carol", "*")).leave_organization
    with guarded(box, unit):
        assert refused_by_policy(leave)
    with bound(box, unit, without("AccountStaysHere")):
        assert said_by(leave) == ""
    assert box.organization.state.organization_of(account) is None


def test_every_statement_has_a_trial() -> None:
    sids = {one["Sid"] for one in GUARDRAIL["Statement"]}
    assert {trial.sid for trial in TRIALS} == sids - {"AccountStaysHere"}


# Name and path of a role, and the statements that spare it.
LOOK_ALIKES: dict[tuple[str, str], set[str]] = {
    ("iam-org-revoker-evil", "/"): set(),
    ("iam-org-revoker2", "/iam-org-revoker-evil/"): set(),
    ("iam-org-revoker-evil", "/iam-org-revoker/"): {"RevokerStaysAlive"},
    ("stacksets-exec-evil", "/teams/"): set(),
    ("my-stacksets-exec-", "/"): set(),
    ("break-glass", "/"): set(),
    ("break-glass", "/iam-administrators-evil/"): set(),
    ("AWSControlTowerExecution2", "/"): set(),
    ("OrganizationAccountAccessRole2", "/"): set(),
    # Administrators may not touch the deny either; the names are theirs.
    ("someone", "/iam-administrators/"): {"ExemptNamesStayTrue"},
}


@pytest.mark.parametrize("name_and_path", LOOK_ALIKES, ids=lambda pair: f"{pair[1]}{pair[0]}")
def test_a_role_that_only_looks_like_an_exempt_one_is_refused(
    guarded_play: Play, name_and_path: tuple[str, str]
) -> None:
    play, (name, path) = guarded_play, name_and_path
    key = play.box.new_session(play.account, name, "*", path=path, session="eve")
    tried = {trial.sid: trial for trial in reversed(TRIALS)}
    with guarded(play.box, play.account):
        refused = {sid for sid, trial in tried.items() if refused_by_policy(_of(trial, play, key))}
    for trial in tried.values():
        if trial.sid not in refused:
            trial.undo(play)
    play.box.settle()
    _forget(play, name)
    assert tried.keys() - refused == LOOK_ALIKES[name_and_path]


def _of(trial: Trial, play: Play, key: Key) -> Callable[[], Any]:
    return lambda: trial.call(play, key)


def _forget(play: Play, name: str) -> None:
    """The role is deleted: the next one of this name is another's."""
    for policy in play.quiet.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        play.quiet.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for inline in play.quiet.list_role_policies(RoleName=name)["PolicyNames"]:
        play.quiet.delete_role_policy(RoleName=name, PolicyName=inline)
    play.quiet.delete_role(RoleName=name)


def test_the_break_glass_role_may_do_all_of_it(guarded_play: Play) -> None:
    play = guarded_play
    key = play.box.new_session(
        play.account, "break-glass", "*", path="/iam-administrators/", session="rescue"
    )
    for trial in TRIALS:
        with guarded(play.box, play.account):
            assert said_by(_of(trial, play, key)) == "", trial.title
        trial.undo(play)
    play.box.settle()
