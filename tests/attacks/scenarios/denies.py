"""Row 21: denies of the owner's own, taken off."""

from __future__ import annotations

from collections.abc import Callable

from tests.attacks.play import Play, document
from tests.attacks.rows import Row, command, missing
from tests.attacks.scenarios.memberships import is_member
from tests.attacks.scenarios.policies import DELETED_TEXT, attached, deployer, team


def victim_with_a_deny(play: Play) -> None:
    """A deny of the owner's, as managed and as inline policy, of the user and of her group."""
    play.names["denial"] = play.quiet.create_policy(
        PolicyName=play.name("denial"), PolicyDocument=document("s3:*", effect="Deny")
    )["Policy"]["Arn"]
    team(play)
    names = {"PolicyName": "quarantine", "PolicyDocument": document("s3:*", effect="Deny")}
    play.quiet.attach_user_policy(UserName=play["victim"], PolicyArn=play["denial"])
    play.quiet.put_user_policy(UserName=play["victim"], **names)
    play.quiet.attach_group_policy(GroupName=play["team"], PolicyArn=play["denial"])
    play.quiet.put_group_policy(GroupName=play["team"], **names)


def undo_deny(play: Play) -> None:
    mallory = play.iam("mallory")
    mallory.detach_user_policy(UserName=play["victim"], PolicyArn=play["denial"])
    mallory.delete_user_policy(UserName=play["victim"], PolicyName="quarantine")
    mallory.detach_group_policy(GroupName=play["team"], PolicyArn=play["denial"])
    mallory.delete_group_policy(GroupName=play["team"], PolicyName="quarantine")


def role_with_a_deny(play: Play) -> None:
    deployer(play)
    play.policy("denial")
    play.quiet.attach_role_policy(RoleName=play["deployer"], PolicyArn=play["denial"])
    play.quiet.put_role_policy(
        RoleName=play["deployer"],
        PolicyName="quarantine",
        PolicyDocument=document("s3:*", effect="Deny"),
    )


def undo_role_deny(play: Play) -> None:
    mallory = play.iam("mallory")
    mallory.detach_role_policy(RoleName=play["deployer"], PolicyArn=play["denial"])
    mallory.delete_role_policy(RoleName=play["deployer"], PolicyName="quarantine")


def leave_team(play: Play) -> None:
    play.iam("mallory").remove_user_from_group(GroupName=play["team"], UserName=play["victim"])


def not_(there: Callable[[Play], bool]) -> Callable[[Play], bool]:
    return lambda play: not there(play)


ROWS = (
    Row(
        row=21,
        title="The owner's own denies taken off a user and her group",
        calls=("DetachUserPolicy", "DeleteUserPolicy", "DetachGroupPolicy", "DeleteGroupPolicy"),
        prepare=victim_with_a_deny,
        attack=undo_deny,
        gave=(
            "the policy '{denial}', detached from user '{victim}'",
            "the inline policy 'quarantine', deleted from user '{victim}'",
            "the policy '{denial}', detached from every member of the group '{team}'",
            "the inline policy 'quarantine', deleted from every member of the group '{team}'",
        ),
        ends=(
            command(
                "aws iam attach-user-policy --user-name={victim} --policy-arn={denial}",
                not_(attached("user", "victim", "{denial}")),
            ),
            command(
                "aws iam attach-group-policy --group-name={team} --policy-arn={denial}",
                not_(attached("group", "team", "{denial}")),
            ),
            missing(DELETED_TEXT),
        ),
    ),
    Row(
        row=21,
        title="The owner's own denies taken off a role",
        calls=("DetachRolePolicy", "DeleteRolePolicy"),
        prepare=role_with_a_deny,
        attack=undo_role_deny,
        gave=(
            "the policy '{denial}', detached from role '{deployer}'",
            "the inline policy 'quarantine', deleted from role '{deployer}'",
        ),
        ends=(
            command(
                "aws iam attach-role-policy --role-name={deployer} --policy-arn={denial}",
                not_(attached("role", "deployer", "{denial}")),
            ),
            missing(DELETED_TEXT),
        ),
    ),
    Row(
        row=21,
        title="A user taken out of a group that denies",
        calls=("RemoveUserFromGroup",),
        prepare=victim_with_a_deny,
        attack=leave_team,
        gave=("user '{victim}', removed from the group '{team}'",),
        ends=(
            command(
                "aws iam add-user-to-group --group-name={team} --user-name={victim}",
                not_(is_member("victim")),
            ),
        ),
    ),
)
