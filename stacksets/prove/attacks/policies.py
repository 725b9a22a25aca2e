"""Rows 7-12, 14-15, 19-21, 45 and 50: policies and permissions boundaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handler.model.names import INLINE_DENY
from stacksets.prove.attacks.cast import HARMLESS, Cast, document
from stacksets.prove.attacks.model import Act, Row

# White space does not count for IAM, and CloudTrail leaves out parameters above 100 KB.
PADDING = " " * 110_000


def victim(cast: Cast) -> None:
    cast.user("victim")


def deployer(cast: Cast) -> None:
    cast.role("deployer")


def team(cast: Cast) -> None:
    """A group with the victim in it."""
    cast.group("team")
    cast.user("victim", groups=(cast["team"],))


def attach(kind: str, word: str, by: str = "mallory") -> Callable[[Cast], Any]:
    return lambda cast: getattr(cast.by(by), f"attach_{kind}_policy")(
        **{f"{kind.capitalize()}Name": cast[word], "PolicyArn": cast.aws_policy()}
    )


def put(kind: str, word: str, name: str = "more", padding: str = "") -> Callable[[Cast], Any]:
    return lambda cast: getattr(cast.by(), f"put_{kind}_policy")(
        PolicyName=name,
        PolicyDocument=document(*HARMLESS) + padding,
        **{f"{kind.capitalize()}Name": cast[word]},
    )


def holder_rows(number: int, kind: str, word: str, prepare: Act) -> tuple[Row, Row]:
    """A policy attached to a user, role or group, and an inline one three numbers later."""
    return (
        Row(
            row=number,
            title=f"A managed policy attached to a {kind}",
            prepare=prepare,
            attack=attach(kind, word),
        ),
        Row(
            row=number + 3,
            title=f"An inline policy on a {kind}",
            prepare=prepare,
            attack=put(kind, word),
        ),
    )


def new_version(cast: Cast, *, in_force: bool) -> None:
    cast.by().create_policy_version(
        PolicyArn=cast["policy"], PolicyDocument=document("s3:*"), SetAsDefault=in_force
    )


def policy_with_an_old_version(cast: Cast) -> None:
    cast.policy("policy")
    cast.operator.create_policy_version(
        PolicyArn=cast["policy"], PolicyDocument=document("s3:*"), SetAsDefault=False
    )


def bound(cast: Cast) -> None:
    """A user and a role within a boundary."""
    victim(cast)
    deployer(cast)
    cast.policy("boundary")
    bind(cast, cast.operator, cast["boundary"])


def bind(cast: Cast, by: Any, arn: str) -> None:
    by.put_user_permissions_boundary(UserName=cast["victim"], PermissionsBoundary=arn)
    by.put_role_permissions_boundary(RoleName=cast["deployer"], PermissionsBoundary=arn)


def unbind(cast: Cast) -> None:
    cast.by().delete_user_permissions_boundary(UserName=cast["victim"])
    cast.by().delete_role_permissions_boundary(RoleName=cast["deployer"])


def denied_team(cast: Cast) -> None:
    """A deny of the owner's, as managed and as inline policy, of a user and of the user's group."""
    cast.policy("denial", effect="Deny")
    team(cast)
    inline = {"PolicyName": "own", "PolicyDocument": document(*HARMLESS, effect="Deny")}
    cast.operator.attach_user_policy(UserName=cast["victim"], PolicyArn=cast["denial"])
    cast.operator.put_user_policy(UserName=cast["victim"], **inline)
    cast.operator.attach_group_policy(GroupName=cast["team"], PolicyArn=cast["denial"])
    cast.operator.put_group_policy(GroupName=cast["team"], **inline)


def undo_team(cast: Cast) -> None:
    cast.by().detach_user_policy(UserName=cast["victim"], PolicyArn=cast["denial"])
    cast.by().delete_user_policy(UserName=cast["victim"], PolicyName="own")
    cast.by().detach_group_policy(GroupName=cast["team"], PolicyArn=cast["denial"])
    cast.by().delete_group_policy(GroupName=cast["team"], PolicyName="own")


def denied_role(cast: Cast) -> None:
    cast.policy("denial", effect="Deny")
    deployer(cast)
    cast.operator.attach_role_policy(RoleName=cast["deployer"], PolicyArn=cast["denial"])
    cast.operator.put_role_policy(
        RoleName=cast["deployer"],
        PolicyName="own",
        PolicyDocument=document(*HARMLESS, effect="Deny"),
    )


def undo_role(cast: Cast) -> None:
    cast.by().detach_role_policy(RoleName=cast["deployer"], PolicyArn=cast["denial"])
    cast.by().delete_role_policy(RoleName=cast["deployer"], PolicyName="own")


ROWS = (
    *holder_rows(7, "user", "victim", victim),
    *holder_rows(8, "role", "deployer", deployer),
    *holder_rows(9, "group", "team", team),
    Row(
        row=14,
        title="A new version of a policy, in force",
        prepare=lambda cast: cast.policy("policy"),
        attack=lambda cast: new_version(cast, in_force=True),
    ),
    Row(
        row=14,
        title="A spare version of a policy, for later",
        prepare=lambda cast: cast.policy("policy"),
        attack=lambda cast: new_version(cast, in_force=False),
    ),
    Row(
        row=15,
        title="Another version of a policy put in force",
        prepare=policy_with_an_old_version,
        attack=lambda cast: cast.by().set_default_policy_version(
            PolicyArn=cast["policy"], VersionId="v2"
        ),
    ),
    Row(row=19, title="Permissions boundaries removed", prepare=bound, attack=unbind),
    Row(
        row=20,
        title="Permissions boundaries replaced",
        prepare=bound,
        attack=lambda cast: bind(cast, cast.by(), cast.aws_policy()),
    ),
    Row(
        row=21,
        title="The owner's own denies taken off a user and her group",
        prepare=denied_team,
        attack=undo_team,
    ),
    Row(
        row=21,
        title="The owner's own denies taken off a role",
        prepare=denied_role,
        attack=undo_role,
    ),
    Row(
        row=21,
        title="A user taken out of a group that denies",
        prepare=denied_team,
        attack=lambda cast: cast.by().remove_user_from_group(
            GroupName=cast["team"], UserName=cast["victim"]
        ),
    ),
    Row(
        row=45,
        title="A policy padded above what CloudTrail carries",
        prepare=victim,
        attack=put("user", "victim", padding=PADDING),
    ),
    Row(
        row=50,
        title="An inline policy named like our deny",
        attack=put("user", "mallory", name=INLINE_DENY),
    ),
)
