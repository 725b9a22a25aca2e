"""Rows 13, 16-18, 25, 28-29, 41 and 44: memberships, users, roles and who may be them."""

from __future__ import annotations

from handler.model.settings import Answer
from stacksets.prove.attacks.cast import HARMLESS, Cast
from stacksets.prove.attacks.credentials import new_key, unless_group, victim
from stacksets.prove.attacks.model import Row, key_off, no_administrator
from stacksets.prove.attacks.policies import deployer
from stacksets.prove.attacks.scene import PATH, Scene


def strong_team(cast: Cast) -> None:
    cast.group("team")
    cast.operator.attach_group_policy(GroupName=cast["team"], PolicyArn=cast.aws_policy())
    cast.user("friend")


def join(cast: Cast, user: str, group: str) -> None:
    cast.by().add_user_to_group(GroupName=group, UserName=cast[user])


def open_role(cast: Cast) -> None:
    cast.by().update_assume_role_policy(
        RoleName=cast["deployer"], PolicyDocument=cast.trust(cast.scene.outsider)
    )


def backdoor(cast: Cast) -> None:
    """A role that another account may assume. That account is the security team's own."""
    cast.role("new-role", *HARMLESS, by=cast.by(), trusts=cast.scene.outsider)


def new_user_with_everything(cast: Cast) -> None:
    """As the known attack tools do it: user, rights and key in the same second."""
    cast.user("new-user", by=cast.by())
    cast.by().attach_user_policy(UserName=cast["new-user"], PolicyArn=cast.aws_policy())
    new_key(cast, of="new-user")


def session_of_a_role(cast: Cast) -> None:
    cast.role("deployer", "iam:*", trusts=cast.scene.account)
    cast.session("deployer")


def peeping(cast: Cast) -> None:
    """A user with a key who may do nothing."""
    cast.user("peeping")
    cast.key("peeping", awaits_policy=False)


def profile(cast: Cast) -> None:
    cast.role("strong", *HARMLESS)
    cast.operator.create_instance_profile(InstanceProfileName=cast.name("profile"), Path=PATH)


def fill_profile(cast: Cast) -> None:
    cast.by().add_role_to_instance_profile(
        InstanceProfileName=cast["profile"], RoleName=cast["strong"]
    )


def widen_provider(cast: Cast) -> None:
    arn = cast["oidc"]
    cast.by().add_client_id_to_open_id_connect_provider(
        OpenIDConnectProviderArn=arn, ClientID="another"
    )
    cast.by().update_open_id_connect_provider_thumbprint(
        OpenIDConnectProviderArn=arn, ThumbprintList=["76543210fedcba9876543210fedcba9876543210"]
    )


def rename_oneself_and_a_colleague(cast: Cast) -> None:
    """mallory goes under another name, and a colleague under mallory's."""
    old = cast["mallory"]
    cast.by().update_user(UserName=old, NewUserName=cast.name("nobody"))
    cast.names["mallory"] = cast["nobody"]
    cast.by().update_user(UserName=cast["victim"], NewUserName=old)
    cast.names["victim"] = old


def unless_roles(scene: Scene) -> str:
    contains = scene.settings.role_callers is Answer.CONTAIN
    return "" if contains else f"RoleCallers is {scene.settings.role_callers.value}"


def unless_denied_calls(scene: Scene) -> str:
    contains = scene.settings.denied_calls is Answer.CONTAIN
    return "" if contains else f"DeniedCalls is {scene.settings.denied_calls.value}"


ROWS = (
    Row(
        row=13,
        title="A friend put into a group with rights",
        prepare=strong_team,
        attack=lambda cast: join(cast, "friend", cast["team"]),
    ),
    Row(
        row=13,
        title="Oneself put into the administrators' group",
        attack=lambda cast: join(cast, "mallory", cast.scene.settings.admin_group),
        ends=(no_administrator("mallory"),),
        unless=unless_group,
    ),
    Row(
        row=16,
        title="A role's trust policy opened to another account",
        prepare=deployer,
        attack=open_role,
    ),
    Row(
        row=17,
        title="A new role for another account, used at once",
        attack=backdoor,
        contained=("mallory", "new-role"),
    ),
    Row(
        row=18,
        title="A new user with rights and a key",
        attack=new_user_with_everything,
        contained=("mallory", "new-user"),
        ends=(key_off("key", "new-user"),),
    ),
    Row(
        row=18,
        title="A new user, by a role's session",
        prepare=session_of_a_role,
        attack=lambda cast: cast.user("new-user", by=cast.by("deployer")),
        caller="deployer",
        contained=("deployer", "new-user"),
        unless=unless_roles,
    ),
    Row(
        row=18,
        title="A new user, refused for want of permission",
        prepare=peeping,
        attack=lambda cast: cast.user("new-user", by=cast.by("peeping")),
        caller="peeping",
        contained=("peeping",),
        unless=unless_denied_calls,
    ),
    Row(
        row=25,
        title="A strong role put into an instance profile",
        prepare=profile,
        attack=fill_profile,
    ),
    Row(
        row=28,
        title="An OIDC provider of the attacker's",
        attack=lambda cast: cast.provider("oidc", cast.by()),
    ),
    Row(
        row=29,
        title="An OIDC provider widened",
        prepare=lambda cast: cast.provider("oidc", cast.operator),
        attack=widen_provider,
    ),
    Row(
        row=41,
        title="A tag on which policies may depend",
        prepare=victim,
        attack=lambda cast: cast.by().tag_user(
            UserName=cast["victim"], Tags=[{"Key": "team", "Value": "security"}]
        ),
    ),
    Row(
        row=44,
        title="Oneself renamed, and a colleague renamed into one's old name",
        prepare=victim,
        attack=rename_oneself_and_a_colleague,
    ),
)
