"""Rows 7-12, 14, 15, 19, 20: policies and permissions boundaries of users, groups and roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.attacks.play import Play, document
from tests.attacks.rows import Row, command, missing, then

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
OLD_VERSION = "The record does not say which version was in force before."
DELETED_TEXT = "The record does not carry the deleted policy's text."


def victim(play: Play) -> None:
    play.user("victim")


def deployer(play: Play) -> None:
    play.role("deployer")


def team(play: Play, *policies: str) -> None:
    """A group with the victim in it."""
    play.quiet.create_group(GroupName=play.name("team"))
    play.user("victim", groups=(play["team"],))


def attached(kind: str, word: str, policy: str) -> Callable[[Play], bool]:
    def there(play: Play) -> bool:
        lister = getattr(play.quiet, f"list_attached_{kind}_policies")
        found = lister(**{f"{kind.capitalize()}Name": play[word]})["AttachedPolicies"]
        return play.fill(policy) in [one["PolicyArn"] for one in found]

    return there


def inline(kind: str, word: str) -> Callable[[Play], bool]:
    def there(play: Play) -> bool:
        lister = getattr(play.quiet, f"list_{kind}_policies")
        return "more" in lister(**{f"{kind.capitalize()}Name": play[word]})["PolicyNames"]

    return there


def attach(kind: str, word: str) -> Callable[[Play], Any]:
    return lambda play: getattr(play.iam("mallory"), f"attach_{kind}_policy")(
        **{f"{kind.capitalize()}Name": play[word], "PolicyArn": ADMIN}
    )


def put(kind: str, word: str) -> Callable[[Play], Any]:
    return lambda play: getattr(play.iam("mallory"), f"put_{kind}_policy")(
        PolicyName="more", PolicyDocument=document("*"), **{f"{kind.capitalize()}Name": play[word]}
    )


def holder_row(number: int, kind: str, word: str, prepare: Any, *, text: str) -> tuple[Row, Row]:
    """A policy attached to a user, role or group, and an inline one three numbers later."""
    noun = kind.capitalize()
    return (
        Row(
            row=number,
            title=f"A managed policy attached to a {kind}",
            calls=(f"Attach{noun}Policy",),
            prepare=prepare,
            attack=attach(kind, word),
            gave=(f"the policy '{ADMIN}' for {text}",),
            ends=(
                command(
                    f"aws iam detach-{kind}-policy --{kind}-name={{{word}}} --policy-arn={ADMIN}",
                    attached(kind, word, ADMIN),
                ),
            ),
        ),
        Row(
            row=number + 3,
            title=f"An inline policy on a {kind}",
            calls=(f"Put{noun}Policy",),
            prepare=prepare,
            attack=put(kind, word),
            gave=(f"the inline policy 'more' for {text}",),
            ends=(
                command(
                    f"aws iam delete-{kind}-policy --{kind}-name={{{word}}} --policy-name=more",
                    inline(kind, word),
                ),
            ),
        ),
    )


def shared_policy(play: Play) -> None:
    """A policy of the account's own that the victim has."""
    victim(play)
    play.policy("policy")
    play.quiet.attach_user_policy(UserName=play["victim"], PolicyArn=play["policy"])


def policy_with_an_old_version(play: Play) -> None:
    shared_policy(play)
    play.quiet.create_policy_version(
        PolicyArn=play["policy"], PolicyDocument=document("*"), SetAsDefault=False
    )


def new_version(play: Play, *, in_force: bool) -> None:
    play.iam("mallory").create_policy_version(
        PolicyArn=play["policy"], PolicyDocument=document("*"), SetAsDefault=in_force
    )


def versions(play: Play) -> bool:
    found = play.quiet.list_policy_versions(PolicyArn=play["policy"])["Versions"]
    return len(found) == 2


def bound(play: Play) -> None:
    """A user and a role within a boundary."""
    victim(play)
    deployer(play)
    play.policy("boundary")
    arn = play["boundary"]
    play.quiet.put_user_permissions_boundary(UserName=play["victim"], PermissionsBoundary=arn)
    play.quiet.put_role_permissions_boundary(RoleName=play["deployer"], PermissionsBoundary=arn)


def unbind(play: Play) -> None:
    mallory = play.iam("mallory")
    mallory.delete_user_permissions_boundary(UserName=play["victim"])
    mallory.delete_role_permissions_boundary(RoleName=play["deployer"])


def rebind(play: Play) -> None:
    mallory = play.iam("mallory")
    mallory.put_user_permissions_boundary(UserName=play["victim"], PermissionsBoundary=ADMIN)
    mallory.put_role_permissions_boundary(RoleName=play["deployer"], PermissionsBoundary=ADMIN)


def _two_boundaries_stay(play: Play) -> None:
    """What the attack put there is still there: nobody guesses the old value."""
    user = play.quiet.get_user(UserName=play["victim"])["User"]
    role = play.quiet.get_role(RoleName=play["deployer"])["Role"]
    found = [one["PermissionsBoundary"]["PermissionsBoundaryArn"] for one in (user, role)]
    assert found == [ADMIN, ADMIN]


NEW_VERSION = (
    "version 'v2' of the policy '{policy}', in force for every user, group and role that has it "
    "as policy or boundary"
)
BOUNDARY_GONE = "The record does not say which boundary it was."
ROWS = (
    *holder_row(7, "user", "victim", victim, text="user '{victim}'"),
    *holder_row(8, "role", "deployer", deployer, text="role '{deployer}'"),
    *holder_row(9, "group", "team", team, text="every member of the group '{team}'"),
    Row(
        row=14,
        title="A new version of a policy, in force",
        calls=("CreatePolicyVersion",),
        prepare=shared_policy,
        attack=lambda play: new_version(play, in_force=True),
        gave=(NEW_VERSION,),
        ends=(missing(OLD_VERSION),),
    ),
    Row(
        row=14,
        title="A spare version of a policy, for later",
        calls=("CreatePolicyVersion",),
        prepare=shared_policy,
        attack=lambda play: new_version(play, in_force=False),
        gave=("a spare version 'v2' of the policy '{policy}', not in force yet",),
        ends=(
            command(
                "aws iam delete-policy-version --policy-arn={policy} --version-id=v2", versions
            ),
        ),
    ),
    Row(
        row=15,
        title="Another version of a policy put in force",
        calls=("SetDefaultPolicyVersion",),
        prepare=policy_with_an_old_version,
        attack=lambda play: play.iam("mallory").set_default_policy_version(
            PolicyArn=play["policy"], VersionId="v2"
        ),
        gave=(NEW_VERSION,),
        ends=(missing(OLD_VERSION),),
    ),
    Row(
        row=19,
        title="Permissions boundaries removed",
        calls=("DeleteUserPermissionsBoundary", "DeleteRolePermissionsBoundary"),
        prepare=bound,
        attack=unbind,
        gave=(
            "the permissions boundary of user '{victim}', removed",
            "the permissions boundary of role '{deployer}', removed",
        ),
        ends=(missing(BOUNDARY_GONE),),
    ),
    Row(
        row=20,
        title="Permissions boundaries replaced",
        calls=("PutUserPermissionsBoundary", "PutRolePermissionsBoundary"),
        prepare=bound,
        attack=rebind,
        gave=(
            f"the permissions boundary '{ADMIN}' for user '{{victim}}'",
            f"the permissions boundary '{ADMIN}' for role '{{deployer}}'",
        ),
        ends=(
            missing("The record does not say which boundary was set before."),
            then("nobody guesses the old ones", _two_boundaries_stay),
        ),
    ),
)
