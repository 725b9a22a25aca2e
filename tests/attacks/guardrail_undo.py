"""Clients for a trial of the guardrail, and how the sandbox puts things right after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handler.model.names import (
    CALLS_RULE,
    DENY_GROUP,
    KEPT_GROUP,
    KEPT_POLICY,
    MEMBER_DEAD_LETTERS,
    RECONCILE_SCHEDULE,
    SESSION_DENY_GROUP,
    kept_arn,
)
from sandbox.core.keys import Key
from tests.attacks.play import Play


def iam(play: Play, key: Key) -> Any:
    return play.box.client("iam", key=key)


def other(service: str) -> Callable[[Play, Key], Any]:
    return lambda play, key: play.box.client(service, key=key)


def kept_deny(play: Play) -> str:
    return kept_arn(partition="aws", account=play.account, kind="policy", name=KEPT_POLICY)


def kept_again(play: Play) -> None:
    play.quiet.attach_user_policy(UserName=play["victim"], PolicyArn=kept_deny(play))
    play.quiet.add_user_to_group(UserName=play["victim"], GroupName=KEPT_GROUP)
    play.quiet.put_role_permissions_boundary(
        RoleName=play["kept"], PermissionsBoundary=kept_deny(play)
    )


def deny_again(play: Play) -> None:
    play.quiet.attach_user_policy(UserName=play["victim"], PolicyArn=play.deny)
    play.quiet.attach_role_policy(RoleName=play["denied"], PolicyArn=play.deny)
    for group in (DENY_GROUP, SESSION_DENY_GROUP):
        play.quiet.add_user_to_group(UserName=play["victim"], GroupName=group)


def first_version(play: Play) -> None:
    first_version_of(play, play.deny)


def first_version_of(play: Play, policy: str) -> None:
    play.quiet.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    for version in play.quiet.list_policy_versions(PolicyArn=policy)["Versions"]:
        if not version["IsDefaultVersion"]:
            play.quiet.delete_policy_version(PolicyArn=policy, VersionId=version["VersionId"])


def no_role(name: str) -> Callable[[Play], Any]:
    return lambda play: play.quiet.delete_role(RoleName=name)


def rule_on(play: Play) -> None:
    play.box.client("events", play.account).enable_rule(Name=CALLS_RULE)


def switch_schedule(scheduler: Any, state: str) -> None:
    found = scheduler.get_schedule(Name=RECONCILE_SCHEDULE)
    kept = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{name: found[name] for name in kept}, State=state)


def queue(play: Play) -> str:
    found = play.box.client("sqs", play.account).get_queue_url(QueueName=MEMBER_DEAD_LETTERS)
    return str(found["QueueUrl"])
