"""The guardrail over HTTP: what each statement refuses is possible without it, to look-alikes too.

The callers are administrators of the account with every right: only the policy stops them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handler.deny import deny_document
from handler.names import (
    CALLS_RULE,
    DENY_GROUP,
    KEPT_GROUP,
    KEPT_PATH,
    KEPT_POLICY,
    MEMBER_DEAD_LETTERS,
    PATROL_SCHEDULE,
    REVOKER,
    SESSION_DENY_GROUP,
    STATE_TABLE,
    kept_arn,
)
from sandbox.keys import Key
from sandbox.stage import TEMPLATES, bound, guarded
from tests.attacks.conftest import NewPlay
from tests.attacks.play import ADMINISTRATORS, Play, document, trust

GUARDRAIL = json.loads((TEMPLATES / "guardrail.json").read_text())
LOG_GROUP = f"/aws/lambda/{REVOKER}"


@dataclass(frozen=True)
class Trial:
    """A call that one statement refuses, and how the sandbox puts things right after it."""

    sid: str
    title: str
    call: Callable[[Play, Key], Any]
    undo: Callable[[Play], Any] = lambda play: None


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


def iam(play: Play, key: Key) -> Any:
    return play.box.client("iam", key=key)


def other(service: str) -> Callable[[Play, Key], Any]:
    return lambda play, key: play.box.client(service, key=key)


def kept_deny(play: Play) -> str:
    return kept_arn(partition="aws", account=play.account, kind="policy", name=KEPT_POLICY)


def _kept_again(play: Play) -> None:
    play.quiet.attach_user_policy(UserName=play["victim"], PolicyArn=kept_deny(play))
    play.quiet.add_user_to_group(UserName=play["victim"], GroupName=KEPT_GROUP)
    play.quiet.put_role_permissions_boundary(
        RoleName=play["kept"], PermissionsBoundary=kept_deny(play)
    )


def _again(play: Play) -> None:
    play.quiet.attach_user_policy(UserName=play["victim"], PolicyArn=play.deny)
    play.quiet.attach_role_policy(RoleName=play["denied"], PolicyArn=play.deny)
    for group in (DENY_GROUP, SESSION_DENY_GROUP):
        play.quiet.add_user_to_group(UserName=play["victim"], GroupName=group)


def _state_key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}}


def _first_version(play: Play) -> None:
    _first_version_of(play, play.deny)


def _first_version_of(play: Play, policy: str) -> None:
    play.quiet.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    for version in play.quiet.list_policy_versions(PolicyArn=policy)["Versions"]:
        if not version["IsDefaultVersion"]:
            play.quiet.delete_policy_version(PolicyArn=policy, VersionId=version["VersionId"])


def _no_role(name: str) -> Callable[[Play], Any]:
    return lambda play: play.quiet.delete_role(RoleName=name)


def _rule_on(play: Play) -> None:
    play.box.client("events", play.account).enable_rule(Name=CALLS_RULE)


def _switch_schedule(scheduler: Any, state: str) -> None:
    found = scheduler.get_schedule(Name=PATROL_SCHEDULE)
    kept = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{name: found[name] for name in kept}, State=state)


def _queue(play: Play) -> str:
    found = play.box.client("sqs", play.account).get_queue_url(QueueName=MEMBER_DEAD_LETTERS)
    return str(found["QueueUrl"])


TRIALS = (
    Trial(
        sid="DenyStaysOn",
        title="the deny detached from a user",
        call=lambda play, key: iam(play, key).detach_user_policy(
            UserName=play["victim"], PolicyArn=play.deny
        ),
        undo=_again,
    ),
    Trial(
        sid="DenyStaysOn",
        title="the deny detached from a role",
        call=lambda play, key: iam(play, key).detach_role_policy(
            RoleName=play["denied"], PolicyArn=play.deny
        ),
        undo=_again,
    ),
    Trial(
        sid="DenyStaysOn",
        title="the deny put on an administrator",
        call=lambda play, key: iam(play, key).attach_user_policy(
            UserName="alice", PolicyArn=play.deny
        ),
        undo=lambda play: play.quiet.detach_user_policy(UserName="alice", PolicyArn=play.deny),
    ),
    Trial(
        sid="DenyStaysOn",
        title="the deny of sessions put on an administrator",
        call=lambda play, key: iam(play, key).attach_user_policy(
            UserName="alice", PolicyArn=play.session_deny
        ),
        undo=lambda play: play.quiet.detach_user_policy(
            UserName="alice", PolicyArn=play.session_deny
        ),
    ),
    Trial(
        sid="DenyStaysOn",
        title="a kept deny detached from a user",
        call=lambda play, key: iam(play, key).detach_user_policy(
            UserName=play["victim"], PolicyArn=kept_deny(play)
        ),
        undo=_kept_again,
    ),
    Trial(
        sid="DenyStaysOn",
        title="a kept deny put on an administrator",
        call=lambda play, key: iam(play, key).attach_user_policy(
            UserName="alice", PolicyArn=kept_deny(play)
        ),
        undo=lambda play: play.quiet.detach_user_policy(
            UserName="alice", PolicyArn=kept_deny(play)
        ),
    ),
    Trial(
        sid="BoundaryStaysOn",
        title="our boundary deleted from a role",
        call=lambda play, key: iam(play, key).delete_role_permissions_boundary(
            RoleName=play["bounded"]
        ),
        undo=lambda play: play.quiet.put_role_permissions_boundary(
            RoleName=play["bounded"], PermissionsBoundary=play.deny
        ),
    ),
    Trial(
        sid="BoundaryStaysOn",
        title="the deny put on an administrator as her boundary",
        call=lambda play, key: iam(play, key).put_user_permissions_boundary(
            UserName="alice", PermissionsBoundary=play.deny
        ),
        undo=lambda play: play.quiet.delete_user_permissions_boundary(UserName="alice"),
    ),
    Trial(
        sid="BoundaryStaysOn",
        title="a kept boundary deleted from a role",
        call=lambda play, key: iam(play, key).delete_role_permissions_boundary(
            RoleName=play["kept"]
        ),
        undo=_kept_again,
    ),
    Trial(
        sid="DenyStaysTrue",
        title="the deny rewritten",
        call=lambda play, key: iam(play, key).create_policy_version(
            PolicyArn=play.deny, PolicyDocument=document("*"), SetAsDefault=True
        ),
        undo=_first_version,
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a member taken out of the deny group",
        call=lambda play, key: iam(play, key).remove_user_from_group(
            UserName=play["victim"], GroupName=DENY_GROUP
        ),
        undo=_again,
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a member taken out of the group of denied sessions",
        call=lambda play, key: iam(play, key).remove_user_from_group(
            UserName=play["victim"], GroupName=SESSION_DENY_GROUP
        ),
        undo=_again,
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a policy that allows put on the deny group",
        call=lambda play, key: iam(play, key).put_group_policy(
            GroupName=DENY_GROUP, PolicyName="more", PolicyDocument=document("*")
        ),
        undo=lambda play: play.quiet.delete_group_policy(GroupName=DENY_GROUP, PolicyName="more"),
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a kept deny rewritten",
        call=lambda play, key: iam(play, key).create_policy_version(
            PolicyArn=kept_deny(play), PolicyDocument=document("*"), SetAsDefault=True
        ),
        undo=lambda play: _first_version_of(play, kept_deny(play)),
    ),
    Trial(
        sid="DenyStaysTrue",
        title="a member taken out of the kept group",
        call=lambda play, key: iam(play, key).remove_user_from_group(
            UserName=play["victim"], GroupName=KEPT_GROUP
        ),
        undo=_kept_again,
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="a role under the rollout's name",
        call=lambda play, key: iam(play, key).create_role(
            RoleName="stacksets-exec-evil", AssumeRolePolicyDocument=trust(play.account)
        ),
        undo=_no_role("stacksets-exec-evil"),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="a role among the administrators'",
        call=lambda play, key: iam(play, key).create_role(
            RoleName="evil",
            Path="/iam-administrators/",
            AssumeRolePolicyDocument=trust(play.account),
        ),
        undo=_no_role("evil"),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="the break-glass role forged",
        call=lambda play, key: iam(play, key).create_role(
            RoleName="break-glass-evil",
            Path="/iam-administrators/",
            AssumeRolePolicyDocument=trust(play.account),
        ),
        undo=_no_role("break-glass-evil"),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="a role of the revoker's path",
        call=lambda play, key: iam(play, key).create_role(
            RoleName="evil",
            Path="/iam-org-revoker/",
            AssumeRolePolicyDocument=trust(play.account),
        ),
        undo=_no_role("evil"),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="Control Tower's role opened",
        call=lambda play, key: iam(play, key).update_assume_role_policy(
            RoleName="AWSControlTowerExecution", PolicyDocument=trust("*")
        ),
    ),
    Trial(
        sid="ExemptNamesStayTrue",
        title="an administrator's role strengthened",
        call=lambda play, key: iam(play, key).put_role_policy(
            RoleName="chief", PolicyName="more", PolicyDocument=document("*")
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the function changed",
        call=lambda play, key: other("lambda")(play, key).update_function_configuration(
            FunctionName=REVOKER, Timeout=3
        ),
        undo=lambda play: play.box.client("lambda", play.account).update_function_configuration(
            FunctionName=REVOKER, Timeout=120
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the function throttled to nothing",
        call=lambda play, key: other("lambda")(play, key).put_function_concurrency(
            FunctionName=REVOKER, ReservedConcurrentExecutions=0
        ),
        undo=lambda play: play.box.client("lambda", play.account).delete_function_concurrency(
            FunctionName=REVOKER
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the function fed with a made-up event",
        call=lambda play, key: other("lambda")(play, key).invoke(
            FunctionName=REVOKER, Payload=json.dumps({"desk": "list"})
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the rule disabled",
        call=lambda play, key: other("events")(play, key).disable_rule(Name=CALLS_RULE),
        undo=_rule_on,
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the patrol's schedule switched off",
        call=lambda play, key: _switch_schedule(other("scheduler")(play, key), "DISABLED"),
        undo=lambda play: _switch_schedule(play.box.client("scheduler", play.account), "ENABLED"),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the dead letters purged",
        call=lambda play, key: other("sqs")(play, key).purge_queue(QueueUrl=_queue(play)),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the log shortened",
        call=lambda play, key: other("logs")(play, key).put_retention_policy(
            logGroupName=LOG_GROUP, retentionInDays=1
        ),
    ),
    Trial(
        sid="RevokerStaysAlive",
        title="the state table made deletable",
        call=lambda play, key: other("dynamodb")(play, key).update_table(
            TableName=STATE_TABLE, DeletionProtectionEnabled=False
        ),
    ),
)


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
