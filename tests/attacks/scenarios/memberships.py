"""Row 13: memberships of groups."""

from __future__ import annotations

from collections.abc import Callable

from tests.attacks.play import Play, document
from tests.attacks.rows import Row, command, inactive, no_member
from tests.attacks.scenarios.policies import ADMIN, team


def strong_team(play: Play) -> None:
    team(play)
    play.quiet.attach_group_policy(GroupName=play["team"], PolicyArn=ADMIN)
    play.user("friend")


def join(play: Play, user: str, group: str, *, by: str = "mallory") -> None:
    play.iam(by).add_user_to_group(GroupName=group, UserName=play[user])


def is_member(user: str) -> Callable[[Play], bool]:
    return lambda play: play[user] in play.members(play["team"])


def accomplice_adds_its_maker(play: Play) -> None:
    mallory = play.iam("mallory")
    mallory.create_user(UserName=play.name("accomplice"))
    mallory.put_user_policy(
        UserName=play["accomplice"], PolicyName="all", PolicyDocument=document("iam:*")
    )
    play.keep_key("accomplice", mallory.create_access_key(UserName=play["accomplice"])["AccessKey"])
    join(play, "mallory", "Administrators", by="accomplice")


def add_each_other(play: Play) -> None:
    join(play, "friend", "Administrators")
    join(play, "mallory", "Administrators", by="friend")


MEMBERSHIP = "membership of the group 'Administrators' for user"

ROWS = (
    Row(
        row=13,
        title="A friend put into a group with rights",
        calls=("AddUserToGroup",),
        prepare=strong_team,
        attack=lambda play: join(play, "friend", play["team"]),
        gave=("membership of the group '{team}' for user '{friend}'",),
        ends=(
            command(
                "aws iam remove-user-from-group --group-name={team} --user-name={friend}",
                is_member("friend"),
            ),
        ),
    ),
    Row(
        row=13,
        title="Oneself put into the administrators' group",
        calls=("AddUserToGroup",),
        attack=lambda play: join(play, "mallory", "Administrators"),
        gave=(f"{MEMBERSHIP} '{{mallory}}'",),
        ends=(no_member("mallory"),),
    ),
    Row(
        row=13,
        title="A accomplice that puts its maker into the administrators' group",
        calls=("CreateUser", "PutUserPolicy", "CreateAccessKey", "AddUserToGroup"),
        attack=accomplice_adds_its_maker,
        gave=(
            "a new user '{accomplice}'",
            "the inline policy 'all' for user '{accomplice}'",
            "a new access key '{accomplices-key}' of user '{accomplice}'",
            f"{MEMBERSHIP} '{{mallory}}'",
        ),
        contained=("mallory", "accomplice"),
        where="watched",
        waits=True,
        ends=(no_member("mallory"), inactive("accomplices-key", "accomplice")),
    ),
    Row(
        row=13,
        title="Two who put each other into the administrators' group",
        calls=("AddUserToGroup", "AddUserToGroup"),
        prepare=lambda play: play.user("friend", "iam:*"),
        attack=add_each_other,
        gave=(f"{MEMBERSHIP} '{{mallory}}'", f"{MEMBERSHIP} '{{friend}}'"),
        contained=("mallory", "friend"),
        where="watched",
        waits=True,
        ends=(no_member("mallory"), no_member("friend")),
    ),
)
