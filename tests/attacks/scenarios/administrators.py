"""Rows 46, 47 and 49: administrators taken over, their group spoilt, our deny turned on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.demo.product_setup import ADMINISTRATORS
from tests.attacks.play import Play
from tests.attacks.rows import (
    Row,
    command,
    critical,
    has_login,
    inactive,
    missing,
    no_member,
    stops,
    then,
    works,
)
from tests.attacks.scenarios.credentials import LOST, PASSWORD, enable_device, new_device, new_key

GROUP = f"'{ADMINISTRATORS}'"


def anna(play: Play) -> None:
    play.colleague("anna")


def anna_with_login(play: Play) -> None:
    anna(play)
    play.quiet.create_login_profile(UserName=play["anna"], Password=PASSWORD)


def anna_with_an_old_key(play: Play) -> None:
    anna(play)
    play.keep_key("old", play.quiet.create_access_key(UserName=play["anna"])["AccessKey"])
    play.quiet.update_access_key(UserName=play["anna"], AccessKeyId=play["old"], Status="Inactive")


def accomplice(play: Play, key: str) -> None:
    play.iam(key).create_user(UserName=play.name("accomplice"))


def steal_key(play: Play) -> None:
    new_key(play, of="anna", word="stolen")
    accomplice(play, "stolen")


def revive_key(play: Play) -> None:
    play.iam("mallory").update_access_key(
        UserName=play["anna"], AccessKeyId=play["old"], Status="Active"
    )
    accomplice(play, "old")


def give_login(play: Play) -> None:
    play.iam("mallory").create_login_profile(UserName=play["anna"], Password=PASSWORD)
    play.console("session", "anna")
    accomplice(play, "session")


def reset_login(play: Play) -> None:
    """The new password is made the attacker's own at once."""
    play.iam("mallory").update_login_profile(UserName=play["anna"], Password=PASSWORD)
    play.console("session", "anna")
    play.iam("session").change_password(OldPassword=PASSWORD, NewPassword=f"{PASSWORD}!")
    accomplice(play, "session")


def plant_device(play: Play) -> None:
    new_device(play.iam("mallory"), play)
    enable_device(play.iam("mallory"), play, "anna")
    play.console("session", "anna", mfa=True)
    accomplice(play, "session")


def has_device(play: Play) -> bool:
    return bool(play.quiet.list_mfa_devices(UserName=play["anna"])["MFADevices"])


def anna_and_bert(play: Play) -> None:
    for word in ("anna", "bert"):
        play.colleague(word)
        play.quiet.create_login_profile(UserName=play[word], Password=PASSWORD)


def reset_everybody(play: Play) -> None:
    for word in ("anna", "bert"):
        play.iam("mallory").update_login_profile(UserName=play[word], Password=PASSWORD)


def deny_anna(play: Play) -> None:
    play.iam("mallory").attach_user_policy(UserName=play["anna"], PolicyArn=play["deny"])


def anna_and_deny(play: Play) -> None:
    anna(play)
    play.names["deny"] = play.deny


def is_denied(word: str) -> Callable[[Play], bool]:
    return lambda play: play.deny in play.policies_of(word, "user")


def empty_group(play: Play) -> None:
    play.iam("mallory").remove_user_from_group(GroupName=ADMINISTRATORS, UserName="alice")


def is_empty(play: Play) -> bool:
    return play.members() == set()


def rename_group(play: Play) -> None:
    play.iam("mallory").update_group(GroupName=ADMINISTRATORS, NewGroupName=play.name("renamed"))


def is_renamed(play: Play) -> bool:
    return play["renamed"] in {one["GroupName"] for one in play.quiet.list_groups()["Groups"]}


def group_of_ones_own(play: Play) -> None:
    """The group deleted and made anew, with mallory in it."""
    mallory = play.iam("mallory")
    empty_group(play)
    mallory.delete_group(GroupName=ADMINISTRATORS)
    mallory.create_group(GroupName=ADMINISTRATORS)
    mallory.add_user_to_group(GroupName=ADMINISTRATORS, UserName=play["mallory"])


def _alice_calls_and_stays_free(play: Play) -> None:
    """A write, since reads are not judged; and she is back in the group for the next row."""
    play.alice.create_group(GroupName=play.name("ordinary"))
    play.hear()
    assert play.reports == []
    assert not play.alice.list_users()["IsTruncated"]
    play.quiet.add_user_to_group(GroupName=ADMINISTRATORS, UserName="alice")


STAYS = then("alice stays an administrator by the ledger", _alice_calls_and_stays_free)


def taken_over(**fields: Any) -> Row:
    """anna's new credential is used by mallory before anybody looks."""
    return Row(
        row=46,
        contained=("mallory", "accomplice"),
        sessions=("anna",),
        where="watched",
        waits=True,
        **fields,
    )


OWN_KEY = works("anna", "anna's own key keeps IAM")
SESSION = stops("session", "the console session's next call is refused")

ROWS = (
    taken_over(
        title="An administrator taken over by a new key",
        calls=("CreateAccessKey", "CreateUser"),
        prepare=anna,
        attack=steal_key,
        gave=("a new access key '{stolen}' of user '{anna}'", "a new user '{accomplice}'"),
        ends=(inactive("stolen", "anna"), OWN_KEY),
    ),
    taken_over(
        title="An administrator taken over by an old key switched on",
        calls=("UpdateAccessKey", "CreateUser"),
        prepare=anna_with_an_old_key,
        attack=revive_key,
        gave=("the access key '{old}' of user '{anna}', set active", "a new user '{accomplice}'"),
        ends=(inactive("old", "anna"), OWN_KEY),
    ),
    taken_over(
        title="An administrator taken over by a console password",
        calls=("CreateLoginProfile", "CreateUser"),
        prepare=anna,
        attack=give_login,
        gave=("a console password for user '{anna}'", "a new user '{accomplice}'"),
        ends=(
            SESSION,
            OWN_KEY,
            command(
                "aws iam delete-login-profile --user-name={anna}",
                lambda play: has_login(play, "anna"),
            ),
        ),
    ),
    taken_over(
        title="An administrator taken over by a reset password, then changed once more",
        calls=("UpdateLoginProfile", "ChangePassword", "CreateUser"),
        prepare=anna_with_login,
        attack=reset_login,
        gave=(
            "a new console password for user '{anna}'",
            "a new console password for the caller itself, user '{anna}'",
            "a new user '{accomplice}'",
        ),
        ends=(SESSION, OWN_KEY, missing(LOST)),
    ),
    taken_over(
        title="An administrator taken over by an MFA device",
        calls=("CreateVirtualMFADevice", "EnableMFADevice", "CreateUser"),
        prepare=anna,
        attack=plant_device,
        gave=("the MFA device '{device}' for user '{anna}'", "a new user '{accomplice}'"),
        ends=(
            SESSION,
            OWN_KEY,
            command(
                "aws iam deactivate-mfa-device --user-name={anna} --serial-number={device}",
                has_device,
            ),
        ),
    ),
    Row(
        row=47,
        title="The administrators' group emptied",
        where="spare",
        calls=("RemoveUserFromGroup",),
        attack=empty_group,
        gave=(f"user 'alice', removed from the group {GROUP}",),
        ends=(
            critical(),
            command(
                "aws iam add-user-to-group --group-name=Administrators --user-name=alice",
                is_empty,
            ),
            STAYS,
        ),
    ),
    Row(
        row=47,
        title="The administrators' group renamed",
        where="spare",
        calls=("UpdateGroup",),
        attack=rename_group,
        gave=(f"the group {GROUP}, now '{{renamed}}'",),
        ends=(
            critical(),
            command(
                "aws iam update-group --group-name={renamed} --new-group-name=Administrators",
                is_renamed,
            ),
            STAYS,
        ),
    ),
    Row(
        row=47,
        title="The administrators' group deleted, and made anew for oneself",
        where="spare",
        calls=("RemoveUserFromGroup", "DeleteGroup", "CreateGroup", "AddUserToGroup"),
        attack=group_of_ones_own,
        waits=True,
        gave=(
            f"user 'alice', removed from the group {GROUP}",
            f"the group {GROUP}, deleted",
            f"a new group {GROUP}, empty and without rights",
            f"membership of the group {GROUP} for user '{{mallory}}'",
        ),
        ends=(
            critical(),
            missing("The record does not carry its members and policies."),
            no_member("mallory"),
            STAYS,
        ),
    ),
    Row(
        row=49,
        title="Every administrator's password reset",
        calls=("UpdateLoginProfile", "UpdateLoginProfile"),
        prepare=anna_and_bert,
        attack=reset_everybody,
        gave=(
            "a new console password for user '{anna}'",
            "a new console password for user '{bert}'",
        ),
        ends=(OWN_KEY, works("bert", "bert's own key keeps IAM"), missing(LOST)),
    ),
    Row(
        row=49,
        title="Our own deny put on an administrator",
        calls=("AttachUserPolicy",),
        prepare=anna_and_deny,
        attack=deny_anna,
        gave=("the policy '{deny}' for user '{anna}'",),
        ends=(
            critical(),
            command(
                "aws iam detach-user-policy --user-name={anna} --policy-arn={deny}",
                is_denied("anna"),
            ),
            OWN_KEY,
        ),
    ),
)
