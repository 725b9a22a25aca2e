"""Rows 16-18, 25, 44, 45, 48 and 49, and every kind of caller: users, roles and who may be them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.core.keys import Key
from sandbox.demo.product_setup import is_denied
from tests.attacks.play import Play, document, trust
from tests.attacks.rows import Row, command, critical, inactive, missing, then

OUTSIDE = "999988887777"
OUTSIDER = f"arn:aws:iam::{OUTSIDE}:root"
SSO_PATH = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
OLD_TRUST = "The record does not carry the old trust policy: see CloudTrail or your IaC for it."
# White space does not count for IAM, and CloudTrail leaves out parameters above 100 KB.
PADDING = " " * 110_000


def deployer(play: Play) -> None:
    play.role("deployer", "s3:*")


def open_role(play: Play) -> None:
    play.iam("mallory").update_assume_role_policy(
        RoleName=play["deployer"], PolicyDocument=trust(OUTSIDER)
    )


def backdoor(play: Play) -> None:
    """A role for another account, with every right; a session from outside is opened at once."""
    mallory = play.iam("mallory")
    made = mallory.create_role(
        RoleName=play.name("backdoor"), AssumeRolePolicyDocument=trust(OUTSIDER)
    )["Role"]
    mallory.put_role_policy(
        RoleName=play["backdoor"], PolicyName="all", PolicyDocument=document("*")
    )
    play.keys["backdoor"] = assume(play, Key(OUTSIDE, "test"), made["Arn"])


def assume(play: Play, key: Key, role_arn: str) -> Key:
    given = play.box.client("sts", key=key).assume_role(RoleArn=role_arn, RoleSessionName="eve")
    one = given["Credentials"]
    return Key(one["AccessKeyId"], one["SecretAccessKey"], one["SessionToken"])


def accomplice(play: Play, *, by: str = "mallory") -> None:
    play.iam(by).create_user(UserName=play.name("accomplice"))


def accomplice_with_everything(play: Play) -> None:
    """As the known attack tools do it: user, rights and key in the same second."""
    mallory = play.iam("mallory")
    accomplice(play)
    mallory.attach_user_policy(
        UserName=play["accomplice"], PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    play.keep_key("key", mallory.create_access_key(UserName=play["accomplice"])["AccessKey"])


def accomplice_by_root(play: Play) -> None:
    root = play.box.client("iam", play.account, quiet=False)
    root.create_user(UserName=play.name("accomplice"))


def accomplice_by_federated_user(play: Play) -> None:
    given = play.box.client("sts", key=play.keys["mallory"]).get_federation_token(
        Name="harmless", Policy=document("iam:*")
    )["Credentials"]
    play.keys["federated"] = Key(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    )
    accomplice(play, by="federated")


def person_of_identity_center(play: Play) -> None:
    play.role("person", "iam:*", path=SSO_PATH, name="AWSReservedSSO_Developer_0123456789abcdef")


def refused_call(play: Play) -> None:
    assert is_denied(lambda: play.iam("peeping").create_user(UserName="never-made"))


def profile(play: Play) -> None:
    play.role("strong", "iam:*")
    play.quiet.create_instance_profile(InstanceProfileName=play.name("profile"))


def fill_profile(play: Play) -> None:
    play.iam("mallory").add_role_to_instance_profile(
        InstanceProfileName=play["profile"], RoleName=play["strong"]
    )


def profile_is_full(play: Play) -> bool:
    found = play.quiet.get_instance_profile(InstanceProfileName=play["profile"])
    return bool(found["InstanceProfile"]["Roles"])


def rename_oneself_and_a_colleague(play: Play) -> None:
    """mallory goes under another name, and a colleague under mallory's."""
    mallory, old = play.iam("mallory"), play["mallory"]
    mallory.update_user(UserName=old, NewUserName=play.name("nobody"))
    mallory.update_user(UserName=play["victim"], NewUserName=old)
    play.names |= {"innocent": old, "mallory": play["nobody"]}


def name_of(word: str) -> Callable[[Play], bool]:
    """Whether a user bears the name that the attack gave her."""

    def there(play: Play) -> bool:
        users = {user["UserName"] for user in play.quiet.list_users()["Users"]}
        return play[word] in users and play["victim"] not in users

    return there


def _colleague_is_free(play: Play) -> None:
    attached = play.quiet.list_attached_user_policies(UserName=play["victim"])
    assert attached["AttachedPolicies"] == []


def padded_policy(play: Play) -> None:
    play.iam("mallory").put_user_policy(
        UserName=play["victim"], PolicyName="more", PolicyDocument=document("*") + PADDING
    )


def padded_role(play: Play) -> None:
    made = play.iam("mallory").create_role(
        RoleName=play.name("hidden"), AssumeRolePolicyDocument=trust(OUTSIDER) + PADDING
    )
    assert made["Role"]["RoleName"] == play["hidden"]


def _hidden_is_listed(play: Play) -> None:
    (said,) = [impact.done for report in play.reports for impact in report.impacts]
    assert said == f"created since: role {play['hidden']}, contained by the deny policy"


def forged_role(play: Play) -> None:
    """A role with an exempt name, used before anybody looks."""
    mallory, name = play.iam("mallory"), f"stacksets-exec-{play.name('evil')}"
    play.names["evil"] = name
    made = mallory.create_role(RoleName=name, AssumeRolePolicyDocument=trust(play.account))
    mallory.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document("iam:*"))
    play.keys["evil"] = assume(play, play.keys["mallory"], made["Role"]["Arn"])
    accomplice(play, by="evil")


def rescue_role(play: Play) -> None:
    """The rollout's own role in this account."""
    roles = play.quiet.list_roles()["Roles"]
    (found,) = [
        role
        for role in roles
        if role["RoleName"].startswith("stacksets-exec-") and "evil" not in role["RoleName"]
    ]
    play.names["rollout"] = found["RoleName"]
    play.names["trust"] = json.dumps(found["AssumeRolePolicyDocument"])


def open_rescue_role(play: Play) -> None:
    play.iam("mallory").update_assume_role_policy(
        RoleName=play["rollout"], PolicyDocument=trust("*")
    )


def _rollout_is_free(play: Play) -> None:
    assert not play.is_held("rollout")
    play.quiet.update_assume_role_policy(RoleName=play["rollout"], PolicyDocument=play["trust"])


def _role_is_left(word: str) -> Callable[[Play], Any]:
    def check(play: Play) -> None:
        assert not play.is_held(word)

    return check


ROWS = (
    Row(
        row=16,
        title="A role's trust policy opened to another account",
        calls=("UpdateAssumeRolePolicy",),
        prepare=deployer,
        attack=open_role,
        gave=(
            f"the trust policy of role '{{deployer}}', now trusting {OUTSIDER} (another account)",
        ),
        ends=(
            missing(OLD_TRUST),
            then("deployer, which was there before, is left alone", _role_is_left("deployer")),
        ),
    ),
    Row(
        row=17,
        title="A new role for another account, used at once",
        calls=("CreateRole", "PutRolePolicy"),
        attack=backdoor,
        gave=(
            f"a new role '{{backdoor}}' that trusts {OUTSIDER} (another account)",
            "the inline policy 'all' for role '{backdoor}'",
        ),
        contained=("mallory", "backdoor"),
    ),
    Row(
        row=18,
        title="A new user with rights and a key",
        calls=("CreateUser", "AttachUserPolicy", "CreateAccessKey"),
        attack=accomplice_with_everything,
        gave=(
            "a new user '{accomplice}'",
            "the policy 'arn:aws:iam::aws:policy/AdministratorAccess' for user '{accomplice}'",
            "a new access key '{key}' of user '{accomplice}'",
        ),
        contained=("mallory", "accomplice"),
        ends=(inactive("key", "accomplice"),),
    ),
    Row(
        row=18,
        title="A new user, by a role's session",
        caller="role",
        calls=("CreateUser",),
        prepare=lambda play: play.role("deployer", "iam:*", path="/teams/"),
        attack=lambda play: accomplice(play, by="deployer"),
        gave=("a new user '{accomplice}'",),
        contained=("deployer", "accomplice"),
        about="deployer",
    ),
    Row(
        row=18,
        title="A new user, by a federated session of a user",
        caller="federated user",
        calls=("CreateUser",),
        attack=accomplice_by_federated_user,
        gave=("a new user '{accomplice}'",),
        contained=("mallory", "accomplice"),
    ),
    Row(
        row=18,
        title="A new user, by root",
        caller="root",
        calls=("CreateUser",),
        attack=accomplice_by_root,
        gave=("a new user '{accomplice}'",),
        contained=("accomplice",),
        mail="[CRITICAL: not contained]",
        about="root",
    ),
    Row(
        row=18,
        title="A new user, by a person of Identity Center",
        caller="Identity Center",
        calls=("CreateUser",),
        prepare=person_of_identity_center,
        attack=lambda play: accomplice(play, by="person"),
        gave=("a new user '{accomplice}'",),
        contained=("accomplice",),
        mail="[CRITICAL: not contained]",
        about="person",
    ),
    Row(
        row=18,
        title="A new user, refused for want of permission",
        calls=(),
        prepare=lambda play: play.user("peeping"),
        attack=refused_call,
        contained=("peeping",),
        about="peeping",
    ),
    Row(
        row=25,
        title="A strong role put into an instance profile",
        calls=("AddRoleToInstanceProfile",),
        prepare=profile,
        attack=fill_profile,
        gave=("the role '{strong}' for every instance with the profile '{profile}'",),
        ends=(
            command(
                "aws iam remove-role-from-instance-profile --instance-profile-name={profile} "
                "--role-name={strong}",
                profile_is_full,
            ),
        ),
    ),
    Row(
        row=44,
        title="Oneself renamed, and a colleague renamed into one's old name",
        calls=("UpdateUser", "UpdateUser"),
        prepare=lambda play: play.user("victim"),
        attack=rename_oneself_and_a_colleague,
        gave=(
            "the user '{innocent}', now '{mallory}'",
            "the user '{victim}', now '{innocent}'",
        ),
        ends=(
            command(
                "aws iam update-user --user-name={innocent} --new-user-name={victim}",
                name_of("innocent"),
            ),
            then("the colleague is left alone", _colleague_is_free),
        ),
    ),
    Row(
        row=45,
        title="A policy padded above what CloudTrail carries",
        calls=("PutUserPolicy",),
        prepare=lambda play: play.user("victim"),
        attack=padded_policy,
        gave=("unknown: CloudTrail omitted the request of PutUserPolicy (over 100 KB)",),
        ends=(
            critical(),
            missing("Compare users, roles and policies with what you expect."),
        ),
    ),
    Row(
        row=45,
        title="A role padded above what CloudTrail carries",
        calls=("CreateRole",),
        # Whatever was made within seconds of such a call counts as made by it.
        prepare=lambda play: play.box.advance(10),
        attack=padded_role,
        gave=("unknown: CloudTrail omitted the request of CreateRole (over 100 KB)",),
        contained=("mallory", "hidden"),
        ends=(critical(), then("what was made since is listed", _hidden_is_listed)),
    ),
    Row(
        row=48,
        title="A role under an exempt name, used at once",
        calls=("CreateRole", "PutRolePolicy", "CreateUser"),
        attack=forged_role,
        gave=(
            "a new role '{evil}' that trusts {account}",
            "the inline policy 'all' for role '{evil}'",
            "a new user '{accomplice}'",
        ),
        contained=("mallory", "evil", "accomplice"),
        where="watched",
        waits=True,
        ends=(critical(),),
    ),
    Row(
        row=49,
        title="The rollout's own role opened to everybody",
        calls=("UpdateAssumeRolePolicy",),
        prepare=rescue_role,
        attack=open_rescue_role,
        gave=("the trust policy of role '{rollout}', now trusting everyone",),
        ends=(
            critical(),
            missing(OLD_TRUST),
            then("the role, which rescues, is left alone", _rollout_is_free),
        ),
    ),
)
